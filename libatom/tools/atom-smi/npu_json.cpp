// SPDX-License-Identifier: MIT
#include "npu.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

template <class T>
json value_or_null(const std::optional<T> &value)
{
	return value ? json(*value) : json(nullptr);
}

json to_json(const pci_link &link)
{
	return {{"transfers_per_second", value_or_null(link.transfers_per_second)},
	        {"width", value_or_null(link.width)}};
}

json to_json(const pci_function &f)
{
	json bars = json::array();
	for (const pci_bar &bar : f.bars)
		bars.push_back({{"index", bar.index}, {"bytes", bar.bytes}});
	return {{"address", f.address},
	        {"driver", or_null(f.driver)},
	        {"link", to_json(f.link)},
	        {"link_max", to_json(f.link_max)},
	        {"numa_node", value_or_null(f.numa_node)},
	        {"local_cpus", or_null(f.local_cpus)},
	        {"iommu_group", value_or_null(f.iommu_group)},
	        {"iommu_type", or_null(f.iommu_type)},
	        {"bridges", f.bridges},
	        {"bars", bars}};
}

} // namespace

json to_json(const npu &device)
{
	json out = {{"index", device.index},
	            {"name", device.name},
	            {"status", to_word(device.state)},
	            {"node", or_null(device.node)},
	            {"platform", or_null(device.platform)},
	            {"serial", or_null(device.serial)},
	            {"uuid", or_null(device.uuid)},
	            {"driver_version", or_null(device.driver_version)},
	            {"firmware_version", or_null(device.firmware_version)},
	            {"interface_version", or_null(device.interface_version)},
	            {"pci", device.pci ? to_json(*device.pci) : json(nullptr)}};
	add_readings(out, device.now);
	return out;
}

} // namespace smi
