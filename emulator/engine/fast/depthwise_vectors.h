/* SPDX-License-Identifier: MIT */
/**
 * @file depthwise_vectors.h
 * @brief Sums of depthwise convolutions in vectors of channels, compiled once for each instruction set.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace atom::engine::fast {

/** Channels of a vector, and the least that depthwise_args may have. */
inline constexpr std::size_t depthwise_lanes = 16;

/** Taps [first, last) along one axis. */
struct tap_span {
	std::size_t first, last;
	bool operator==(const tap_span &) const = default;
};

/** Neighbours in a row of outputs that see the same columns of taps. */
struct column_span {
	std::size_t first, last; ///< outputs
	tap_span taps;
};

/**
 * out[row][column][c] = sum over taps of image[row, column + tap][c] * weights[tap][c], in the order of the taps. Integers:
 * i32 modulo 2^32; floats: plus bias[c], held between low and high.
 */
struct depthwise_args {
	std::size_t rows = 0, channels = 0;
	const column_span *columns = nullptr; ///< of each row
	std::size_t column_spans = 0;
	const tap_span *row_taps = nullptr; ///< rows of taps of each row

	const std::byte *image = nullptr; ///< what offsets of 0 mean for output (0, 0); strides and offsets in bytes
	std::ptrdiff_t row_stride = 0, column_stride = 0;     ///< from output to output
	const std::ptrdiff_t *row_offsets = nullptr, *column_offsets = nullptr; ///< of taps
	const void *weights = nullptr;  ///< [rows of taps][columns of taps][weight_stride]
	std::size_t tap_columns = 0, weight_stride = 0; ///< elements

	std::byte *out = nullptr; ///< f32 or i32, neighbouring channels one behind the other; does not overlap the image
	std::ptrdiff_t out_row_stride = 0, out_column_stride = 0; ///< bytes
	const float *bias = nullptr; ///< nullptr: none
	float low = 0, high = 0;
};

struct depthwise_kernels {
	void (*f32)(const depthwise_args &args);
	void (*i32)(const depthwise_args &args);
};

/** For the instruction set in use. */
const depthwise_kernels &depthwise_vectors();

extern const depthwise_kernels depthwise_vectors_baseline;
extern const depthwise_kernels depthwise_vectors_avx2;
extern const depthwise_kernels depthwise_vectors_avx512;

} // namespace atom::engine::fast
