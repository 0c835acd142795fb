/* SPDX-License-Identifier: MIT */
/* exponential(), hyperbolic_tangent() and error_function() against the C library's of double. */
#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "numeric/sigmoids.h"

namespace atom::engine {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

/* Units in the last place that @p f is off at most, over floats of all sizes up to @p limit and both signs. */
double worst_error(float (*f)(float), double (*exact)(double), float limit)
{
	double worst = 0;
	for (std::uint32_t bits = 0; bits < std::bit_cast<std::uint32_t>(limit); bits += 397)
		for (const float x : {std::bit_cast<float>(bits), -std::bit_cast<float>(bits)}) {
			const double y = exact(static_cast<double>(x));
			if (y >= 0x1.ffffffp127) {
				EXPECT_EQ(f(x), infinity) << x;
				continue;
			}
			const int exponent = y == 0 ? -126 : std::max(std::ilogb(y), -126);
			worst = std::max(worst, std::fabs(f(x) - y) / std::ldexp(1.0, exponent - 23));
		}
	return worst;
}

TEST(Transcendental, FunctionsAreWithinTwoUnitsInTheLastPlace)
{
	const auto expect_good = [](double worst) {
		EXPECT_LT(worst, 2);
		EXPECT_GT(worst, 0.5) << "no f32 function is that good: is anything measured?";
	};
	expect_good(worst_error(exponential, std::exp, 104));
	expect_good(worst_error(hyperbolic_tangent, std::tanh, 20));
	expect_good(worst_error(error_function, std::erf, 10));
}

TEST(Transcendental, FunctionsOfZeroInfinitiesAndNaNAreExact)
{
	EXPECT_EQ(exponential(0.0f), 1.0f);
	EXPECT_EQ(exponential(-0.0f), 1.0f);
	EXPECT_EQ(exponential(infinity), infinity);
	EXPECT_EQ(exponential(-infinity), 0.0f);
	EXPECT_EQ(exponential(1e30f), infinity);
	EXPECT_EQ(exponential(-1e30f), 0.0f);
	EXPECT_TRUE(std::isnan(exponential(nan)));
	for (const auto f : {hyperbolic_tangent, error_function}) {
		EXPECT_EQ(f(0.0f), 0.0f);
		EXPECT_TRUE(std::signbit(f(-0.0f)));
		for (const float x : {20.0f, 1e10f, 1e30f, infinity}) {
			EXPECT_EQ(f(x), 1.0f) << x;
			EXPECT_EQ(f(-x), -1.0f) << x;
		}
		EXPECT_TRUE(std::isnan(f(nan)));
	}
}

} // namespace
} // namespace atom::engine
