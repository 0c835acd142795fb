/* SPDX-License-Identifier: MIT */
/**
 * @file pool_plan.h
 * @brief POOL2D, decoded.
 */
#pragma once

#include "plan.h"
#include "window_plan.h"

namespace atom::engine {

/** Tensors are [1, N, H, W, C]. */
struct pool_plan {
	std::uint32_t kind = ATOM_POOL_MAX;
	bool count_pad = false;
	bool integer = false; ///< integers without quantisation; MAX only
	float p = 0;
	window_plan window;
	tensor in, out;
	tensor index; ///< optional: i32 or i64
	epilogue tail;
};

} // namespace atom::engine
