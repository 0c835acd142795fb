// SPDX-License-Identifier: MIT
#include "system.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.hpp"
#include "uapi.hpp"

namespace vmtest {

std::vector<std::string> device_nodes()
{
	namespace fs = std::filesystem;
	std::vector<std::string> names;
	std::error_code none;
	for (const auto &entry : fs::directory_iterator("/sys/class/accel", none)) {
		const auto driver = fs::read_symlink(entry.path() / "device/driver", none);
		if (driver.filename() == "atom_npu")
			names.push_back(entry.path().filename());
	}
	std::sort(names.begin(), names.end(), [](const std::string &a, const std::string &b) {
		return std::pair(a.size(), a) < std::pair(b.size(), b);
	});
	for (auto &name : names)
		name = "/dev/accel/" + name;
	return names;
}

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
	const unique_fd port(::open(control_path(), O_RDWR | O_CLOEXEC));
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

namespace system {

int open(const std::string &node) { return ::open(node.c_str(), O_RDWR | O_CLOEXEC); }

void close(int fd) { ::close(fd); }

int ioctl(int fd, unsigned long request, void *argument) { return ::ioctl(fd, request, argument); }

bool checks_pointers() { return true; }

void *mmap(std::size_t bytes, int protection, int flags, int fd, std::uint64_t offset)
{
	return ::mmap(nullptr, bytes, protection, flags, fd, static_cast<off_t>(offset));
}

void munmap(void *address, std::size_t bytes) { ::munmap(address, bytes); }

long read(int fd, void *buffer, std::size_t bytes) { return ::read(fd, buffer, bytes); }

} // namespace system

} // namespace vmtest
