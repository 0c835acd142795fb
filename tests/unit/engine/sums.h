/* SPDX-License-Identifier: MIT */
/**
 * @file sums.h
 * @brief Random operands, and how far a sum of products may be from the exact one.
 */
#pragma once

#include <cmath>

#include <gtest/gtest.h>

#include "harness.h"
#include "numeric/half.h"

namespace atom::engine::test {

inline double real_at(arena &mem, unsigned dtype, std::uint64_t at)
{
	switch (dtype) {
	case ATOM_DTYPE_F32:
		return *mem.at<float>(at);
	case ATOM_DTYPE_F16:
		return f16_to_f32(*mem.at<std::uint16_t>(at));
	case ATOM_DTYPE_BF16:
		return bf16_to_f32(*mem.at<std::uint16_t>(at));
	case ATOM_DTYPE_I8:
		return *mem.at<std::int8_t>(at);
	case ATOM_DTYPE_U8:
		return *mem.at<std::uint8_t>(at);
	default:
		return *mem.at<std::int32_t>(at);
	}
}

inline void put_random(arena &mem, unsigned dtype, std::uint64_t at, std::uint64_t count, std::mt19937 &random)
{
	std::uniform_real_distribution<float> reals(-1, 1);
	for (std::uint64_t i = 0; i < count; ++i) {
		const float x = reals(random);
		switch (dtype) {
		case ATOM_DTYPE_F32:
			mem.at<float>(at)[i] = x;
			break;
		case ATOM_DTYPE_F16:
			mem.at<std::uint16_t>(at)[i] = f32_to_f16(x);
			break;
		case ATOM_DTYPE_BF16:
			mem.at<std::uint16_t>(at)[i] = f32_to_bf16(x);
			break;
		default:
			mem.at<std::uint8_t>(at)[i] = static_cast<std::uint8_t>(random());
		}
	}
}

struct sum {
	double value = 0, magnitude = 0;
};

/** The specification's bound, section 7. */
inline double tolerance(const sum &s, double k, unsigned out_dtype)
{
	const double unit = out_dtype == ATOM_DTYPE_F32 ? 0x1p-23 : out_dtype == ATOM_DTYPE_F16 ? 0x1p-10 : 0x1p-7;
	return 0x1p-22 * std::sqrt(k) * s.magnitude + unit * std::fabs(s.value) + 0x1p-24;
}

inline void expect_good(const outcome &o)
{
	EXPECT_TRUE(o.decoded) << "code " << o.why.code << " field " << o.why.field;
	EXPECT_EQ(o.why.code, ATOM_FAULT_NONE);
	EXPECT_EQ(o.breach, "");
}

} // namespace atom::engine::test
