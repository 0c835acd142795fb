/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include "core/va_allocator.hpp"

namespace atom::inprocess {

inline constexpr std::uint64_t page_bytes = 4096;
inline constexpr std::uint64_t large_page_bytes = 2ull << 20;

class memory;

/** A range of a memory; gives it back when it dies. */
class memory_range {
public:
	memory_range() = default;
	memory_range(memory &from, std::uint64_t address, std::uint64_t bytes)
		: from_(&from), address_(address), bytes_(bytes)
	{
	}
	memory_range(memory_range &&other) noexcept
		: from_(std::exchange(other.from_, nullptr)), address_(other.address_), bytes_(other.bytes_)
	{
	}
	memory_range &operator=(memory_range &&other) noexcept
	{
		memory_range old(std::move(*this));
		from_ = std::exchange(other.from_, nullptr);
		address_ = other.address_;
		bytes_ = other.bytes_;
		return *this;
	}
	~memory_range();

	explicit operator bool() const { return from_ != nullptr; }
	/** As the device names it: a bus address, or an offset into LOCAL or SHM. */
	std::uint64_t address() const { return address_; }
	std::uint64_t bytes() const { return bytes_; }
	/** As the CPU names it; nullptr if it cannot reach it. */
	std::byte *cpu() const;

private:
	memory *from_ = nullptr;
	std::uint64_t address_ = 0;
	std::uint64_t bytes_ = 0;
};

/**
 * One of the memories that a device can reach, handed out in ranges of pages. What the CPU reaches
 * is zero as long as it is free. Thread-safe.
 */
class memory {
public:
	/** Addresses [@p start, @p start + @p bytes); @p cpu: its first byte, or nullptr. */
	memory(std::uint64_t start, std::uint64_t bytes, std::byte *cpu);

	/** One contiguous range, aligned for the largest pages it can have; empty if there is no room. */
	memory_range allocate(std::uint64_t bytes);

	std::uint64_t size() const { return bytes_; }
	std::uint64_t used() const;

private:
	friend class memory_range;
	void release(std::uint64_t address, std::uint64_t bytes) noexcept;

	const std::uint64_t start_;
	const std::uint64_t bytes_;
	std::byte *const cpu_;
	mutable std::mutex mutex_;
	core::va_allocator ranges_; // counts from first_page: it never gives address 0
	std::uint64_t used_ = 0;
};

} // namespace atom::inprocess
