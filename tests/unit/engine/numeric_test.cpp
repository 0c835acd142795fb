/* SPDX-License-Identifier: MIT */
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "harness.h"
#include "numeric/convert.h"
#include "numeric/function.h"
#include "numeric/half.h"

namespace atom::engine {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

/* By the definition: all finite f16 values in order; the nearest, ties to the even one. */
std::uint16_t nearest_f16(double x)
{
	const std::uint16_t sign = std::signbit(x) ? 0x8000 : 0;
	const double m = std::fabs(x);
	const auto value = [](unsigned bits) {
		const unsigned e = bits >> 10, f = bits & 1023;
		return e == 0 ? std::ldexp(f, -24) : std::ldexp(1024 + f, static_cast<int>(e) - 25);
	};
	unsigned low = 0, high = 0x7c00; /* 0x7c00 stands for 2^16 */
	while (high - low > 1) {
		const unsigned mid = (low + high) / 2;
		(value(mid) <= m ? low : high) = mid;
	}
	const double below = m - value(low), above = value(high) - m;
	const unsigned best = below < above ? low : above < below ? high : low % 2 == 0 ? low : high;
	return static_cast<std::uint16_t>(sign | best);
}

TEST(Half, EveryF16SurvivesTheWayThroughF32)
{
	for (unsigned bits = 0; bits < 0x10000; ++bits) {
		const float f = f16_to_f32(static_cast<std::uint16_t>(bits));
		if ((bits & 0x7fff) > 0x7c00) {
			EXPECT_TRUE(std::isnan(f));
			EXPECT_EQ(f32_to_f16(f), bits | 0x200u);
		} else {
			ASSERT_EQ(f32_to_f16(f), bits);
		}
	}
}

TEST(Half, F16RoundsToNearestEven)
{
	std::mt19937 random(1);
	for (int i = 0; i < 200000; ++i) {
		/* Exponents around f16's whole range, and mantissas that are ties or one off a tie. */
		const std::uint32_t exponent = 127 - 27 + random() % 45;
		std::uint32_t mantissa = random() & 0x7fffff;
		if (i % 2)
			mantissa = (mantissa & ~0x1fffu) + 0x1000 + random() % 3 - 1;
		const std::uint32_t bits = (random() & 1) << 31 | exponent << 23 | (mantissa & 0x7fffff);
		const auto x = std::bit_cast<float>(bits);
		ASSERT_EQ(f32_to_f16(x), nearest_f16(x)) << x;
	}
	EXPECT_EQ(f32_to_f16(65519.996f), 0x7bff);
	EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);
	EXPECT_EQ(f32_to_f16(-inf), 0xfc00);
	EXPECT_EQ(f32_to_f16(0x1p-25f), 0);
	EXPECT_EQ(f32_to_f16(std::nextafter(0x1p-25f, 1.0f)), 1);
}

TEST(Half, Bf16RoundsToNearestEvenAndKeepsNaN)
{
	EXPECT_EQ(f32_to_bf16(1.0f), 0x3f80);
	EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f808000u)), 0x3f80); /* tie, even below */
	EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f818000u)), 0x3f82); /* tie, even above */
	EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
	EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7f80); /* overflow */
	EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x7f800001u)), 0x7fc0); /* signalling NaN with a low payload */
	EXPECT_EQ(f32_to_bf16(std::bit_cast<float>(0x00018000u)), 0x0002); /* subnormal tie */
	for (unsigned bits = 0; bits < 0x10000; ++bits)
		if ((bits & 0x7fff) <= 0x7f80) {
			ASSERT_EQ(f32_to_bf16(bf16_to_f32(static_cast<std::uint16_t>(bits))), bits);
		}
}

TEST(Convert, SaturationClampsAndNaNIsZero)
{
	EXPECT_EQ(saturate(127.0, ATOM_DTYPE_I8), 127);
	EXPECT_EQ(saturate(128.0, ATOM_DTYPE_I8), 127);
	EXPECT_EQ(saturate(-129.0, ATOM_DTYPE_I8), -128);
	EXPECT_EQ(saturate(-1.0, ATOM_DTYPE_U8), 0);
	EXPECT_EQ(saturate(256.0, ATOM_DTYPE_U8), 255);
	EXPECT_EQ(saturate(1e30, ATOM_DTYPE_I32), INT32_MAX);
	EXPECT_EQ(saturate(-HUGE_VAL, ATOM_DTYPE_I32), INT32_MIN);
	EXPECT_EQ(saturate(HUGE_VAL, ATOM_DTYPE_I16), INT16_MAX);
	EXPECT_EQ(saturate(std::nan(""), ATOM_DTYPE_I32), 0);
}

TEST(Convert, WrappingIsModuloTwoToTheBits)
{
	EXPECT_EQ(wrap(300.0, ATOM_DTYPE_U8), 44);
	EXPECT_EQ(wrap(-1.0, ATOM_DTYPE_U8), 255);
	EXPECT_EQ(wrap(200.0, ATOM_DTYPE_I8), -56);
	EXPECT_EQ(wrap(0x1p40 + 0x1p33, ATOM_DTYPE_I32), 0);
	EXPECT_EQ(wrap(0x1p31, ATOM_DTYPE_I32), INT32_MIN);
	EXPECT_EQ(wrap(-0x1p31 - 0x1p8, ATOM_DTYPE_I32), INT32_MAX - 255);
	EXPECT_EQ(wrap(HUGE_VAL, ATOM_DTYPE_I32), 0);
	EXPECT_EQ(wrap(std::nan(""), ATOM_DTYPE_I32), 0);
}

TEST(Convert, QuantisationRoundsTiesToEvenAndSaturates)
{
	EXPECT_EQ(quantise(0.5f, 1, 0, ATOM_DTYPE_I8), 0);
	EXPECT_EQ(quantise(1.5f, 1, 0, ATOM_DTYPE_I8), 2);
	EXPECT_EQ(quantise(-2.5f, 1, 10, ATOM_DTYPE_I8), 8);
	EXPECT_EQ(quantise(-2.7f, 1, 10, ATOM_DTYPE_I8, true), 8);
	EXPECT_EQ(quantise(1e38f, 1e-5f, -5, ATOM_DTYPE_I8), 127);
	EXPECT_EQ(quantise(-inf, 0.5f, 3, ATOM_DTYPE_U8), 0);
	EXPECT_EQ(quantise(nan, 0.5f, 3, ATOM_DTYPE_U8), 3);
	EXPECT_EQ(quantise(2147483520.0f, 1, INT32_MAX, ATOM_DTYPE_I32), INT32_MAX);
	EXPECT_EQ(dequantise(INT32_MIN, 1, INT32_MAX), -4294967295.0f);
	EXPECT_EQ(dequantise(130, 0.5f, 128), 1.0f);
}

TEST(Convert, BlocksGiveScaleTimesWeightPlusMinimum)
{
	atom_block_q8_0 q8{f32_to_f16(0.5f), {}};
	q8.q[3] = -7;
	EXPECT_EQ(load_block_element(reinterpret_cast<std::byte *>(&q8), ATOM_DTYPE_Q8_0, 3), -3.5f);
	atom_block_q4_0 q40{f32_to_f16(2), {}};
	q40.q[1] = 0xf3; /* element 1: 3, element 17: 15 */
	EXPECT_EQ(load_block_element(reinterpret_cast<std::byte *>(&q40), ATOM_DTYPE_Q4_0, 1), -10.0f);
	EXPECT_EQ(load_block_element(reinterpret_cast<std::byte *>(&q40), ATOM_DTYPE_Q4_0, 17), 14.0f);
	EXPECT_EQ(load_block_element(reinterpret_cast<std::byte *>(&q40), ATOM_DTYPE_Q4_0, 0), -16.0f);
	atom_block_q4_1 q41{f32_to_f16(0.25f), f32_to_f16(-1), {}};
	q41.q[15] = 0x82;
	EXPECT_EQ(load_block_element(reinterpret_cast<std::byte *>(&q41), ATOM_DTYPE_Q4_1, 15), -0.5f);
	EXPECT_EQ(load_block_element(reinterpret_cast<std::byte *>(&q41), ATOM_DTYPE_Q4_1, 31), 1.0f);
}

struct example {
	std::uint32_t function;
	float x, p0, p1, is;
};

TEST(Function, KnownValuesOfEveryFunction)
{
	const example examples[] = {
		{ATOM_FN_IDENTITY, -3, 0, 0, -3},
		{ATOM_FN_RELU, -3, 0, 0, 0},
		{ATOM_FN_RELU, 3, 0, 0, 3},
		{ATOM_FN_CLIP, 9, -1, 6, 6},
		{ATOM_FN_CLIP, -9, -1, 6, -1},
		{ATOM_FN_CLIP, 5, 7, 6, 6}, /* min of max: the upper bound wins */
		{ATOM_FN_LEAKY_RELU, -4, 0.25f, 0, -1},
		{ATOM_FN_HARD_SIGMOID, 1, 0.25f, 0.5f, 0.75f},
		{ATOM_FN_HARD_SIGMOID, 9, 0.25f, 0.5f, 1},
		{ATOM_FN_HARD_SWISH, 3, 0, 0, 3},
		{ATOM_FN_HARD_SWISH, -4, 0, 0, 0},
		{ATOM_FN_SIGMOID, 0, 0, 0, 0.5f},
		{ATOM_FN_SIGMOID, 1, 0, 0, 0.7310586f},
		{ATOM_FN_SIGMOID, -200, 0, 0, 0},
		{ATOM_FN_TANH, 1, 0, 0, 0.7615942f},
		{ATOM_FN_GELU_ERF, 1, 0, 0, 0.8413447f},
		{ATOM_FN_GELU_TANH, 1, 0, 0, 0.8411920f},
		{ATOM_FN_SILU, 2, 1, 0, 1.7615942f},
		{ATOM_FN_SILU, 1, 2, 0, 0.8807971f},
		{ATOM_FN_ELU, -1, 2, 0, -1.2642411f},
		{ATOM_FN_SELU, -1, 2, 3, -3.7927234f},
		{ATOM_FN_SELU, 2, 2, 3, 6},
		{ATOM_FN_CELU, -2, 2, 0, -1.2642411f},
		{ATOM_FN_CELU, 2, 2, 0, 2},
		{ATOM_FN_SOFTPLUS, 0, 0, 0, 0.6931472f},
		{ATOM_FN_SOFTPLUS, 200, 0, 0, 200},
		{ATOM_FN_SOFTSIGN, -3, 0, 0, -0.75f},
		{ATOM_FN_MISH, 1, 0, 0, 0.8650984f},
		{ATOM_FN_THRESHOLDED_RELU, 1, 1, 0, 0},
		{ATOM_FN_THRESHOLDED_RELU, 1.5f, 1, 0, 1.5f},
		{ATOM_FN_SHRINK, -3, 2, 1, -2},
		{ATOM_FN_SHRINK, 3, 2, 1, 2},
		{ATOM_FN_SHRINK, 1, 2, 1, 0},
		{ATOM_FN_GELU_QUICK, 1, 0, 0, 0.8457958f},
		{ATOM_FN_ABS, -2, 0, 0, 2},
		{ATOM_FN_NEG, 2, 0, 0, -2},
		{ATOM_FN_SIGN, -2, 0, 0, -1},
		{ATOM_FN_EXP, 1, 0, 0, 2.7182817f},
		{ATOM_FN_LOG, 10, 0, 0, 2.3025851f},
		{ATOM_FN_SQRT, 2, 0, 0, 1.4142135f},
		{ATOM_FN_RSQRT, 4, 0, 0, 0.5f},
		{ATOM_FN_RECIPROCAL, 8, 0, 0, 0.125f},
		{ATOM_FN_SQUARE, -3, 0, 0, 9},
		{ATOM_FN_FLOOR, -1.5f, 0, 0, -2},
		{ATOM_FN_CEIL, -1.5f, 0, 0, -1},
		{ATOM_FN_ROUND, 2.5f, 0, 0, 2},
		{ATOM_FN_ROUND, -1.5f, 0, 0, -2},
		{ATOM_FN_TRUNC, -1.9f, 0, 0, -1},
		{ATOM_FN_ERF, 0.5f, 0, 0, 0.5204999f},
		{ATOM_FN_EXPM1, 1e-6f, 0, 0, 1.0000005e-6f},
		{ATOM_FN_LOG1P, 1e-6f, 0, 0, 9.999995e-7f},
		{ATOM_FN_SIN, 1, 0, 0, 0.8414710f},
		{ATOM_FN_COS, 1, 0, 0, 0.5403023f},
		{ATOM_FN_TAN, 1, 0, 0, 1.5574077f},
		{ATOM_FN_ASIN, 0.5f, 0, 0, 0.5235988f},
		{ATOM_FN_ACOS, 0.5f, 0, 0, 1.0471976f},
		{ATOM_FN_ATAN, 1, 0, 0, 0.7853982f},
		{ATOM_FN_SINH, 1, 0, 0, 1.1752012f},
		{ATOM_FN_COSH, 1, 0, 0, 1.5430806f},
		{ATOM_FN_ASINH, 1, 0, 0, 0.8813736f},
		{ATOM_FN_ACOSH, 2, 0, 0, 1.3169579f},
		{ATOM_FN_ATANH, 0.5f, 0, 0, 0.5493061f},
		{ATOM_FN_LOGICAL_NOT, 0, 0, 0, 1},
		{ATOM_FN_LOGICAL_NOT, nan, 0, 0, 0},
		{ATOM_FN_IS_NAN, nan, 0, 0, 1},
		{ATOM_FN_IS_NAN, inf, 0, 0, 0},
		{ATOM_FN_IS_INF, inf, 1, 0, 0},
		{ATOM_FN_IS_INF, inf, 0, 1, 1},
		{ATOM_FN_IS_INF, -inf, 1, 0, 1},
		{ATOM_FN_IS_INF, -inf, 0, 1, 0},
		{ATOM_FN_IS_INF, 5, 1, 1, 0},
	};
	for (const example &e : examples)
		EXPECT_NEAR(apply_function(e.function, e.x, e.p0, e.p1), e.is, 4e-7f * (1 + std::fabs(e.is)))
			<< "function " << e.function << " of " << e.x;
}

TEST(Function, EveryActivationLetsNaNThrough)
{
	for (std::uint32_t f = 0; f < ATOM_FN_LOGICAL_NOT; ++f)
		if (f != ATOM_FN_LUT && (f <= ATOM_FN_GELU_QUICK || (f >= ATOM_FN_ABS && f <= ATOM_FN_ATANH))) {
			EXPECT_TRUE(std::isnan(apply_function(f, nan, 1, 1))) << f;
		}
}

TEST(Function, BinaryOfFloats)
{
	EXPECT_EQ(apply_binary(ATOM_BINARY_MOD, -7.0f, 3.0f), 2);
	EXPECT_EQ(apply_binary(ATOM_BINARY_MOD, 7.0f, -3.0f), -2);
	EXPECT_EQ(apply_binary(ATOM_BINARY_FMOD, -7.0f, 3.0f), -1);
	EXPECT_EQ(apply_binary(ATOM_BINARY_PRELU, -2.0f, 0.5f), -1);
	EXPECT_EQ(apply_binary(ATOM_BINARY_POW, 2.0f, 10.0f), 1024);
	EXPECT_TRUE(std::isnan(apply_binary(ATOM_BINARY_MIN, 1.0f, nan)));
	EXPECT_TRUE(std::isnan(apply_binary(ATOM_BINARY_MAX, nan, 1.0f)));
	EXPECT_EQ(apply_binary(ATOM_BINARY_NE, nan, nan), 1);
	EXPECT_EQ(apply_binary(ATOM_BINARY_LE, nan, 1.0f), 0);
	EXPECT_EQ(apply_binary(ATOM_BINARY_LOGICAL_XOR, 2.0f, 0.0f), 1);
}

TEST(Function, BinaryOfIntegers)
{
	const auto of = [](std::uint32_t kind, std::int64_t a, std::int64_t b, unsigned bits = 32) {
		return apply_binary(kind, a, b, bits);
	};
	EXPECT_EQ(of(ATOM_BINARY_DIV, -7, 2), -3);
	EXPECT_EQ(of(ATOM_BINARY_DIV, 7, 0), 0);
	EXPECT_EQ(wrap(of(ATOM_BINARY_DIV, INT32_MIN, -1), ATOM_DTYPE_I32), INT32_MIN);
	EXPECT_EQ(of(ATOM_BINARY_MOD, -7, 3), 2);
	EXPECT_EQ(of(ATOM_BINARY_MOD, 7, -3), -2);
	EXPECT_EQ(of(ATOM_BINARY_MOD, 7, 0), 0);
	EXPECT_EQ(of(ATOM_BINARY_FMOD, -7, 3), -1);
	EXPECT_EQ(of(ATOM_BINARY_FMOD, -7, 0), 0);
	EXPECT_EQ(of(ATOM_BINARY_POW, 3, 5), 243);
	EXPECT_EQ(wrap(of(ATOM_BINARY_POW, 3, 1000001), ATOM_DTYPE_I8), 3); /* 3^64 = 1 modulo 256 */
	EXPECT_EQ(of(ATOM_BINARY_POW, -1, -3), -1);
	EXPECT_EQ(of(ATOM_BINARY_POW, -1, -4), 1);
	EXPECT_EQ(of(ATOM_BINARY_POW, 1, INT32_MIN), 1);
	EXPECT_EQ(of(ATOM_BINARY_POW, 2, -1), 0);
	EXPECT_EQ(of(ATOM_BINARY_POW, 0, 0), 1);
	EXPECT_EQ(of(ATOM_BINARY_SHL, 1, 35), 8);
	EXPECT_EQ(of(ATOM_BINARY_SHL, 1, 9, 8), 2);
	EXPECT_EQ(of(ATOM_BINARY_SHR, -8, 1), -4);
	EXPECT_EQ(of(ATOM_BINARY_SHR, -8, -31), -4); /* -31 & 31 = 1 */
}

TEST(Function, UnaryOfIntegers)
{
	EXPECT_EQ(apply_function(ATOM_FN_CLIP, std::int64_t{9}, 1.5f, 6.5f, ATOM_DTYPE_I32), 6); /* 6.5 to even */
	EXPECT_EQ(apply_function(ATOM_FN_CLIP, std::int64_t{9}, -inf, 1e30f, ATOM_DTYPE_I8), 9);
	EXPECT_EQ(apply_function(ATOM_FN_CLIP, std::int64_t{-9}, 300, inf, ATOM_DTYPE_I8), 127);
	EXPECT_EQ(wrap(apply_function(ATOM_FN_ABS, std::int64_t{INT8_MIN}, 0, 0, ATOM_DTYPE_I8), ATOM_DTYPE_I8), -128);
	EXPECT_EQ(wrap(apply_function(ATOM_FN_NEG, std::int64_t{1}, 0, 0, ATOM_DTYPE_U8), ATOM_DTYPE_U8), 255);
	EXPECT_EQ(wrap(apply_function(ATOM_FN_SQUARE, std::int64_t{16}, 0, 0, ATOM_DTYPE_U8), ATOM_DTYPE_U8), 0);
	EXPECT_EQ(apply_function(ATOM_FN_BITWISE_NOT, std::int64_t{0}, 0, 0, ATOM_DTYPE_I32), -1);
}

} // namespace
} // namespace atom::engine
