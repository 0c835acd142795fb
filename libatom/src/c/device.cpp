// SPDX-License-Identifier: MIT
#include <chrono>

#include "c/completions.hpp"

using namespace atom::c;

namespace {

atom_device_info info_of(const atom::device_info &from)
{
	atom_device_info to{};
	to.numa_node = from.numa_node;
	copy_text(from.path, to.path);
	copy_text(from.bdf, to.bdf);
	copy_text(from.driver_version, to.driver_version);
	to.interface_major = from.interface_major;
	to.interface_minor = from.interface_minor;
	to.firmware_version = from.firmware_version;
	to.emulated = from.emulated ? 1 : 0;
	to.device_caps = from.device_caps;
	to.kernel_caps = from.kernel_caps;
	std::copy(from.opcodes.begin(), from.opcodes.end(), to.opcodes);
	to.dtypes = from.dtypes;
	to.serial = from.serial;
	std::copy(from.uuid.begin(), from.uuid.end(), to.uuid);
	to.generation = from.generation;
	to.engines = from.engines;
	to.queues_max = from.queues_max;
	to.contexts_max = from.contexts_max;
	to.ring_entries = from.ring_entries;
	to.submit_jobs_max = from.submit_jobs_max;
	to.syncs_max = from.syncs_max;
	to.command_bytes_max = from.command_bytes_max;
	to.arguments_max = from.arguments_max;
	to.macs_log2_max = from.macs_log2_max;
	to.job_timeout_ms = static_cast<std::uint32_t>(from.job_timeout.count());
	to.job_timeout_max_ms = static_cast<std::uint32_t>(from.job_timeout_max.count());
	return to;
}

atom_telemetry telemetry_of(const atom::telemetry &from)
{
	atom_telemetry to{};
	to.temperature_millidegrees = from.temperature_millidegrees;
	to.throttle_temperature_millidegrees = from.throttle_temperature_millidegrees;
	to.abort_temperature_millidegrees = from.abort_temperature_millidegrees;
	to.shutdown_temperature_millidegrees = from.shutdown_temperature_millidegrees;
	to.power_milliwatts = from.power_milliwatts;
	to.pstate = from.pstate;
	to.throttle = from.throttle;
	to.utilisation_permille = from.utilisation_permille;
	std::copy(from.clocks_khz.begin(), from.clocks_khz.end(), to.clocks_khz);
	to.ecc_corrected = from.ecc_corrected;
	to.ecc_uncorrected = from.ecc_uncorrected;
	to.energy_microjoules = from.energy_microjoules;
	to.busy_compute_ns = from.busy_compute_ns;
	to.busy_dma_ns = from.busy_dma_ns;
	to.modelled_ns = from.modelled_ns;
	to.dram_read_bytes = from.dram_read_bytes;
	to.dram_written_bytes = from.dram_written_bytes;
	to.dma_read_bytes = from.dma_read_bytes;
	to.dma_written_bytes = from.dma_written_bytes;
	to.jobs_done = from.jobs_done;
	to.macs = from.macs;
	return to;
}

/** A sink of the caller. */
class c_sink {
public:
	explicit c_sink(const atom_log_sink &from) : from_(from) {}
	~c_sink()
	{
		if (taken && from_.release != nullptr)
			from_.release(from_.user);
	}
	c_sink(const c_sink &) = delete;
	c_sink &operator=(const c_sink &) = delete;

	bool taken = false; ///< the caller gets it back at the end

	void tell(atom::log_level level, std::string_view text) const
	{
		from_.function(from_.user, static_cast<uint32_t>(level), std::string(text).c_str());
	}

private:
	atom_log_sink from_;
};

} // namespace

int atom_device_count(uint32_t *count)
{
	return guarded(
		[&] { live(count, "count") = static_cast<uint32_t>(atom::enumerate().size()); });
}

int atom_device_find(uint32_t index, atom_device_node *out)
{
	return guarded([&] {
		atom_device_node &to = live(out, "out");
		const auto nodes = atom::enumerate();
		if (index >= nodes.size())
			atom::core::fail(atom::errc::no_device,
			                 "there is no device " + std::to_string(index) + ", but " +
			                         std::to_string(nodes.size()) + " of them");
		atom_device_node found{};
		found.numa_node = nodes[index].numa_node;
		copy_text(nodes[index].path, found.path);
		copy_text(nodes[index].bdf, found.bdf);
		write(found, to);
	});
}

int atom_device_open(const char *which, atom_device **out)
{
	return give(out, [&] {
		return which == nullptr ? atom::device::open() : atom::device::open(which);
	});
}

void atom_device_destroy(atom_device *device) { delete device; }

int atom_device_get_info(const atom_device *device, atom_device_info *out)
{
	return guarded(
		[&] { write(info_of(live(device, "device").value.info()), live(out, "out")); });
}

int atom_device_get_memory(const atom_device *device, atom_memory_info *out)
{
	return guarded([&] {
		const atom::memory_info from = live(device, "device").value.memory();
		write(atom_memory_info{0, 0, from.local_size, from.local_used,
		                       from.local_visible_size, from.local_visible_used,
		                       from.shm_size, from.shm_used},
		      live(out, "out"));
	});
}

int atom_device_get_telemetry(const atom_device *device, atom_telemetry *out)
{
	return guarded([&] {
		write(telemetry_of(live(device, "device").value.read_telemetry()),
		      live(out, "out"));
	});
}

int atom_device_get_clock(const atom_device *device, atom_clock_sample *out)
{
	return guarded([&] {
		const atom::clock_sample from = live(device, "device").value.clock();
		const std::chrono::nanoseconds host = from.host.time_since_epoch();
		write(atom_clock_sample{0, static_cast<uint32_t>(from.uncertainty.count()),
		                        from.device_ns, static_cast<uint64_t>(host.count())},
		      live(out, "out"));
	});
}

int atom_device_next_event(const atom_device *device, atom_device_event *out)
{
	return next(
		out, [&] { return live(device, "device").value.next_event(); },
		[](const atom::device_event &event, atom_device_event &found) {
			found.what = static_cast<uint32_t>(event.what);
			found.generation = event.generation;
			found.queue_id = event.queue_id;
			found.faulted = event.faulted ? 1 : 0;
			found.timed_out = event.timed_out ? 1 : 0;
			found.device_lost = event.device_lost ? 1 : 0;
			found.first_failed = event.first_failed;
			found.fault = fault_of(event.fault);
		});
}

int atom_device_set_log_sink(const atom_device *device, const atom_log_sink *sink)
{
	return guarded([&] {
		const atom::device &dev = live(device, "device").value;
		const atom_log_sink wanted = read(sink);
		if (wanted.level > ATOM_LOG_DEBUG)
			atom::core::fail(atom::errc::invalid_argument,
			                 "set log sink: there is no level " +
			                         std::to_string(wanted.level));
		if (wanted.function == nullptr)
			return dev.set_log_sink({});
		const auto shared = std::make_shared<c_sink>(wanted);
		dev.set_log_sink([shared](atom::log_level level,
		                          std::string_view text) { shared->tell(level, text); },
		                 wanted.level == 0 ? atom::log_level::warning
		                                   : static_cast<atom::log_level>(wanted.level));
		shared->taken = true;
	});
}

int atom_device_fd(const atom_device *device)
{
	return guarded([&] { return live(device, "device").value.fd(); });
}

int atom_device_monitor_create(atom_device_monitor **out)
{
	return give(out, [] { return atom::device_monitor(); });
}

void atom_device_monitor_destroy(atom_device_monitor *monitor) { delete monitor; }

int atom_device_monitor_fd(const atom_device_monitor *monitor)
{
	return guarded([&] { return live(monitor, "monitor").value.fd(); });
}

int atom_device_monitor_next(atom_device_monitor *monitor, atom_device_change *out)
{
	return next(
		out, [&] { return live(monitor, "monitor").value.next(); },
		[](const atom::device_change &change, atom_device_change &found) {
			found.what = static_cast<uint32_t>(change.what);
			found.numa_node = change.device.numa_node;
			copy_text(change.device.path, found.path);
			copy_text(change.device.bdf, found.bdf);
			copy_text(change.remedies, found.remedies);
		});
}
