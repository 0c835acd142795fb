/* SPDX-License-Identifier: MIT */
/**
 * @file resize.h
 * @brief RESIZE2D; see reference.h.
 */
#pragma once

#include "resize_plan.h"

namespace atom::engine::reference {

/** Taps that take about a millisecond: a tile has either that many, or one output. */
inline constexpr std::uint64_t resize_taps = 1u << 12;

void resize(const resize_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);

} // namespace atom::engine::reference
