/* SPDX-License-Identifier: MIT */
/**
 * @file pool.h
 * @brief POOL2D; see reference.h.
 */
#pragma once

#include "pool_plan.h"

namespace atom::engine::reference {

/** Elements of windows that take about a millisecond: a tile has either that many, or one output. */
inline constexpr std::uint64_t pool_taps = 1u << 13;

void pool(const pool_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);

} // namespace atom::engine::reference
