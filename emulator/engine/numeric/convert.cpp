/* SPDX-License-Identifier: MIT */
#include "convert.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "atom/hw/dtype.h"
#include "half.h"

namespace atom::engine {

namespace {

struct range {
	std::int64_t low, high;
};

range range_of(std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
		return {INT8_MIN, INT8_MAX};
	case ATOM_DTYPE_U8:
		return {0, UINT8_MAX};
	case ATOM_DTYPE_I16:
		return {INT16_MIN, INT16_MAX};
	case ATOM_DTYPE_I32:
		return {INT32_MIN, INT32_MAX};
	default:
		return {INT64_MIN, INT64_MAX};
	}
}

template <class T> T load(const std::byte *from)
{
	T value;
	std::memcpy(&value, from, sizeof value);
	return value;
}

template <class T> void store(std::byte *to, std::int64_t value)
{
	const auto bits = static_cast<T>(value);
	std::memcpy(to, &bits, sizeof bits);
}

} // namespace

std::int64_t saturate(std::int64_t value, std::uint8_t dtype)
{
	const range r = range_of(dtype);
	return value < r.low ? r.low : value > r.high ? r.high : value;
}

std::int64_t saturate(double value, std::uint8_t dtype)
{
	if (std::isnan(value))
		return 0;
	/* The bounds of i64 are not all doubles: stay inside before the conversion. */
	if (value >= 0x1p62)
		return saturate(INT64_MAX, dtype);
	if (value <= -0x1p62)
		return saturate(INT64_MIN, dtype);
	return saturate(static_cast<std::int64_t>(value), dtype);
}

std::int64_t wrap(std::int64_t value, std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
		return static_cast<std::int8_t>(value);
	case ATOM_DTYPE_U8:
		return static_cast<std::uint8_t>(value);
	case ATOM_DTYPE_I16:
		return static_cast<std::int16_t>(value);
	case ATOM_DTYPE_I32:
		return static_cast<std::int32_t>(value);
	default:
		return value;
	}
}

std::int64_t wrap(double value, std::uint8_t dtype)
{
	if (!std::isfinite(value))
		return 0;
	/* The remainder is exact, and of less than 33 bits. */
	return wrap(static_cast<std::int64_t>(std::fmod(value, 0x1p32)), dtype);
}

double round_real(float value, bool toward_zero)
{
	return toward_zero ? std::trunc(value) : std::nearbyint(value);
}

std::int64_t quantise(float real, float scale, std::int32_t zero_point, std::uint8_t dtype, bool toward_zero)
{
	const double steps = round_real(real / scale, toward_zero);
	return saturate((std::isnan(steps) ? 0.0 : steps) + zero_point, dtype);
}

float dequantise(std::int64_t q, float scale, std::int32_t zero_point)
{
	return scale * static_cast<float>(q - zero_point);
}

std::int64_t load_integer(const std::byte *from, std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
		return load<std::int8_t>(from);
	case ATOM_DTYPE_U8:
		return load<std::uint8_t>(from);
	case ATOM_DTYPE_I16:
		return load<std::int16_t>(from);
	case ATOM_DTYPE_I32:
		return load<std::int32_t>(from);
	default:
		return load<std::int64_t>(from);
	}
}

void store_integer(std::byte *to, std::uint8_t dtype, std::int64_t value)
{
	switch (dtype) {
	case ATOM_DTYPE_I8:
	case ATOM_DTYPE_U8:
		return store<std::uint8_t>(to, value);
	case ATOM_DTYPE_I16:
		return store<std::uint16_t>(to, value);
	case ATOM_DTYPE_I32:
		return store<std::uint32_t>(to, value);
	default:
		return store<std::uint64_t>(to, value);
	}
}

float load_float(const std::byte *from, std::uint8_t dtype)
{
	switch (dtype) {
	case ATOM_DTYPE_F16:
		return f16_to_f32(load<std::uint16_t>(from));
	case ATOM_DTYPE_BF16:
		return bf16_to_f32(load<std::uint16_t>(from));
	default:
		return load<float>(from);
	}
}

void store_float(std::byte *to, std::uint8_t dtype, float value)
{
	switch (dtype) {
	case ATOM_DTYPE_F16:
		return store<std::uint16_t>(to, f32_to_f16(value));
	case ATOM_DTYPE_BF16:
		return store<std::uint16_t>(to, f32_to_bf16(value));
	default:
		return store<std::uint32_t>(to, std::bit_cast<std::uint32_t>(quiet(value)));
	}
}

block_integers load_block(const std::byte *from, std::uint8_t dtype)
{
	block_integers block{};
	block.scale = f16_to_f32(load<std::uint16_t>(from));
	if (dtype == ATOM_DTYPE_Q8_0) {
		for (unsigned i = 0; i < 32; ++i)
			block.q[i] = load<std::int8_t>(from + 2 + i);
		return block;
	}
	const bool has_min = dtype == ATOM_DTYPE_Q4_1;
	if (has_min)
		block.min = f16_to_f32(load<std::uint16_t>(from + 2));
	const std::byte *nibbles = from + (has_min ? 4 : 2);
	const int zero = has_min ? 0 : 8;
	for (unsigned i = 0; i < 16; ++i) {
		block.q[i] = std::to_integer<int>(nibbles[i] & std::byte{15}) - zero;
		block.q[i + 16] = std::to_integer<int>(nibbles[i] >> 4) - zero;
	}
	return block;
}

float load_block_element(const std::byte *from, std::uint8_t dtype, unsigned i)
{
	const block_integers block = load_block(from, dtype);
	const float value = block.scale * static_cast<float>(block.q[i]);
	return dtype == ATOM_DTYPE_Q4_1 ? value + block.min : value;
}

} // namespace atom::engine
