/* SPDX-License-Identifier: MIT */
/**
 * @file half.h
 * @brief f16 and bf16 to and from f32, in integer arithmetic: the same on every CPU.
 *
 * Also included by files that are compiled for newer instruction sets than the
 * rest: hence internal linkage and no function templates of the library, so
 * that no such copy can be the one that the linker keeps.
 */
#pragma once

#include <cstdint>

namespace atom::engine {

/** A NaN becomes quiet, its sign and payload stay. */
static inline float f16_to_f32(std::uint16_t h)
{
	const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
	const std::uint32_t exponent = (h >> 10) & 0x1fu;
	std::uint32_t mantissa = h & 0x3ffu;
	if (exponent == 0x1f)
		return __builtin_bit_cast(float, sign | 0x7f800000u | (mantissa ? 0x400000u : 0u) | mantissa << 13);
	if (exponent != 0)
		return __builtin_bit_cast(float, sign | (exponent + 112) << 23 | mantissa << 13);
	/* Zero or subnormal: mantissa * 2^-24, exact in f32. */
	const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
	return __builtin_bit_cast(float, sign | __builtin_bit_cast(std::uint32_t, magnitude));
}

/** To nearest, ties to even; overflow to infinity; NaN to a quiet NaN. */
static inline std::uint16_t f32_to_f16(float value)
{
	const auto bits = __builtin_bit_cast(std::uint32_t, value);
	const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
	const std::uint32_t magnitude = bits & 0x7fffffffu;
	if (magnitude > 0x7f800000u)
		return static_cast<std::uint16_t>(sign | 0x7e00u | (magnitude >> 13 & 0x1ffu));
	if (magnitude >= 0x477ff000u) /* 65520: halfway to 2^16 */
		return sign | 0x7c00u;
	if (magnitude >= 0x38800000u) { /* 2^-14: normal */
		const std::uint32_t odd = magnitude >> 13 & 1u;
		return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
	}
	if (magnitude <= 0x33000000u) /* 2^-25: half of the smallest, ties to zero */
		return sign;
	const std::uint32_t exponent = magnitude >> 23;
	const std::uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
	const std::uint32_t shift = 126 - exponent; /* 14..24: bits that fall off */
	const std::uint32_t odd = mantissa >> shift & 1u;
	return static_cast<std::uint16_t>(sign | ((mantissa + (1u << (shift - 1)) - 1 + odd) >> shift));
}

static inline float bf16_to_f32(std::uint16_t b)
{
	std::uint32_t bits = static_cast<std::uint32_t>(b) << 16;
	if ((bits & 0x7fffffffu) > 0x7f800000u)
		bits |= 0x400000u;
	return __builtin_bit_cast(float, bits);
}

/** To nearest, ties to even; overflow to infinity; NaN to a quiet NaN. */
static inline std::uint16_t f32_to_bf16(float value)
{
	const auto bits = __builtin_bit_cast(std::uint32_t, value);
	if ((bits & 0x7fffffffu) > 0x7f800000u)
		return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
	return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float quiet(float value)
{
	auto bits = __builtin_bit_cast(std::uint32_t, value);
	if ((bits & 0x7fffffffu) > 0x7f800000u)
		bits |= 0x400000u;
	return __builtin_bit_cast(float, bits);
}

} // namespace atom::engine
