/* SPDX-License-Identifier: MIT */
/**
 * @file conv.h
 * @brief What CONV2D and CONVT2D mean; see reference.h.
 */
#pragma once

#include "conv_plan.h"
#include "engine.h"

namespace atom::engine::reference {

/** Most pixels and channels of a tile. */
inline constexpr std::int64_t conv_pixels = 16;
inline constexpr std::int64_t conv_channels = 64;

/** Pixels of the output, counted through N, H' and W', and channels of one group. */
struct conv_tile {
	std::int64_t first_pixel = 0, pixels = 0;
	std::int64_t group = 0, first_channel = 0, channels = 0;
};

void conv(const conv_plan &p, memory &mem, scratch &work, const conv_tile &tile);

} // namespace atom::engine::reference
