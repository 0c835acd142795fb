/* SPDX-License-Identifier: MIT */
/**
 * @file tile.h
 * @brief The register tile, written once over the vector operations of an
 * instruction set. Included by the files of the instruction sets only.
 *
 * `Ops` lives in an anonymous namespace there, so every instance is local to
 * that file.
 *
 * The accumulators start at 0 (integers: at the terms of their columns) and meet what
 * is in c at the end: c is added by an ordinary addition, whatever the multiplying
 * instruction does to subnormals.
 */
#pragma once

#include <utility>

#include "kernel_table.h"

namespace atom::engine::kernels {
namespace {

template <unsigned I> struct constant {
	static constexpr unsigned value = I;
};

template <class Function, unsigned... I>
[[gnu::always_inline]] inline void unroll(const Function &f, std::integer_sequence<unsigned, I...>)
{
	(f(constant<I>{}), ...);
}

/** f(constant<0>), f(constant<1>), ..: constant indices keep arrays of vectors in registers whatever the optimiser does. */
template <unsigned Count, class Function> [[gnu::always_inline]] inline void unroll(const Function &f)
{
	unroll(f, std::make_integer_sequence<unsigned, Count>{});
}

#define ATOM_INLINE __attribute__((always_inline))

/** Whether the tiles of an instruction set can end in outputs: Ops::finish. */
template <class Ops> concept outputs = requires { typename Ops::finish; };
template <class Ops, unsigned Columns> inline constexpr bool ends_in_outputs = false;
template <outputs Ops, unsigned Columns>
inline constexpr bool ends_in_outputs<Ops, Columns> = Columns % Ops::finish::columns == 0;

/** Rows of a run for which tiles leave out what Ops::pair says they can: see tile_skip. */
template <class Ops> concept skips = requires { Ops::pair; };
template <class Ops> inline constexpr unsigned skipping_rows = 0;
template <skips Ops> inline constexpr unsigned skipping_rows<Ops> = Ops::pair;

template <unsigned Half, unsigned Rows> constexpr bool skipped(unsigned skip, unsigned row)
{
	return (skip == skip_first && row == 0) || (skip == skip_last && row == Rows - 1) ||
	       (skip == skip_firsts && row % Half == 0) || (skip == skip_lasts && row % Half == Half - 1);
}

/** Rows in one or two runs of Half rows each. */
template <class Ops, unsigned Half, unsigned Vectors, unsigned Halves = 1>
void tile_of(const tile_args &t)
{
	constexpr unsigned Rows = Half * Halves, half_bases = (Half + 2) / 3, bases = half_bases * Halves;
	typename Ops::accumulator sum[Rows * Vectors];
	unroll<Rows * Vectors>([&](auto i) ATOM_INLINE {
		if constexpr (Ops::integer)
			sum[i.value] = Ops::load_sums(t.column_terms + i.value % Vectors * Ops::lanes);
		else
			sum[i.value] = Ops::zero();
	});

	// Three rows of a run for each base register: base, base + stride, base + 2 * stride.
	const std::byte *base[bases];
	const std::ptrdiff_t stride = t.a_stride;
	const std::byte *b = t.b, *ahead = t.ahead;
	for (std::size_t segment = 0; segment < t.segment_count; ++segment, ahead += ahead_bytes) {
		const std::byte *row = ahead;
		for (unsigned i = 0; i < t.ahead_rows; ++i, row += t.ahead_stride)
			for (std::size_t line = 0; line < ahead_bytes; line += 64)
				__builtin_prefetch(row + line, 0, 2);
		const std::byte *a0 = t.a + t.segments[segment];
		unroll<bases>([&](auto i) ATOM_INLINE {
			base[i.value] = a0 + 3 * std::ptrdiff_t{i.value % half_bases} * stride;
			if constexpr (i.value >= half_bases)
				base[i.value] += t.a_jump;
		});
		const auto multiply = [&](auto skip) ATOM_INLINE {
			for (std::size_t g = t.groups; g; --g) {
				typename Ops::vector bs[Vectors];
				unroll<Vectors>([&](auto j) ATOM_INLINE { bs[j.value] = Ops::load(b + j.value * Ops::lanes * 4); });
				b += Ops::panel * 4;
				unroll<Rows>([&](auto i) ATOM_INLINE {
					constexpr unsigned row = i.value % Half;
					if constexpr (!skipped<Half, Rows>(skip.value, i.value)) {
						const auto a = Ops::broadcast(base[i.value / Half * half_bases + row / 3] +
									      std::ptrdiff_t{row % 3} * stride);
						unroll<Vectors>([&](auto j) ATOM_INLINE {
							auto &s = sum[i.value * Vectors + j.value];
							s = Ops::multiply_add(s, a, bs[j.value]);
						});
					}
				});
				unroll<bases>([&](auto i) ATOM_INLINE { base[i.value] += 4; });
			}
		};
		if constexpr (skips<Ops> && Half == skipping_rows<Ops> && Vectors * Ops::lanes == Ops::panel) {
			switch (t.skips ? t.skips[segment] : skip_none) {
			case skip_none:
				multiply(constant<skip_none>{});
				break;
			case skip_first:
				multiply(constant<skip_first>{});
				break;
			case skip_last:
				multiply(constant<skip_last>{});
				break;
			case skip_firsts:
				multiply(constant<skip_firsts>{});
				break;
			case skip_lasts:
				multiply(constant<skip_lasts>{});
				break;
			}
		} else {
			multiply(constant<skip_none>{});
		}
	}

	if constexpr (ends_in_outputs<Ops, Vectors * Ops::lanes>)
		if (t.output) {
			const auto *c = static_cast<const typename Ops::element *>(t.c);
			if (t.add)
				unroll<Rows>([&](auto i) ATOM_INLINE {
					unroll<Vectors>([&](auto j) ATOM_INLINE {
						auto &s = sum[i.value * Vectors + j.value];
						s = Ops::add(s, Ops::load_sums(c + j.value * Ops::lanes));
					});
					c += t.c_stride;
				});
			return Ops::finish::template choose<Vectors>(t, [&](auto finish) ATOM_INLINE {
				constexpr unsigned some = decltype(finish)::rows;
				unroll<(Rows + some - 1) / some>([&](auto i) ATOM_INLINE {
					finish.template put<i.value * some>(sum, t);
				});
				finish.end(t);
			});
		}

	const unsigned last = t.columns - (Vectors - 1) * Ops::lanes;
	const auto put = [&](auto whole, auto add) ATOM_INLINE {
		auto *c = static_cast<typename Ops::element *>(t.c);
		const std::size_t c_stride = t.c_stride;
		unroll<Rows>([&](auto i) ATOM_INLINE {
			unroll<Vectors>([&](auto j) ATOM_INLINE {
				constexpr unsigned column = j.value * Ops::lanes;
				constexpr bool full = decltype(whole)::value || j.value + 1 < Vectors;
				auto value = sum[i.value * Vectors + j.value];
				if constexpr (Ops::integer)
					if (t.row_terms)
						value = Ops::add_to_all(value, t.row_terms[i.value]);
				if constexpr (decltype(add)::value)
					value = Ops::add(value, full ? Ops::load_sums(c + column) : Ops::load_some(c + column, last));
				if constexpr (full)
					Ops::store_sums(c + column, value);
				else
					Ops::store_some(c + column, value, last);
			});
			c += c_stride;
		});
	};
	if (t.add)
		last == Ops::lanes ? put(constant<1>{}, constant<1>{}) : put(constant<0>{}, constant<1>{});
	else
		last == Ops::lanes ? put(constant<1>{}, constant<0>{}) : put(constant<0>{}, constant<0>{});
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

/** The pair_tile() of a family: rows in two runs of Half. */
template <class Ops, unsigned Half> void pair_tile(const tile_args &t)
{
	(t.columns > Ops::lanes ? tile_of<Ops, Half, Ops::panel / Ops::lanes, 2> : tile_of<Ops, Half, 1, 2>)(t);
}

#undef ATOM_INLINE

} // namespace
} // namespace atom::engine::kernels
