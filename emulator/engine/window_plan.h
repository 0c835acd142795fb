/* SPDX-License-Identifier: MIT */
/**
 * @file window_plan.h
 * @brief struct atom_window, decoded.
 */
#pragma once

#include <algorithm>
#include <cstdint>

namespace atom::engine {

/** Taps [first, last) of a window along one axis. */
struct tap_range {
	std::int64_t first = 0, last = 0;

	std::int64_t count() const { return last - first; }
};

/** One axis of a sliding window; all of it below 2^31. */
struct window_axis {
	std::int64_t kernel = 1, stride = 1, dilation = 1;
	std::int64_t pad_before = 0, pad_after = 0;

	/** Elements from the first tap to the last. */
	std::int64_t reach() const { return dilation * (kernel - 1) + 1; }
	/** Where in the input tap @p k of output @p out lies; pads are outside of it. */
	std::int64_t at(std::int64_t out, std::int64_t k) const { return out * stride - pad_before + k * dilation; }
	/** Those that lie in [low, high). */
	tap_range taps_inside(std::int64_t out, std::int64_t low, std::int64_t high) const
	{
		const auto below = [&](std::int64_t limit) { /* taps before @limit; mostly it needs no division */
			const std::int64_t distance = limit - at(out, 0);
			if (distance >= reach())
				return kernel;
			return distance <= 0 ? 0 : std::min((distance - 1) / dilation + 1, kernel);
		};
		const std::int64_t first = below(low);
		return {first, std::max(below(high), first)};
	}
};

struct window_plan {
	window_axis h, w;

	std::int64_t taps() const { return h.kernel * w.kernel; }
};

} // namespace atom::engine
