/* SPDX-License-Identifier: MIT */
/**
 * @file plan.h
 * @brief What a decoded command says, in the form that the kernels read.
 *
 * Decoding has checked all of it: every element of a tensor is inside its
 * operand, sizes do not overflow, and outputs do not overlap themselves.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine.h"

namespace atom::engine {

using index5 = std::array<std::int64_t, ATOM_RANK_MAX>;

/** How the integers of a tensor map to reals: real = scale * (q - zero_point). */
struct quantisation {
	std::uint8_t kind = ATOM_QUANT_NONE;
	std::uint8_t axis = 0; ///< of the padded dimensions
	float scale = 1;
	std::int32_t zero_point = 0;
	std::size_t scales = 0;      ///< PER_CHANNEL: operand of the f32 array
	std::size_t zero_points = 0; ///< operand of the i32 array, if has_zero_points
	bool has_zero_points = false;
	std::uint32_t scales_field = 0; ///< for faults that only the arrays' content can cause
	std::uint32_t zero_points_field = 0;
	std::uint64_t scales_va = 0;
	std::uint64_t zero_points_va = 0;
};

/** A tensor whose rank is padded to five by leading dimensions of 1 and stride 0. */
struct tensor {
	std::uint8_t dtype = ATOM_DTYPE_NONE;
	std::uint8_t rank = 0;             ///< as the command says it
	std::uint32_t element_bytes = 0;   ///< of a block for block dtypes
	std::uint32_t field = 0;           ///< byte offset in the command
	std::size_t operand = 0;
	index5 dims = {1, 1, 1, 1, 1};
	index5 strides = {};
	quantisation quant;

	explicit operator bool() const { return dtype != ATOM_DTYPE_NONE; }
};

/** struct atom_epilogue, decoded; bias and residual have the output's dims, broadcast by strides of 0. */
struct epilogue {
	std::uint16_t activation = ATOM_FN_IDENTITY;
	float p0 = 0;
	float p1 = 0;
	std::size_t lut = 0; ///< operand of the table, if activation is LUT
	tensor bias;
	tensor residual;
};

struct copy_plan {
	bool fill = false;
	std::uint64_t fill_bits = 0;
	tensor in; ///< block dtypes: dims count blocks, as if a block were an element
	tensor out;
};

struct cast_plan {
	bool toward_zero = false;
	bool wrap = false;
	tensor in;
	tensor out;
};

struct gemm_plan {
	float alpha = 1;
	bool act_q8 = false;
	bool integer = false;  ///< i8/u8 inputs, i32 accumulator
	bool exact = false;    ///< integer, and the output is the accumulator itself
	std::int64_t m = 0, n = 0, k = 0, batch = 0;
	tensor a, b, out;
	epilogue tail;
};

struct binary_plan {
	std::uint32_t kind = 0;
	bool integer = false; ///< integers without quantisation, computed exactly
	tensor a, b, out;
	epilogue tail;
};

struct unary_plan {
	std::uint32_t function = 0;
	float p0 = 0;
	float p1 = 0;
	bool integer = false;
	tensor in, out;
};

inline bool is_block(std::uint8_t dtype)
{
	return dtype >= ATOM_DTYPE_Q8_0 && dtype <= ATOM_DTYPE_Q4_1;
}
inline bool is_float(std::uint8_t dtype)
{
	return dtype >= ATOM_DTYPE_F16 && dtype <= ATOM_DTYPE_F32;
}
inline bool is_integer(std::uint8_t dtype)
{
	return dtype >= ATOM_DTYPE_I8 && dtype <= ATOM_DTYPE_I64;
}

/** An integer that stands for itself. */
inline bool is_plain_integer(const tensor &t)
{
	return is_integer(t.dtype) && t.quant.kind == ATOM_QUANT_NONE;
}

/** Bytes of an element, or of a block. */
std::uint32_t element_bytes(std::uint8_t dtype);

inline std::int64_t offset_of(const index5 &index, const index5 &strides)
{
	std::int64_t at = 0;
	for (std::size_t i = 0; i < index.size(); ++i)
		at += index[i] * strides[i];
	return at;
}

/** Index of the n-th element in row-major order. */
inline index5 index_at(std::uint64_t n, const index5 &dims)
{
	index5 index{};
	for (std::size_t i = dims.size(); i-- > 0;) {
		const auto d = static_cast<std::uint64_t>(dims[i]);
		index[i] = static_cast<std::int64_t>(n % d);
		n /= d;
	}
	return index;
}

/** Steps to the next element in row-major order; false after the last. */
inline bool next(index5 &index, const index5 &dims)
{
	for (std::size_t i = dims.size(); i-- > 0;) {
		if (++index[i] < dims[i])
			return true;
		index[i] = 0;
	}
	return false;
}

inline std::uint64_t elements(const index5 &dims)
{
	std::uint64_t n = 1;
	for (const std::int64_t d : dims)
		n *= static_cast<std::uint64_t>(d);
	return n;
}

} // namespace atom::engine
