/* SPDX-License-Identifier: MIT */
// AVX-512 F, BW, DQ, VL: f32 tiles, f16 and bf16 converted on their way.
#include "avx512_moves.h"
#include "few_rows_kernels.h"
#include "tile.h"

namespace atom::engine::kernels {
namespace {

struct f32_ops : avx512_floats {
	static accumulator multiply_add(accumulator sum, vector a, vector b)
	{
		return _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum);
	}
};

/** f32 vectors for few rows. */
struct floats {
	static constexpr unsigned lanes = 16, columns = 4;
	using vector = __m512;

	static vector zero() { return _mm512_setzero_ps(); }
	static vector broadcast(float x) { return _mm512_set1_ps(x); }
	static vector multiply_add(vector sum, vector a, vector b) { return _mm512_fmadd_ps(a, b, sum); }
	static vector add(vector a, vector b) { return _mm512_add_ps(a, b); }
	static float sum(vector v) { return _mm512_reduce_add_ps(v); }
	static vector load_floats(const float *from) { return _mm512_loadu_ps(from); }
	static vector load_some_floats(const float *from, unsigned count)
	{
		return _mm512_maskz_loadu_ps(first_lanes(count), from);
	}
	static void store(float *to, vector value) { _mm512_storeu_ps(to, value); }
	static void store_some(float *to, vector value, unsigned count)
	{
		_mm512_mask_storeu_ps(to, first_lanes(count), value);
	}
	template <class From> static vector converted(__m256i halves)
	{
		if constexpr (__is_same(From, half))
			return _mm512_cvtph_ps(halves);
		return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
	}
	template <class From> static vector load(const std::byte *from)
	{
		if constexpr (sizeof(From) == 4)
			return _mm512_loadu_ps(from);
		return converted<From>(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
	}
	template <class From> static vector load_some(const std::byte *from, std::size_t count)
	{
		if constexpr (sizeof(From) == 4)
			return _mm512_maskz_loadu_ps(first_lanes(count), from);
		return converted<From>(_mm256_maskz_loadu_epi16(first_lanes(count), from));
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
	.pair = pair_rows,
	.pair_tile = pair_tile<f32_ops, pair_rows>,
	.stage_a = stage_f32<avx512_moves>,
	.pack_b = pack_f32<avx512_moves, f32_ops::panel>,
	.sum_rows = nullptr,
	.sum_columns = nullptr,
	.output_columns = avx512_float_finish::columns,
};

void avx512_few_rows_f32(const few_rows_args &args, bool along_k)
{
	few_rows_f32<floats>(args, along_k);
}

const gemm_kernels avx512_kernels = {
	.f32 = &avx512_f32,
	.bf16 = &avx512_f32,
	.integer = {&avx2_integer, &avx2_integer, &avx2_integer, &avx2_integer},
	.few_rows_f32 = avx512_few_rows_f32,
	.few_rows_integer = avx2_few_rows_integer,
	.blocks_f32 = avx2_blocks_f32,
	.blocks_q8 = avx2_blocks_q8,
	.quantise = avx2_quantise,
};

} // namespace atom::engine::kernels
