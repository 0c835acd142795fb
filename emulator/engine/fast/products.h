/* SPDX-License-Identifier: MIT */
/**
 * @file products.h
 * @brief Loops of GEMM and CONV2D beside the matrix kernels, compiled once for each instruction set.
 *
 * All give the reference's bits.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "atom/hw/command.h"

namespace atom::engine::fast {

/** Sums to outputs in one pass. */
struct finish_args {
	const void *sums = nullptr; ///< f32, or i32 if there is a scale
	std::size_t rows = 0, columns = 0;
	std::size_t stride = 0; ///< elements of sums from row to row
	const std::int32_t *integer_bias = nullptr; ///< of each column, added to i32 sums; nullptr: none
	const float *scale = nullptr;               ///< of each column
	const float *bias = nullptr;                ///< of each column; nullptr: none
	const float *residual = nullptr;            ///< of each element, may be the output; nullptr: none
	std::ptrdiff_t residual_stride = 0;         ///< bytes
	float low = 0, high = 0;                    ///< the activation: the rest is held between these
	unsigned dtype = ATOM_DTYPE_F32; ///< f32, f16, bf16, i8, u8
	float out_scale = 1, out_zero = 0;
	std::byte *out = nullptr;
	std::ptrdiff_t out_stride = 0; ///< bytes
};

/** Channels of depthwise_args are a multiple of this. */
inline constexpr std::size_t depthwise_lanes = 16;

/** sums[i][c] = sum over taps of image[i][tap][c] * weights[tap][c], in the order of the taps; f32, or i32 modulo 2^32. */
struct depthwise_args {
	std::size_t pixels = 0, channels = 0, taps = 0;
	const std::byte *image = nullptr;
	std::ptrdiff_t pixel_stride = 0;      ///< bytes
	const std::ptrdiff_t *offsets = nullptr; ///< of each tap, bytes
	const void *weights = nullptr;        ///< [taps][channels]
	void *sums = nullptr;                 ///< [pixels][channels]
};

struct product_kernels {
	void (*finish)(const finish_args &args);
	void (*depthwise_f32)(const depthwise_args &args);
	void (*depthwise_i32)(const depthwise_args &args);
};

/** For the instruction set in use. */
const product_kernels &products();

extern const product_kernels products_baseline;
extern const product_kernels products_avx2;
extern const product_kernels products_avx512;

} // namespace atom::engine::fast
