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

/* A NaN wins. */
struct maximum {
	static float of(float acc, float x) { return (acc == acc) & ((x > acc) | (x != x)) ? x : acc; }
};
struct minimum {
	static float of(float acc, float x) { return (acc == acc) & ((x < acc) | (x != x)) ? x : acc; }
};
struct product {
	static float of(float acc, float x) { return acc * x; }
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

void multiply_row(float *acc, const float *x, size n)
{
	float all = *acc;
	for (size i = 0; i < n; ++i)
		all *= x[i];
	*acc = all;
}

template <bool Least, bool Last, class T> bool is_better(T x, T best)
{
	const bool beats = Least ? x < best : x > best;
	return Last ? beats | (x == best) | (x != x) : beats | ((x != x) & (best == best));
}

template <bool Least, bool Last>
void better(float *best, std::int64_t *at, const float *x, std::int64_t position, size n)
{
	for (size i = 0; i < n; ++i) {
		const bool take = is_better<Least, Last>(x[i], best[i]);
		best[i] = take ? x[i] : best[i];
		at[i] = take ? position : at[i];
	}
}

template <bool Least, bool Last, bool Columns>
void better_integers(std::int64_t *best, std::int64_t *at, const std::int32_t *x, std::int64_t position, size n)
{
	for (size i = 0; i < n; ++i) {
		const size to = Columns ? i : 0;
		const bool take = is_better<Least, Last, std::int64_t>(x[i], best[to]);
		best[to] = take ? x[i] : best[to];
		at[to] = take ? position + static_cast<std::int64_t>(Columns ? 0 : i) : at[to];
	}
}

/* Modulo 2^64, so in any order. */
inline std::uint64_t bits(std::int64_t x) { return static_cast<std::uint64_t>(x); }
struct sum_i {
	static std::uint64_t of(std::uint64_t acc, std::int64_t x) { return acc + bits(x); }
};
struct sizes_i {
	static std::uint64_t of(std::uint64_t acc, std::int64_t x) { return acc + bits(x < 0 ? -x : x); }
};
struct squares_i {
	static std::uint64_t of(std::uint64_t acc, std::int64_t x) { return acc + bits(x) * bits(x); }
};
struct product_i {
	static std::uint64_t of(std::uint64_t acc, std::int64_t x) { return acc * bits(x); }
};
struct maximum_i {
	static std::uint64_t of(std::uint64_t acc, std::int64_t x)
	{
		return x > static_cast<std::int64_t>(acc) ? bits(x) : acc;
	}
};
struct minimum_i {
	static std::uint64_t of(std::uint64_t acc, std::int64_t x)
	{
		return x < static_cast<std::int64_t>(acc) ? bits(x) : acc;
	}
};

template <class F, bool Columns> void fold_integers(std::int64_t *acc, const std::int32_t *x, size n)
{
	if constexpr (Columns) {
		for (size i = 0; i < n; ++i)
			acc[i] = static_cast<std::int64_t>(F::of(bits(acc[i]), x[i]));
	} else {
		std::uint64_t all = bits(*acc);
		for (size i = 0; i < n; ++i)
			all = F::of(all, x[i]);
		*acc = static_cast<std::int64_t>(all);
	}
}

/* Terms of a sum, of a vector of doubles in place and of one. */
struct itself {
	template <class V> static void of(V &) {}
};
struct its_size {
	template <class V> static void of(V &x) { x = x < 0 ? -x : x; }
};
struct its_square {
	template <class V> static void of(V &x) { x *= x; }
};

/* Of x - shift. */
template <class F> void sum_shifted(double *acc, const float *x, float shift, size n)
{
	doubles a{}, b{};
	size i = 0;
	for (; i + 2 * lanes <= n; i += 2 * lanes) {
		reals first, second;
		__builtin_memcpy(&first, x + i, sizeof first);
		__builtin_memcpy(&second, x + i + lanes, sizeof second);
		doubles u = __builtin_convertvector(first - shift, doubles);
		doubles v = __builtin_convertvector(second - shift, doubles);
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
		double u = x[i] - shift;
		F::of(u);
		total += u;
	}
	*acc = total;
}

template <class F> void sum_row(double *acc, const float *x, size n) { sum_shifted<F>(acc, x, 0.0f, n); }

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
		sum_shifted<its_square>(acc, x, *mean, n);
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

template <class F> constexpr void set_integers(row_kernels &k, std::uint32_t kind)
{
	k.fold_integers[kind][0] = fold_integers<F, false>;
	k.fold_integers[kind][1] = fold_integers<F, true>;
}

constexpr row_kernels make()
{
	row_kernels k = {
		.max = {fold_row<maximum>, fold_columns<maximum>},
		.min = {fold_row<minimum>, fold_columns<minimum>},
		.product = {multiply_row, fold_columns<product>},
		.sum = {sum_row<itself>, sum_columns<itself>},
		.sum_of_sizes = {sum_row<its_size>, sum_columns<its_size>},
		.sum_of_squares = {sum_of_squares<false>, sum_of_squares<true>},
		.better = {{better<false, false>, better<false, true>}, {better<true, false>, better<true, true>}},
		.fold_integers = {},
		.better_integers =
			{
				{{better_integers<false, false, false>, better_integers<false, false, true>},
				 {better_integers<false, true, false>, better_integers<false, true, true>}},
				{{better_integers<true, false, false>, better_integers<true, false, true>},
				 {better_integers<true, true, false>, better_integers<true, true, true>}},
			},
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
	set_integers<sum_i>(k, ATOM_REDUCE_SUM);
	set_integers<sum_i>(k, ATOM_REDUCE_MEAN);
	set_integers<maximum_i>(k, ATOM_REDUCE_MAX);
	set_integers<minimum_i>(k, ATOM_REDUCE_MIN);
	set_integers<product_i>(k, ATOM_REDUCE_PROD);
	set_integers<sizes_i>(k, ATOM_REDUCE_L1);
	set_integers<squares_i>(k, ATOM_REDUCE_SUM_SQUARE);
	return k;
}

} // namespace

constinit const row_kernels ATOM_ROW_VECTORS = make();

} // namespace atom::engine::fast
