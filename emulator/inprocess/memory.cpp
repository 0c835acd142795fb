/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <sys/mman.h>

#include <cstring>

namespace atom::inprocess {

namespace {

/* The allocator's address 0 means "no room": it counts from here. */
constexpr std::uint64_t first_range = large_page_bytes;

/* To give so much back to the system costs less than to write zeros to it. */
constexpr std::uint64_t give_back_bytes = 256ull << 10;

std::uint64_t alignment_for(std::uint64_t bytes)
{
	for (const std::uint64_t page : {large_page_bytes, std::uint64_t{64} << 10})
		if (bytes >= page)
			return page;
	return page_bytes;
}

} // namespace

memory_range::~memory_range()
{
	if (from_)
		from_->release(address_, bytes_);
}

std::byte *memory_range::cpu() const
{
	return from_ && from_->cpu_ ? from_->cpu_ + (address_ - from_->start_) : nullptr;
}

memory::memory(std::uint64_t start, std::uint64_t bytes, std::byte *cpu)
	: start_(start), bytes_(bytes), cpu_(cpu), ranges_(first_range, first_range + bytes)
{
}

memory_range memory::allocate(std::uint64_t bytes)
{
	bytes = (bytes + page_bytes - 1) / page_bytes * page_bytes;
	const std::lock_guard lock(mutex_);
	const std::uint64_t found = ranges_.allocate(bytes, alignment_for(bytes));
	if (found == 0)
		return {};
	used_ += bytes;
	/* A hint: without it the device's large pages are many small ones of the host. */
	if (cpu_ && bytes >= large_page_bytes)
		madvise(cpu_ + (found - first_range), bytes, MADV_HUGEPAGE);
	return {*this, start_ + (found - first_range), bytes};
}

void memory::release(std::uint64_t address, std::uint64_t bytes) noexcept
{
	if (cpu_) {
		std::byte *p = cpu_ + (address - start_);
		if (bytes < give_back_bytes || madvise(p, bytes, MADV_DONTNEED) != 0)
			std::memset(p, 0, bytes);
	}
	const std::lock_guard lock(mutex_);
	ranges_.release(address - start_ + first_range, bytes);
	used_ -= bytes;
}

std::uint64_t memory::used() const
{
	const std::lock_guard lock(mutex_);
	return used_;
}

} // namespace atom::inprocess
