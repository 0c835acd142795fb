/* SPDX-License-Identifier: MIT */
// AVX-512 BF16: vdpbf16ps adds two products of bf16 to an f32.
//
// The instruction takes subnormal inputs as 0 and flushes subnormal sums. Products of bf16 are multiples of the
// product of their lowest bits, 2^(ea + eb - 268) with the exponent fields ea and eb; so are all sums of them, and
// as long as that is a normal number nothing can be flushed. The driver keeps the smallest exponents of rows and
// panels and takes the careful tile, which multiplies in f32, where they are too small.
#include "lines.h"

namespace atom::engine::kernels {
namespace {

struct bf16_ops : avx512_floats {
	static accumulator multiply_add(accumulator sum, vector a, vector b)
	{
		return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
	}
};

struct careful_ops : avx512_floats {
	static accumulator multiply_add(accumulator sum, vector a, vector b)
	{
		const __m512i high = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
		sum = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(a, 16)),
				      _mm512_castsi512_ps(_mm512_slli_epi32(b, 16)), sum);
		return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(a, high)),
				       _mm512_castsi512_ps(_mm512_and_si512(b, high)), sum);
	}
};

/** The smallest |x| that is not 0, as the greatest -2 |x| modulo 2^16. */
class least_magnitude {
public:
	void take(__m512i x) { most_ = _mm512_max_epu16(most_, _mm512_mullo_epi16(x, _mm512_set1_epi16(-2))); }
	void take(const least_magnitude &other) { most_ = _mm512_max_epu16(most_, other.most_); }
	unsigned exponent() const
	{
		const __m256i half = _mm256_max_epu16(_mm512_castsi512_si256(most_), _mm512_extracti64x4_epi64(most_, 1));
		const __m128i quarter = _mm_max_epu16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
		// The least of what is left to 0xffff, which only minima are found of.
		const __m128i left = _mm_minpos_epu16(_mm_xor_si128(quarter, _mm_set1_epi16(-1)));
		const unsigned most = 0xffffu - static_cast<unsigned>(_mm_extract_epi16(left, 0));
		return most == 0 ? 255 : (0x10000 - most) >> 8;
	}

private:
	__m512i most_ = _mm512_setzero_si512();
};

unsigned least_of_rows(const std::byte *a, std::ptrdiff_t stride, unsigned rows, std::size_t groups)
{
	least_magnitude even, odd;
	for (unsigned i = 0; i < rows; ++i, a += stride) {
		std::size_t g = 0;
		for (; g + 32 <= groups; g += 32) {
			even.take(_mm512_loadu_si512(a + 4 * g));
			odd.take(_mm512_loadu_si512(a + 4 * g + 64));
		}
		for (; g < groups; g += 16) {
			const __mmask16 there = groups - g < 16 ? first_lanes(groups - g) : __mmask16(0xffff);
			even.take(_mm512_maskz_loadu_epi32(there, a + 4 * g));
		}
	}
	even.take(odd);
	return even.exponent();
}

unsigned least_of_panel(const std::byte *panel, std::size_t groups)
{
	return least_of_rows(panel, 0, 1, groups * bf16_ops::panel);
}

constexpr line_family bf16_lines = {
	.rows = line_rows,
	.types = 1u << ATOM_DTYPE_BF16,
	.tile = lines_tile<bf16_ops>,
	.careful_tile = lines_tile<careful_ops>,
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
	.careful_tile = tile<careful_ops>,
	.stage_a = stage_from<format_bf16, avx512_moves, brain>,
	.pack_b = pack_from<format_bf16, avx512_moves, brain, bf16_ops::panel>,
	.sum_rows = nullptr,
	.sum_columns = nullptr,
	.least_of_rows = least_of_rows,
	.least_of_panel = least_of_panel,
	.lines = &bf16_lines,
	.outputs = true,
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
