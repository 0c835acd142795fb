/* SPDX-License-Identifier: MIT */
/**
 * @file few_rows.h
 * @brief Products of few rows of a, and of blocks of weights: b is read where it lies.
 */
#pragma once

#include "gemm.h"

namespace atom::engine::kernels {

/** Whether few_rows() computes this product: all of block types, else up to few_rows_max rows with a suitable b. */
bool few_rows_apply(const gemm_args &args);
std::size_t few_rows_workspace(const gemm_args &args);
bool few_rows(const gemm_args &args, std::byte *workspace);

} // namespace atom::engine::kernels
