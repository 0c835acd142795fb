/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstddef>
#include <cstdint>

#include "atom/hw/command.h"

namespace atom::engine::kernels {

/**
 * Where sums become outputs without a way through memory. Those of floats: clamp(sum + bias + residual) as f32, f16 or bf16;
 * integers: round(sum * scale / out_scale) + out_zero as i8 or u8, held between two.
 */
struct tile_output {
	std::byte *to = nullptr;   ///< of the first row (pixel), at the first column; nullptr: nowhere
	std::ptrdiff_t stride = 0; ///< bytes from row to row
	atom_dtype type = ATOM_DTYPE_NONE;

	const float *bias = nullptr;         ///< of each column; nullptr: none
	const std::byte *residual = nullptr; ///< f32 of each element, may be the output; nullptr: none
	std::ptrdiff_t residual_stride = 0;  ///< bytes from row to row
	float low = 0, high = 0;

	const std::int32_t *integer_bias = nullptr; ///< of each column, in the terms that its sums begin with; nullptr: none
	const float *scale = nullptr;               ///< of each column
	const float *factor = nullptr;              ///< of each column: scale * (1 / out_scale), below 1/2
	float out_scale = 1, out_zero = 0;          ///< the scale between 2^-60 and 2^60
	std::int32_t least = 0, most = 0;           ///< of the bytes
};

} // namespace atom::engine::kernels
