// SPDX-License-Identifier: MIT
// atom-smi reset: the whole device, by the kernel (function level reset).
#include <thread>

#include "commands.hpp"
#include "writing.hpp"

namespace smi {

namespace {

using steady = std::chrono::steady_clock;

// Programs that this user cannot see count too: the driver knows how many files are open.
std::int64_t users_of(const request &r, const npu &device)
{
	const auto seen = clients_of({device}, find_clients(r.files)).size();
	return std::max(static_cast<std::int64_t>(seen), device.now.clients.value_or(0));
}

// The kernel's write returns after the reset; a device that is bound again may take a moment.
bool comes_back(npu &device, const system_files &files)
{
	const auto until = steady::now() + std::chrono::seconds(10);
	do {
		refresh(device, files);
		if (device.state == condition::ok || device.state == condition::throttled)
			return true;
		std::this_thread::sleep_for(std::chrono::milliseconds(50));
	} while (steady::now() < until);
	return false;
}

} // namespace

exit_status reset_device(const request &r)
{
	npu device = select_one(r);
	const std::int64_t users = users_of(r, device);
	if (users > 0 && !r.force)
		throw failure(exit_status::failed,
		              std::to_string(users) +
		                      " open files use the device ('atom-smi ps'), whose running "
		                      "jobs a reset ends; end them, or say --force");
	write_attribute(r.files, device, "reset", "1");
	const bool works = comes_back(device, r.files);
	if (r.json) {
		auto out = answer("reset");
		out["device"] = device.index;
		out["status"] = to_word(device.state);
		print(out);
	} else {
		std::cout << "NPU " << device.index << ": "
			  << (works ? "reset, works" : "does not work after the reset; see dmesg")
			  << '\n';
	}
	return works ? exit_status::ok : exit_status::unhealthy;
}

} // namespace smi
