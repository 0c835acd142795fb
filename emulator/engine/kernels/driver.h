/* SPDX-License-Identifier: MIT */
/**
 * @file driver.h
 * @brief What the portable drivers of the tiles share.
 */
#pragma once

#include "kernel_table.h"

namespace atom::engine::kernels {

inline constexpr std::size_t alignment = 64;

inline std::size_t aligned(std::size_t bytes)
{
	return (bytes + alignment - 1) / alignment * alignment;
}

inline std::size_t divide_up(std::size_t a, std::size_t b)
{
	return (a + b - 1) / b;
}

inline bool is_byte(atom_dtype type)
{
	return type == ATOM_DTYPE_I8 || type == ATOM_DTYPE_U8;
}

inline std::ptrdiff_t element_bytes(atom_dtype type)
{
	return type == ATOM_DTYPE_F32 ? 4 : is_byte(type) ? 1 : 2;
}

inline const family &family_of(atom_dtype a, atom_dtype b)
{
	const gemm_kernels &k = kernels();
	if (is_byte(a))
		return *k.integer[(a == ATOM_DTYPE_U8 ? 1 : 0) + (b == ATOM_DTYPE_U8 ? 2 : 0)];
	return a == ATOM_DTYPE_BF16 && b == ATOM_DTYPE_BF16 ? *k.bf16 : *k.f32;
}

} // namespace atom::engine::kernels
