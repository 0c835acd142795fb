// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "atom/error.hpp"
#include "sys/os.hpp"

namespace atom::sys {
namespace {

constexpr std::string_view model = "model";

// The machines of this process. A forked child has none of its parent's: those are left behind,
// because the threads that work in them have not come along.
struct machines {
	std::mutex mutex;
	int process = 0;
	std::map<std::string, std::shared_ptr<os>> made;
	/// Kept for ever: their destructors would wait for those threads.
	std::vector<std::map<std::string, std::shared_ptr<os>>> of_parents;
};

std::shared_ptr<os> machine_of(const std::string &options)
{
	// Never destroyed: a device may be open until the very end of the process.
	static auto *all = new machines;
	const std::lock_guard lock(all->mutex);
	if (all->process != ::getpid()) {
		all->of_parents.push_back(std::exchange(all->made, {}));
		all->process = ::getpid();
	}
	std::shared_ptr<os> &machine = all->made[options];
	if (!machine)
		machine = inprocess_os(options);
	return machine;
}

} // namespace

std::shared_ptr<os> chosen_os()
{
	// Nothing from the environment where a program has more rights than its caller.
	const char *value = ::secure_getenv("ATOM_DEVICE");
	const std::string_view wanted = value != nullptr ? value : "";
	if (wanted.empty())
		return real_os();
	const std::string_view behind = wanted.substr(std::min(model.size(), wanted.size()));
	if (wanted.substr(0, model.size()) != model ||
	    (!behind.empty() && behind.front() != ':' && behind.front() != ','))
		throw system_error(errc::invalid_argument,
		                   "ATOM_DEVICE=" + std::string(wanted) +
		                           ": it must be empty (the devices of this machine) or "
		                           "model[:N][,OPTION=VALUE]...");
	return machine_of(std::string(behind));
}

} // namespace atom::sys
