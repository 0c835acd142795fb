/* SPDX-License-Identifier: MIT */
/**
 * @file vector.h
 * @brief Loops over contiguous elements, compiled once for each instruction set.
 *
 * All give the reference's bits. Inputs and output of a loop do not overlap.
 * A null entry means that there is no such loop.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "atom/hw/command.h"

namespace atom::engine::fast {

inline constexpr std::size_t dtype_slots = ATOM_DTYPE_F32 + 1;
inline constexpr std::size_t binary_slots = ATOM_BINARY_SHR + 1;

/** saturate(rint(clip(a_scale * (a - a_zero) + b_scale * (b - b_zero)) / out_scale) + out_zero) of i8 or u8. */
struct add_bytes_args {
	const std::byte *a, *b;
	std::byte *out; ///< may be a or b
	std::size_t n;
	bool a_signed, b_signed, out_signed;
	float a_scale, b_scale, out_scale;
	float a_zero, b_zero, out_zero;
	float low, high; ///< clip; NaN stays
};

struct vector_kernels {
	/** Elements of a float dtype, or integers as they are, to f32. */
	void (*load[dtype_slots])(const void *from, float *to, std::size_t n);
	/** f32 to a float dtype; NaN becomes quiet. */
	void (*store[dtype_slots])(const float *from, void *to, std::size_t n);
	/** In place: x = scale * (x - zero_point), zero_point an integer below 2^16. */
	void (*dequantise)(float *x, std::size_t n, float scale, float zero_point);
	void (*dequantise_channels)(float *x, std::size_t n, const float *scales, const std::int32_t *zero_points);
	/** i8, u8, i16: saturate(rint(x / scale) + zero_point). */
	void (*quantise[dtype_slots])(const float *from, void *to, std::size_t n, float scale, float zero_point);

	void (*add_bytes)(const add_bytes_args &args);

	void (*unary[ATOM_FN_COUNT])(const float *x, float *to, std::size_t n, float p0, float p1);
	void (*binary[binary_slots])(const float *a, const float *b, float *to, std::size_t n);

	/** Rounded to nearest and saturated; NaN is 0. */
	void (*store_i32)(const float *from, std::int32_t *to, std::size_t n);
	/** Between i64 and i32: saturated or modulo 2^32. */
	void (*widen)(const void *from, void *to, std::size_t n);
	void (*narrow)(const void *from, void *to, std::size_t n);
	void (*narrow_wrap)(const void *from, void *to, std::size_t n);
	/** i32 to i8, u8, i16, i32, saturated. */
	void (*store_saturated[dtype_slots])(const std::int32_t *from, void *to, std::size_t n);

	/** i8, u8, i16, i32 to i32 and, modulo 2^bits, back. */
	void (*load_integer[dtype_slots])(const void *from, std::int32_t *to, std::size_t n);
	void (*store_integer[dtype_slots])(const std::int32_t *from, void *to, std::size_t n);
	/** Of values of the dtype; right in the low bits. */
	void (*unary_integer[ATOM_FN_COUNT])(const std::int32_t *x, std::int32_t *to, std::size_t n);
	void (*binary_integer[binary_slots])(const std::int32_t *a, const std::int32_t *b, std::int32_t *to,
					     std::size_t n);
};

/** For the instruction set in use (kernels::selected()). */
const vector_kernels &vectors();

extern const vector_kernels vectors_baseline;
extern const vector_kernels vectors_avx2;
extern const vector_kernels vectors_avx512;

} // namespace atom::engine::fast
