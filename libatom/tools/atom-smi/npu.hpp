// SPDX-License-Identifier: MIT
// The NPUs of this machine, or those of ATOM_DEVICE=model, as operators see them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pci_function.hpp"
#include "readings.hpp"
#include "system_files.hpp"

namespace smi {

enum class condition {
	ok,
	throttled, ///< works, with lowered clocks
	dead,      ///< the driver has given it up
	no_driver, ///< on the bus, and no driver of ours has it
};

struct npu {
	unsigned index = 0;
	std::string name; ///< "ATOM", with what it is if it is no silicon
	condition state = condition::ok;
	std::optional<std::string> node; ///< "/dev/accel/accel0", "model:0"
	std::optional<pci_function> pci; ///< nothing for the in-process device
	std::optional<std::string> platform;
	std::optional<std::string> serial;
	std::optional<std::string> uuid;
	std::optional<std::string> driver_version;
	std::optional<std::string> firmware_version;
	std::optional<std::string> interface_version;
	readings now;
};

/** Word of the JSON: "ok", "throttled", "dead", "no_driver". */
const char *to_word(condition state);

/** Whether ATOM_DEVICE asks for devices that are not the machine's. */
bool in_process();

/** All NPUs, by PCI address; readings included. Needs no permission. Throws failure. */
std::vector<npu> find_npus(const system_files &files);

/**
 * Those that @p which names: index, node, PCI address, serial number or UUID; all if it is empty.
 * There may be none: for who goes on looking, since devices come and go.
 */
std::vector<npu> matching_npus(const system_files &files, const std::string &which);

/** As matching_npus(); throws failure (no_device) if there is none. */
std::vector<npu> select_npus(const system_files &files, const std::string &which);

/** Reads the numbers anew. */
void refresh(npu &device, const system_files &files);

/** The whole device for JSON. */
nlohmann::ordered_json to_json(const npu &device);

/** The string, or null. */
nlohmann::ordered_json or_null(const std::optional<std::string> &text);

} // namespace smi
