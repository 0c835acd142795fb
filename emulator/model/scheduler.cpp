/* SPDX-License-Identifier: MIT */
#include "scheduler.h"

namespace atom::model {

std::uint32_t scheduler::set_of_queues::take_turn()
{
	for (std::uint32_t step = 1; step <= 256; ++step) {
		const std::uint32_t q = (last_ + step) % 256;
		if (!words_[q / 64]) { /* jump to the last of the empty word */
			step += 63 - q % 64;
			continue;
		}
		if (has(q))
			return last_ = q;
	}
	return 0;
}

std::uint32_t scheduler::pick()
{
	if (!ready_[ATOM_PRIORITY_REALTIME].empty())
		return ready_[ATOM_PRIORITY_REALTIME].take_turn();
	int best = ATOM_PRIORITY_HIGH;
	while (best >= 0 && ready_[static_cast<unsigned>(best)].empty())
		--best;
	if (best < 0)
		return 0;
	for (int c = 0; c < best; ++c) {
		const auto i = static_cast<unsigned>(c);
		if (ready_[i].empty()) {
			passed_over_[i] = 0;
		} else if (++passed_over_[i] > age_steps) {
			passed_over_[i] = 0;
			return ready_[i].take_turn();
		}
	}
	passed_over_[static_cast<unsigned>(best)] = 0;
	return ready_[static_cast<unsigned>(best)].take_turn();
}

} // namespace atom::model
