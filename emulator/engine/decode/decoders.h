/* SPDX-License-Identifier: MIT */
/**
 * @file decoders.h
 * @brief One decoder a command; nullptr after a misuse, which is then in the parser's fault.
 */
#pragma once

#include <memory>

#include "decode/parser.h"

namespace atom::engine {

std::unique_ptr<operation> decode_nop(parser &in);
std::unique_ptr<operation> decode_fence(parser &in);
std::unique_ptr<operation> decode_timestamp(parser &in);
std::unique_ptr<operation> decode_copy(parser &in);
std::unique_ptr<operation> decode_cast(parser &in);
std::unique_ptr<operation> decode_rope(parser &in);
std::unique_ptr<operation> decode_gather(parser &in);
std::unique_ptr<operation> decode_scatter(parser &in);
std::unique_ptr<operation> decode_gemm(parser &in);
std::unique_ptr<operation> decode_conv(parser &in); /* CONV2D and CONVT2D */
std::unique_ptr<operation> decode_pool(parser &in);
std::unique_ptr<operation> decode_resize(parser &in);
std::unique_ptr<operation> decode_binary(parser &in);
std::unique_ptr<operation> decode_unary(parser &in);
std::unique_ptr<operation> decode_select(parser &in);
std::unique_ptr<operation> decode_glu(parser &in);
std::unique_ptr<operation> decode_softmax(parser &in);
std::unique_ptr<operation> decode_norm(parser &in);
std::unique_ptr<operation> decode_reduce(parser &in);

/**
 * Decodes an epilogue whose result goes to @p out. @p bias_dtypes: allowed for
 * the bias, 0 = there must be none.
 */
bool read_epilogue(parser &in, const atom_epilogue &from, std::size_t field, std::uint32_t bias_dtypes,
		   const tensor &out, epilogue &to);

/**
 * The epilogue of GEMM, CONV2D and CONVT2D; @p integer: of i8/u8 inputs.
 * @param exact true if the output is the i32 accumulator itself
 */
bool read_product_epilogue(parser &in, const atom_epilogue &from, std::size_t field, bool integer, const tensor &out,
			   epilogue &to, bool &exact);

} // namespace atom::engine
