/* SPDX-License-Identifier: MIT */
/**
 * @file element.h
 * @brief One element of a tensor, read or written through `memory`.
 *
 * All return false after a fault, which is then in @p mem.
 */
#pragma once

#include "engine.h"
#include "plan.h"

namespace atom::engine::reference {

/** Scale and zero point that hold at @p index; faults with BAD_QUANT if an array's value is unusable. */
bool read_quant(memory &mem, const tensor &t, const index5 &index, float &scale, std::int32_t &zero_point);
/** What the element stands for: floats as they are, integers dequantised, weights of blocks. */
bool read_real(memory &mem, const tensor &t, const index5 &index, float &to);
/** The stored integer. */
bool read_integer(memory &mem, const tensor &t, const index5 &index, std::int64_t &to);
/** Rounds to the output's dtype; integers are quantised and saturated. */
bool write_real(memory &mem, const tensor &t, const index5 &index, float value, bool toward_zero = false);
/** The low bits of @p value. */
bool write_integer(memory &mem, const tensor &t, const index5 &index, std::int64_t value);

/** @p count elements from @p index on along dimension @p axis, as they are in memory; one read if they are contiguous. */
bool read_run(memory &mem, const tensor &t, const index5 &index, unsigned axis, std::int64_t count, std::byte *to);

/** residual, activation and write, in this order; @p r has its bias. */
bool finish(memory &mem, const epilogue &tail, const tensor &out, const index5 &index, float r);
/** The epilogue of a float sum: bias, and what finish() does. */
bool finish_real(memory &mem, const epilogue &tail, const tensor &out, const index5 &index, float acc);
/** The epilogue of a sum of integers in units of @p scale; @p exact: the sum with its bias is the output. */
bool finish_integer(memory &mem, const epilogue &tail, const tensor &out, bool exact, const index5 &index,
		    std::uint32_t acc, float scale);

} // namespace atom::engine::reference
