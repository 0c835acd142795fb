/* SPDX-License-Identifier: MIT */
/**
 * @file differences.h
 * @brief Compares what two engines made of one command.
 *
 * Bit for bit, but: NaN is NaN whatever its payload, and results that rest on
 * sums of floats (GEMM and CONV of floats, SOFTMAX, NORM, REDUCE, POOL2D's sums)
 * may differ by a bound that is coarser than the specification's: it takes each
 * term as large as moderate() memory lets it be. A wrong or missing term is
 * larger than that. Where a parameter makes the bound useless (an eps of 0, a
 * scale of 2^30, a long row), only the places that are written are compared.
 */
#pragma once

#include <string>

#include "harness.h"

namespace atom::engine::test {

enum class content {
	any,      ///< any bytes; sums of floats are not compared
	moderate, ///< read as f16, bf16 or f32 no value is large, and none tiny
	positive, ///< moderate, and none is negative
};

void fill(arena &mem, content what, unsigned seed);

/**
 * @p reference and @p fast have run @p op's command, on memory that was @p start.
 * @return what differs; empty if nothing does
 */
std::string difference(std::span<const std::byte> command, const operation &op, content what, arena &start,
		       arena &reference, arena &fast);

} // namespace atom::engine::test
