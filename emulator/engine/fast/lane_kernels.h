/* SPDX-License-Identifier: MIT */
/**
 * @file lane_kernels.h
 * @brief Loops of SELECT, GLU and the commands with windows, compiled once for each instruction set.
 *
 * All give the reference's bits.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "fast/vector.h"

namespace atom::engine::fast {

struct lane_kernels {
	/** By log2 of the element's bytes: cond != 0 ? a : b. @p to may be exactly an input. */
	void (*select[4])(const std::uint8_t *cond, const void *a, const void *b, void *to, std::size_t n);
	/** opened * (value + bias) */
	void (*gate)(const float *opened, const float *value, float *to, std::size_t n, float bias);

	/** sums += x, |x|, x^2 */
	void (*add)(const float *x, float *sums, std::size_t n);
	void (*add_absolute)(const float *x, float *sums, std::size_t n);
	void (*add_square)(const float *x, float *sums, std::size_t n);
	/** The first of the largest stays, the first NaN before all; @p at is below 0 where there is none yet. */
	void (*larger)(const float *x, float *largest, std::int64_t *at, std::int64_t position, std::size_t n);
	void (*larger_integer)(const std::int32_t *x, std::int32_t *largest, std::int64_t *at, std::int64_t position,
			       std::size_t n);

	/** The same, where nobody asks which it was. */
	void (*largest_integer)(const std::int32_t *x, std::int32_t *largest, std::size_t n);
	/** i8, u8, f32: the largest of @p count runs at each place, or the dtype's lowest; a NaN, made quiet, before all. */
	void (*largest_of[dtype_slots])(const std::byte *const *runs, std::size_t count, std::byte *to, std::size_t n);

	/** 4-byte elements: to[i] = row[at[i]]; sums[i] += by[i] * row[at[i]], nothing where by is 0. */
	void (*take)(const void *row, const std::int32_t *at, void *to, std::size_t n);
	void (*add_taken)(const float *row, const std::int32_t *at, const float *by, float *sums, std::size_t n);
};

/** For the instruction set in use (kernels::selected()). */
const lane_kernels &lane_vectors();

extern const lane_kernels lane_vectors_baseline;
extern const lane_kernels lane_vectors_avx2;
extern const lane_kernels lane_vectors_avx512;

} // namespace atom::engine::fast
