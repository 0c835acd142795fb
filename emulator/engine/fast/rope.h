/* SPDX-License-Identifier: MIT */
/**
 * @file rope.h
 * @brief ROPE, row by row; cosines and sines are computed once for all rows that share them.
 */
#pragma once

#include "fast/stream.h"
#include "rope_plan.h"

namespace atom::engine::fast {

inline constexpr std::uint64_t rope_elements_per_tile = 1u << 15;

/** Operands over dims whose order is such that rows with the same angles follow each other. */
struct rope_streams {
	rope_plan p; ///< the dims are in the command's order
	index5 dims;
	stream in;
	stream out;
	index5 positions{}; ///< strides
	index5 cos{};       ///< strides, unless rows are found by position
	index5 sin{};
	std::uint64_t rows_per_angle = 1;
};

rope_streams prepare(const rope_plan &p);

/** Rows [first, last) of @p s.dims. A fault ends the function and is left in @p mem. */
void rope(const rope_streams &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last);

} // namespace atom::engine::fast
