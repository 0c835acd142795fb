/* SPDX-License-Identifier: MIT */
/**
 * @file kept_once.h
 * @brief What outlives a call and is made by the first thread that needs it.
 */
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace atom::engine::kernels {

/** Of a state before what is kept, which stays aligned. */
inline constexpr std::size_t kept_state_bytes = 64;

/**
 * Whether what belongs to @p state, zeroed at first, is there: made by make() if nobody did before; what make() returns is
 * whether it could. One that comes meanwhile is told that it is not there, so that nobody waits.
 */
template <class Make> bool made_once(std::uint32_t &state, const Make &make)
{
	enum : std::uint32_t { nothing, begun, made };
	const std::atomic_ref<std::uint32_t> at(state);
	std::uint32_t was = at.load(std::memory_order_acquire);
	if (was == nothing && at.compare_exchange_strong(was, begun, std::memory_order_relaxed)) {
		const bool done = make();
		at.store(done ? made : nothing, std::memory_order_release);
		return done;
	}
	return was == made;
}

} // namespace atom::engine::kernels
