// SPDX-License-Identifier: MIT
// The seam between libatom and the operating system: everything that leaves the
// process goes through here, so that a test can stand in for the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace atom::sys {

/** A node of the subsystem "accel" whose PCI driver is ours. */
struct accel_node {
	std::string path; ///< "/dev/accel/accel0"
	std::string bdf;
	int numa_node = -1;
};

/** Functions return 0 or a value >= 0, or a negative errno value. Thread-safe. */
class os {
public:
	virtual ~os() = default;

	/** O_CLOEXEC is always set. */
	virtual int open(const char *path, int flags) = 0;
	virtual void close(int fd) = 0;
	/** Restarts when interrupted (EINTR, EAGAIN), as drmIoctl() does. */
	virtual int ioctl(int fd, unsigned long request, void *argument) = 0;
	/** Shared mapping. */
	virtual int mmap(std::size_t bytes, int protection, int fd, std::uint64_t offset,
	                 void **address) = 0;
	virtual void munmap(void *address, std::size_t bytes) = 0;
	virtual int process_id() = 0;
	/** Sorted by path. */
	virtual int list_accel_nodes(std::vector<accel_node> &nodes) = 0;
	/** "owner root:render 0660" and the group's name; empty if it cannot be told. */
	virtual void describe_access(const char *path, std::string &access, std::string &group) = 0;
};

/** The real one. */
std::shared_ptr<os> real_os();

} // namespace atom::sys
