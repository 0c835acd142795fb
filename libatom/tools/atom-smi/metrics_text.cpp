// SPDX-License-Identifier: MIT
#include "metrics_text.hpp"

#include <cstdio>

#include "atom/config.hpp"
#include "text_table.hpp"

namespace smi {

namespace {

struct family {
	const char *name;
	const char *type; ///< "gauge" or "counter"
	const char *help;
};

/** A number of a family; several of one family stand one after the other. */
struct sample {
	family of;
	const char *label; ///< what tells it from the family's others, "" if it is alone
	number readings::*member;
	double unit; ///< the reading's in the base unit
};

constexpr double milli = 1e-3;
constexpr double micro = 1e-6;
constexpr double nano = 1e-9;

constexpr family temperature = {"atom_temperature_celsius", "gauge", "Temperature of the chip."};
constexpr family limit = {"atom_temperature_limit_celsius", "gauge",
                          "Temperature above which the device does what the label says."};
constexpr family power = {"atom_power_watts", "gauge", "Power of the card, mean of a second."};
constexpr family energy = {"atom_energy_joules_total", "counter",
                           "Energy of the card since its cold reset."};
constexpr family pstate = {"atom_pstate", "gauge", "P-state: the lower, the faster."};
constexpr family utilisation = {"atom_utilisation_ratio", "gauge",
                                "Share of the last second that the neural engines were busy."};
constexpr family busy = {"atom_engine_busy_seconds_total", "counter",
                         "Time that the engines were busy since the cold reset."};
constexpr family frequency = {"atom_clock_hertz", "gauge", "Clocks of the chip's parts."};
constexpr family memory = {"atom_memory_bytes", "gauge", "Size of the device's memory."};
constexpr family memory_used = {"atom_memory_used_bytes", "gauge", "Memory in use."};
constexpr family clients = {"atom_clients", "gauge", "Open files of the device."};
constexpr family contexts = {"atom_contexts", "gauge", "Address spaces in use."};
constexpr family queues = {"atom_queues", "gauge", "Hardware queues in use."};
constexpr family jobs = {"atom_jobs", "gauge", "Jobs that were submitted and are not done."};
constexpr family jobs_done = {"atom_jobs_done_total", "counter",
                              "Jobs that the device retired since its cold reset."};
constexpr family failed = {"atom_jobs_failed_total", "counter",
                           "Jobs that failed since the driver was bound."};
constexpr family resets = {"atom_resets_total", "counter",
                           "Resets of queues and of the device since the driver was bound."};
constexpr family interrupts = {"atom_lost_interrupts_total", "counter",
                               "Completions found without an interrupt."};
constexpr family ecc = {"atom_ecc_errors_total", "counter",
                        "Memory errors of the device since its cold reset."};

constexpr sample samples[] = {
	{temperature, "", &readings::temperature_mc, milli},
	{limit, "action=\"throttle\"", &readings::temperature_throttle_mc, milli},
	{limit, "action=\"abort\"", &readings::temperature_abort_mc, milli},
	{limit, "action=\"shutdown\"", &readings::temperature_shutdown_mc, milli},
	{power, "", &readings::power_uw, micro},
	{energy, "", &readings::energy_uj, micro},
	{pstate, "", &readings::pstate, 1},
	{utilisation, "", &readings::utilisation_permille, milli},
	{busy, "engine=\"compute\"", &readings::busy_compute_ns, nano},
	{busy, "engine=\"dma\"", &readings::busy_dma_ns, nano},
	{frequency, "part=\"cp\"", &readings::clock_cp_hz, 1},
	{frequency, "part=\"ne0\"", &readings::clock_ne0_hz, 1},
	{frequency, "part=\"ne1\"", &readings::clock_ne1_hz, 1},
	{frequency, "part=\"bus\"", &readings::clock_bus_hz, 1},
	{frequency, "part=\"shm\"", &readings::clock_shm_hz, 1},
	{memory, "region=\"local\"", &readings::local_bytes, 1},
	{memory, "region=\"local_visible\"", &readings::local_visible_bytes, 1},
	{memory, "region=\"shm\"", &readings::shm_bytes, 1},
	{memory_used, "region=\"local\"", &readings::local_used_bytes, 1},
	{memory_used, "region=\"local_visible\"", &readings::local_visible_used_bytes, 1},
	{memory_used, "region=\"shm\"", &readings::shm_used_bytes, 1},
	{clients, "", &readings::clients, 1},
	{contexts, "", &readings::contexts, 1},
	{queues, "", &readings::queues, 1},
	{jobs, "", &readings::jobs, 1},
	{jobs_done, "", &readings::jobs_done, 1},
	{failed, "reason=\"fault\"", &readings::job_faults, 1},
	{failed, "reason=\"timeout\"", &readings::job_timeouts, 1},
	{resets, "scope=\"queue\"", &readings::queue_resets, 1},
	{resets, "scope=\"device\"", &readings::device_resets, 1},
	{interrupts, "", &readings::lost_interrupts, 1},
	{ecc, "kind=\"corrected\"", &readings::ecc_corrected, 1},
	{ecc, "kind=\"uncorrected\"", &readings::ecc_uncorrected, 1},
};

class exposition {
public:
	void begin(const family &f)
	{
		text_ += std::string("# HELP ") + f.name + ' ' + f.help + "\n# TYPE " + f.name +
		         ' ' + f.type + '\n';
	}
	void add(const char *name, const std::string &labels, double value)
	{
		char number[32];
		std::snprintf(number, sizeof(number), "%.15g", value);
		text_ += std::string(name) + '{' + labels + "} " + number + '\n';
	}
	std::string take() { return std::move(text_); }

private:
	std::string text_;
};

// What stays the same for a card in its slot; versions are in atom_device_info alone, so that an
// update does not start each series anew.
std::string labels_of(const npu &device)
{
	const std::string name = device.pci ? device.pci->address : device.node.value_or("");
	return "npu=\"" + std::to_string(device.index) + "\",device=\"" + escape_label(name) +
	       "\",serial=\"" + escape_label(device.serial.value_or("")) + '"';
}

void add_devices(exposition &out, const std::vector<npu> &devices)
{
	out.begin({"atom_device_info", "gauge", "Versions and names; always 1."});
	for (const npu &d : devices)
		out.add("atom_device_info",
		        labels_of(d) + ",name=\"" + escape_label(d.name) + "\",uuid=\"" +
		                escape_label(d.uuid.value_or("")) + "\",driver=\"" +
		                escape_label(d.driver_version.value_or("")) + "\",firmware=\"" +
		                escape_label(d.firmware_version.value_or("")) + '"',
		        1);
	out.begin({"atom_device_up", "gauge", "1 if the device works, 0 if not."});
	for (const npu &d : devices)
		out.add("atom_device_up", labels_of(d),
		        d.state == condition::ok || d.state == condition::throttled ? 1 : 0);
	out.begin({"atom_throttled", "gauge", "1 for each reason why clocks are down, else 0."});
	for (const npu &d : devices)
		for (const std::string reason : {"thermal", "power", "abort"})
			if (const auto &now = d.now.throttle)
				out.add("atom_throttled", labels_of(d) + ",reason=\"" + reason + '"',
				        std::find(now->begin(), now->end(), reason) != now->end());
}

} // namespace

std::string escape_label(const std::string &value)
{
	// JSON has the same three escapes; it replaces what is no UTF-8.
	using json = nlohmann::json;
	std::string out;
	const std::string clean = json::parse(json(value).dump(-1, ' ', false,
	                                                       json::error_handler_t::replace));
	for (const char c : clean) {
		if (c == '\\' || c == '"')
			out += '\\';
		if (c == '\n')
			out += "\\n";
		else
			out += c;
	}
	return out;
}

std::string metrics_text(const std::vector<npu> &devices)
{
	exposition out;
	add_devices(out, devices);
	const char *begun = "";
	for (const sample &s : samples) {
		for (const npu &d : devices) {
			const number value = d.now.*s.member;
			if (!value)
				continue;
			if (s.of.name != begun)
				out.begin(s.of);
			begun = s.of.name;
			const std::string own = *s.label ? std::string(",") + s.label : "";
			out.add(s.of.name, labels_of(d) + own,
			        static_cast<double>(*value) * s.unit);
		}
	}
	return out.take();
}

} // namespace smi
