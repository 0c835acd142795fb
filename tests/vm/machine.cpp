// SPDX-License-Identifier: MIT
#include "machine.hpp"

#include "context.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vmtest {

counters read_counters(std::size_t index)
{
	const auto nodes = device_nodes();
	if (index >= nodes.size())
		throw std::runtime_error("there is no device " + std::to_string(index));
	// DRM names the folder by the PCI address, in older kernels by the number of the device file.
	const std::string name_of_node = nodes[index].substr(nodes[index].rfind('/') + 1);
	const auto pci = std::filesystem::canonical("/sys/class/accel/" + name_of_node + "/device").filename().string();
	std::string path = "/sys/kernel/debug/accel/" + pci + "/counters";
	if (access(path.c_str(), R_OK) != 0)
		path = "/sys/kernel/debug/accel/" + name_of_node.substr(5) + "/counters";
	std::ifstream file(path);
	if (!file)
		throw std::runtime_error("cannot read " + path);
	counters result;
	std::string name;
	std::int64_t value;
	while (file >> name >> value)
		if (!name.ends_with("_total"))
			result[name] = value;
	if (result.empty())
		throw std::runtime_error(path + " has no lines `name value`");
	return result;
}

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

namespace {

const char *control_path()
{
	const char *path = std::getenv("ATOM_CONTROL");
	return path ? path : "/dev/virtio-ports/atom.control";
}

} // namespace

bool has_control() { return access(control_path(), R_OK | W_OK) == 0; }

std::string control(const std::string &line)
{
	static std::mutex one_at_a_time;
	const std::lock_guard lock(one_at_a_time);
	const unique_fd port(open(control_path(), O_RDWR | O_CLOEXEC));
	if (port.get() < 0)
		throw std::system_error(errno, std::generic_category(), control_path());
	const std::string request = line + "\n";
	if (write(port.get(), request.data(), request.size()) != static_cast<ssize_t>(request.size()))
		throw std::runtime_error("the control port took only a part of: " + line);
	std::string answer;
	char letter;
	while (read(port.get(), &letter, 1) == 1 && letter != '\n')
		answer += letter;
	if (!answer.starts_with("ok"))
		throw std::runtime_error("control '" + line + "': " + (answer.empty() ? "no answer" : answer));
	return answer.size() > 3 ? answer.substr(3) : "";
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
