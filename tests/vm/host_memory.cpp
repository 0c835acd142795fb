// SPDX-License-Identifier: MIT
#include "host_memory.hpp"

#include "context.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace vmtest {

host_memory::host_memory(std::size_t bytes, int protection, int flags, int fd) : bytes_(bytes)
{
	void *address = ::mmap(nullptr, bytes, protection, flags, fd, 0);
	if (address == MAP_FAILED)
		throw std::system_error(errno, std::generic_category(), "mmap");
	data_ = static_cast<std::byte *>(address);
}

void host_memory::unmap()
{
	if (data_)
		::munmap(data_, bytes_);
	data_ = nullptr;
}

void host_memory::move()
{
	// A place that is free for sure; the mapping there is replaced.
	void *place = ::mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *address = ::mremap(data_, bytes_, bytes_, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (address == MAP_FAILED)
		throw std::system_error(errno, std::generic_category(), "mremap");
	data_ = static_cast<std::byte *>(address);
}

unique_fd make_file(std::size_t bytes, std::uint32_t seed)
{
	char name[] = "/tmp/atom-vm-test.XXXXXX";
	unique_fd fd(::mkstemp(name));
	if (fd.get() < 0)
		throw std::system_error(errno, std::generic_category(), "mkstemp");
	::unlink(name);
	std::vector<std::uint32_t> words(bytes / sizeof(std::uint32_t));
	fill_pattern(words, seed);
	if (::write(fd.get(), words.data(), bytes) != static_cast<ssize_t>(bytes))
		throw std::system_error(errno, std::generic_category(), "write");
	return fd;
}

drm_atom_vm_bind_op userptr_op(std::uint64_t va, std::uint64_t address, std::uint64_t bytes, std::uint32_t flags)
{
	return {DRM_ATOM_VM_BIND_OP_MAP_USERPTR, flags, 0, 0, address, va, bytes};
}

std::uint64_t own_status(const std::string &name)
{
	std::ifstream file("/proc/self/status");
	std::string line;
	while (std::getline(file, line))
		if (line.starts_with(name + ":"))
			return std::stoull(line.substr(name.size() + 1));
	throw std::runtime_error("no " + name + " in /proc/self/status");
}

} // namespace vmtest
