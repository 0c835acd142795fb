// SPDX-License-Identifier: MIT
// atom-smi info: everything about each device.
#include "commands.hpp"
#include "decode/layouts.hpp"
#include "text_table.hpp"
#include "views.hpp"

namespace smi {

namespace {

using json = nlohmann::ordered_json;

/** What only the open device tells. */
struct abilities {
	atom::device_info info;
	bool known = false;
};

abilities ask(const npu &device)
{
	abilities out;
	std::error_code error;
	if (!device.node)
		return out;
	const atom::device open = atom::device::open(*device.node, error);
	if (error)
		return out;
	out.info = open.info();
	out.known = true;
	return out;
}

std::vector<std::string> opcode_names(const atom::device_info &info)
{
	std::vector<std::string> names;
	for (unsigned opcode = 0; opcode < 256; ++opcode) {
		const auto *known = atom::decode::find_command(static_cast<std::uint16_t>(opcode));
		if (known != nullptr && info.has_opcode(static_cast<std::uint8_t>(opcode)))
			names.emplace_back(known->layout->name);
	}
	return names;
}

json to_json(const abilities &a)
{
	if (!a.known)
		return nullptr;
	return {{"opcodes", opcode_names(a.info)},
	        {"engines", a.info.engines},
	        {"generation", a.info.generation},
	        {"device_caps", a.info.device_caps},
	        {"kernel_caps", a.info.kernel_caps},
	        {"page_sizes", a.info.page_sizes},
	        {"ring_entries", a.info.ring_entries},
	        {"submit_jobs_max", a.info.submit_jobs_max},
	        {"command_bytes_max", a.info.command_bytes_max},
	        {"macs_log2_max", a.info.macs_log2_max}};
}

void line(const char *label, const std::string &value)
{
	std::cout << "  " << label << std::string(24 - std::string_view(label).size(), ' ')
		  << printable(value) << '\n';
}

void print_identity(const npu &d)
{
	line("node", or_unknown(d.node));
	line("status", state_text(d));
	line("platform", or_unknown(d.platform));
	line("serial number", or_unknown(d.serial));
	line("UUID", or_unknown(d.uuid));
	line("driver", or_unknown(d.driver_version));
	line("firmware", or_unknown(d.firmware_version));
	line("interface", or_unknown(d.interface_version));
}

void print_pci(const pci_function &f)
{
	line("PCI address", f.address);
	line("kernel driver", or_unknown(f.driver));
	line("link", describe(f.link) + " (at most " + describe(f.link_max) + ")");
	line("NUMA node", f.numa_node ? std::to_string(*f.numa_node) : unknown);
	line("IOMMU group",
	     f.iommu_group ? std::to_string(*f.iommu_group) + " (" + or_unknown(f.iommu_type) + ")"
	                   : unknown);
	for (const pci_bar &bar : f.bars)
		line(("BAR " + std::to_string(bar.index)).c_str(), bytes_text(bar.bytes));
}

void print_readings(const readings &r)
{
	line("temperature", temperature_text(r.temperature_mc) + " (throttles at " +
	                            temperature_text(r.temperature_throttle_mc) + ", aborts at " +
	                            temperature_text(r.temperature_abort_mc) + ", turns off at " +
	                            temperature_text(r.temperature_shutdown_mc) + ")");
	line("power", power_text(r.power_uw));
	line("P-state", r.pstate ? "P" + std::to_string(*r.pstate) : unknown);
	line("utilisation", share_text(r.utilisation_permille));
	line("clocks", "command processor " + clock_text(r.clock_cp_hz) + ", engines " +
	                       clock_text(r.clock_ne0_hz) + " and " + clock_text(r.clock_ne1_hz) +
	                       ", bus " + clock_text(r.clock_bus_hz) + ", shared memory " +
	                       clock_text(r.clock_shm_hz));
	line("device memory",
	     bytes_text(r.local_used_bytes) + " of " + bytes_text(r.local_bytes) + " in use");
	line("  reached by the CPU", bytes_text(r.local_visible_used_bytes) + " of " +
	                                     bytes_text(r.local_visible_bytes) + " in use");
	line("on-chip memory",
	     bytes_text(r.shm_used_bytes) + " of " + bytes_text(r.shm_bytes) + " in use");
	line("queues", number_text(r.queues) + " of " + number_text(r.queues_max) + " in use");
	line("address spaces",
	     number_text(r.contexts) + " of " + number_text(r.contexts_max) + " in use");
	line("jobs", number_text(r.jobs) + " now, " + number_text(r.jobs_done) + " done");
	line("job time-out", number_text(r.job_timeout_ms) + " ms (at most " +
	                             number_text(r.job_timeout_max_ms) + " ms)");
	line("resets", number_text(r.queue_resets) + " of queues, " + number_text(r.device_resets) +
	                       " of the device");
	line("jobs that failed", number_text(r.job_faults) + " by a fault, " +
	                                 number_text(r.job_timeouts) + " by time-out");
	line("ECC errors", number_text(r.ecc_corrected) + " corrected, " +
	                           number_text(r.ecc_uncorrected) + " not");
}

void print_abilities(const abilities &a)
{
	if (!a.known)
		return;
	std::string commands;
	for (const std::string &name : opcode_names(a.info))
		commands += (commands.empty() ? "" : " ") + name;
	line("neural engines", std::to_string(a.info.engines));
	line("commands", commands);
}

} // namespace

exit_status show_info(const request &r)
{
	const std::vector<npu> devices = select_npus(r.files, r.device);
	json list = json::array();
	for (const npu &d : devices) {
		const abilities a = r.files.of_this_machine() ? ask(d) : abilities();
		if (r.json) {
			list.push_back(to_json(d));
			list.back()["abilities"] = to_json(a);
			continue;
		}
		std::cout << "NPU " << d.index << ": " << printable(d.name) << '\n';
		print_identity(d);
		if (d.pci)
			print_pci(*d.pci);
		print_readings(d.now);
		print_abilities(a);
	}
	if (r.json) {
		auto out = answer("info");
		out["devices"] = std::move(list);
		print(out);
	}
	return health(devices);
}

} // namespace smi
