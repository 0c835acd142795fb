/* SPDX-License-Identifier: MIT */
/**
 * @file elements.h
 * @brief Element types in memory and their conversion to what the tiles
 * multiply. Included by the files of the instruction sets only; see tile.h.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernel_table.h"

namespace atom::engine::kernels {
namespace {

/** A 16 bit float as it lies in memory. */
struct half {
	std::uint16_t bits;
};
struct brain {
	std::uint16_t bits;
};

inline float float_of(std::uint32_t bits)
{
	float value;
	std::memcpy(&value, &bits, sizeof value);
	return value;
}

inline std::uint32_t bits_of(float value)
{
	std::uint32_t bits;
	std::memcpy(&bits, &value, sizeof bits);
	return bits;
}

/** Exact: every f16 is an f32; a subnormal is its 10 bits times 2^-24. */
inline float to_float(half x)
{
	const std::uint32_t sign = (x.bits & 0x8000u) << 16;
	const std::uint32_t exponent = (x.bits >> 10) & 31, fraction = x.bits & 0x3ffu;
	if (exponent == 0) {
		const float value = static_cast<float>(fraction) * 0x1p-24f;
		return float_of(bits_of(value) | sign);
	}
	if (exponent == 31)
		return float_of(sign | 0x7f800000u | fraction << 13 | (fraction ? 0x400000u : 0));
	return float_of(sign | (exponent + 112) << 23 | fraction << 13);
}
inline float to_float(brain x)
{
	return float_of(static_cast<std::uint32_t>(x.bits) << 16);
}
inline float to_float(float x)
{
	return x;
}

template <class T> T load_element(const std::byte *from)
{
	T value;
	std::memcpy(&value, from, sizeof value);
	return value;
}

/*
 * Formats of a group. bits() is one element in the low bits, `native<From>` that
 * bits() changes nothing, so that whole dwords may be moved.
 */
struct format_f32 {
	static constexpr unsigned group = 1;
	template <class From> static constexpr bool native = false;
	template <class From> static constexpr std::uint32_t bits(From x) { return bits_of(to_float(x)); }
};
template <> inline constexpr bool format_f32::native<float> = true;

struct format_bf16 {
	static constexpr unsigned group = 2;
	template <class From> static constexpr bool native = true;
	static constexpr std::uint32_t bits(brain x) { return x.bits; }
};

struct format_i16 {
	static constexpr unsigned group = 2;
	template <class From> static constexpr bool native = false;
	template <class From> static constexpr std::uint32_t bits(From x)
	{
		return static_cast<std::uint16_t>(static_cast<std::int16_t>(x));
	}
};

/** Flip is 0x80 where the packed bytes are of the other signedness: i8 + 128 or u8 - 128. */
template <unsigned Flip> struct format_i8 {
	static constexpr unsigned group = 4;
	template <class From> static constexpr bool native = Flip == 0;
	template <class From> static constexpr std::uint32_t bits(From x)
	{
		return static_cast<std::uint8_t>(static_cast<std::uint8_t>(x) ^ Flip);
	}
};

} // namespace
} // namespace atom::engine::kernels
