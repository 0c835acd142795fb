/* SPDX-License-Identifier: MIT */
// AVX-512 BF16: vdpbf16ps adds two products of bf16 to an f32.
//
// The instruction takes subnormal inputs and sums as 0, which section 7 of include/README.md allows for it.
#include "lines.h"

namespace atom::engine::kernels {
namespace {

struct bf16_ops : avx512_floats {
	static accumulator multiply_add(accumulator sum, vector a, vector b)
	{
		return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
	}
};

constexpr line_family bf16_lines = {
	.rows = line_rows,
	.types = 1u << ATOM_DTYPE_BF16,
	.tile = lines_tile<bf16_ops>,
	.sum_lines = nullptr,
};

} // namespace

const family avx512_bf16 = {
	.rows = bf16_ops::rows,
	.columns = bf16_ops::panel,
	.group = 2,
	.in_place = 1u << ATOM_DTYPE_BF16,
	.integer = false,
	.b_offset = 0,
	.tile = tile<bf16_ops>,
	.pair = pair_rows,
	.pair_tile = pair_tile<bf16_ops, pair_rows>,
	.stage_a = stage_from<format_bf16, avx512_moves, brain>,
	.pack_b = pack_from<format_bf16, avx512_moves, brain, bf16_ops::panel>,
	.sum_rows = nullptr,
	.sum_columns = nullptr,
	.lines = &bf16_lines,
	.output_columns = avx512_float_finish::columns,
};

const gemm_kernels avx512_bf16_kernels = {
	.f32 = &avx512_f32,
	.bf16 = &avx512_bf16,
	.integer = {&avx512_vnni[0], &avx512_vnni[1], &avx512_vnni[2], &avx512_vnni[3]},
	.few_rows_f32 = avx512_few_rows_f32,
	.few_rows_integer = vnni_few_rows_integer,
	.blocks_f32 = avx2_blocks_f32,
	.blocks_q8 = vnni_blocks_q8,
	.quantise = avx2_quantise,
};

} // namespace atom::engine::kernels
