// SPDX-License-Identifier: MIT
// atom-smi cdi: what container runtimes need to give NPUs to containers (Container Device
// Interface).
#include <algorithm>

#include "commands.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

constexpr const char *cdi_version = "0.6.0"; // the first that knows all that stands here
constexpr const char *kind = "atom/npu";

json device_named(const std::string &name, const json &nodes)
{
	return {{"name", name}, {"containerEdits", {{"deviceNodes", nodes}}}};
}

} // namespace

exit_status show_cdi(const request &r)
{
	json devices = json::array();
	json all = json::array();
	const std::vector<npu> npus = select_npus(r.files, r.device);
	for (const npu &d : npus) {
		// A runtime refuses a specification with a device that has no file.
		if (!d.pci || !d.node)
			continue;
		const json node = {{"path", *d.node}, {"permissions", "rw"}};
		all.push_back(node);
		// By any name that the operator may know it under; the index may change, the others
		// do not.
		devices.push_back(device_named(std::to_string(d.index), json::array({node})));
		devices.push_back(device_named(d.pci->address, json::array({node})));
		// A name that two devices have spoils the whole specification.
		if (d.serial && std::count_if(npus.begin(), npus.end(), [&](const npu &other) {
					return other.serial == d.serial;
				}) == 1)
			devices.push_back(device_named(*d.serial, json::array({node})));
	}
	if (all.empty())
		throw failure(exit_status::no_device,
		              "no NPU has a file in /dev/accel that a container could be given; "
		              "'atom-smi doctor' looks closer");
	devices.push_back(device_named("all", all));
	print({{"cdiVersion", cdi_version}, {"kind", kind}, {"devices", std::move(devices)}});
	return exit_status::ok;
}

} // namespace smi
