/* SPDX-License-Identifier: MIT */
/**
 * @file outputs_avx512.h
 * @brief The end of an epilogue: sums in registers become floats in memory. Included where AVX-512 is compiled for.
 */
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace atom::engine::kernels {
namespace {

/** To [low, high]: the second operand of both if one is NaN, or if both are 0. */
inline __m512 clamped(__m512 x, __m512 low, __m512 high)
{
	return _mm512_min_ps(high, _mm512_max_ps(low, x));
}

struct as_f32 {
	static constexpr std::size_t bytes = 4;
	void store(__m512 x, __mmask16 some, std::byte *to) const
	{
		// Multiplied by 1, NaN is quiet.
		_mm512_mask_storeu_ps(to, some, _mm512_mul_ps(x, _mm512_set1_ps(1)));
	}
	void store(__m512 a, __m512 b, std::byte *to) const
	{
		store(a, 0xffff, to);
		store(b, 0xffff, to + 64);
	}
};

struct as_f16 {
	static constexpr std::size_t bytes = 2;
	void store(__m512 x, __mmask16 some, std::byte *to) const
	{
		_mm256_mask_storeu_epi16(to, some, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
	}
	void store(__m512 a, __m512 b, std::byte *to) const
	{
		store(a, 0xffff, to);
		store(b, 0xffff, to + 32);
	}
};

alignas(64) constexpr std::uint16_t even_words[] = {0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
						    32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62};

struct as_bf16 {
	static constexpr std::size_t bytes = 2;
	void store(__m512 x, __mmask16 some, std::byte *to) const
	{
		const __m512i bits = _mm512_castps_si512(x);
		const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
		__m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
		const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
		rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
		_mm256_mask_storeu_epi16(to, some, _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
	}
	/** Two vectors at once. */
	void store(__m512 a, __m512 b, std::byte *to) const
	{
#ifdef __AVX512BF16__
		// The instruction takes subnormal numbers as 0.
		constexpr int subnormal = 0x20;
		if (__builtin_expect(_mm512_fpclass_ps_mask(a, subnormal) | _mm512_fpclass_ps_mask(b, subnormal), 0)) {
			store(a, 0xffff, to);
			return store(b, 0xffff, to + 32);
		}
		_mm512_storeu_si512(to, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a)));
#else
		if (__builtin_expect(_mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q) != 0, 0)) {
			store(a, 0xffff, to);
			return store(b, 0xffff, to + 32);
		}
		const __m512i even = _mm512_loadu_si512(&even_words), odd = _mm512_add_epi16(even, _mm512_set1_epi16(1));
		const __m512i high = _mm512_permutex2var_epi16(_mm512_castps_si512(a), odd, _mm512_castps_si512(b));
		const __m512i low = _mm512_permutex2var_epi16(_mm512_castps_si512(a), even, _mm512_castps_si512(b));
		// Up if the low half is more than a half, or is one and the high half is odd.
		const __m512i most = _mm512_sub_epi16(_mm512_set1_epi16(INT16_MIN), _mm512_and_si512(high, _mm512_set1_epi16(1)));
		const __mmask32 up = _mm512_cmpgt_epu16_mask(low, most);
		_mm512_storeu_si512(to, _mm512_mask_add_epi16(high, up, high, _mm512_set1_epi16(1)));
#endif
	}
};

} // namespace
} // namespace atom::engine::kernels
