// SPDX-License-Identifier: MIT
#include "sys/process.hpp"

#include <atomic>
#include <cstddef>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace atom::sys {
namespace {

// Memory that the kernel empties in a forked child; null if it cannot. It lives as long as the process.
std::atomic<int> *make_page() noexcept
{
	constexpr std::size_t bytes = 4096;
	void *page = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return nullptr;
	if (::madvise(page, bytes, MADV_WIPEONFORK) != 0) {
		::munmap(page, bytes);
		return nullptr;
	}
	return new (page) std::atomic<int>(0);
}

} // namespace

int current_process() noexcept
{
	static std::atomic<int> *const known = make_page();
	if (known == nullptr)
		return ::getpid();
	int id = known->load(std::memory_order_relaxed);
	if (id == 0) {
		id = ::getpid();
		known->store(id, std::memory_order_relaxed);
	}
	return id;
}

} // namespace atom::sys
