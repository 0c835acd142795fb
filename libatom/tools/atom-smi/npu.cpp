// SPDX-License-Identifier: MIT
#include "npu.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <system_error>

#include "atom/device.hpp"
#include "atom/error.hpp"
#include "atom/hw/pci.h"
#include "exit_status.hpp"

namespace smi {

namespace {

constexpr const char *our_driver = "atom_npu";

std::string pci_folder(const std::string &address) { return "/sys/bus/pci/devices/" + address; }

std::string hex_serial(std::uint64_t serial)
{
	char text[17];
	std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(serial));
	return text;
}

std::string format_uuid(const std::array<std::uint8_t, 16> &bytes)
{
	std::string text;
	for (std::size_t i = 0; i < bytes.size(); ++i) {
		char two[3];
		std::snprintf(two, sizeof(two), "%02x", bytes[i]);
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text += '-';
		text += two;
	}
	return text;
}

std::string name_of(const std::optional<std::string> &platform)
{
	return !platform || *platform == "silicon" ? "ATOM" : "ATOM (" + *platform + ")";
}

void take_info(npu &device, const atom::device_info &info)
{
	device.serial = hex_serial(info.serial);
	device.uuid = format_uuid(info.uuid);
	device.driver_version = info.driver_version;
	device.firmware_version = std::to_string(info.firmware_version);
	device.interface_version =
		std::to_string(info.interface_major) + "." + std::to_string(info.interface_minor);
}

// A driver that shows no readings in sysfs tells them to who may open the device.
void ask_driver(npu &device, const system_files &files)
{
	std::error_code error;
	if (!device.node || !files.of_this_machine())
		return;
	const atom::device open = atom::device::open(*device.node, error);
	if (error)
		return;
	take_info(device, open.info());
	device.platform = open.info().emulated ? "emulator" : "silicon";
	device.now = read_library(open);
}

condition judge(const npu &device, const std::optional<std::string> &state)
{
	if (state == "dead")
		return condition::dead;
	const bool throttled = device.now.throttle && !device.now.throttle->empty();
	return throttled ? condition::throttled : condition::ok;
}

npu describe(const system_files &files, pci_function function)
{
	const std::string folder = pci_folder(function.address);
	npu device;
	const bool bound = function.driver == our_driver;
	if (function.accel)
		device.node = "/dev/accel/" + *function.accel;
	device.pci = std::move(function);
	if (bound) {
		device.platform = files.read(folder + "/platform");
		device.serial = files.read(folder + "/serial");
		device.uuid = files.read(folder + "/uuid");
		device.firmware_version = files.read(folder + "/fw_version");
		device.interface_version = files.read(folder + "/interface_version");
		device.driver_version = files.read("/sys/module/atom_npu/version");
	}
	refresh(device, files);
	device.name = name_of(device.platform);
	return device;
}

// The in-process devices live as long as they are open.
atom::device &open_model(const std::string &node)
{
	static std::map<std::string, atom::device> open;
	atom::device &device = open[node];
	if (!device)
		device = atom::device::open(node);
	return device;
}

npu describe(const atom::device_node &node)
{
	npu device;
	device.node = node.path;
	device.platform = "in-process";
	device.name = name_of(device.platform);
	take_info(device, open_model(node.path).info());
	device.now = read_library(open_model(node.path));
	device.state = judge(device, std::nullopt);
	return device;
}

bool is_named(const npu &device, const std::string &which)
{
	const auto is = [&](const std::optional<std::string> &name) { return name == which; };
	if (which == std::to_string(device.index) || is(device.node) || is(device.serial) ||
	    is(device.uuid))
		return true;
	return device.pci && (which == device.pci->address || which == device.pci->accel ||
	                      "0000:" + which == device.pci->address);
}

[[noreturn]] void fail_no_device()
{
	char id[16];
	std::snprintf(id, sizeof(id), "%04x:%04x", static_cast<unsigned>(ATOM_PCI_VENDOR_ID),
	              static_cast<unsigned>(ATOM_PCI_DEVICE_ID_PF));
	throw failure(exit_status::no_device, "there is no ATOM NPU in this machine (PCI id " +
	                                              std::string(id) +
	                                              "); 'atom-smi doctor' looks closer");
}

} // namespace

const char *to_word(condition state)
{
	switch (state) {
	case condition::ok:
		return "ok";
	case condition::throttled:
		return "throttled";
	case condition::dead:
		return "dead";
	case condition::no_driver:
		break;
	}
	return "no_driver";
}

bool in_process()
{
	const char *value = ::secure_getenv("ATOM_DEVICE");
	return value != nullptr && *value != '\0';
}

std::vector<npu> find_npus(const system_files &files)
{
	std::vector<npu> found;
	if (in_process())
		for (const atom::device_node &node : atom::enumerate())
			found.push_back(describe(node));
	else
		for (pci_function &function : find_pci_functions(files))
			found.push_back(describe(files, std::move(function)));
	for (std::size_t i = 0; i < found.size(); ++i)
		found[i].index = static_cast<unsigned>(i);
	return found;
}

std::vector<npu> matching_npus(const system_files &files, const std::string &which)
{
	std::vector<npu> found = find_npus(files);
	if (!which.empty())
		std::erase_if(found,
		              [&](const npu &device) { return !is_named(device, which); });
	return found;
}

std::vector<npu> select_npus(const system_files &files, const std::string &which)
{
	std::vector<npu> found = matching_npus(files, which);
	if (found.empty() && (which.empty() || find_npus(files).empty()))
		fail_no_device();
	if (found.empty())
		throw failure(exit_status::no_device,
		              "there is no NPU \"" + which +
		                      "\"; 'atom-smi' lists those there are");
	return found;
}

void refresh(npu &device, const system_files &files)
{
	if (!device.pci) {
		device.now = read_library(open_model(*device.node));
		device.state = judge(device, std::nullopt);
		return;
	}
	const std::string folder = pci_folder(device.pci->address);
	if (files.link_name(folder + "/driver") != our_driver) {
		device.now = {};
		device.state = condition::no_driver;
		return;
	}
	device.now = read_sysfs(files, folder);
	if (!device.now.local_bytes)
		ask_driver(device, files);
	device.state = judge(device, files.read(folder + "/state"));
}

nlohmann::ordered_json or_null(const std::optional<std::string> &text)
{
	return text ? nlohmann::ordered_json(*text) : nlohmann::ordered_json(nullptr);
}

} // namespace smi
