/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstddef>

#include "atom/hw/command.h"

namespace atom::engine::kernels {

/** Where sums of floats become outputs without a way through memory: clamp(sum + bias + residual). */
struct tile_output {
	std::byte *to = nullptr;   ///< of the first row (pixel), at the first column; nullptr: nowhere
	std::ptrdiff_t stride = 0; ///< bytes from row to row
	atom_dtype type = ATOM_DTYPE_NONE;   ///< f32, f16 or bf16
	const float *bias = nullptr;         ///< of each column; nullptr: none
	const std::byte *residual = nullptr; ///< f32 of each element, may be the output; nullptr: none
	std::ptrdiff_t residual_stride = 0;  ///< bytes from row to row
	float low = 0, high = 0;
};

} // namespace atom::engine::kernels
