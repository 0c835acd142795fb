/* SPDX-License-Identifier: MIT */
/**
 * @file windows.h
 * @brief Sliding windows over an image times weights: what convolutions are made of.
 *
 * out[y, x, n] = sum over taps t and channels k of
 *                image[y * row_stride + x * column_stride + image_taps[t] + k] * b_t[k, n]
 *
 * The image is read where it lies, without a matrix of windows, so it has to be in the
 * format of the instruction set (image_format), with its pads in it. As gemm.h else.
 */
#pragma once

#include "gemm.h"
#include "tap_range.h"
#include "tile_output.h"

namespace atom::engine::kernels {

/** What an image must be converted to for weights of some type. */
struct image_format {
	unsigned element_bytes;
	unsigned group;      ///< a float image's channels are filled up with 0 to a multiple
	bool in_place;       ///< elements are used as they are
	bool flipped;        ///< bytes whose signedness changes: 128 more or less, as is the zero point
};
image_format image_format_of(atom_dtype image, atom_dtype weights);

/** Converts @p count contiguous elements to the format. */
void convert_image(atom_dtype weights, const matrix &run, std::size_t count, std::byte *to);

/** Channels up to which taps that follow one another are better one tap. */
inline constexpr std::size_t windows_run_max = 512;

/** Pixels of a row. */
struct pixel_range {
	std::size_t first, last;
};

struct windows_args {
	std::size_t rows = 0, columns = 0; ///< pixels of the output
	atom_dtype type = ATOM_DTYPE_NONE; ///< the image's before its conversion
	const std::byte *image = nullptr;  ///< what tap 0 of pixel (0, 0) reads
	std::ptrdiff_t row_stride = 0, column_stride = 0;
	std::size_t taps = 1;
	const std::ptrdiff_t *image_taps = nullptr; ///< bytes
	const std::ptrdiff_t *b_taps = nullptr;     ///< bytes from b.data
	/** The taps that each row needs, [first, last), not empty: the others read nothing but 0. nullptr: all of them. */
	const tap_range *row_taps = nullptr;
	/** The pixels of a row that need each tap, [first, last): the others read nothing but 0 there. nullptr: all of them. */
	const pixel_range *tap_pixels = nullptr;
	/** Of a tap; if no multiple of the group, up to 3 bytes behind it are read (and multiplied by 0). */
	std::size_t channels = 0;
	matrix b;                                   ///< channels x n
	std::size_t n = 0;
	std::int32_t a_zero = 0;                    ///< of the image after its conversion
	const std::int32_t *b_zero = nullptr;       ///< of each column, or nullptr: all 0. Then channels is a multiple of the group.
	/**
	 * Takes sums: of @p pixels pixels from (row, column) on, columns [first, first + n)
	 * of the product; f32 or i32, @p stride elements from pixel to pixel. False ends it all.
	 */
	bool (*finish)(void *context, std::size_t row, std::size_t column, std::size_t pixels, std::size_t first,
		       std::size_t n, void *sums, std::size_t stride) = nullptr;
	void *context = nullptr;
	/**
	 * The outputs of all pixels, one behind the other, from the first column on, if sums can become them in the tiles.
	 * Taken where the instruction set can; finish() gets the others.
	 */
	tile_output direct;
	interrupt stop;
	/**
	 * Room in which weights that never change are kept packed, or nullptr: windows_kept_bytes(), zeroed at first, for all calls
	 * with the same weights, channels and taps, by any threads.
	 */
	std::byte *kept = nullptr;
	std::size_t kept_columns = 0; ///< of the weights there
	std::size_t kept_first = 0;   ///< of these columns there, a multiple of windows_kept_unit()
};

/** 0: not worth it. */
std::size_t windows_kept_bytes(const windows_args &args, std::size_t columns);
std::size_t windows_kept_unit(const windows_args &args);

std::size_t windows_workspace(const windows_args &args);
/** False: interrupted, or finish() said so. */
bool windows(const windows_args &args, std::byte *workspace);

} // namespace atom::engine::kernels
