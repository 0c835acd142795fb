/* SPDX-License-Identifier: MIT */
/*
 * Compiled once for each instruction set, ATOM_ROW_VECTORS naming the table; see
 * vector.cpp for what that asks of the code. No FMA contraction.
 */
#include "fast/row_kernels.h"

#include "numeric/exponential.h"

namespace atom::engine::fast {

namespace {

using size = std::size_t;

/* Wider than a register where need be: the compiler splits them. */
constexpr size lanes = 8;
using reals [[gnu::vector_size(lanes * 4)]] = float;
using doubles [[gnu::vector_size(lanes * 8)]] = double;

inline bool beats(float x, float acc) { return (x > acc) | (x != x); }

/* Folds a piece of a row: F::of(acc, x) of vectors, then of values. */
struct maximum {
	static float of(float acc, float x) { return acc != acc || !beats(x, acc) ? acc : x; }
};

template <class F> void fold_row(float *acc, const float *x, size n)
{
	constexpr size width = 32;
	size i = 0;
	float best = *acc;
	if (n >= width) {
		float lane[width];
		for (size l = 0; l < width; ++l)
			lane[l] = x[l];
		for (i = width; i + width <= n; i += width)
			for (size l = 0; l < width; ++l)
				lane[l] = F::of(lane[l], x[i + l]);
		for (size l = 0; l < width; ++l)
			best = F::of(best, lane[l]);
	}
	for (; i < n; ++i)
		best = F::of(best, x[i]);
	*acc = best;
}

template <class F> void fold_columns(float *acc, const float *x, size n)
{
	for (size i = 0; i < n; ++i)
		acc[i] = F::of(acc[i], x[i]);
}

/* Terms of a sum, of a vector of doubles in place and of one. */
struct itself {
	template <class V> static void of(V &) {}
};
struct its_size {
	template <class V> static void of(V &x) { x = x < 0 ? -x : x; }
};

template <class F> void sum_row(double *acc, const float *x, size n)
{
	doubles a{}, b{};
	size i = 0;
	for (; i + 2 * lanes <= n; i += 2 * lanes) {
		reals first, second;
		__builtin_memcpy(&first, x + i, sizeof first);
		__builtin_memcpy(&second, x + i + lanes, sizeof second);
		doubles u = __builtin_convertvector(first, doubles), v = __builtin_convertvector(second, doubles);
		F::of(u);
		F::of(v);
		a += u;
		b += v;
	}
	a += b;
	double total = *acc;
	for (size l = 0; l < lanes; ++l)
		total += a[l];
	for (; i < n; ++i) {
		double u = x[i];
		F::of(u);
		total += u;
	}
	*acc = total;
}

template <class F> void sum_columns(double *acc, const float *x, size n)
{
	for (size i = 0; i < n; ++i) {
		double u = x[i];
		F::of(u);
		acc[i] += u;
	}
}

template <bool Columns> void sum_of_squares(double *acc, const float *x, const float *mean, size n)
{
	if constexpr (Columns) {
		for (size i = 0; i < n; ++i) {
			const double d = x[i] - mean[i];
			acc[i] += d * d;
		}
	} else {
		const float m = *mean;
		size i = 0;
		doubles a{}, b{};
		for (; i + 2 * lanes <= n; i += 2 * lanes) {
			reals first, second;
			__builtin_memcpy(&first, x + i, sizeof first);
			__builtin_memcpy(&second, x + i + lanes, sizeof second);
			const doubles u = __builtin_convertvector(first - m, doubles);
			const doubles v = __builtin_convertvector(second - m, doubles);
			a += u * u;
			b += v * v;
		}
		a += b;
		double total = *acc;
		for (size l = 0; l < lanes; ++l)
			total += a[l];
		for (; i < n; ++i) {
			const double d = x[i] - m;
			total += d * d;
		}
		*acc = total;
	}
}

void scale(float *x, float by, size n)
{
	for (size i = 0; i < n; ++i)
		x[i] *= by;
}

void add_scaled(float *x, const float *y, float by, size n)
{
	for (size i = 0; i < n; ++i)
		x[i] += by * y[i];
}

void multiply(float *x, const float *y, size n)
{
	for (size i = 0; i < n; ++i)
		x[i] *= y[i];
}

void add(float *x, const float *y, size n)
{
	for (size i = 0; i < n; ++i)
		x[i] += y[i];
}

void add_squares(float *acc, const float *x, size n)
{
	for (size i = 0; i < n; ++i)
		acc[i] += x[i] * x[i];
}

template <bool Columns> void normalise(float *x, const float *mean, const float *factor, size n)
{
	const float one_mean = *mean, one_factor = *factor;
	for (size i = 0; i < n; ++i)
		x[i] = (x[i] - (Columns ? mean[i] : one_mean)) * (Columns ? factor[i] : one_factor);
}

template <bool Columns> void exponentials(float *x, const float *max, size n)
{
	if constexpr (Columns) {
		for (size i = 0; i < n; ++i)
			x[i] = exponential(x[i] - max[i]);
	} else {
		const float m = *max;
		for (size i = 0; i < n; ++i)
			x[i] = exponential(x[i] - m);
	}
}

template <bool Columns> void divide(float *x, const float *by, size n)
{
	const float one = *by;
	for (size i = 0; i < n; ++i)
		x[i] /= Columns ? by[i] : one;
}

template <bool Columns> void subtract_both(float *x, const float *a, const float *b, size n)
{
	const float one_a = *a, one_b = *b;
	for (size i = 0; i < n; ++i)
		x[i] = (x[i] - (Columns ? a[i] : one_a)) - (Columns ? b[i] : one_b);
}

} // namespace

constinit const row_kernels ATOM_ROW_VECTORS = {
	.max = {fold_row<maximum>, fold_columns<maximum>},
	.sum = {sum_row<itself>, sum_columns<itself>},
	.sum_of_sizes = {sum_row<its_size>, sum_columns<its_size>},
	.sum_of_squares = {sum_of_squares<false>, sum_of_squares<true>},
	.scale = scale,
	.add_scaled = add_scaled,
	.multiply = multiply,
	.add = add,
	.add_squares = add_squares,
	.normalise = {normalise<false>, normalise<true>},
	.exponentials = {exponentials<false>, exponentials<true>},
	.divide = {divide<false>, divide<true>},
	.subtract_both = {subtract_both<false>, subtract_both<true>},
};

} // namespace atom::engine::fast
