/* SPDX-License-Identifier: MIT */
/**
 * @file exponential.h
 * @brief e^x of f32 without branches: the reference and the vector loops give the same bits, on every CPU.
 *
 * Also included by files that are compiled for newer instruction sets than the
 * rest: hence internal linkage. Without contraction to FMA.
 */
#pragma once

#include <cstdint>

namespace atom::engine {

/** Less than two units in the last place off; subnormal results too. */
static inline float exponential(float x)
{
	/* Beyond these bounds the result is 0 or infinity; a NaN passes both. */
	float c = x < -104.0f ? -104.0f : x;
	c = c > 89.0f ? 89.0f : c;
	/* x = n * ln 2 + r; the sum's low bits are n. ln 2 is taken in two parts, n times the first is exact. */
	const float shifted = c * 1.44269504f + 0x1.8p23f;
	const float n = shifted - 0x1.8p23f;
	const float r = (c - n * 0.693359375f) - n * -2.12194440e-4f;
	float p = 1.9875691500e-4f;
	p = p * r + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	const float y = p * (r * r) + r + 1.0f;
	/* 2^n in two factors: it may be out of range where the result is not. */
	const auto whole = static_cast<std::int32_t>(__builtin_bit_cast(std::uint32_t, shifted) - 0x4b400000u);
	const std::int32_t half = whole >> 1;
	const auto power = [](std::uint32_t e) { return __builtin_bit_cast(float, (e + 127u) << 23); };
	return y * power(static_cast<std::uint32_t>(half)) *
	       power(static_cast<std::uint32_t>(whole) - static_cast<std::uint32_t>(half));
}

} // namespace atom::engine
