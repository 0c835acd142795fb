// SPDX-License-Identifier: MIT
// The seam between libatom and the operating system: everything that leaves the
// process goes through here, so that a test can stand in for the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sys/accel_node.hpp"
#include "sys/event.hpp"
#include "sys/node_monitor.hpp"

namespace atom::sys {

/** Functions return 0 or a value >= 0, or a negative errno value. Thread-safe. */
class os {
public:
	virtual ~os() = default;

	/** O_CLOEXEC is always set. Throws system_error where an errno does not say enough. */
	virtual int open(const char *path, int flags) = 0;
	virtual void close(int fd) = 0;
	/** Restarts when interrupted (EINTR, EAGAIN), as drmIoctl() does. */
	virtual int ioctl(int fd, unsigned long request, void *argument) = 0;
	/** Shared mapping. */
	virtual int mmap(std::size_t bytes, int protection, int fd, std::uint64_t offset,
	                 void **address) = 0;
	virtual void munmap(void *address, std::size_t bytes) = 0;
	/** Restarts when interrupted. Waits unless @p fd was opened with O_NONBLOCK (EAGAIN). */
	virtual int read(int fd, void *buffer, std::size_t bytes) = 0;
	virtual int process_id() = 0;
	/** Sorted by path. */
	virtual int list_accel_nodes(std::vector<accel_node> &nodes) = 0;
	/** Tells what becomes of them from now on. */
	virtual int follow_accel_nodes(std::unique_ptr<node_monitor> &out) = 0;
	virtual int make_event(std::unique_ptr<event> &out) = 0;
	/** "owner root:render 0660" and the group's name; empty if it cannot be told. */
	virtual void describe_access(const char *path, std::string &access, std::string &group) = 0;
	/** What to look at if there is no device: a question or a statement, for error messages. */
	[[nodiscard]] virtual std::string remedy() const { return "is the module atom_npu loaded?"; }
};

/** The real one. */
std::shared_ptr<os> real_os();

/**
 * One with devices of its own, made by libatom-model.so.1, which is loaded for it. @p options: what
 * stands in ATOM_DEVICE behind "model". Throws system_error.
 */
std::shared_ptr<os> inprocess_os(const std::string &options);

/**
 * The one that ATOM_DEVICE asks for. This is the only place where the library reads the environment.
 * The same value gives the same one, so that a program sees the same devices each time. Throws system_error.
 */
std::shared_ptr<os> chosen_os();

} // namespace atom::sys
