/* SPDX-License-Identifier: MIT */
/**
 * @file lines.h
 * @brief Products of lines of a and lines of b that both lie along k: vectors of k instead of columns.
 *
 * Nothing has to be packed, but the lanes of each sum have to be added up at the end: for few rows and long lines.
 * Included by the files of the AVX-512 instruction sets only; see tile.h.
 */
#pragma once

#include "avx512_moves.h"
#include "tile.h"

namespace atom::engine::kernels {
namespace {

/** The registers would hold more, but weights come from the second cache: seven pixels for each time. */
inline constexpr unsigned line_rows = 7, line_columns = 3;

/** The sums of the lanes of each vector, in the first lanes. */
template <class Ops> typename Ops::accumulator lane_sums(const typename Ops::accumulator (&x)[4])
{
	using accumulator = typename Ops::accumulator;
	const auto add = [](__m512i a, __m512i b) {
		return reinterpret_cast<__m512i>(Ops::add(reinterpret_cast<accumulator>(a), reinterpret_cast<accumulator>(b)));
	};
	const auto folded = [&](const accumulator &a, const accumulator &b) {
		const auto p = reinterpret_cast<__m512i>(a), q = reinterpret_cast<__m512i>(b);
		return add(_mm512_unpacklo_epi32(p, q), _mm512_unpackhi_epi32(p, q));
	};
	const __m512i p = folded(x[0], x[1]), q = folded(x[2], x[3]);
	__m512i sum = add(_mm512_unpacklo_epi64(p, q), _mm512_unpackhi_epi64(p, q));
	sum = add(sum, _mm512_shuffle_i32x4(sum, sum, 0x4e));
	return reinterpret_cast<accumulator>(add(sum, _mm512_shuffle_i32x4(sum, sum, 0xb1)));
}

template <class Ops, unsigned Rows, unsigned Columns> void lines_of(const tile_args &t, unsigned column)
{
	constexpr std::size_t vector_bytes = Ops::lanes * 4;
	typename Ops::accumulator sum[Rows][4];
	unroll<Rows * 4>([&](auto i) __attribute__((always_inline)) { sum[i.value / 4][i.value % 4] = Ops::zero(); });
	const std::byte *b = t.b + static_cast<std::ptrdiff_t>(column) * t.b_stride;
	for (std::size_t segment = 0; segment < t.segment_count; ++segment) {
		// Three lines for each base register.
		const std::byte *a = t.a + t.segments[segment], *a3 = a + 3 * t.a_stride, *a6 = a3 + 3 * t.a_stride;
		const auto multiply = [&](auto skip) __attribute__((always_inline)) {
			for (std::size_t g = 0; g < t.groups; g += Ops::lanes) {
				typename Ops::vector bs[Columns];
				unroll<Columns>([&](auto j) __attribute__((always_inline)) {
					bs[j.value] = Ops::load(b + std::ptrdiff_t{j.value} * t.b_stride);
				});
				unroll<Rows>([&](auto i) __attribute__((always_inline)) {
					if constexpr (!skipped<Rows, Rows>(skip.value, i.value)) {
						const std::byte *base = i.value < 3 ? a : i.value < 6 ? a3 : a6;
						const auto x = Ops::load(base + std::ptrdiff_t{i.value % 3} * t.a_stride);
						unroll<Columns>([&](auto j) __attribute__((always_inline)) {
							auto &s = sum[i.value][j.value];
							s = Ops::multiply_add(s, x, bs[j.value]);
						});
					}
				});
				a += vector_bytes;
				a3 += vector_bytes;
				a6 += vector_bytes;
				b += vector_bytes;
			}
		};
		const tile_skip skip = Rows == line_rows && t.skips ? t.skips[segment] : skip_none;
		if (Rows == line_rows && (skip == skip_first || skip == skip_firsts))
			multiply(constant<skip_first>{});
		else if (Rows == line_rows && skip != skip_none)
			multiply(constant<skip_last>{});
		else
			multiply(constant<skip_none>{});
	}
	auto *c = static_cast<typename Ops::element *>(t.c) + column;
	const auto *terms = reinterpret_cast<const typename Ops::element *>(t.column_terms + column);
	unroll<Rows>([&](auto i) __attribute__((always_inline)) {
		auto value = lane_sums<Ops>(sum[i.value]);
		if constexpr (Ops::integer)
			value = Ops::add(value, Ops::load_some(terms, Columns));
		if (t.add)
			value = Ops::add(value, Ops::load_some(c, Columns));
		Ops::store_some(c, value, Columns);
		c += t.c_stride;
	});
}

template <class Ops, unsigned Columns, unsigned... Row>
void dispatch_lines(const tile_args &t, unsigned column, std::integer_sequence<unsigned, Row...>)
{
	using function = void (*)(const tile_args &, unsigned);
	static constexpr function functions[] = {lines_of<Ops, Row + 1, Columns>...};
	functions[t.rows - 1](t, column);
}

template <class Ops> void lines_tile(const tile_args &t)
{
	constexpr auto rows = std::make_integer_sequence<unsigned, line_rows>{};
	unsigned column = 0;
	for (; column + line_columns <= t.columns; column += line_columns)
		dispatch_lines<Ops, line_columns>(t, column, rows);
	for (; column < t.columns; ++column)
		dispatch_lines<Ops, 1>(t, column, rows);
}

} // namespace
} // namespace atom::engine::kernels
