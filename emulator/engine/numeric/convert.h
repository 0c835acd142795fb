/* SPDX-License-Identifier: MIT */
/**
 * @file convert.h
 * @brief Elements in memory to and from numbers: saturation, wrapping, quantisation.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace atom::engine {

/** @p value (an integer, an infinity or NaN) in the range of an integer dtype; NaN is 0. */
std::int64_t saturate(double value, std::uint8_t dtype);
std::int64_t saturate(std::int64_t value, std::uint8_t dtype);
/** @p value modulo 2^bits of an integer dtype, as a value of it. */
std::int64_t wrap(std::int64_t value, std::uint8_t dtype);
/** An integral double modulo 2^bits; infinities and NaN are 0. */
std::int64_t wrap(double value, std::uint8_t dtype);

/** Nearest real, ties to even; or the integer toward zero. */
double round_real(float value, bool toward_zero);
/** saturate(round(real / scale) + zero_point); NaN gives the zero point. */
std::int64_t quantise(float real, float scale, std::int32_t zero_point, std::uint8_t dtype,
		      bool toward_zero = false);
/** scale * (q - zero_point), the difference exact, then rounded to f32. */
float dequantise(std::int64_t q, float scale, std::int32_t zero_point);

/** Element of an integer dtype at @p from. */
std::int64_t load_integer(const std::byte *from, std::uint8_t dtype);
/** Low bits of @p value. */
void store_integer(std::byte *to, std::uint8_t dtype, std::int64_t value);
float load_float(const std::byte *from, std::uint8_t dtype);
void store_float(std::byte *to, std::uint8_t dtype, float value);
/** Element @p i of the block at @p from. */
float load_block_element(const std::byte *from, std::uint8_t dtype, unsigned i);

/** A block apart: value[i] = scale * q[i] + min. */
struct block_integers {
	float scale;
	float min; ///< q4_1, else 0
	std::int32_t q[32];
};
block_integers load_block(const std::byte *from, std::uint8_t dtype);

} // namespace atom::engine
