/* SPDX-License-Identifier: MIT */
/**
 * @file gemm.h
 * @brief GEMM in large tiles on the kernels of kernels/gemm.h.
 */
#pragma once

#include "fast/stream.h"

namespace atom::engine::fast {

/** How a GEMM is cut: into rows x columns of a matrix, or into groups of whole small matrices. */
struct gemm_shape {
	std::int64_t rows = 0, columns = 0;
	std::int64_t row_parts = 1, column_parts = 1;
	std::int64_t matrices = 1; ///< in a tile
	std::uint64_t tiles = 1;
};
gemm_shape cut(const gemm_plan &p);

void gemm(const gemm_plan &p, const gemm_shape &shape, memory &mem, scratch &work, std::uint64_t tile);

} // namespace atom::engine::fast
