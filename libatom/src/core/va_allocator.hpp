// SPDX-License-Identifier: MIT
// Hands out ranges of a context's address space.
#pragma once

#include <cstdint>
#include <map>

namespace atom::core {

/** First fit by address. Not thread-safe. */
class va_allocator {
public:
	/** Addresses from @p start to before @p end; address 0 is never handed out. */
	va_allocator(std::uint64_t start, std::uint64_t end);

	/** @p bytes > 0 at a multiple of @p alignment (a power of two); 0 if there is no room. */
	std::uint64_t allocate(std::uint64_t bytes, std::uint64_t alignment);

	/** Takes back exactly what allocate() gave. */
	void release(std::uint64_t start, std::uint64_t bytes) noexcept;

	/** Bytes that are free, in how many pieces. */
	[[nodiscard]] std::uint64_t free_bytes() const;
	[[nodiscard]] std::size_t free_ranges() const { return free_.size(); }

private:
	std::map<std::uint64_t, std::uint64_t> free_; // start -> bytes; neighbours are merged
};

} // namespace atom::core
