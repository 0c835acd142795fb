/* SPDX-License-Identifier: MIT */
/**
 * @file rope.h
 * @brief ROPE, pair by pair.
 */
#pragma once

#include "engine.h"
#include "rope_plan.h"

namespace atom::engine::reference {

/** Rows [first, last) of the last dimension. A fault ends the function and is left in @p mem. */
void rope(const rope_plan &p, memory &mem, std::uint64_t first, std::uint64_t last);

} // namespace atom::engine::reference
