// SPDX-License-Identifier: MIT
#include "core/argument_ring.hpp"

#include <utility>

namespace atom::core {

argument_ring::block argument_ring::reserve(std::uint64_t bytes) const
{
	if (bytes > capacity_)
		return {};
	std::uint64_t position = head_ & (capacity_ - 1);
	std::uint64_t start = head_;
	if (position + bytes > capacity_) { // a table does not wrap
		start += capacity_ - position;
		position = 0;
	}
	if (start + bytes - tail_ > capacity_)
		return {};
	return {cpu_ + position, memory_->va() + position, start + bytes};
}

std::shared_ptr<bo> argument_ring::replace(std::shared_ptr<bo> memory, std::uint64_t capacity)
{
	cpu_ = memory->map();
	capacity_ = capacity;
	// Blocks of the old memory now lie before the tail: releasing them moves nothing.
	head_ = tail_ = (head_ + capacity - 1) & ~(capacity - 1);
	return std::exchange(memory_, std::move(memory));
}

} // namespace atom::core
