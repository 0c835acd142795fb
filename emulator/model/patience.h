/* SPDX-License-Identifier: MIT */
/**
 * @file patience.h
 * @brief How long the tiles of a command may go on although the admin queue has work.
 */
#pragma once

#include <chrono>

namespace atom::model {

/**
 * Tiles keep what they have done, a piece of some milliseconds at a time, and get ahead however often they are
 * interrupted, unless a piece takes longer than they are given. So they get twice as long each time that one of them
 * came no further, and half as long when they did.
 */
class patience {
public:
	std::chrono::milliseconds length() const { return std::chrono::milliseconds(1u << doublings_); }
	void grow() { doublings_ += doublings_ < doublings_max; }
	void shrink() { doublings_ -= doublings_ > 0; }

private:
	/* Some seconds: less than the driver's patience with the admin queue. */
	static constexpr unsigned doublings_max = 12;
	unsigned doublings_ = 0;
};

} // namespace atom::model
