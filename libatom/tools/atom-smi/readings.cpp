// SPDX-License-Identifier: MIT
#include "readings.hpp"

#include <sstream>

#include "atom/hw/regs.h"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

constexpr std::int64_t kilo = 1000;

std::vector<std::string> throttle_reasons(std::uint32_t bits)
{
	std::vector<std::string> reasons;
	if (bits & ATOM_THROTTLE_THERMAL)
		reasons.emplace_back("thermal");
	if (bits & ATOM_THROTTLE_POWER)
		reasons.emplace_back("power");
	if (bits & ATOM_THROTTLE_ABORT)
		reasons.emplace_back("abort");
	return reasons;
}

std::optional<std::vector<std::string>> parse_throttle(const std::optional<std::string> &text)
{
	if (!text)
		return std::nullopt;
	std::vector<std::string> reasons;
	std::istringstream words(*text);
	for (std::string word; words >> word;)
		if (word != "none")
			reasons.push_back(word);
	return reasons;
}

// The sensors' folder has a number that nobody knows before.
std::string hwmon_folder(const system_files &files, const std::string &folder)
{
	const std::string all = folder + "/hwmon";
	const std::vector<std::string> names = files.list(all);
	return names.empty() ? all : all + "/" + names.front();
}

bool is_sensor(std::string_view file)
{
	return file.starts_with("temp1") || file.starts_with("power1") ||
	       file.starts_with("energy1");
}

} // namespace

const std::vector<reading> &all_readings()
{
	using r = readings;
	static const std::vector<reading> all = {
		{"/temperature_mc", &r::temperature_mc, "temp1_input", 1},
		{"/temperature_throttle_mc", &r::temperature_throttle_mc, "temp1_max", 1},
		{"/temperature_abort_mc", &r::temperature_abort_mc, "temp1_crit", 1},
		{"/temperature_shutdown_mc", &r::temperature_shutdown_mc, "temp1_emergency", 1},
		{"/power_uw", &r::power_uw, "power1_average", 1},
		{"/energy_uj", &r::energy_uj, "energy1_input", 1},
		{"/pstate", &r::pstate, "pstate", 1},
		{"/utilisation_permille", &r::utilisation_permille, "utilisation_permille", 1},
		{"/clocks/cp_hz", &r::clock_cp_hz, "clock/cp_khz", kilo},
		{"/clocks/ne0_hz", &r::clock_ne0_hz, "clock/ne0_khz", kilo},
		{"/clocks/ne1_hz", &r::clock_ne1_hz, "clock/ne1_khz", kilo},
		{"/clocks/bus_hz", &r::clock_bus_hz, "clock/bus_khz", kilo},
		{"/clocks/shm_hz", &r::clock_shm_hz, "clock/shm_khz", kilo},
		{"/memory/local_bytes", &r::local_bytes, "memory/local_total", 1},
		{"/memory/local_used_bytes", &r::local_used_bytes, "memory/local_used", 1},
		{"/memory/local_visible_bytes", &r::local_visible_bytes,
	         "memory/local_visible_total", 1},
		{"/memory/local_visible_used_bytes", &r::local_visible_used_bytes,
	         "memory/local_visible_used", 1},
		{"/memory/shm_bytes", &r::shm_bytes, "memory/shm_total", 1},
		{"/memory/shm_used_bytes", &r::shm_used_bytes, "memory/shm_used", 1},
		{"/use/clients", &r::clients, "clients", 1},
		{"/use/contexts", &r::contexts, "contexts", 1},
		{"/use/contexts_max", &r::contexts_max, "contexts_max", 1},
		{"/use/queues", &r::queues, "queues", 1},
		{"/use/queues_max", &r::queues_max, "queues_max", 1},
		{"/use/jobs", &r::jobs, "jobs", 1},
		{"/work/jobs_done", &r::jobs_done, "jobs_done", 1},
		{"/work/busy_compute_ns", &r::busy_compute_ns, "busy_time_us", kilo},
		{"/work/busy_dma_ns", &r::busy_dma_ns, "dma_busy_time_us", kilo},
		{"/errors/queue_resets", &r::queue_resets, "errors/queue_resets", 1},
		{"/errors/device_resets", &r::device_resets, "errors/device_resets", 1},
		{"/errors/job_faults", &r::job_faults, "errors/job_faults", 1},
		{"/errors/job_timeouts", &r::job_timeouts, "errors/job_timeouts", 1},
		{"/errors/lost_interrupts", &r::lost_interrupts, "errors/lost_interrupts", 1},
		{"/errors/ecc_corrected", &r::ecc_corrected, "errors/ecc_corrected", 1},
		{"/errors/ecc_uncorrected", &r::ecc_uncorrected, "errors/ecc_uncorrected", 1},
		{"/limits/job_timeout_ms", &r::job_timeout_ms, "job_timeout_ms", 1},
		{"/limits/job_timeout_max_ms", &r::job_timeout_max_ms, "job_timeout_max_ms", 1},
	};
	return all;
}

readings read_sysfs(const system_files &files, const std::string &folder)
{
	readings out;
	const std::string hwmon = hwmon_folder(files, folder);
	for (const reading &r : all_readings()) {
		auto text = files.read((is_sensor(r.file) ? hwmon : folder) + "/" + r.file);
		if (text && text->starts_with("P")) // "P2" of pstate
			text->erase(0, 1);
		const number value = text ? to_number(*text) : std::nullopt;
		std::int64_t scaled = 0;
		if (value && !__builtin_mul_overflow(*value, r.scale, &scaled))
			out.*r.member = scaled;
	}
	out.throttle = parse_throttle(files.read(folder + "/throttle"));
	return out;
}

readings read_library(const atom::device &device)
{
	readings out;
	std::error_code error;
	const atom::telemetry t = device.read_telemetry(error);
	if (!error) {
		out.temperature_mc = t.temperature_millidegrees;
		out.temperature_throttle_mc = t.throttle_temperature_millidegrees;
		out.temperature_abort_mc = t.abort_temperature_millidegrees;
		out.temperature_shutdown_mc = t.shutdown_temperature_millidegrees;
		out.power_uw = std::int64_t{t.power_milliwatts} * kilo;
		out.energy_uj = t.energy_microjoules;
		out.pstate = t.pstate;
		out.utilisation_permille = t.utilisation_permille;
		out.clock_cp_hz = t.clocks_khz[0] * kilo;
		out.clock_ne0_hz = t.clocks_khz[1] * kilo;
		out.clock_ne1_hz = t.clocks_khz[2] * kilo;
		out.clock_bus_hz = t.clocks_khz[3] * kilo;
		out.clock_shm_hz = t.clocks_khz[4] * kilo;
		out.jobs_done = t.jobs_done;
		out.busy_compute_ns = t.busy_compute_ns;
		out.busy_dma_ns = t.busy_dma_ns;
		out.ecc_corrected = t.ecc_corrected;
		out.ecc_uncorrected = t.ecc_uncorrected;
		out.throttle = throttle_reasons(t.throttle);
	}
	const atom::memory_info m = device.memory(error);
	if (!error) {
		out.local_bytes = m.local_size;
		out.local_used_bytes = m.local_used;
		out.local_visible_bytes = m.local_visible_size;
		out.local_visible_used_bytes = m.local_visible_used;
		out.shm_bytes = m.shm_size;
		out.shm_used_bytes = m.shm_used;
	}
	const atom::device_info &info = device.info();
	out.contexts_max = info.contexts_max;
	out.queues_max = info.queues_max;
	out.job_timeout_ms = info.job_timeout.count();
	out.job_timeout_max_ms = info.job_timeout_max.count();
	return out;
}

void add_readings(json &object, const readings &r)
{
	for (const reading &one : all_readings()) {
		json &place = object[json::json_pointer(one.path)];
		place = nullptr;
		if (const number &value = r.*one.member)
			place = *value;
	}
	object["throttle"] = r.throttle ? json(*r.throttle) : json(nullptr);
}

} // namespace smi
