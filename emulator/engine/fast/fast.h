/* SPDX-License-Identifier: MIT */
/**
 * @file fast.h
 * @brief The elementwise commands in runs and vectors; same results as reference.h.
 *
 * The operands' dims have been joined by merge(). A fault ends the function and is
 * left in @p mem.
 */
#pragma once

#include "fast/stream.h"
#include "rows_plan.h"
#include "choice_plan.h"

namespace atom::engine::fast {

/** Elements whose conversion and arithmetic take well under a millisecond. */
inline constexpr std::uint64_t elements_per_tile = 1u << 16;
/** Bytes that a copy of long rows moves in a tile. */
inline constexpr std::uint64_t copy_bytes_per_tile = 1u << 20;

/** A plan with its operands as streams over @ref dims. */
template <class Plan> struct streams {
	Plan p;
	index5 dims;
	stream in, b, residual, out;
};

streams<copy_plan> prepare(const copy_plan &p);
streams<cast_plan> prepare(const cast_plan &p);
streams<binary_plan> prepare(const binary_plan &p);
streams<unary_plan> prepare(const unary_plan &p);
streams<lrn_plan> prepare(const lrn_plan &p);
/** in and b are the choices, residual is the condition. */
streams<select_plan> prepare(const select_plan &p);
/** in is the gate, b the value. */
streams<glu_plan> prepare(const glu_plan &p);

void copy(const streams<copy_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last);
void cast(const streams<cast_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last);
void binary(const streams<binary_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last);
void unary(const streams<unary_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last);
void lrn(const streams<lrn_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last);
void select(const streams<select_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last);
void glu(const streams<glu_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last);

/** Elements that a copy does in a tile. */
std::uint64_t copy_elements_per_tile(const streams<copy_plan> &s);

} // namespace atom::engine::fast
