/* SPDX-License-Identifier: MIT */
/**
 * @file row_kernels.h
 * @brief Loops of the commands over rows, compiled once for each instruction set.
 *
 * They work in place. Of a pair, [0] is for a piece of one row, whose accumulator
 * or parameter is one value; [1] for elements of as many rows, which have one
 * each. Sums are kept in f64: what they lose does not grow with the row.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "atom/hw/command.h"

namespace atom::engine::fast {

struct row_kernels {
	template <class... Arguments> using loop = void (*)(Arguments..., std::size_t n);

	/** acc = max(acc, x), min(acc, x): NaN wins. */
	loop<float *, const float *> max[2];
	loop<float *, const float *> min[2];
	/** acc *= x, in order. */
	loop<float *, const float *> product[2];
	/** acc += x, |x|. */
	loop<double *, const float *> sum[2];
	loop<double *, const float *> sum_of_sizes[2];
	/** acc += (x - mean)^2. */
	loop<double *, const float *, const float *> sum_of_squares[2];

	/** Where x is better than best: best = x, at = position; of rows' elements. [the smaller is][equals are too] */
	loop<float *, std::int64_t *, const float *, std::int64_t> better[2][2];

	/** acc = acc and x as the kind of REDUCE combines them, modulo 2^64; null where it has no integers. */
	loop<std::int64_t *, const std::int32_t *> fold_integers[ATOM_REDUCE_SUM_SQUARE + 1][2];
	/** As better[][], in pairs: the first element of a piece of a row is at position. */
	loop<std::int64_t *, std::int64_t *, const std::int32_t *, std::int64_t> better_integers[2][2][2];

	/** x = x * scale, and + slope * mask. */
	loop<float *, float> scale;
	loop<float *, const float *, float> add_scaled;
	/** x = x * y, x + y. */
	loop<float *, const float *> multiply;
	loop<float *, const float *> add;
	/** acc += x * x. */
	loop<float *, const float *> add_squares;
	/** x = (x - mean) * factor. */
	loop<float *, const float *, const float *> normalise[2];
	/** x = exp(x - max). */
	loop<float *, const float *> exponentials[2];
	/** x = x / by. */
	loop<float *, const float *> divide[2];
	/** x = (x - a) - b. */
	loop<float *, const float *, const float *> subtract_both[2];
};

/** For the instruction set in use (kernels::selected()). */
const row_kernels &row_vectors();

extern const row_kernels row_vectors_baseline;
extern const row_kernels row_vectors_avx2;
extern const row_kernels row_vectors_avx512;

} // namespace atom::engine::fast
