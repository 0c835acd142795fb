/* SPDX-License-Identifier: MIT */
/**
 * @file few_rows_kernels.h
 * @brief One to four rows times b where it lies: each byte of b is read once,
 * so the memory sets the speed. Included by the files of the instruction sets
 * only; see tile.h.
 *
 * Floats: load<From>(p), load_some<From>(p, count) bring elements as f32 vectors.
 */
#pragma once

#include "elements.h"
#include "tile.h"

namespace atom::engine::kernels {
namespace {

#define ATOM_INLINE __attribute__((always_inline))

/** Columns that are contiguous in k: dot products of vectors, `Columns` of them side by side. Too short for the hardware to look ahead. */
template <class Floats, class From, unsigned Rows, unsigned Columns>
void dot_columns(const few_rows_args &t, std::size_t column)
{
	typename Floats::vector sum[Rows * Columns];
	unroll<Rows * Columns>([&](auto i) ATOM_INLINE { sum[i.value] = Floats::zero(); });
	const std::byte *b = t.b + static_cast<std::ptrdiff_t>(column) * t.b_stride;
	const auto step = [&](std::size_t k, auto load_a, auto load_b) ATOM_INLINE {
		typename Floats::vector bs[Columns];
		unroll<Columns>([&](auto j) ATOM_INLINE {
			bs[j.value] = load_b(b + std::ptrdiff_t{j.value} * t.b_stride + k * sizeof(From));
			__builtin_prefetch(b + std::ptrdiff_t{j.value + Columns} * t.b_stride + k * sizeof(From));
		});
		unroll<Rows>([&](auto i) ATOM_INLINE {
			const auto a = load_a(t.a + std::ptrdiff_t{i.value} * t.a_stride + 4 * k);
			unroll<Columns>([&](auto j) ATOM_INLINE {
				auto &s = sum[i.value * Columns + j.value];
				s = Floats::multiply_add(s, a, bs[j.value]);
			});
		});
	};
	std::size_t k = 0;
	for (; k + Floats::lanes <= t.k; k += Floats::lanes)
		step(k, [](const std::byte *p) ATOM_INLINE { return Floats::template load<float>(p); },
		     [](const std::byte *p) ATOM_INLINE { return Floats::template load<From>(p); });
	if (const std::size_t rest = t.k - k)
		step(k, [=](const std::byte *p) ATOM_INLINE { return Floats::template load_some<float>(p, rest); },
		     [=](const std::byte *p) ATOM_INLINE { return Floats::template load_some<From>(p, rest); });
	float *out = static_cast<float *>(t.out) + column;
	unroll<Rows>([&](auto i) ATOM_INLINE {
		unroll<Columns>([&](auto j) ATOM_INLINE {
			out[i.value * t.out_stride + j.value] = Floats::sum(sum[i.value * Columns + j.value]);
		});
	});
}

/** Rows of b that are contiguous in n: eight of them at a time are spread over the row of the output; the next are fetched. */
template <class Floats, class From, unsigned Rows, unsigned Depth>
void spread_rows(const few_rows_args &t, std::size_t k)
{
	const std::byte *b = t.b + static_cast<std::ptrdiff_t>(k) * t.b_stride;
	const std::byte *a = t.a + 4 * k;
	const auto step = [&](std::size_t column, auto load_b, auto load_out, auto store) ATOM_INLINE {
		typename Floats::vector sum[Rows];
		unroll<Rows>([&](auto i) ATOM_INLINE { sum[i.value] = Floats::zero(); });
		unroll<Depth>([&](auto d) ATOM_INLINE {
			const auto bs =
				load_b(b + std::ptrdiff_t{d.value} * t.b_stride + column * sizeof(From));
			__builtin_prefetch(b + std::ptrdiff_t{d.value + Depth} * t.b_stride + column * sizeof(From));
			unroll<Rows>([&](auto i) ATOM_INLINE {
				sum[i.value] = Floats::multiply_add(
					sum[i.value],
					Floats::broadcast(load_element<float>(
						a + std::ptrdiff_t{i.value} * t.a_stride + 4 * d.value)),
					bs);
			});
		});
		unroll<Rows>([&](auto i) ATOM_INLINE {
			float *out = static_cast<float *>(t.out) + i.value * t.out_stride + column;
			store(out, k || t.add ? Floats::add(load_out(out), sum[i.value]) : sum[i.value]);
		});
	};
	std::size_t column = 0;
	for (; column + Floats::lanes <= t.columns; column += Floats::lanes)
		step(column, [](const std::byte *p) ATOM_INLINE { return Floats::template load<From>(p); },
		     [](const float *p) ATOM_INLINE { return Floats::load_floats(p); },
		     [](float *p, auto value) ATOM_INLINE { Floats::store(p, value); });
	if (const auto rest = static_cast<unsigned>(t.columns - column))
		step(column, [=](const std::byte *p) ATOM_INLINE { return Floats::template load_some<From>(p, rest); },
		     [=](const float *p) ATOM_INLINE { return Floats::load_some_floats(p, rest); },
		     [=](float *p, auto value) ATOM_INLINE { Floats::store_some(p, value, rest); });
}

template <class Floats, class From, unsigned Rows> void dot_all(const few_rows_args &t)
{
	std::size_t column = 0;
	for (; column + Floats::columns <= t.columns; column += Floats::columns)
		dot_columns<Floats, From, Rows, Floats::columns>(t, column);
	for (; column < t.columns; ++column)
		dot_columns<Floats, From, Rows, 1>(t, column);
}

template <class Floats, class From, unsigned Rows> void spread_all(const few_rows_args &t)
{
	std::size_t k = 0;
	for (; k + 8 <= t.k; k += 8)
		spread_rows<Floats, From, Rows, 8>(t, k);
	for (; k < t.k; ++k)
		spread_rows<Floats, From, Rows, 1>(t, k);
}

template <class Floats, class From, unsigned... Row>
void few_rows_of(const few_rows_args &t, bool along_k, std::integer_sequence<unsigned, Row...>)
{
	using function = void (*)(const few_rows_args &);
	static constexpr function dots[] = {dot_all<Floats, From, Row + 1>...};
	static constexpr function spreads[] = {spread_all<Floats, From, Row + 1>...};
	(along_k ? dots : spreads)[t.rows - 1](t);
}

/** few_rows_f32() of the table. */
template <class Floats> void few_rows_f32(const few_rows_args &t, bool along_k)
{
	constexpr auto rows = std::make_integer_sequence<unsigned, few_rows_max>{};
	if (t.b_type == ATOM_DTYPE_F32)
		few_rows_of<Floats, float>(t, along_k, rows);
	else if (t.b_type == ATOM_DTYPE_F16)
		few_rows_of<Floats, half>(t, along_k, rows);
	else
		few_rows_of<Floats, brain>(t, along_k, rows);
}

#undef ATOM_INLINE

} // namespace
} // namespace atom::engine::kernels
