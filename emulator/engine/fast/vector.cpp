/* SPDX-License-Identifier: MIT */
/*
 * Compiled once for each instruction set, ATOM_VECTORS naming the table; so
 * everything here has internal linkage and nothing of the library is used that
 * is not inlined by the compiler itself. No FMA contraction: the bits are the
 * reference's.
 */
#include "fast/vector.h"

#include "fast/vector_convert.h"
#include "numeric/sigmoids.h"
#ifdef __AVX512F__
#include "fast/vector_bytes.h"
#endif

namespace atom::engine::fast {

namespace {

void dequantise(float *x, size n, float scale, float zero_point)
{
	for (size i = 0; i < n; ++i)
		x[i] = scale * (x[i] - zero_point);
}

void dequantise_channels(float *x, size n, const float *scales, const std::int32_t *zero_points)
{
	for (size i = 0; i < n; ++i)
		x[i] = scales[i] * (x[i] - static_cast<float>(zero_points[i]));
}

void store_i32(const float *from, std::int32_t *to, size n)
{
	for (size i = 0; i < n; ++i) {
		float v = __builtin_rintf(from[i]);
		v = v == v ? v : 0.0f;
		const bool over = v >= 0x1p31f;
		v = over ? 0.0f : v;
		v = v < -0x1p31f ? -0x1p31f : v;
		const auto q = static_cast<std::int32_t>(v);
		to[i] = over ? INT32_MAX : q;
	}
}

void widen(const void *from, void *to, size n)
{
	const auto *x = static_cast<const std::int32_t *>(from);
	auto *y = static_cast<std::int64_t *>(to);
	for (size i = 0; i < n; ++i)
		y[i] = x[i];
}

void narrow(const void *from, void *to, size n)
{
	const auto *x = static_cast<const std::int64_t *>(from);
	auto *y = static_cast<std::int32_t *>(to);
	for (size i = 0; i < n; ++i) {
		std::int64_t v = x[i];
		v = v < INT32_MIN ? INT32_MIN : v;
		v = v > INT32_MAX ? INT32_MAX : v;
		y[i] = static_cast<std::int32_t>(v);
	}
}

void narrow_wrap(const void *from, void *to, size n)
{
	const auto *x = static_cast<const std::int64_t *>(from);
	auto *y = static_cast<std::int32_t *>(to);
	for (size i = 0; i < n; ++i)
		y[i] = static_cast<std::int32_t>(x[i]);
}

template <class T, int Low, int High> void store_saturated(const std::int32_t *from, void *to, size n)
{
	T *y = static_cast<T *>(to);
	for (size i = 0; i < n; ++i) {
		std::int32_t v = from[i];
		v = v < Low ? Low : v;
		v = v > High ? High : v;
		y[i] = static_cast<T>(v);
	}
}

template <class T> void load_integer(const void *from, std::int32_t *to, size n)
{
	const T *x = static_cast<const T *>(from);
	for (size i = 0; i < n; ++i)
		to[i] = x[i];
}

template <class T> void store_integer(const std::int32_t *from, void *to, size n)
{
	T *y = static_cast<T *>(to);
	for (size i = 0; i < n; ++i)
		y[i] = static_cast<T>(from[i]);
}

template <class F> void map(const float *x, float *to, size n, float p0, float p1)
{
	for (size i = 0; i < n; ++i)
		to[i] = F::of(x[i], p0, p1);
}
template <class F> void zip(const float *a, const float *b, float *to, size n)
{
	for (size i = 0; i < n; ++i)
		to[i] = F::of(a[i], b[i]);
}
template <class F> void map_integer(const std::int32_t *x, std::int32_t *to, size n)
{
	for (size i = 0; i < n; ++i)
		to[i] = F::of(x[i]);
}
template <class F> void zip_integer(const std::int32_t *a, const std::int32_t *b, std::int32_t *to, size n)
{
	for (size i = 0; i < n; ++i)
		to[i] = F::of(a[i], b[i]);
}

inline float clip(float x, float low, float high)
{
	x = x < low ? low : x;
	return x > high ? high : x;
}

#define FUNCTION(name, expression)                                                         \
	struct name {                                                                      \
		static float of(float x, [[maybe_unused]] float p0, [[maybe_unused]] float p1) \
		{                                                                          \
			return expression;                                                 \
		}                                                                          \
	}
FUNCTION(identity, x);
FUNCTION(relu, x < 0 ? 0.0f : x);
FUNCTION(clipped, clip(x, p0, p1));
FUNCTION(leaky, x < 0 ? p0 * x : x);
FUNCTION(hard_sigmoid, clip(p0 * x + p1, 0, 1));
FUNCTION(hard_swish, x *clip(x / 6.0f + 0.5f, 0, 1));
FUNCTION(softsign, x / (1.0f + __builtin_fabsf(x)));
FUNCTION(absolute, __builtin_fabsf(x));
FUNCTION(negate, -x);
FUNCTION(power_of_e, exponential(x));
FUNCTION(sigmoid, 1.0f / (1.0f + exponential(-x)));
FUNCTION(silu, x *(1.0f / (1.0f + exponential(-(p0 * x)))));
FUNCTION(gelu_quick, x *(1.0f / (1.0f + exponential(-(1.702f * x)))));
FUNCTION(tangent, hyperbolic_tangent(x));
FUNCTION(error, error_function(x));
FUNCTION(gelu_erf, 0.5f * x * (1.0f + error_function(x * 0.70710678118654752f)));
FUNCTION(gelu_tanh,
	 0.5f * x * (1.0f + hyperbolic_tangent(0.79788456080286536f * (x + 0.044715f * x * x * x))));
FUNCTION(square_root, __builtin_sqrtf(x));
FUNCTION(inverse_root, 1.0f / __builtin_sqrtf(x));
FUNCTION(reciprocal, 1.0f / x);
FUNCTION(square, x *x);
FUNCTION(floor, __builtin_floorf(x));
FUNCTION(ceil, __builtin_ceilf(x));
FUNCTION(round, __builtin_rintf(x));
FUNCTION(trunc, __builtin_truncf(x));
FUNCTION(logical_not, x == 0 ? 1.0f : 0.0f);
FUNCTION(is_nan, x != x ? 1.0f : 0.0f);
#undef FUNCTION

#define FUNCTION(name, expression)                     \
	struct name {                                  \
		static float of(float a, float b)      \
		{                                      \
			return expression;             \
		}                                      \
	}
FUNCTION(add, a + b);
FUNCTION(subtract, a - b);
FUNCTION(multiply, a *b);
FUNCTION(divide, a / b);
FUNCTION(minimum, a != a ? a : b != b ? b : b < a ? b : a);
FUNCTION(maximum, a != a ? a : b != b ? b : b > a ? b : a);
FUNCTION(prelu, a < 0 ? a * b : a);
FUNCTION(equal, a == b ? 1.0f : 0.0f);
FUNCTION(not_equal, a != b ? 1.0f : 0.0f);
FUNCTION(less, a < b ? 1.0f : 0.0f);
FUNCTION(less_equal, a <= b ? 1.0f : 0.0f);
FUNCTION(greater, a > b ? 1.0f : 0.0f);
FUNCTION(greater_equal, a >= b ? 1.0f : 0.0f);
#undef FUNCTION

inline std::uint32_t bits(std::int32_t x) { return static_cast<std::uint32_t>(x); }

#define FUNCTION(name, expression)                                           \
	struct name {                                                        \
		static std::int32_t of(std::int32_t a, std::int32_t b)       \
		{                                                            \
			return static_cast<std::int32_t>(expression);        \
		}                                                            \
	}
FUNCTION(add_i, bits(a) + bits(b));
FUNCTION(subtract_i, bits(a) - bits(b));
FUNCTION(multiply_i, bits(a) * bits(b));
FUNCTION(minimum_i, b < a ? b : a);
FUNCTION(maximum_i, b > a ? b : a);
FUNCTION(equal_i, a == b);
FUNCTION(not_equal_i, a != b);
FUNCTION(less_i, a < b);
FUNCTION(less_equal_i, a <= b);
FUNCTION(greater_i, a > b);
FUNCTION(greater_equal_i, a >= b);
FUNCTION(and_i, a &b);
FUNCTION(or_i, a | b);
FUNCTION(xor_i, a ^ b);
#undef FUNCTION

#define FUNCTION(name, expression)                                    \
	struct name {                                                 \
		static std::int32_t of(std::int32_t x)                \
		{                                                     \
			return static_cast<std::int32_t>(expression); \
		}                                                     \
	}
FUNCTION(identity_i, x);
FUNCTION(relu_i, x < 0 ? 0 : x);
FUNCTION(absolute_i, x < 0 ? 0u - bits(x) : bits(x));
FUNCTION(negate_i, 0u - bits(x));
FUNCTION(sign_i, (x > 0) - (x < 0));
FUNCTION(square_i, bits(x) * bits(x));
FUNCTION(logical_not_i, x == 0);
FUNCTION(bitwise_not_i, ~x);
#undef FUNCTION

constexpr vector_kernels make()
{
	vector_kernels k{};
	k.load[ATOM_DTYPE_I8] = load_as_real<std::int8_t>;
	k.load[ATOM_DTYPE_U8] = load_as_real<std::uint8_t>;
	k.load[ATOM_DTYPE_I16] = load_as_real<std::int16_t>;
	k.load[ATOM_DTYPE_I32] = load_as_real<std::int32_t>;
	k.load[ATOM_DTYPE_F16] = load_f16;
	k.load[ATOM_DTYPE_BF16] = load_bf16;
	k.load[ATOM_DTYPE_F32] = load_as_real<float>;
	k.store[ATOM_DTYPE_F16] = store_f16;
	k.store[ATOM_DTYPE_BF16] = store_bf16;
	k.store[ATOM_DTYPE_F32] = store_f32;
	k.dequantise = dequantise;
	k.dequantise_channels = dequantise_channels;
	k.quantise[ATOM_DTYPE_I16] = quantise<std::int16_t, INT16_MIN, INT16_MAX>;
#ifdef __AVX512F__
	k.quantise[ATOM_DTYPE_I8] = quantise_bytes<true>;
	k.quantise[ATOM_DTYPE_U8] = quantise_bytes<false>;
	k.add_bytes = add_bytes;
#else
	k.quantise[ATOM_DTYPE_I8] = quantise<std::int8_t, INT8_MIN, INT8_MAX>;
	k.quantise[ATOM_DTYPE_U8] = quantise<std::uint8_t, 0, UINT8_MAX>;
#endif

	k.unary[ATOM_FN_IDENTITY] = map<identity>;
	k.unary[ATOM_FN_RELU] = map<relu>;
	k.unary[ATOM_FN_CLIP] = map<clipped>;
	k.unary[ATOM_FN_LEAKY_RELU] = map<leaky>;
	k.unary[ATOM_FN_HARD_SIGMOID] = map<hard_sigmoid>;
	k.unary[ATOM_FN_HARD_SWISH] = map<hard_swish>;
	k.unary[ATOM_FN_SOFTSIGN] = map<softsign>;
	k.unary[ATOM_FN_EXP] = map<power_of_e>;
	k.unary[ATOM_FN_SIGMOID] = map<sigmoid>;
	k.unary[ATOM_FN_SILU] = map<silu>;
	k.unary[ATOM_FN_GELU_QUICK] = map<gelu_quick>;
	k.unary[ATOM_FN_TANH] = map<tangent>;
	k.unary[ATOM_FN_ERF] = map<error>;
	k.unary[ATOM_FN_GELU_ERF] = map<gelu_erf>;
	k.unary[ATOM_FN_GELU_TANH] = map<gelu_tanh>;
	k.unary[ATOM_FN_ABS] = map<absolute>;
	k.unary[ATOM_FN_NEG] = map<negate>;
	k.unary[ATOM_FN_SQRT] = map<square_root>;
	k.unary[ATOM_FN_RSQRT] = map<inverse_root>;
	k.unary[ATOM_FN_RECIPROCAL] = map<reciprocal>;
	k.unary[ATOM_FN_SQUARE] = map<square>;
	k.unary[ATOM_FN_FLOOR] = map<floor>;
	k.unary[ATOM_FN_CEIL] = map<ceil>;
	k.unary[ATOM_FN_ROUND] = map<round>;
	k.unary[ATOM_FN_TRUNC] = map<trunc>;
	k.unary[ATOM_FN_LOGICAL_NOT] = map<logical_not>;
	k.unary[ATOM_FN_IS_NAN] = map<is_nan>;

	k.binary[ATOM_BINARY_ADD] = zip<add>;
	k.binary[ATOM_BINARY_SUB] = zip<subtract>;
	k.binary[ATOM_BINARY_MUL] = zip<multiply>;
	k.binary[ATOM_BINARY_DIV] = zip<divide>;
	k.binary[ATOM_BINARY_MIN] = zip<minimum>;
	k.binary[ATOM_BINARY_MAX] = zip<maximum>;
	k.binary[ATOM_BINARY_PRELU] = zip<prelu>;
	k.binary[ATOM_BINARY_EQ] = zip<equal>;
	k.binary[ATOM_BINARY_NE] = zip<not_equal>;
	k.binary[ATOM_BINARY_LT] = zip<less>;
	k.binary[ATOM_BINARY_LE] = zip<less_equal>;
	k.binary[ATOM_BINARY_GT] = zip<greater>;
	k.binary[ATOM_BINARY_GE] = zip<greater_equal>;

	k.store_i32 = store_i32;
	k.widen = widen;
	k.narrow = narrow;
	k.narrow_wrap = narrow_wrap;
	k.store_saturated[ATOM_DTYPE_I8] = store_saturated<std::int8_t, INT8_MIN, INT8_MAX>;
	k.store_saturated[ATOM_DTYPE_U8] = store_saturated<std::uint8_t, 0, UINT8_MAX>;
	k.store_saturated[ATOM_DTYPE_I16] = store_saturated<std::int16_t, INT16_MIN, INT16_MAX>;
	k.store_saturated[ATOM_DTYPE_I32] = store_saturated<std::int32_t, INT32_MIN, INT32_MAX>;

	k.load_integer[ATOM_DTYPE_I8] = load_integer<std::int8_t>;
	k.load_integer[ATOM_DTYPE_U8] = load_integer<std::uint8_t>;
	k.load_integer[ATOM_DTYPE_I16] = load_integer<std::int16_t>;
	k.load_integer[ATOM_DTYPE_I32] = load_integer<std::int32_t>;
	k.store_integer[ATOM_DTYPE_I8] = store_integer<std::int8_t>;
	k.store_integer[ATOM_DTYPE_U8] = store_integer<std::uint8_t>;
	k.store_integer[ATOM_DTYPE_I16] = store_integer<std::int16_t>;
	k.store_integer[ATOM_DTYPE_I32] = store_integer<std::int32_t>;

	k.unary_integer[ATOM_FN_IDENTITY] = map_integer<identity_i>;
	k.unary_integer[ATOM_FN_RELU] = map_integer<relu_i>;
	k.unary_integer[ATOM_FN_ABS] = map_integer<absolute_i>;
	k.unary_integer[ATOM_FN_NEG] = map_integer<negate_i>;
	k.unary_integer[ATOM_FN_SIGN] = map_integer<sign_i>;
	k.unary_integer[ATOM_FN_SQUARE] = map_integer<square_i>;
	k.unary_integer[ATOM_FN_LOGICAL_NOT] = map_integer<logical_not_i>;
	k.unary_integer[ATOM_FN_BITWISE_NOT] = map_integer<bitwise_not_i>;

	k.binary_integer[ATOM_BINARY_ADD] = zip_integer<add_i>;
	k.binary_integer[ATOM_BINARY_SUB] = zip_integer<subtract_i>;
	k.binary_integer[ATOM_BINARY_MUL] = zip_integer<multiply_i>;
	k.binary_integer[ATOM_BINARY_MIN] = zip_integer<minimum_i>;
	k.binary_integer[ATOM_BINARY_MAX] = zip_integer<maximum_i>;
	k.binary_integer[ATOM_BINARY_EQ] = zip_integer<equal_i>;
	k.binary_integer[ATOM_BINARY_NE] = zip_integer<not_equal_i>;
	k.binary_integer[ATOM_BINARY_LT] = zip_integer<less_i>;
	k.binary_integer[ATOM_BINARY_LE] = zip_integer<less_equal_i>;
	k.binary_integer[ATOM_BINARY_GT] = zip_integer<greater_i>;
	k.binary_integer[ATOM_BINARY_GE] = zip_integer<greater_equal_i>;
	k.binary_integer[ATOM_BINARY_AND] = zip_integer<and_i>;
	k.binary_integer[ATOM_BINARY_OR] = zip_integer<or_i>;
	k.binary_integer[ATOM_BINARY_XOR] = zip_integer<xor_i>;
	return k;
}

} // namespace

constinit const vector_kernels ATOM_VECTORS = make();

} // namespace atom::engine::fast
