// SPDX-License-Identifier: MIT
// Memory of the program itself, for the device to use.
#pragma once

#include "uapi.hpp"

#include <cstdint>
#include <span>
#include <string>

#include <sys/mman.h>

namespace vmtest {

/** A mapping that is no device's. */
class host_memory {
public:
	explicit host_memory(std::size_t bytes, int protection = PROT_READ | PROT_WRITE,
			     int flags = MAP_PRIVATE | MAP_ANONYMOUS, int fd = -1);
	host_memory(host_memory &&) = delete;
	~host_memory() { unmap(); }
	std::byte *data() const { return data_; }
	std::uint64_t address() const { return reinterpret_cast<std::uintptr_t>(data_); }
	std::size_t size() const { return bytes_; }
	std::span<std::uint32_t> words() const
	{
		return {reinterpret_cast<std::uint32_t *>(data_), bytes_ / sizeof(std::uint32_t)};
	}
	void unmap();
	/** Lets the kernel choose another address. */
	void move();
	/** It is somebody else's to unmap. */
	void forget() { data_ = nullptr; }

private:
	std::byte *data_ = nullptr;
	std::size_t bytes_;
};

/** A file of @p bytes that has no name any more, filled by fill_pattern(). */
unique_fd make_file(std::size_t bytes, std::uint32_t seed);

drm_atom_vm_bind_op userptr_op(std::uint64_t va, std::uint64_t address, std::uint64_t bytes, std::uint32_t flags = 0);

/** A number of /proc/self/status, for a memory size in KiB. */
std::uint64_t own_status(const std::string &name);

} // namespace vmtest
