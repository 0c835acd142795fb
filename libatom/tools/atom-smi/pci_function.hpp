// SPDX-License-Identifier: MIT
// What sysfs tells of a PCI function; world-readable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "system_files.hpp"

namespace smi {

/** A base address register that has memory. */
struct pci_bar {
	unsigned index = 0;
	std::uint64_t bytes = 0;
};

struct pci_link {
	std::optional<std::uint64_t> transfers_per_second; ///< of each lane
	std::optional<unsigned> width;                     ///< lanes
};

struct pci_function {
	std::string address; ///< "0000:01:00.0"
	std::optional<std::string> driver;
	std::optional<std::string> accel; ///< "accel0" of its device node
	pci_link link;
	pci_link link_max;
	std::optional<unsigned> numa_node;
	std::optional<unsigned> iommu_group;
	std::optional<std::string> iommu_type; ///< "DMA", "identity", ..
	std::optional<std::string> local_cpus; ///< "0-15"
	std::vector<std::string> bridges;      ///< addresses from the root to the device
	std::vector<pci_bar> bars;
};

/** All functions of ATOM NPUs, bound to a driver or not, by address. */
std::vector<pci_function> find_pci_functions(const system_files &files);

/** "Gen5 x16", or "?" in place of what is not known. */
std::string describe(const pci_link &link);

/** 1 to 7 for PCIe, nothing for a speed that PCIe does not have. */
std::optional<unsigned> generation(const pci_link &link);

} // namespace smi
