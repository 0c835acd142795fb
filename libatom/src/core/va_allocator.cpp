// SPDX-License-Identifier: MIT
#include "core/va_allocator.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <numeric>

namespace atom::core {

va_allocator::va_allocator(std::uint64_t start, std::uint64_t end)
{
	constexpr std::uint64_t first_page = 4096;
	start = std::max(start, first_page);
	if (start < end)
		free_.emplace(start, end - start);
}

std::uint64_t va_allocator::allocate(std::uint64_t bytes, std::uint64_t alignment)
{
	if (bytes == 0)
		return 0;
	for (auto range = free_.begin(); range != free_.end(); ++range) {
		const auto [start, size] = *range;
		const std::uint64_t skip = (alignment - start % alignment) % alignment;
		if (skip > size || size - skip < bytes)
			continue;
		const std::uint64_t found = start + skip;
		const std::uint64_t behind = size - skip - bytes;
		// Insert before anything is changed: it may throw.
		if (behind != 0)
			free_.emplace_hint(std::next(range), found + bytes, behind);
		if (skip != 0)
			range->second = skip;
		else
			free_.erase(range);
		return found;
	}
	return 0;
}

void va_allocator::release(std::uint64_t start, std::uint64_t bytes) noexcept
{
	const auto next = free_.lower_bound(start);
	if (next != free_.begin()) {
		const auto before = std::prev(next);
		if (before->first + before->second == start) {
			before->second += bytes;
			if (next != free_.end() && start + bytes == next->first) {
				before->second += next->second;
				free_.erase(next);
			}
			return;
		}
	}
	if (next != free_.end() && start + bytes == next->first) {
		auto node = free_.extract(next);
		node.key() = start;
		node.mapped() += bytes;
		free_.insert(std::move(node));
		return;
	}
	try {
		free_.emplace_hint(next, start, bytes);
	} catch (const std::bad_alloc &) {
		// 48 bits of addresses can spare this range; a destructor must not throw.
	}
}

std::uint64_t va_allocator::free_bytes() const
{
	return std::accumulate(free_.begin(), free_.end(), std::uint64_t{0},
	                       [](std::uint64_t sum, const auto &r) { return sum + r.second; });
}

} // namespace atom::core
