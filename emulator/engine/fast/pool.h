/* SPDX-License-Identifier: MIT */
/**
 * @file pool.h
 * @brief POOL2D in runs of outputs.
 */
#pragma once

#include "fast/stream.h"
#include "pool_plan.h"

namespace atom::engine::fast {

/** Elements of windows that take well under a millisecond, gathered ones too. */
inline constexpr std::int64_t pool_taps_per_tile = 1 << 18;

/** How a POOL2D is cut. All orders of outputs give the same bits: each output adds its taps up in order. */
struct pool_shape {
	/** What the elements of a run are: outputs of one pixel or of one row, or taps of one output. */
	enum class along : std::uint8_t { channels, columns, taps };
	along run = along::channels;
	index5 dims{}; ///< of the outputs, in the order of the walk
	stream out, index;
	stream in;     ///< strides of the walk, see pooling::input()
	std::uint64_t outputs = 0;
	std::uint64_t per_tile = 0;
	std::uint64_t tiles = 0;
};
pool_shape cut(const pool_plan &p);

/** The pixel, first column and channel that a place in the walk stands for. */
struct output_place {
	std::int64_t n, y, x, channel;
};
output_place place_of(const index5 &index, pool_shape::along run);

/** Rows of the input that outputs [first, last) of the walk need. */
byte_range inputs_of(const pool_plan &p, const pool_shape &shape, std::uint64_t first, std::uint64_t last);

/** The maximum of bytes or f32 that lie side by side where they are. False: that is not the case, and nothing has been done. */
bool largest_in_place(const pool_plan &p, const pool_shape &shape, memory &mem, std::uint64_t first, std::uint64_t last);

void pool(const pool_plan &p, const pool_shape &shape, memory &mem, scratch &work, std::uint64_t tile);

} // namespace atom::engine::fast
