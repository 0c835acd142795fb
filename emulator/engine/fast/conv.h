/* SPDX-License-Identifier: MIT */
/**
 * @file conv.h
 * @brief CONV2D and CONVT2D in tiles: an image with its pads, and the windows on it.
 */
#pragma once

#include <vector>

#include "conv_plan.h"

namespace atom::engine::fast {

/** Taps of the kernel along one axis, and where they read the input. */
struct axis_tap {
	std::int64_t kernel; ///< which one
	std::int64_t offset; ///< of the input from where an output begins
};

/**
 * Outputs along one axis that see the same taps: output first + i * step reads
 * inputs i * in_step + offset. A transposed convolution has `stride` of these.
 */
struct axis_phase {
	std::int64_t first = 0, step = 1, count = 0;
	std::int64_t in_step = 1;
	std::vector<axis_tap> taps;

	/** Inputs that outputs [0, count) reach: from least() on, reach(count) of them. */
	std::int64_t least() const;
	std::int64_t reach(std::int64_t outputs) const;
	/** Whether @p output has one of @p inputs under @p tap, and no pad. */
	bool inside(std::int64_t output, const axis_tap &tap, std::int64_t inputs) const;
};

/** What one tile computes. */
struct conv_part {
	std::int64_t image = 0;
	const axis_phase *h = nullptr, *w = nullptr;
	std::int64_t y = 0, x = 0, rows = 0, columns = 0; ///< outputs of the phases
	std::int64_t group = 0, groups = 1;
	std::int64_t channel = 0, channels = 0; ///< of each group

	/** Of the output. */
	index5 at(const conv_plan &p, std::int64_t row, std::int64_t column, std::int64_t g, std::int64_t c) const
	{
		return {0, image, h->first + (y + row) * h->step, w->first + (x + column) * w->step,
			(group + g) * p.out_channels + c};
	}
};

/** How a convolution is cut. */
class conv_shape {
public:
	explicit conv_shape(const conv_plan &plan);

	/** False: too many taps, or too large windows, for any of this; there are no tiles. */
	bool possible() const { return tiles_ != 0; }
	std::uint64_t tiles() const { return tiles_; }
	conv_part part(std::uint64_t tile) const;
	/** The plan, with dimensions joined where they are walked as one. */
	const conv_plan &plan() const { return p_; }
	/** A channel of its own for each output channel. */
	bool depthwise() const { return depthwise_; }

private:
	void cut(std::int64_t macs);

	conv_plan p_;
	std::vector<axis_phase> h_, w_;
	bool depthwise_ = false;
	std::int64_t rows_ = 1, columns_ = 1, groups_ = 1, channels_ = 1; ///< of a tile, at most
	std::int64_t row_parts_ = 1, column_parts_ = 1, group_parts_ = 1, channel_parts_ = 1; ///< of a phase
	std::uint64_t tiles_ = 0;
};

void conv(const conv_shape &shape, memory &mem, scratch &work, std::uint64_t tile);

} // namespace atom::engine::fast
