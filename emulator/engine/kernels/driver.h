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

/** Sums of the columns of panels of integers, f.columns for each panel. */
inline void sum_panels(const family &f, const std::byte *panels, std::size_t panel_bytes, std::size_t columns,
		       std::size_t groups, std::uint32_t *to)
{
	const std::size_t count = divide_up(columns, f.columns);
	for (std::size_t panel = 0; panel < count; ++panel, panels += panel_bytes)
		f.sum_columns(panels, groups, to + panel * f.columns);
}

} // namespace atom::engine::kernels
