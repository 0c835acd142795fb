/* SPDX-License-Identifier: MIT */
/**
 * @file indexed.h
 * @brief GATHER and SCATTER, element by element.
 */
#pragma once

#include "box.h"
#include "indexed_plan.h"

namespace atom::engine::reference {

/** The elements of @p b. A fault ends the function and is left in @p mem. */
void gather(const indexed_plan &p, memory &mem, const box &b);
void scatter(const indexed_plan &p, memory &mem, const box &b);

/** Where in the table element @p i belongs. Reads each coordinate once. False: fault. */
bool locate(memory &mem, const indexed_plan &p, const index5 &i, index5 &at);
/** Element @p from of @p source becomes element @p to of @p target: bytes as they are, or converted. */
bool move_element(memory &mem, bool convert, const tensor &source, const index5 &from, const tensor &target,
		  const index5 &to);

} // namespace atom::engine::reference
