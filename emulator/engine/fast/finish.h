/* SPDX-License-Identifier: MIT */
/**
 * @file finish.h
 * @brief The end of GEMM and CONV*, compiled once for each instruction set. All give the reference's bits.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "atom/hw/command.h"

namespace atom::engine::fast {

/** Sums to outputs in one pass. */
struct finish_args {
	const void *sums = nullptr; ///< f32, or i32 if there is a scale
	std::size_t rows = 0, columns = 0;
	std::size_t stride = 0; ///< elements of sums from row to row
	const std::int32_t *integer_bias = nullptr; ///< of each column, added to i32 sums; nullptr: none
	const float *scale = nullptr;               ///< of each column
	const float *bias = nullptr;                ///< of each column; nullptr: none
	const float *residual = nullptr;            ///< of each element, may be the output; nullptr: none
	std::ptrdiff_t residual_stride = 0;         ///< bytes
	float low = 0, high = 0;                    ///< the activation: the rest is held between these
	unsigned dtype = ATOM_DTYPE_F32; ///< f32, f16, bf16, i8, u8
	float out_scale = 1, out_zero = 0;
	std::byte *out = nullptr;
	std::ptrdiff_t out_stride = 0; ///< bytes
};

struct finish_kernels {
	void (*finish)(const finish_args &args);
};

/** For the instruction set in use. */
const finish_kernels &finish_vectors();

extern const finish_kernels finish_vectors_baseline;
extern const finish_kernels finish_vectors_avx2;
extern const finish_kernels finish_vectors_avx512;

} // namespace atom::engine::fast
