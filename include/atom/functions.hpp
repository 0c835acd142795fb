// SPDX-License-Identifier: MIT
/**
 * @file functions.hpp
 * @brief Functions of one and of two values. The values are those of
 * enum atom_function and enum atom_binary_kind.
 */
#ifndef ATOM_FUNCTIONS_HPP
#define ATOM_FUNCTIONS_HPP

#include <cstdint>

namespace atom {
inline namespace v1 {

/** Functions of one value with parameters p0 and p1; from abs on only in unary(). */
enum class function : std::uint16_t {
	identity = 0,
	relu = 1,
	clip = 2,         ///< min(max(x, p0), p1)
	leaky_relu = 3,   ///< x < 0 ? p0 * x : x
	hard_sigmoid = 4, ///< clip(p0 * x + p1, 0, 1)
	hard_swish = 5,   ///< x * clip(x / 6 + 1 / 2, 0, 1)
	sigmoid = 6,
	tanh = 7,
	gelu_erf = 8,
	gelu_tanh = 9,
	silu = 10,             ///< x * sigmoid(p0 * x)
	lut = 11,              ///< table of an epilogue
	elu = 12,              ///< x < 0 ? p0 * (exp(x) - 1) : x
	selu = 13,             ///< p1 * (x > 0 ? x : p0 * (exp(x) - 1))
	celu = 14,             ///< max(0, x) + min(0, p0 * (exp(x / p0) - 1))
	softplus = 15,         ///< log(1 + exp(x))
	softsign = 16,         ///< x / (1 + |x|)
	mish = 17,             ///< x * tanh(softplus(x))
	thresholded_relu = 18, ///< x > p0 ? x : 0
	shrink = 19,           ///< x < -p0 ? x + p1 : x > p0 ? x - p1 : 0
	gelu_quick = 20,       ///< x * sigmoid(1.702 * x)
	abs = 32,
	neg = 33,
	sign = 34,
	exp = 35,
	log = 36,
	sqrt = 37,
	rsqrt = 38,
	reciprocal = 39,
	square = 40,
	floor = 41,
	ceil = 42,
	round = 43, ///< to nearest, ties to even
	trunc = 44,
	erf = 45,
	expm1 = 46,
	log1p = 47,
	sin = 48,
	cos = 49,
	tan = 50,
	asin = 51,
	acos = 52,
	atan = 53,
	sinh = 54,
	cosh = 55,
	asinh = 56,
	acosh = 57,
	atanh = 58,
	logical_not = 64, ///< x == 0 ? 1 : 0
	bitwise_not = 65, ///< integers without quantisation
	is_nan = 66,      ///< 0 or 1
	is_inf = 67,      ///< p0 != 0: negative ones count; p1 != 0: positive ones
};

/** Functions of two values. */
enum class binary_kind : std::uint32_t {
	add = 0,
	sub = 1,
	mul = 2,
	div = 3, ///< integers: toward zero; by zero gives 0
	min = 4, ///< NaN if either is
	max = 5, ///< NaN if either is
	pow = 6,
	mod = 7,   ///< sign of b
	fmod = 8,  ///< sign of a
	prelu = 9, ///< a < 0 ? a * b : a
	atan2 = 10,
	eq = 16, ///< comparisons and logic: out is u8, 0 or 1
	ne = 17,
	lt = 18,
	le = 19,
	gt = 20,
	ge = 21,
	logical_and = 24,
	logical_or = 25,
	logical_xor = 26,
	bitwise_and = 32, ///< integers without quantisation
	bitwise_or = 33,
	bitwise_xor = 34,
	shl = 35, ///< by b & (bits - 1)
	shr = 36, ///< arithmetic for signed types
};

} // namespace v1
} // namespace atom

#endif
