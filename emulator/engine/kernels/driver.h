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

/**
 * For each panel: sums of its columns (integers), or the least exponent (families with a careful tile).
 * @param to f.columns, or one, for each panel
 */
inline void describe_panels(const family &f, const std::byte *panels, std::size_t panel_bytes, std::size_t columns,
			    std::size_t groups, std::uint32_t *to)
{
	const std::size_t count = divide_up(columns, f.columns);
	for (std::size_t panel = 0; panel < count; ++panel, panels += panel_bytes) {
		if (f.integer)
			f.sum_columns(panels, groups, to + panel * f.columns);
		else if (f.careful_tile)
			to[panel] = f.least_of_panel(panels, groups);
	}
}

/** Exponents of rows and a panel whose products tile() may flush: see avx512_bf16.cpp. */
inline bool needs_care(const family &f, unsigned least_a, unsigned least_b)
{
	// Both above 0 and the lowest bit of a product normal.
	return f.careful_tile && (least_a == 0 || least_b == 0 || least_a + least_b < 268 - 126);
}

} // namespace atom::engine::kernels
