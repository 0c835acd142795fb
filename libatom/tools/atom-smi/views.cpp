// SPDX-License-Identifier: MIT
#include "views.hpp"

#include "request.hpp"
#include "text_table.hpp"

namespace smi {

namespace {

using align = text_table::align;

std::string used_of(number used, number total)
{
	return bytes_text(used) + " / " + bytes_text(total);
}

std::string node_text(const npu &device)
{
	constexpr std::string_view folder = "/dev/accel/";
	const std::string node = or_unknown(device.node);
	return node.starts_with(folder) ? node.substr(folder.size()) : node;
}

} // namespace

std::string state_text(const npu &device)
{
	switch (device.state) {
	case condition::ok:
		return "ok";
	case condition::dead:
		return "dead: reset it";
	case condition::no_driver:
		return "no driver: see doctor";
	case condition::throttled:
		break;
	}
	std::string reasons;
	for (const std::string &reason : *device.now.throttle)
		reasons += (reasons.empty() ? "" : ", ") + reason;
	return "throttled (" + reasons + ")";
}

std::string device_table(const std::vector<npu> &devices)
{
	text_table table({{"NPU", align::right},
	                  {"NAME"},
	                  {"NODE"},
	                  {"PCI"},
	                  {"LINK"},
	                  {"TEMP", align::right},
	                  {"POWER", align::right},
	                  {"PERF"},
	                  {"MEMORY", align::right},
	                  {"UTIL", align::right},
	                  {"STATUS"}});
	for (const npu &d : devices) {
		const readings &r = d.now;
		table.add({std::to_string(d.index), d.name, node_text(d),
		           d.pci ? d.pci->address : unknown,
		           d.pci ? describe(d.pci->link) : unknown,
		           temperature_text(r.temperature_mc), power_text(r.power_uw),
		           r.pstate ? "P" + std::to_string(*r.pstate) : unknown,
		           used_of(r.local_used_bytes, r.local_bytes),
		           share_text(r.utilisation_permille), state_text(d)});
	}
	return table.to_string();
}

std::string client_table(const std::vector<npu> &devices, const std::vector<client> &clients)
{
	text_table table({{"NPU", align::right},
	                  {"PID", align::right},
	                  {"USER"},
	                  {"PROCESS"},
	                  {"CONTEXT", align::right},
	                  {"PRIORITY"},
	                  {"STATE"},
	                  {"NPU MEM", align::right},
	                  {"HOST MEM", align::right},
	                  {"UTIL", align::right}});
	for (const client &c : clients) {
		const auto host = c.memory_bytes.find("memory");
		table.add({index_text(devices, c), std::to_string(c.pid), or_unknown(c.user),
		           c.command, std::to_string(c.id), or_unknown(c.priority),
		           or_unknown(c.context_state), bytes_text(c.device_bytes()),
		           bytes_text(host == c.memory_bytes.end() ? 0 : host->second),
		           share_text(c.utilisation)});
	}
	return table.to_string();
}

} // namespace smi
