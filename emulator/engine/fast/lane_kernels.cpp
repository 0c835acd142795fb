/* SPDX-License-Identifier: MIT */
/*
 * Compiled once for each instruction set, ATOM_LANE_VECTORS naming the table; see
 * vector.cpp for what that asks of the code. No FMA contraction.
 */
#include "fast/lane_kernels.h"

#include "numeric/half.h"

namespace atom::engine::fast {

namespace {

using size = std::size_t;

template <class T> void select(const std::uint8_t *cond, const void *a, const void *b, void *to, size n)
{
	const T *x = static_cast<const T *>(a), *y = static_cast<const T *>(b);
	T *z = static_cast<T *>(to);
	/* By way of a block of its own: in place, the loop could not be a vector loop. */
	constexpr size step = 64;
	T block[step];
	for (size i = 0; i + step <= n; i += step) {
		for (size j = 0; j < step; ++j)
			block[j] = cond[i + j] ? x[i + j] : y[i + j];
		__builtin_memcpy(z + i, block, sizeof block);
	}
	for (size i = n / step * step; i < n; ++i)
		z[i] = cond[i] ? x[i] : y[i];
}

void gate(const float *opened, const float *value, float *to, size n, float bias)
{
	for (size i = 0; i < n; ++i)
		to[i] = opened[i] * (value[i] + bias);
}

void add_up(const float *x, float *sums, size n)
{
	for (size i = 0; i < n; ++i)
		sums[i] += x[i];
}
void add_absolute(const float *x, float *sums, size n)
{
	for (size i = 0; i < n; ++i)
		sums[i] += __builtin_fabsf(x[i]);
}
void add_square(const float *x, float *sums, size n)
{
	for (size i = 0; i < n; ++i)
		sums[i] += x[i] * x[i];
}
template <class T> void larger(const T *x, T *largest, std::int64_t *at, std::int64_t position, size n)
{
	for (size i = 0; i < n; ++i) {
		const T a = largest[i], b = x[i];
		const bool take = (b > a) | ((b != b) & (a == a)) | (at[i] < 0);
		largest[i] = take ? b : a;
		at[i] = take ? position : at[i];
	}
}

void largest_integer(const std::int32_t *x, std::int32_t *largest, size n)
{
	for (size i = 0; i < n; ++i)
		largest[i] = x[i] > largest[i] ? x[i] : largest[i];
}

template <class T> constexpr T lowest = static_cast<T>(static_cast<T>(-1) < 0 ? 0x80 : 0);
template <> constexpr float lowest<float> = -__builtin_inff();

template <class Mask> bool any(const Mask &mask)
{
	std::uint8_t bytes[sizeof(Mask)], all = 0;
	__builtin_memcpy(bytes, &mask, sizeof bytes);
	for (const std::uint8_t byte : bytes)
		all |= byte;
	return all;
}

/** @p Vector: of T, or T itself. Where there is a NaN it takes a second look. */
template <class T, class Vector, bool Nans = false>
void largest_at(const std::byte *const *runs, size count, size at, std::byte *to)
{
	Vector most = Vector{} + lowest<T>;
	auto nan = most != most;
	for (size k = 0; k < count; ++k) {
		Vector x;
		__builtin_memcpy(&x, runs[k] + at, sizeof x);
		if constexpr (Nans)
			most = (most == most) & ((x > most) | (x != x)) ? x : most;
		else
			most = x > most ? x : most;
		if constexpr (__is_same(T, float))
			nan |= x != x;
	}
	if constexpr (__is_same(T, float) && !Nans)
		if (any(nan))
			return largest_at<T, Vector, true>(runs, count, at, to);
	T block[sizeof(Vector) / sizeof(T)];
	__builtin_memcpy(block, &most, sizeof block);
	if constexpr (Nans)
		for (T &x : block)
			x = quiet(x);
	__builtin_memcpy(to + at, block, sizeof block);
}

template <class T> void largest_of(const std::byte *const *runs, size count, std::byte *to, size n)
{
	typedef T vector __attribute__((vector_size(64)));
	size at = 0;
	for (const size end = n * sizeof(T); at < end;) {
		const bool whole = at + sizeof(vector) <= end;
		(whole ? largest_at<T, vector> : largest_at<T, T>)(runs, count, at, to);
		at += whole ? sizeof(vector) : sizeof(T);
	}
}

void take(const void *row, const std::int32_t *at, void *to, size n)
{
	const auto *x = static_cast<const std::uint32_t *>(row);
	auto *y = static_cast<std::uint32_t *>(to);
	for (size i = 0; i < n; ++i)
		y[i] = x[at[i]];
}

void add_taken(const float *row, const std::int32_t *at, const float *by, float *sums, size n)
{
	for (size i = 0; i < n; ++i) {
		const float sum = sums[i] + by[i] * row[at[i]];
		sums[i] = by[i] != 0 ? sum : sums[i];
	}
}

constexpr lane_kernels make()
{
	lane_kernels k{
		.select = {select<std::uint8_t>, select<std::uint16_t>, select<std::uint32_t>, select<std::uint64_t>},
		.gate = gate,
		.add = add_up,
		.add_absolute = add_absolute,
		.add_square = add_square,
		.larger = larger<float>,
		.larger_integer = larger<std::int32_t>,
		.largest_integer = largest_integer,
		.largest_of = {},
		.take = take,
		.add_taken = add_taken,
	};
	k.largest_of[ATOM_DTYPE_I8] = largest_of<std::int8_t>;
	k.largest_of[ATOM_DTYPE_U8] = largest_of<std::uint8_t>;
	k.largest_of[ATOM_DTYPE_F32] = largest_of<float>;
	return k;
}

} // namespace

constinit const lane_kernels ATOM_LANE_VECTORS = make();

} // namespace atom::engine::fast
