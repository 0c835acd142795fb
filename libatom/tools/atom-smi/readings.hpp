// SPDX-License-Identifier: MIT
// Numbers that a device shows, of the moment. Nothing stands for "not known".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "atom/device.hpp"
#include "system_files.hpp"

namespace smi {

using number = std::optional<std::int64_t>;

struct readings {
	number temperature_mc; ///< milli-degrees Celsius
	number temperature_throttle_mc;
	number temperature_abort_mc;
	number temperature_shutdown_mc;
	number power_uw;
	number energy_uj;
	number pstate;
	number utilisation_permille; ///< of the last second
	number clock_cp_hz;
	number clock_ne0_hz;
	number clock_ne1_hz;
	number clock_bus_hz;
	number clock_shm_hz;
	number local_bytes; ///< device memory
	number local_used_bytes;
	number local_visible_bytes; ///< part that the CPU reaches
	number local_visible_used_bytes;
	number shm_bytes; ///< shared on-chip memory
	number shm_used_bytes;
	number clients;
	number contexts;
	number contexts_max;
	number queues;
	number queues_max;
	number jobs;
	number jobs_done;
	number busy_compute_ns;
	number busy_dma_ns;
	number queue_resets;
	number device_resets;
	number job_faults;
	number job_timeouts;
	number lost_interrupts;
	number ecc_corrected;
	number ecc_uncorrected;
	number job_timeout_ms;
	number job_timeout_max_ms;
	/** Reasons why clocks are down: "thermal", "power", "abort". */
	std::optional<std::vector<std::string>> throttle;
};

/** One number: what it is called, and where the driver shows it. */
struct reading {
	const char *path; ///< in JSON, as a JSON pointer
	number readings::*member;
	const char *file;   ///< below the device's folder; one that begins with "temp", "power" or
	                    ///< "energy" is hwmon's
	std::int64_t scale; ///< the file's unit in ours
};

/** All of them, in the order of the JSON. */
const std::vector<reading> &all_readings();

/** Reads what sysfs has below @p folder, that of a PCI function. */
readings read_sysfs(const system_files &files, const std::string &folder);

/** Reads what libatom tells of an open device. */
readings read_library(const atom::device &device);

/** Adds all readings to @p object; null where unknown. */
void add_readings(nlohmann::ordered_json &object, const readings &r);

} // namespace smi
