/* SPDX-License-Identifier: MIT */
/**
 * @file bytes_avx512.h
 * @brief f32 to quantised bytes in registers; included where AVX-512 is compiled for.
 */
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace atom::engine::kernels {
namespace {

/**
 * saturate(rint(x / scale) + zero point). The product with the rounded reciprocal is within 2^-13 of
 * the quotient wherever that does not saturate: only near the middle between two integers it is divided.
 */
template <bool Signed> struct as_bytes {
	static constexpr std::size_t bytes = 1;
	static constexpr bool is_signed = Signed;
	__m512 scale, inverse;
	__m512i zero;
	bool usual;

	as_bytes(float s, float zero_point)
		: scale(_mm512_set1_ps(s)), inverse(_mm512_set1_ps(1 / s)), zero(_mm512_set1_epi16(static_cast<short>(zero_point))),
		  usual(s > 0x1p-60f && s < 0x1p60f)
	{
	}
	/** Whether each of them is as near to its integer as to be sure of the quotient's. */
	static __mmask16 sure(__m512 product)
	{
		const __m512 rest = _mm512_abs_ps(_mm512_reduce_ps(product, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
		return _mm512_cmp_ps_mask(rest, _mm512_set1_ps(0.5f - 0x1p-13f), _CMP_LE_OQ);
	}
	/** To i32; what is far above any output's range is large, too. */
	static __m512i integers(__m512 quotient)
	{
		return _mm512_cvtps_epi32(_mm512_min_ps(quotient, _mm512_set1_ps(0x1p20f)));
	}
	/** To i32; what is far below any output's range is the smallest. */
	__m512i rounded(__m512 x) const
	{
		__m512 quotient = _mm512_mul_ps(x, inverse);
		if (__builtin_expect(sure(quotient) != 0xffff || !usual, 0))
			quotient = _mm512_maskz_div_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x, scale);
		return integers(quotient);
	}
	__m512i packed(__m512i a, __m512i b) const { return _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero); }
	static __m512i packed_bytes(__m512i a, __m512i b)
	{
		return Signed ? _mm512_packs_epi16(a, b) : _mm512_packus_epi16(a, b);
	}
	void store(__m512 x, __mmask16 some, std::byte *to) const
	{
		const __m512i none = _mm512_setzero_si512();
		const __m512i b = packed_bytes(packed(rounded(x), none), none);
		/* Packing works within 128 bits. */
		const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
		_mm_mask_storeu_epi8(to, some, _mm512_castsi512_si128(_mm512_permutexvar_epi32(order, b)));
	}
	/** Four vectors at once. */
	void store(__m512 a, __m512 b, __m512 c, __m512 d, std::byte *to) const
	{
		store_integers(rounded(a), rounded(b), rounded(c), rounded(d), to);
	}
	void store_integers(__m512i a, __m512i b, __m512i c, __m512i d, std::byte *to) const
	{
		store_packed(packed_bytes(packed(a, b), packed(c, d)), to);
	}
	static __m512i ordered(__m512i x)
	{
		const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
		return _mm512_permutexvar_epi32(order, x);
	}
	static void store_packed(__m512i x, std::byte *to) { _mm512_storeu_si512(to, ordered(x)); }
	/** x * factor + zero_point rounded and packed, as ordered() wants them. |x * factor| is below 2^30. */
	static __m512i scaled(const __m512 (&x)[4], const __m512 (&factor)[4], __m512 zero_point)
	{
		__m512i n[4];
#pragma GCC unroll 4
		for (int i = 0; i < 4; ++i)
			n[i] = _mm512_cvtps_epi32(_mm512_fmadd_ps(x[i], factor[i], zero_point));
		return packed_bytes(_mm512_packs_epi32(n[0], n[1]), _mm512_packs_epi32(n[2], n[3]));
	}
	static __m512i held(__m512i x, __m512i least, __m512i most)
	{
		if constexpr (Signed)
			return _mm512_min_epi8(most, _mm512_max_epi8(least, x));
		else
			return _mm512_min_epu8(most, _mm512_max_epu8(least, x));
	}
	/** In every byte. */
	__m512i all(__m512 x) const
	{
		std::byte bytes_of[16];
		store(x, 1, bytes_of);
		return _mm512_set1_epi8(static_cast<char>(bytes_of[0]));
	}
};

/**
 * Sums to bytes by one factor, sum's scale times reciprocal of the output's: their two roundings and the two of the reference
 * are 2^-14 for what is not saturated, the rounding of the sum with the zero point an eighth of that. Where both ends of the
 * doubt round to the same byte, it is the one. Rounding keeps the order, so that the activation holds bytes instead of reals.
 */
template <bool Signed> class bytes_by_factor {
public:
	bytes_by_factor(float out_zero, __m512i least, __m512i most)
		: below_(_mm512_set1_ps(out_zero - doubt)), above_(_mm512_set1_ps(out_zero + doubt)), least_(least), most_(most)
	{
	}
	/** 64 bytes, as as_bytes::ordered() wants them. False: some of them are in doubt. Factors are below 1/2. */
	[[gnu::always_inline]] bool make(const __m512 (&sums)[4], const __m512 (&factors)[4], __m512i &bytes) const
	{
		const __m512i first = as_bytes<Signed>::scaled(sums, factors, below_);
		bytes = as_bytes<Signed>::held(first, least_, most_);
		return __builtin_expect(_mm512_cmpneq_epi8_mask(first, as_bytes<Signed>::scaled(sums, factors, above_)) == 0, 1);
	}

private:
	static constexpr float doubt = 0x1.4p-14f;
	__m512 below_, above_;
	__m512i least_, most_;
};

} // namespace
} // namespace atom::engine::kernels
