/* SPDX-License-Identifier: MIT */
/**
 * @file rotation.h
 * @brief Angles of rotary embeddings, in f32 and in the order that the specification says (and llama.cpp computes).
 */
#pragma once

#include <cstdint>

namespace atom::engine {

struct rotation {
	float step = 1; ///< from a pair's angle to the next one's: base^(-2 / rotary_dims)
	float frequency_scale = 1;
	float extrapolation = 0; ///< YaRN, 0 = off
	float low = 0;           ///< YaRN: pairs below it are extrapolated, those above `high` interpolated
	float high = 0;
	float scale = 1; ///< factor on sine and cosine
	bool inverse = false;
};

struct yarn {
	float extrapolation = 0;
	std::uint32_t original_context = 0;
	float beta_fast = 0;
	float beta_slow = 0;
};

rotation make_rotation(std::uint32_t rotary_dims, float base, float frequency_scale, float attention, const yarn &y,
		       bool inverse);

/** Cosine and sine that pair @p pair turns by; @p angle is position * step^pair / factor. */
void turn(const rotation &r, float angle, std::int64_t pair, float &cosine, float &sine);

} // namespace atom::engine
