// SPDX-License-Identifier: MIT
// atom-smi, atom-smi status, atom-smi ps.
#include <unistd.h>

#include "commands.hpp"
#include "text_table.hpp"
#include "views.hpp"

namespace smi {

namespace {

// Others' processes do not show what they have open.
const char *no_clients_text()
{
	return ::geteuid() == 0
	               ? "No program uses the NPU.\n"
	               : "No program of yours uses the NPU; root sees those of all users.\n";
}

} // namespace

exit_status health(const std::vector<npu> &devices)
{
	for (const npu &d : devices)
		if (d.state == condition::dead || d.state == condition::no_driver)
			return exit_status::unhealthy;
	return exit_status::ok;
}

exit_status show_status(const request &r)
{
	const std::vector<npu> devices = select_npus(r.files, r.device);
	const std::vector<client> clients = clients_of(devices, watch_clients(r.files));
	if (r.json) {
		auto out = answer("status");
		out["devices"] = to_json(devices);
		out["clients"] = to_json(clients);
		print(out);
		return health(devices);
	}
	const npu &first = devices.front();
	std::cout << printable("driver " + or_unknown(first.driver_version) + ", firmware " +
	                       or_unknown(first.firmware_version) + ", interface " +
	                       or_unknown(first.interface_version))
		  << "\n\n"
		  << device_table(devices) << '\n'
		  << (clients.empty() ? no_clients_text() : client_table(devices, clients));
	return health(devices);
}

exit_status show_processes(const request &r)
{
	const std::vector<npu> devices = select_npus(r.files, r.device);
	const std::vector<client> clients = clients_of(devices, watch_clients(r.files));
	if (r.json) {
		auto out = answer("ps");
		out["clients"] = to_json(clients);
		print(out);
	} else {
		std::cout << (clients.empty() ? no_clients_text() : client_table(devices, clients));
	}
	return exit_status::ok;
}

} // namespace smi
