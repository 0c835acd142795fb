// SPDX-License-Identifier: MIT
#include "machine.hpp"

#include "context.hpp"

#include <stdexcept>
#include <system_error>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace vmtest {

std::string difference(const counters &before, const counters &after)
{
	std::string text;
	for (const auto &[name, value] : after) {
		const auto old = before.find(name);
		if (old == before.end())
			text += name + " is new; ";
		else if (old->second != value)
			text += name + " " + std::to_string(old->second) + " -> " + std::to_string(value) + "; ";
	}
	for (const auto &[name, value] : before)
		if (!after.contains(name))
			text += name + " is gone; ";
	return text;
}

std::string await_counters(const counters &baseline, std::size_t index, double seconds)
{
	std::string text;
	eventually([&] { return (text = difference(baseline, read_counters(index))).empty(); }, seconds);
	return text;
}

int run_program(std::initializer_list<const char *> arguments)
{
	std::vector<char *> argv;
	for (const char *argument : arguments)
		argv.push_back(const_cast<char *>(argument));
	argv.push_back(nullptr);
	const pid_t pid = fork();
	if (pid < 0)
		throw std::system_error(errno, std::generic_category(), "fork");
	if (pid == 0) {
		execvp(argv[0], argv.data());
		_exit(127);
	}
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void unload_driver()
{
	if (const int status = run_program({"modprobe", "-r", "atom_npu"}))
		throw std::runtime_error("modprobe -r atom_npu ended with " + std::to_string(status));
}

void load_driver(std::size_t devices)
{
	if (const int status = run_program({"modprobe", "atom_npu"}))
		throw std::runtime_error("modprobe atom_npu ended with " + std::to_string(status));
	const auto ready = [&] {
		const auto nodes = device_nodes();
		if (nodes.size() < devices)
			return false;
		for (const auto &node : nodes)
			if (access(node.c_str(), R_OK | W_OK) != 0)
				return false;
		return true;
	};
	if (!eventually(ready))
		throw std::runtime_error("the devices have not come back after modprobe");
}

} // namespace vmtest
