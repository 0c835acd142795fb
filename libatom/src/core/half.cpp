// SPDX-License-Identifier: MIT
#include "core/half.hpp"

#include <bit>
#include <cmath>

namespace atom::core {

std::uint16_t to_bf16(float value)
{
	const auto bits = std::bit_cast<std::uint32_t>(value);
	if (std::isnan(value))
		return static_cast<std::uint16_t>(bits >> 16 | 0x40);
	return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

std::uint16_t to_f16(float value)
{
	const auto sign =
		static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16 & 0x8000);
	const float size = std::fabs(value);
	if (std::isnan(value))
		return sign | 0x7e00;
	if (size >= 65520.0F) // halfway between the largest number and what would follow
		return sign | 0x7c00;
	// nearbyint rounds ties to even; the spacing of numbers is 2^(exponent - 10).
	int exponent = size == 0 ? -14 : std::ilogb(size);
	if (exponent < -14)
		exponent = -14;
	const auto steps =
		static_cast<std::uint32_t>(std::nearbyint(std::ldexp(size, 10 - exponent)));
	// A carry into the next exponent comes out right by the addition.
	return static_cast<std::uint16_t>(
		sign |
		(steps < 1024 ? steps
	                      : steps - 1024 + (static_cast<std::uint32_t>(exponent + 15) << 10)));
}

} // namespace atom::core
