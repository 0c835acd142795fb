/* SPDX-License-Identifier: MIT */
/**
 * @file resample.h
 * @brief One axis of RESIZE2D: where an output lies in the input, and the weights of what is around it.
 *
 * In f64, in the order that the specification writes it, so that all engines get the same weights.
 */
#pragma once

#include <cstdint>

#include "atom/hw/command.h"

namespace atom::engine {

/** Most taps of an axis: their weights are summed up for each output. */
inline constexpr std::int64_t resample_taps_max = 1 << 16;

struct resample_axis {
	std::uint8_t mode = ATOM_RESIZE_NEAREST;
	std::uint8_t coordinate = ATOM_COORD_HALF_PIXEL;
	std::uint8_t nearest = ATOM_NEAREST_ROUND_PREFER_FLOOR;
	bool exclude_outside = false;
	bool antialias = false;
	double cubic_coeff = 0;
	std::int64_t in = 1, out = 1;
	double scale = 1;
	double length = 1; ///< of the output, as the scale has it
	double start = 0, end = 0;
	std::int64_t taps = 1; ///< of each output

	/** @p asked is the scale of the command. False: more taps than resample_taps_max. */
	bool set_sizes(std::int64_t from, std::int64_t to, float asked);
};

/** The taps of one output. */
struct resample_taps {
	bool outside = false;   ///< CROP_AND_RESIZE: not in the input at all
	bool exclude = false;   ///< taps outside the input weigh nothing
	std::int64_t first = 0; ///< may lie outside the input
	double at = 0;          ///< where the output is
	double divisor = 1;
};
resample_taps locate(const resample_axis &a, std::int64_t output);
/** Where the input is read for tap @p k: the nearest element if it is outside. */
std::int64_t position(const resample_axis &a, const resample_taps &t, std::int64_t k);
float weight(const resample_axis &a, const resample_taps &t, std::int64_t k);

} // namespace atom::engine
