// SPDX-License-Identifier: MIT
#include "pci_function.hpp"

#include <cstdlib>
#include <sstream>

#include "atom/hw/pci.h"

namespace smi {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view devices = "/sys/bus/pci/devices/";

// "32.0 GT/s PCIe", "Unknown"
std::optional<std::uint64_t> parse_speed(const std::optional<std::string> &text)
{
	if (!text || text->find("GT/s") == std::string::npos)
		return std::nullopt;
	constexpr double most = 1e6; // more is no speed, but may be a number
	const double giga = std::strtod(text->c_str(), nullptr);
	if (!(giga > 0 && giga < most))
		return std::nullopt;
	return static_cast<std::uint64_t>(giga * 1e9 + 0.5);
}

template <class T>
std::optional<T> not_negative(std::optional<std::int64_t> value)
{
	if (!value || *value < 0)
		return std::nullopt;
	return static_cast<T>(*value);
}

pci_link read_link(const system_files &files, const std::string &folder, const char *which)
{
	pci_link link;
	link.transfers_per_second = parse_speed(files.read(folder + "/" + which + "_link_speed"));
	link.width =
		not_negative<unsigned>(files.read_number(folder + "/" + which + "_link_width"));
	if (link.width == 0U || link.width == 255U) // the function is no PCIe one
		link.width.reset();
	return link;
}

// A line for each region: first and last address, flags.
std::vector<pci_bar> read_bars(const system_files &files, const std::string &folder)
{
	constexpr unsigned bars_max = 6;
	std::vector<pci_bar> bars;
	std::istringstream lines(files.read(folder + "/resource").value_or(""));
	std::string first;
	std::string last;
	std::string flags;
	for (unsigned i = 0; i < bars_max && lines >> first >> last >> flags; ++i) {
		const std::uint64_t begin = std::strtoull(first.c_str(), nullptr, 16);
		const std::uint64_t end = std::strtoull(last.c_str(), nullptr, 16);
		if (end > begin)
			bars.push_back({i, end - begin + 1});
	}
	return bars;
}

bool is_pci_address(const std::string &name)
{
	return name.size() == 12 && name[4] == ':' && name[7] == ':' && name[10] == '.';
}

// The folder's real path runs through all bridges above the device.
std::vector<std::string> read_bridges(const system_files &files, const std::string &folder)
{
	std::error_code error;
	const fs::path real = fs::canonical(files.at(folder), error);
	std::vector<std::string> bridges;
	for (const fs::path &part : real.parent_path())
		if (is_pci_address(part.string()))
			bridges.push_back(part.string());
	return bridges;
}

std::optional<std::string> read_accel(const system_files &files, const std::string &folder)
{
	for (const std::string &name : files.list(folder + "/accel"))
		if (name.starts_with("accel"))
			return name;
	return std::nullopt;
}

pci_function read_function(const system_files &files, const std::string &address)
{
	const std::string folder = std::string(devices) + address;
	pci_function f;
	f.address = address;
	f.driver = files.link_name(folder + "/driver");
	f.accel = read_accel(files, folder);
	f.link = read_link(files, folder, "current");
	f.link_max = read_link(files, folder, "max");
	f.numa_node = not_negative<unsigned>(files.read_number(folder + "/numa_node"));
	if (const auto group = files.link_name(folder + "/iommu_group")) {
		f.iommu_group = not_negative<unsigned>(to_number(*group));
		f.iommu_type = files.read(folder + "/iommu_group/type");
	}
	f.local_cpus = files.read(folder + "/local_cpulist");
	f.bridges = read_bridges(files, folder);
	f.bars = read_bars(files, folder);
	return f;
}

} // namespace

std::vector<pci_function> find_pci_functions(const system_files &files)
{
	std::vector<pci_function> found;
	for (const std::string &address : files.list(devices)) {
		const std::string folder = std::string(devices) + address;
		if (files.read_number(folder + "/vendor") == ATOM_PCI_VENDOR_ID &&
		    files.read_number(folder + "/device") == ATOM_PCI_DEVICE_ID_PF)
			found.push_back(read_function(files, address));
	}
	return found;
}

std::optional<unsigned> generation(const pci_link &link)
{
	constexpr std::uint64_t of_generation[] = {2500, 5000, 8000, 16000, 32000, 64000, 128000};
	for (unsigned i = 0; i < std::size(of_generation); ++i)
		if (link.transfers_per_second == of_generation[i] * 1'000'000)
			return i + 1;
	return std::nullopt;
}

std::string describe(const pci_link &link)
{
	const auto gen = generation(link);
	return "Gen" + (gen ? std::to_string(*gen) : "?") + " x" +
	       (link.width ? std::to_string(*link.width) : "?");
}

} // namespace smi
