/* SPDX-License-Identifier: MIT */
/**
 * @file gemm.h
 * @brief Dense matrix products of one thread: out (m x n) = a (m x k) * b (k x n).
 *
 * The engine's GEMM and CONV2D call these on blocks of the output and apply the
 * epilogue to the result. Nothing here allocates, starts a thread, knows guest
 * memory or keeps state but the selected instruction set. Every function may be
 * called from many threads at once, with workspaces of their own.
 *
 * Accuracy (spec, section 7): integer results are exact modulo 2^32. Float
 * results are f32 sums of exact products in an order that depends on the
 * instruction set and the shape; subnormals are kept but in products of bf16 with bf16. The operands may change while
 * a function runs: results are undefined then, memory accesses are not.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "atom/hw/dtype.h"

namespace atom::engine::kernels {

/**
 * A matrix somewhere in memory. Strides are bytes, of any sign, 0 included. For
 * block types (as b) row_stride leads from block to block along k.
 */
struct matrix {
	const std::byte *data = nullptr; ///< element (0, 0)
	std::ptrdiff_t row_stride = 0;
	std::ptrdiff_t column_stride = 0;
	atom_dtype type = ATOM_DTYPE_NONE;
};

/** Asked about every millisecond; once it answers true the function returns false as soon as it can. */
struct interrupt {
	bool (*asked)(void *context) = nullptr; ///< nullptr: never
	void *context = nullptr;

	bool pending() const { return asked && asked(context); }
};

/** Up to so many rows of a, b is multiplied where it lies: memory sets the speed. */
inline constexpr unsigned few_rows_max = 4;

/**
 * One product. The types of a and b are either
 *  - f32, f16, bf16 in any mix: out is f32;
 *  - i8, u8 in any mix: out is i32 = sum of (a - a_zero) * (b - b_zero) modulo 2^32;
 *  - f32, f16, bf16 and a block type (k is a multiple of 32): out is f32.
 */
struct gemm_args {
	std::size_t m = 0, n = 0, k = 0;
	matrix a, b;
	void *out = nullptr;             ///< float or std::int32_t, overwritten, aligned to 4
	std::size_t out_stride = 0;      ///< elements from row to row, >= n
	std::int32_t a_zero = 0;         ///< zero points: integers only
	const std::int32_t *b_zero = nullptr; ///< nullptr: 0
	std::size_t b_zero_step = 0;     ///< 1: b_zero[n], one for each column; 0: *b_zero for all
	bool act_q8 = false;             ///< block types: a is rounded to q8_0 first, block dots are exact (ATOM_GEMM_ACT_Q8)
	interrupt stop;
};

/** Whether the types are a combination that gemm() computes. */
bool gemm_supports(atom_dtype a, atom_dtype b);

/** Bytes of workspace (aligned to 64) that gemm() and gemm_packed() need for these shapes, strides and types. */
std::size_t gemm_workspace(const gemm_args &args);

/** Computes the product; packs what it needs into the workspace. False: interrupted, out is undefined. */
bool gemm(const gemm_args &args, std::byte *workspace);

/**
 * b in the order that the kernels read it, for use with many a. Made for all n
 * columns at once; gemm_packed() then works on any of them. Bound to the
 * instruction set selected when it was made.
 * @return bytes needed, aligned to 64
 */
std::size_t packed_b_bytes(atom_dtype a, atom_dtype b, std::size_t n, std::size_t k);
/** Columns of a panel of the packed b: first_column of gemm_packed() is a multiple of this. */
std::size_t packed_b_columns(atom_dtype a, atom_dtype b);
/**
 * Packs columns [first, last) of b (k x n) into @p to, a buffer of packed_b_bytes(n, k); first is a multiple
 * of packed_b_columns(), last too or n. So several threads can share the work. @p a is the type of the a to come.
 */
bool pack_b(const matrix &b, atom_dtype a, std::size_t n, std::size_t k, std::size_t first, std::size_t last,
	    std::byte *to, const interrupt &stop = {});
/**
 * As gemm(), with b = columns [first_column, first_column + args.n) of a packed b of @p columns columns in all.
 * args.b.type is as it was packed; the rest of args.b is not looked at. args.b_zero is of first_column.
 * Not with args.act_q8.
 */
bool gemm_packed(const gemm_args &args, const std::byte *packed, std::size_t columns, std::size_t first_column,
		 std::byte *workspace);
/** Rows of a from which packing b pays off against gemm() on the strided b; below it gemm() reads b in place. */
inline constexpr std::size_t packing_rows = 5;

/** Instruction sets, each including those before it. */
enum class isa { scalar, avx2, avx512, avx512_vnni, avx512_bf16 };
inline constexpr std::size_t isa_count = 5;

/** "scalar", "avx2", "avx512", "avx512-vnni", "avx512-vnni-bf16". */
const char *name(isa which);
/** Whether this CPU (and system) has it. */
bool available(isa which);
/** The one in use: the best available one unless select() said otherwise. */
isa selected();
/** For tests and benchmarks, while no other function runs. False: not available, nothing changes. */
bool select(isa which);

} // namespace atom::engine::kernels
