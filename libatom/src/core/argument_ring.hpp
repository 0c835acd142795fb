// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "core/bo.hpp"

namespace atom::core {

/**
 * Memory for the argument tables of jobs, given out and taken back in order. Not thread-safe.
 */
class argument_ring {
public:
	/** A place for @p bytes, one behind the other. */
	struct block {
		std::byte *cpu = nullptr; ///< nullptr: there is no room
		std::uint64_t va = 0;
		std::uint64_t end = 0; ///< to be given to release()
	};

	/** @p bytes a multiple of 16. Nothing is given out until commit(). */
	[[nodiscard]] block reserve(std::uint64_t bytes) const;
	void commit(const block &taken) { head_ = taken.end; }
	/** Takes back everything up to the end of a block. */
	void release(std::uint64_t end) { tail_ = std::max(tail_, end); }

	/** Bytes ever given out. */
	[[nodiscard]] std::uint64_t head() const { return head_; }
	[[nodiscard]] std::uint64_t capacity() const { return capacity_; }
	/** Goes on in new, empty memory; returns the old, which blocks given out still use. */
	std::shared_ptr<bo> replace(std::shared_ptr<bo> memory, std::uint64_t capacity);

private:
	std::shared_ptr<bo> memory_;
	std::byte *cpu_ = nullptr;
	std::uint64_t capacity_ = 0; // a power of two, or 0
	std::uint64_t head_ = 0;     // bytes ever given out
	std::uint64_t tail_ = 0;     // bytes ever taken back
};

} // namespace atom::core
