/* SPDX-License-Identifier: MIT */
/**
 * @file choice_plan.h
 * @brief SELECT and GLU, decoded: elementwise commands of more than two inputs, or of halves of one.
 */
#pragma once

#include "plan.h"

namespace atom::engine {

struct select_plan {
	tensor cond, a, b, out;
};

struct glu_plan {
	std::uint32_t function = ATOM_FN_IDENTITY;
	float p0 = 0;
	float limit = 0; ///< 0 = none
	float bias = 0;
	tensor gate, value; ///< of one packed input: its halves, each an operand of its own
	tensor out;
};

} // namespace atom::engine
