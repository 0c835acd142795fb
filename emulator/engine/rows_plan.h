/* SPDX-License-Identifier: MIT */
/**
 * @file rows_plan.h
 * @brief Decoded commands over rows: SOFTMAX, NORM, REDUCE.
 *
 * A row is all elements that differ in the reduced dimensions only; dimensions
 * and axes are the padded ones.
 */
#pragma once

#include "plan.h"

namespace atom::engine {

struct softmax_plan {
	/** Heads of ALiBi and of the sinks: rank - 3, padded. */
	static constexpr unsigned head_axis = ATOM_RANK_MAX - 3;

	unsigned axis = 0;
	float scale = 1;
	bool log = false;
	bool causal = false;
	std::int64_t causal_offset = 0;
	float max_bias = 0; ///< 0: the mask counts as it is
	tensor in, mask, sinks, out;
};

/** NORM but LRN. */
struct norm_plan {
	std::uint32_t kind = 0;
	unsigned reduced = 0; ///< bit n: dimension n is
	float eps = 0;
	tensor in, gamma, beta, out;
	tensor mean, inverse; ///< dimensions that are reduced are 1
};

/** NORM with LRN: each element by those around it along one axis. */
struct lrn_plan {
	unsigned axis = 0;
	std::int64_t before = 0, after = 0; ///< elements of the window beside the one in the middle
	float factor = 0;                   ///< alpha / size
	float beta = 0, bias = 0;
	tensor in, out;
};

struct reduce_plan {
	std::uint32_t kind = 0;
	unsigned reduced = 0;
	bool last_index = false;
	bool integer = false; ///< without quantisation, computed exactly
	tensor in, out;       ///< out: dimensions that are reduced are 1

	bool finds() const { return kind == ATOM_REDUCE_ARGMAX || kind == ATOM_REDUCE_ARGMIN; }
};

/** @p reduced has bit n if dimension n is. */
inline bool is_reduced(unsigned reduced, std::size_t dimension) { return reduced >> dimension & 1; }

/** The dimensions that make rows, or those that are inside of them; the others are 1. */
inline index5 rows_of(index5 dims, unsigned reduced)
{
	for (std::size_t i = 0; i < dims.size(); ++i)
		if (is_reduced(reduced, i))
			dims[i] = 1;
	return dims;
}
inline index5 within_rows(const index5 &dims, unsigned reduced) { return rows_of(dims, ~reduced); }

} // namespace atom::engine
