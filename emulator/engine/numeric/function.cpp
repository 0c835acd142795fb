/* SPDX-License-Identifier: MIT */
#include "function.h"

#include <bit>
#include <cmath>
#include <limits>

#include "atom/hw/command.h"
#include "convert.h"
#include "exponential.h"
#include "sigmoids.h"

namespace atom::engine {

namespace {

/* min and max in the order that lets a NaN in x through. */
float clip(float x, float low, float high)
{
	x = x < low ? low : x;
	return x > high ? high : x;
}

float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

/* log(1 + exp(x)) without the overflow of exp. */
float softplus(float x) { return (x > 0 ? x : 0.0f) + std::log1p(exponential(-std::fabs(x))); }

std::int64_t power(std::int64_t base, std::int64_t exponent)
{
	if (exponent < 0) {
		if (base == 1)
			return 1;
		if (base == -1)
			return exponent % 2 == 0 ? 1 : -1;
		return 0;
	}
	/* Modulo 2^64, of which the caller's modulus is a divisor. */
	std::uint64_t result = 1, square = static_cast<std::uint64_t>(base);
	for (auto e = static_cast<std::uint64_t>(exponent); e != 0; e >>= 1) {
		if (e & 1)
			result *= square;
		square *= square;
	}
	return static_cast<std::int64_t>(result);
}

} // namespace

float apply_function(std::uint32_t function, float x, float p0, float p1)
{
	switch (function) {
	case ATOM_FN_IDENTITY:
		return x;
	case ATOM_FN_RELU:
		return x < 0 ? 0.0f : x;
	case ATOM_FN_CLIP:
		return clip(x, p0, p1);
	case ATOM_FN_LEAKY_RELU:
		return x < 0 ? p0 * x : x;
	case ATOM_FN_HARD_SIGMOID:
		return clip(p0 * x + p1, 0, 1);
	case ATOM_FN_HARD_SWISH:
		return x * clip(x / 6.0f + 0.5f, 0, 1);
	case ATOM_FN_SIGMOID:
		return sigmoid(x);
	case ATOM_FN_TANH:
		return hyperbolic_tangent(x);
	case ATOM_FN_GELU_ERF:
		return 0.5f * x * (1.0f + error_function(x * 0.70710678118654752f));
	case ATOM_FN_GELU_TANH:
		return 0.5f * x * (1.0f + hyperbolic_tangent(0.79788456080286536f * (x + 0.044715f * x * x * x)));
	case ATOM_FN_SILU:
		return x * sigmoid(p0 * x);
	case ATOM_FN_ELU:
		return x < 0 ? p0 * std::expm1(x) : x;
	case ATOM_FN_SELU:
		return p1 * (x > 0 ? x : p0 * std::expm1(x));
	case ATOM_FN_CELU: {
		const float negative = p0 * std::expm1(x / p0);
		return (x < 0 ? 0.0f : x) + (negative > 0 ? 0.0f : negative);
	}
	case ATOM_FN_SOFTPLUS:
		return softplus(x);
	case ATOM_FN_SOFTSIGN:
		return x / (1.0f + std::fabs(x));
	case ATOM_FN_MISH:
		return x * hyperbolic_tangent(softplus(x));
	case ATOM_FN_THRESHOLDED_RELU:
		return x > p0 ? x : std::isnan(x) ? x : 0.0f;
	case ATOM_FN_SHRINK:
		return x < -p0 ? x + p1 : x > p0 ? x - p1 : std::isnan(x) ? x : 0.0f;
	case ATOM_FN_GELU_QUICK:
		return x * sigmoid(1.702f * x);
	case ATOM_FN_ABS:
		return std::fabs(x);
	case ATOM_FN_NEG:
		return -x;
	case ATOM_FN_SIGN:
		return x > 0 ? 1.0f : x < 0 ? -1.0f : x;
	case ATOM_FN_EXP:
		return exponential(x);
	case ATOM_FN_LOG:
		return std::log(x);
	case ATOM_FN_SQRT:
		return std::sqrt(x);
	case ATOM_FN_RSQRT:
		return 1.0f / std::sqrt(x);
	case ATOM_FN_RECIPROCAL:
		return 1.0f / x;
	case ATOM_FN_SQUARE:
		return x * x;
	case ATOM_FN_FLOOR:
		return std::floor(x);
	case ATOM_FN_CEIL:
		return std::ceil(x);
	case ATOM_FN_ROUND:
		return std::nearbyint(x);
	case ATOM_FN_TRUNC:
		return std::trunc(x);
	case ATOM_FN_ERF:
		return error_function(x);
	case ATOM_FN_EXPM1:
		return std::expm1(x);
	case ATOM_FN_LOG1P:
		return std::log1p(x);
	case ATOM_FN_SIN:
		return std::sin(x);
	case ATOM_FN_COS:
		return std::cos(x);
	case ATOM_FN_TAN:
		return std::tan(x);
	case ATOM_FN_ASIN:
		return std::asin(x);
	case ATOM_FN_ACOS:
		return std::acos(x);
	case ATOM_FN_ATAN:
		return std::atan(x);
	case ATOM_FN_SINH:
		return std::sinh(x);
	case ATOM_FN_COSH:
		return std::cosh(x);
	case ATOM_FN_ASINH:
		return std::asinh(x);
	case ATOM_FN_ACOSH:
		return std::acosh(x);
	case ATOM_FN_ATANH:
		return std::atanh(x);
	case ATOM_FN_LOGICAL_NOT:
		return x == 0 ? 1.0f : 0.0f;
	case ATOM_FN_IS_NAN:
		return std::isnan(x) ? 1.0f : 0.0f;
	case ATOM_FN_IS_INF:
		return std::isinf(x) && (x < 0 ? p0 != 0 : p1 != 0) ? 1.0f : 0.0f;
	default:
		return std::numeric_limits<float>::quiet_NaN();
	}
}

float apply_binary(std::uint32_t kind, float a, float b)
{
	switch (kind) {
	case ATOM_BINARY_ADD:
		return a + b;
	case ATOM_BINARY_SUB:
		return a - b;
	case ATOM_BINARY_MUL:
		return a * b;
	case ATOM_BINARY_DIV:
		return a / b;
	case ATOM_BINARY_MIN:
		return std::isnan(a) ? a : std::isnan(b) ? b : b < a ? b : a;
	case ATOM_BINARY_MAX:
		return std::isnan(a) ? a : std::isnan(b) ? b : b > a ? b : a;
	case ATOM_BINARY_POW:
		return std::pow(a, b);
	case ATOM_BINARY_MOD: {
		const float r = std::fmod(a, b);
		return r != 0 && (r < 0) != (b < 0) ? r + b : r;
	}
	case ATOM_BINARY_FMOD:
		return std::fmod(a, b);
	case ATOM_BINARY_PRELU:
		return a < 0 ? a * b : a;
	case ATOM_BINARY_ATAN2:
		return std::atan2(a, b);
	case ATOM_BINARY_EQ:
		return a == b ? 1.0f : 0.0f;
	case ATOM_BINARY_NE:
		return a != b ? 1.0f : 0.0f;
	case ATOM_BINARY_LT:
		return a < b ? 1.0f : 0.0f;
	case ATOM_BINARY_LE:
		return a <= b ? 1.0f : 0.0f;
	case ATOM_BINARY_GT:
		return a > b ? 1.0f : 0.0f;
	case ATOM_BINARY_GE:
		return a >= b ? 1.0f : 0.0f;
	case ATOM_BINARY_LOGICAL_AND:
		return a != 0 && b != 0 ? 1.0f : 0.0f;
	case ATOM_BINARY_LOGICAL_OR:
		return a != 0 || b != 0 ? 1.0f : 0.0f;
	case ATOM_BINARY_LOGICAL_XOR:
		return (a != 0) != (b != 0) ? 1.0f : 0.0f;
	default:
		return std::numeric_limits<float>::quiet_NaN();
	}
}

float lp_term(float x, float p)
{
	x = std::fabs(x);
	return p == 1 ? x : p == 2 ? x * x : std::pow(x, p);
}

float lp_root(float sum, float p)
{
	return p == 1 ? sum : p == 2 ? std::sqrt(sum) : std::pow(sum, 1.0f / p);
}

/* The heads up to the greatest power of two make one geometric row; the others lie between its members. */
float alibi_slope(float max_bias, std::int64_t heads, std::int64_t head)
{
	const auto whole = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(heads)));
	const auto steps = static_cast<float>(whole);
	if (head < whole)
		return std::pow(std::pow(2.0f, -max_bias / steps), static_cast<float>(head + 1));
	return std::pow(std::pow(2.0f, -(max_bias / 2) / steps), static_cast<float>(2 * (head - whole) + 1));
}

bool has_integer_form(std::uint32_t function)
{
	switch (function) {
	case ATOM_FN_IDENTITY:
	case ATOM_FN_RELU:
	case ATOM_FN_CLIP:
	case ATOM_FN_ABS:
	case ATOM_FN_NEG:
	case ATOM_FN_SIGN:
	case ATOM_FN_SQUARE:
	case ATOM_FN_LOGICAL_NOT:
	case ATOM_FN_BITWISE_NOT:
		return true;
	default:
		return false;
	}
}

std::int64_t apply_function(std::uint32_t function, std::int64_t x, float p0, float p1, std::uint8_t dtype)
{
	switch (function) {
	case ATOM_FN_RELU:
		return x < 0 ? 0 : x;
	case ATOM_FN_CLIP: {
		/* A bound that is no integer is rounded, one beyond the dtype saturates. */
		double r = static_cast<double>(x);
		r = r < p0 ? p0 : r;
		r = r > p1 ? p1 : r;
		return saturate(std::nearbyint(r), dtype);
	}
	case ATOM_FN_ABS:
		return x < 0 ? -x : x;
	case ATOM_FN_NEG:
		return -x;
	case ATOM_FN_SIGN:
		return (x > 0) - (x < 0);
	case ATOM_FN_SQUARE:
		return x * x;
	case ATOM_FN_LOGICAL_NOT:
		return x == 0;
	case ATOM_FN_BITWISE_NOT:
		return ~x;
	default: /* ATOM_FN_IDENTITY */
		return x;
	}
}

std::int64_t apply_binary(std::uint32_t kind, std::int64_t a, std::int64_t b, unsigned bits)
{
	const auto shift = static_cast<unsigned>(b) & (bits - 1);
	switch (kind) {
	case ATOM_BINARY_ADD:
		return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
	case ATOM_BINARY_SUB:
		return a - b;
	case ATOM_BINARY_MUL:
		return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
	case ATOM_BINARY_DIV:
		return b == 0 ? 0 : a / b;
	case ATOM_BINARY_MIN:
		return b < a ? b : a;
	case ATOM_BINARY_MAX:
		return b > a ? b : a;
	case ATOM_BINARY_POW:
		return power(a, b);
	case ATOM_BINARY_MOD: {
		const std::int64_t r = b == 0 ? 0 : a % b;
		return r != 0 && (r < 0) != (b < 0) ? r + b : r;
	}
	case ATOM_BINARY_FMOD:
		return b == 0 ? 0 : a % b;
	case ATOM_BINARY_PRELU:
		return a < 0 ? a * b : a;
	case ATOM_BINARY_EQ:
		return a == b;
	case ATOM_BINARY_NE:
		return a != b;
	case ATOM_BINARY_LT:
		return a < b;
	case ATOM_BINARY_LE:
		return a <= b;
	case ATOM_BINARY_GT:
		return a > b;
	case ATOM_BINARY_GE:
		return a >= b;
	case ATOM_BINARY_LOGICAL_AND:
		return a != 0 && b != 0;
	case ATOM_BINARY_LOGICAL_OR:
		return a != 0 || b != 0;
	case ATOM_BINARY_LOGICAL_XOR:
		return (a != 0) != (b != 0);
	case ATOM_BINARY_AND:
		return a & b;
	case ATOM_BINARY_OR:
		return a | b;
	case ATOM_BINARY_XOR:
		return a ^ b;
	case ATOM_BINARY_SHL:
		return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << shift);
	case ATOM_BINARY_SHR:
		return a >> shift;
	default:
		return 0;
	}
}

} // namespace atom::engine
