// SPDX-License-Identifier: MIT
// The way of the machine's tests to the in-process device: the calls that tests/vm/system.cpp makes to the kernel.
#include "system.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atom/inprocess.h"
#include "machine.hpp"
#include "uapi.hpp"

namespace vmtest {

namespace {

const atom_inprocess_ops &ops = *atom_inprocess_v1();

/** The machine of this process: a forked child gets another one. */
struct place {
	atom_inprocess *machine = nullptr;
	int process = 0;
	std::mutex mutex; // protects files
	std::set<int> files;

	atom_inprocess *get()
	{
		if (process != getpid()) {
			const char *options = std::getenv("ATOM_TEST_MODEL");
			std::array<char, 256> why{};
			if (ops.create(options ? options : "", &machine, why.data(), why.size()) < 0)
				throw std::runtime_error(why.data());
			files.clear();
			process = getpid();
		}
		return machine;
	}
	bool is_device(int fd)
	{
		const std::lock_guard lock(mutex);
		return files.contains(fd);
	}
};

place &here()
{
	static place *the = new place; // never destroyed, as the machine is not
	return *the;
}

/* As a system call tells it. */
int told(int result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

} // namespace

std::vector<std::string> device_nodes()
{
	std::vector<std::string> nodes;
	for (std::uint32_t n = 0; n < ops.devices(here().get()); ++n)
		nodes.push_back(std::to_string(n));
	return nodes;
}

/* What buffers hold of the device's memories. */
counters read_counters(std::size_t index)
{
	const drm_atom_dev_memory memory = device(index).memory();
	return {{"local", memory.local_used}, {"shm", memory.shm_used}};
}

bool has_control() { return true; }

/* "inject N SPEC" is all that there is to control. */
std::string control(const std::string &line)
{
	const std::string word = "inject ";
	const std::size_t space = line.find(' ', word.size());
	if (!line.starts_with(word) || space == line.npos)
		throw std::runtime_error("control '" + line + "': an in-process device knows only inject");
	std::array<char, 256> why{};
	const auto number = static_cast<std::uint32_t>(std::stoul(line.substr(word.size())));
	const int result = ops.inject(here().get(), number, line.c_str() + space + 1, why.data(), why.size());
	/* A device that is off has nothing armed. */
	if (result < 0 && !(result == -ENODEV && line.ends_with("kind=clear")))
		throw std::runtime_error("control '" + line + "': " + why.data());
	return "";
}

namespace system {

int open(const std::string &node)
{
	std::array<char, 256> why{};
	const int fd = told(ops.open(here().get(), static_cast<std::uint32_t>(std::stoul(node)), why.data(), why.size()));
	const std::lock_guard lock(here().mutex);
	if (fd >= 0)
		here().files.insert(fd);
	return fd;
}

void close(int fd)
{
	if (!here().is_device(fd)) {
		::close(fd);
		return;
	}
	{
		const std::lock_guard lock(here().mutex);
		here().files.erase(fd);
	}
	ops.close(here().get(), fd);
}

int ioctl(int fd, unsigned long request, void *argument)
{
	if (!here().is_device(fd))
		return ::ioctl(fd, request, argument);
	return told(ops.ioctl(here().get(), fd, request, argument));
}

bool checks_pointers() { return false; }

void *mmap(std::size_t bytes, int protection, int flags, int fd, std::uint64_t offset)
{
	void *address = nullptr;
	if (flags != MAP_SHARED)
		errno = EINVAL;
	else if (told(ops.mmap(here().get(), bytes, protection, fd, offset, &address)) == 0)
		return address;
	return MAP_FAILED;
}

void munmap(void *address, std::size_t bytes) { ops.munmap(here().get(), address, bytes); }

long read(int fd, void *buffer, std::size_t bytes)
{
	return here().is_device(fd) ? told(ops.read(here().get(), fd, buffer, bytes)) : ::read(fd, buffer, bytes);
}

} // namespace system

} // namespace vmtest
