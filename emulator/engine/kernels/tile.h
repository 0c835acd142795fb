/* SPDX-License-Identifier: MIT */
/**
 * @file tile.h
 * @brief The register tile, written once over the vector operations of an
 * instruction set. Included by the files of the instruction sets only.
 *
 * `Ops` lives in an anonymous namespace there, so every instance is local to
 * that file.
 *
 * The accumulators start at 0 and meet what is in c at the end: c is added by an
 * ordinary addition, whatever the multiplying instruction does to subnormals.
 */
#pragma once

#include <utility>

#include "kernel_table.h"

namespace atom::engine::kernels {
namespace {

template <class Ops, unsigned Rows, unsigned Vectors>
void tile_of(const tile_args &t)
{
	constexpr unsigned bases = (Rows + 2) / 3;
	typename Ops::accumulator sum[Rows][Vectors];
#pragma GCC unroll 16
	for (unsigned i = 0; i < Rows; ++i)
#pragma GCC unroll 4
		for (unsigned j = 0; j < Vectors; ++j)
			sum[i][j] = Ops::zero();

	// Three rows for each base register: base, base + stride, base + 2 * stride.
	const std::byte *base[bases];
#pragma GCC unroll 16
	for (unsigned i = 0; i < bases; ++i)
		base[i] = t.a + 3 * static_cast<std::ptrdiff_t>(i) * t.a_stride;
	const std::ptrdiff_t stride = t.a_stride;
	const std::byte *b = t.b;
	for (std::size_t g = t.groups; g; --g) {
		typename Ops::vector bs[Vectors];
#pragma GCC unroll 4
		for (unsigned j = 0; j < Vectors; ++j)
			bs[j] = Ops::load(b + j * Ops::lanes * 4);
		b += Ops::panel * 4;
#pragma GCC unroll 16
		for (unsigned i = 0; i < Rows; ++i) {
			const auto a = Ops::broadcast(base[i / 3] + static_cast<std::ptrdiff_t>(i % 3) * stride);
#pragma GCC unroll 4
			for (unsigned j = 0; j < Vectors; ++j)
				sum[i][j] = Ops::multiply_add(sum[i][j], a, bs[j]);
		}
#pragma GCC unroll 16
		for (unsigned i = 0; i < bases; ++i)
			base[i] += 4;
	}

	const unsigned last = t.columns - (Vectors - 1) * Ops::lanes;
#pragma GCC unroll 16
	for (unsigned i = 0; i < Rows; ++i) {
		typename Ops::element *c = static_cast<typename Ops::element *>(t.c) + i * t.c_stride;
#pragma GCC unroll 4
		for (unsigned j = 0; j < Vectors; ++j) {
			auto value = sum[i][j];
			if constexpr (Ops::integer)
				value = Ops::add_terms(value, t.row_terms[i], t.column_terms + j * Ops::lanes);
			const unsigned count = j + 1 < Vectors ? Ops::lanes : last;
			if (t.add)
				value = Ops::add(value, Ops::load_some(c + j * Ops::lanes, count));
			Ops::store_some(c + j * Ops::lanes, value, count);
		}
	}
}

template <class Ops, unsigned... Row>
void dispatch_tile(const tile_args &t, std::integer_sequence<unsigned, Row...>)
{
	using function = void (*)(const tile_args &);
	static constexpr function narrow[] = {tile_of<Ops, Row + 1, 1>...};
	static constexpr function wide[] = {tile_of<Ops, Row + 1, Ops::panel / Ops::lanes>...};
	(t.columns > Ops::lanes ? wide : narrow)[t.rows - 1](t);
}

/** The tile() of a family with panels of two vectors. */
template <class Ops> void tile(const tile_args &t)
{
	static_assert(Ops::panel == 2 * Ops::lanes);
	dispatch_tile<Ops>(t, std::make_integer_sequence<unsigned, Ops::rows>{});
}

} // namespace
} // namespace atom::engine::kernels
