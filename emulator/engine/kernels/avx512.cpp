/* SPDX-License-Identifier: MIT */
// AVX-512 F, BW, DQ, VL: f32 tiles, f16 and bf16 converted on their way.
#include "avx512_moves.h"
#include "tile.h"

namespace atom::engine::kernels {
namespace {

struct f32_ops : avx512_floats {
	static accumulator multiply_add(accumulator sum, vector a, vector b)
	{
		return _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum);
	}
};

} // namespace

const family avx512_f32 = {
	.rows = f32_ops::rows,
	.columns = f32_ops::panel,
	.group = 1,
	.in_place = 1u << ATOM_DTYPE_F32,
	.integer = false,
	.b_offset = 0,
	.tile = tile<f32_ops>,
	.careful_tile = nullptr,
	.stage_a = stage_f32<avx512_moves>,
	.pack_b = pack_f32<avx512_moves, f32_ops::panel>,
	.sum_rows = nullptr,
	.sum_columns = nullptr,
	.least_of_rows = nullptr,
	.least_of_panel = nullptr,
};

const gemm_kernels avx512_kernels = {
	.f32 = &avx512_f32,
	.bf16 = &avx512_f32,
	.integer = {&avx2_integer, &avx2_integer, &avx2_integer, &avx2_integer},
};

} // namespace atom::engine::kernels
