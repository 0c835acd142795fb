/* SPDX-License-Identifier: MIT */
/**
 * @file windows_plan.h
 * @brief How sliding windows are cut into blocks.
 */
#pragma once

#include <algorithm>

#include "driver.h"
#include "windows.h"

namespace atom::engine::kernels {
namespace {

bool flips(atom_dtype image, atom_dtype weights)
{
	return is_byte(image) && image == weights && family_of(image, weights).b_offset != 0;
}

/** The family for the image as it is after its conversion. */
const family &family_for(atom_dtype image, atom_dtype weights)
{
	if (!flips(image, weights))
		return family_of(image, weights);
	return family_of(image == ATOM_DTYPE_I8 ? ATOM_DTYPE_U8 : ATOM_DTYPE_I8, weights);
}

/** Sums that are finished at once, or a pass's if that is more: they should stay in the first cache. */
constexpr std::size_t finished_bytes = 24 << 10;

/** Up to so many pixels it matters how long the weights are on their way. */
constexpr std::size_t many_pixels = 256;

/** For more pixels packing is cheap beside the products; in shorter lines adding up the lanes is not. */
constexpr std::size_t line_pixels = 64, line_groups = 1024;

/** Groups of a line that are multiplied at once: lines of a and of b shall stay in the first cache. */
constexpr std::size_t line_block_groups = 1152;

/** Whether the lines of the weights, all taps one behind the other, can and should be used where they lie. */
inline const line_family *lines_for(const family &f, const windows_args &args)
{
	const std::ptrdiff_t element = element_bytes(args.b.type);
	if (args.kept || !f.lines || !(f.lines->types >> args.b.type & 1) || args.b.row_stride != element ||
	    args.channels % (16 * f.group) != 0 || args.rows * args.columns > line_pixels ||
	    args.taps * args.channels < line_groups * f.group)
		return nullptr;
	for (std::size_t t = 1; t < args.taps; ++t)
		if (args.b_taps[t] - args.b_taps[t - 1] != static_cast<std::ptrdiff_t>(args.channels) * element)
			return nullptr;
	return f.lines;
}

/** Some taps and some channels of each, all in one packed block. */
struct k_block {
	std::size_t tap, taps;
	std::size_t channel, channels;
};

struct plan {
	const family &f;
	const line_family *lines;  ///< instead of packed panels, if not nullptr
	std::size_t rows, pair;    ///< pixels of a register tile
	std::size_t tap_groups;    ///< of all channels of a tap
	std::size_t taps;          ///< in a block
	std::size_t channels;      ///< in a block
	std::size_t k_blocks;
	std::size_t channel_parts; ///< blocks of a tap, if more than one
	std::size_t n_block;       ///< columns, a multiple of the panel
	bool direct;               ///< sums become outputs in the tiles
	bool few_pixels;           ///< the next block of weights, too, is brought into the second cache

	explicit plan(const windows_args &args)
	    : f(family_for(args.type, args.b.type)), lines(lines_for(f, args)), rows(lines ? lines->rows : f.rows),
	      pair(lines ? 0 : f.pair), tap_groups(divide_up(args.channels, f.group)),
	      direct(args.direct.to && f.output_columns && !lines && args.n % f.output_columns == 0 &&
		     !(f.integer && (args.b_zero || f.b_offset))),
	      few_pixels(!lines && args.rows * args.columns <= many_pixels &&
			 (args.kept || args.b.row_stride == element_bytes(args.b.type)))
	{
		blocking sizes = block_sizes(f);
		if (lines)
			sizes.groups = line_block_groups;
		channel_parts = divide_up(tap_groups, sizes.groups);
		if (channel_parts > 1) {
			channels = aligned(divide_up(tap_groups, channel_parts)) * f.group;
			channel_parts = divide_up(args.channels, channels);
			taps = 1;
			k_blocks = args.taps * channel_parts;
		} else {
			channels = args.channels;
			const std::size_t all = std::max<std::size_t>(args.taps, 1);
			taps = divide_up(all, divide_up(all, sizes.groups / tap_groups));
			k_blocks = divide_up(all, taps);
		}
		const std::size_t panels = divide_up(args.n, f.columns);
		const std::size_t bytes = few_pixels ? sizes.bytes / 2 : sizes.bytes;
		const std::size_t most = std::max<std::size_t>(bytes / panel_bytes(), 1);
		n_block = divide_up(panels, divide_up(panels, most)) * f.columns;
	}

	k_block block(const windows_args &args, std::size_t i) const
	{
		if (channel_parts > 1) {
			const std::size_t first = i % channel_parts * channels;
			return {i / channel_parts, 1, first, std::min(channels, args.channels - first)};
		}
		return {i * taps, std::min(taps, args.taps - i * taps), 0, channels};
	}
	std::size_t panel_bytes() const { return taps * divide_up(channels, f.group) * f.columns * 4; }
	std::size_t panels_bytes() const { return lines ? 0 : aligned(n_block / f.columns * panel_bytes()); }
	std::size_t terms_bytes() const { return aligned(n_block * sizeof(std::uint32_t)); }
	/** With one block of k there are some pixels' sums at a time. */
	std::size_t sums_bytes(const windows_args &args) const
	{
		if (k_blocks == 1)
			return finished_bytes + std::max(rows, 2 * pair) * n_block * 4;
		return args.rows * args.columns * n_block * 4;
	}
};

} // namespace
} // namespace atom::engine::kernels
