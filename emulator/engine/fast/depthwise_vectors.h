/* SPDX-License-Identifier: MIT */
/**
 * @file depthwise_vectors.h
 * @brief Sums of depthwise convolutions in vectors of channels, compiled once for each instruction set.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/tap_range.h"

namespace atom::engine::fast {

/** Channels of a vector, and the least that depthwise_args may have. */
inline constexpr std::size_t depthwise_lanes = 16;
/** Taps up to which sums of products of two bytes, each without its zero point, are exact in f32. */
inline constexpr std::int64_t depthwise_exact_taps = 256;

/** Outputs of a block that do not have a tap: so many of the first and of the last ones. */
struct column_skip {
	std::uint8_t first, last;
};

/** Some neighbours in each row of outputs, depthwise_kernels::columns at most. */
struct column_block {
	std::size_t first, count;
	const column_skip *skips; ///< of each column of taps
};

/**
 * out[row][column][c] = sum over taps of (image[row, column + tap][c] - zero) * weights[tap][c], in the order of the taps. f32:
 * or bf16: plus bias[c], held between low and high. i32: of at most depthwise_exact_taps.
 */
struct depthwise_args {
	std::size_t rows = 0, channels = 0;
	const column_block *blocks = nullptr; ///< of each row
	std::size_t block_count = 0;
	const kernels::tap_range *row_taps = nullptr; ///< rows of taps of each row

	const std::byte *image = nullptr; ///< what offsets of 0 mean for output (0, 0); strides and offsets in bytes
	std::ptrdiff_t row_stride = 0, column_stride = 0; ///< from output to output
	const std::ptrdiff_t *row_offsets = nullptr, *column_offsets = nullptr; ///< of taps
	float zero = 0;                 ///< of bytes
	const float *weights = nullptr; ///< [rows of taps][columns of taps][weight_stride]
	std::size_t tap_columns = 0, weight_stride = 0; ///< elements

	std::size_t first_column = 0; ///< output that lies at out
	std::byte *out = nullptr; ///< f32, i32 or bf16, neighbouring channels one behind the other; does not overlap the image
	std::ptrdiff_t out_row_stride = 0, out_column_stride = 0; ///< bytes
	const float *bias = nullptr; ///< nullptr: none
	float low = 0, high = 0;
};

struct depthwise_kernels {
	using function = void (*)(const depthwise_args &args);

	std::size_t columns; ///< of a block, at most
	function f32, f32_to_i32; ///< of images of f32
	/* nullptr: such images have to be converted before. */
	function bf16 = nullptr, bf16_to_bf16 = nullptr; ///< to f32, to bf16
	function u8 = nullptr, i8 = nullptr;             ///< to i32
};

/** For the instruction set in use. */
const depthwise_kernels &depthwise_vectors();

extern const depthwise_kernels depthwise_vectors_baseline;
extern const depthwise_kernels depthwise_vectors_avx2;
extern const depthwise_kernels depthwise_vectors_avx512;

} // namespace atom::engine::fast
