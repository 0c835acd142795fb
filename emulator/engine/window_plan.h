/* SPDX-License-Identifier: MIT */
/**
 * @file window_plan.h
 * @brief struct atom_window, decoded.
 */
#pragma once

#include <cstdint>

namespace atom::engine {

/** One axis of a sliding window; all of it below 2^31. */
struct window_axis {
	std::int64_t kernel = 1, stride = 1, dilation = 1;
	std::int64_t pad_before = 0, pad_after = 0;

	/** Elements from the first tap to the last. */
	std::int64_t reach() const { return dilation * (kernel - 1) + 1; }
};

struct window_plan {
	window_axis h, w;

	std::int64_t taps() const { return h.kernel * w.kernel; }
};

} // namespace atom::engine
