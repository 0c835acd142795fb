/* SPDX-License-Identifier: MIT */
/**
 * @file scheduler.h
 * @brief Which queue gets the engine next.
 *
 * Strict priority, round-robin among equals, at every step (a descriptor, a
 * command, or a slice of a big one's tiles). Ageing keeps LOW, NORMAL and HIGH
 * from starving one another: a class that was passed over age_steps times in
 * favour of a higher one gets one step. REALTIME is never made to wait and does
 * not count as passing over. Counting steps, not time, keeps the order the same
 * from run to run.
 */
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "atom/hw/queue.h"

namespace atom::model {

class scheduler {
public:
	static constexpr unsigned classes = ATOM_PRIORITY_REALTIME + 1;
	static constexpr unsigned age_steps = 16;

	void set_runnable(std::uint32_t queue, std::uint32_t priority, bool runnable)
	{
		for (unsigned c = 0; c < classes; ++c)
			ready_[c].set(queue, runnable && c == priority);
	}
	void clear()
	{
		ready_ = {};
		passed_over_ = {};
	}
	bool any() const
	{
		for (const auto &c : ready_) {
			if (!c.empty())
				return true;
		}
		return false;
	}
	/** Somebody besides @p queue could use the engine. */
	bool others_than(std::uint32_t queue) const
	{
		unsigned ready = 0;
		bool itself = false;
		for (const auto &c : ready_) {
			ready += c.size();
			itself |= c.has(queue);
		}
		return ready > (itself ? 1u : 0u);
	}
	/** The queue to serve now, 0 if none. */
	std::uint32_t pick();

private:
	class set_of_queues {
	public:
		void set(std::uint32_t q, bool on)
		{
			const std::uint64_t bit = 1ull << (q % 64);
			if (on)
				words_[q / 64] |= bit;
			else
				words_[q / 64] &= ~bit;
		}
		bool has(std::uint32_t q) const { return words_[q / 64] >> (q % 64) & 1; }
		bool empty() const { return !(words_[0] | words_[1] | words_[2] | words_[3]); }
		unsigned size() const
		{
			unsigned n = 0;
			for (const std::uint64_t w : words_)
				n += static_cast<unsigned>(std::popcount(w));
			return n;
		}
		/** The next member behind the one taken last. */
		std::uint32_t take_turn();

	private:
		std::array<std::uint64_t, 4> words_{};
		std::uint32_t last_ = 0;
	};

	std::array<set_of_queues, classes> ready_;
	std::array<unsigned, classes> passed_over_{};
};

} // namespace atom::model
