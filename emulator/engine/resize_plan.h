/* SPDX-License-Identifier: MIT */
/**
 * @file resize_plan.h
 * @brief RESIZE2D, decoded.
 */
#pragma once

#include "numeric/resample.h"
#include "plan.h"

namespace atom::engine {

/** Tensors are [1, N, H, W, C]. */
struct resize_plan {
	bool integer = false; ///< integers without quantisation; NEAREST only
	float extrapolation = 0;
	resample_axis h, w;
	tensor in, out;

	bool nearest() const { return h.mode == ATOM_RESIZE_NEAREST; }
};

} // namespace atom::engine
