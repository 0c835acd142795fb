/* SPDX-License-Identifier: MIT */
/**
 * @file conv_plan.h
 * @brief CONV2D and CONVT2D, decoded.
 */
#pragma once

#include "plan.h"
#include "window_plan.h"

namespace atom::engine {

/** Tensors are [1, N, H, W, C]. */
struct conv_plan {
	bool transposed = false;
	bool integer = false; ///< i8/u8 inputs, i32 accumulator
	bool exact = false;   ///< integer, and the output is the accumulator itself
	bool constant_weight = false; ///< promised
	window_plan window;
	std::int64_t groups = 1;
	std::int64_t in_channels = 0, out_channels = 0; ///< of a group
	tensor in;
	tensor weight; ///< [1, O, KH, KW, C / groups]; transposed: [1, C, KH, KW, O / groups]
	tensor out;
	epilogue tail;

	/** Of the output. */
	std::int64_t pixels() const { return out.dims[1] * out.dims[2] * out.dims[3]; }
};

} // namespace atom::engine
