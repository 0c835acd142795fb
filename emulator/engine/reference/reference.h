/* SPDX-License-Identifier: MIT */
/**
 * @file reference.h
 * @brief What each command means: one plain scalar function a command.
 *
 * Compiled without contraction to FMA, so results are the same bits everywhere
 * but for what the C library's float functions differ in. Elements
 * [first, last) are of the output in row-major order. A fault ends the function
 * and is left in @p mem.
 */
#pragma once

#include "engine.h"
#include "plan.h"
#include "choice_plan.h"

namespace atom::engine::reference {

void copy(const copy_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);
void cast(const cast_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);
void binary(const binary_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);
void unary(const unary_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);
void select(const select_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);
void glu(const glu_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);

/** Outputs [m_first, m_last) x [n_first, n_last) of one matrix of the batch. */
struct gemm_tile {
	index5 matrix{}; ///< the last two are 0
	std::int64_t m_first = 0, m_last = 0;
	std::int64_t n_first = 0, n_last = 0;
};
/** Most rows and columns of a tile. */
inline constexpr std::int64_t gemm_rows = 16;
inline constexpr std::int64_t gemm_columns = 64;

void gemm(const gemm_plan &p, memory &mem, scratch &work, const gemm_tile &tile);

} // namespace atom::engine::reference
