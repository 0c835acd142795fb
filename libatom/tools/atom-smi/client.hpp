// SPDX-License-Identifier: MIT
// Programs that have an NPU open, from the fdinfo of /proc (drm-usage-stats).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "system_files.hpp"

namespace smi {

/** An open file of a device. */
struct client {
	int pid = 0;
	std::uint64_t id = 0; ///< of the file, unique on its device
	std::string command;  ///< short name of the process
	std::optional<std::string> user;
	std::optional<std::string> pci_address;
	std::optional<std::string> context_state;          ///< word of the driver, if it tells one
	std::optional<std::string> priority;               ///< the highest of its queues, if told
	std::map<std::string, std::uint64_t> engine_ns;    ///< by engine: time that it worked
	std::map<std::string, std::uint64_t> memory_bytes; ///< by region: memory, local, shm
	std::optional<double> utilisation;                 ///< 0 to 1, between two looks

	/** Memory of the device: local and shm. */
	[[nodiscard]] std::uint64_t device_bytes() const;
	/** Sum over the engines. */
	[[nodiscard]] std::uint64_t busy_ns() const;
};

/** Those of processes that this user may look into; all of them for root. By pid and id. */
std::vector<client> find_clients(const system_files &files);

/** Fills in utilisation from an @p earlier look, @p elapsed ago. */
void compare(std::vector<client> &now, const std::vector<client> &earlier,
             std::chrono::nanoseconds elapsed);

/** Two looks, a tenth of a second apart if there is anything to see. */
std::vector<client> watch_clients(const system_files &files);

nlohmann::ordered_json to_json(const client &c);

} // namespace smi
