/* SPDX-License-Identifier: MIT */
/**
 * @file finish_avx512.h
 * @brief finish() in one pass over registers; included where AVX-512 is compiled for.
 */
#pragma once

#include "fast/bytes_avx512.h"
#include "fast/products.h"

namespace atom::engine::fast {
namespace {

/** Some columns of a row; RELU is a CLIP to [0, infinity], IDENTITY one to all. */
struct finish_row {
	const float *sums;
	const std::int32_t *integer_bias;
	const float *scale, *bias, *residual;
	__m512 low, high;

	template <bool Integer, bool Residual> __m512 real(std::size_t i, __mmask16 some) const
	{
		__m512 x;
		if constexpr (Integer) {
			__m512i sum = _mm512_maskz_loadu_epi32(some, sums + i);
			if (integer_bias)
				sum = _mm512_add_epi32(sum, _mm512_maskz_loadu_epi32(some, integer_bias + i));
			x = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_maskz_loadu_ps(some, scale + i));
		} else {
			x = _mm512_maskz_loadu_ps(some, sums + i);
		}
		if (bias)
			x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(some, bias + i));
		if constexpr (Residual)
			x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(some, residual + i));
		/* The second operand if one is NaN, or if both are 0. */
		return _mm512_min_ps(high, _mm512_max_ps(low, x));
	}
};

struct as_f32 {
	static constexpr std::size_t bytes = 4;
	void store(__m512 x, __mmask16 some, std::byte *to) const
	{
		/* Multiplied by 1, NaN is quiet. */
		_mm512_mask_storeu_ps(to, some, _mm512_mul_ps(x, _mm512_set1_ps(1)));
	}
};

struct as_f16 {
	static constexpr std::size_t bytes = 2;
	void store(__m512 x, __mmask16 some, std::byte *to) const
	{
		_mm256_mask_storeu_epi16(to, some, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
	}
};

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
};

template <class Output> Output make_output(const finish_args &t)
{
	if constexpr (Output::bytes == 1)
		return Output(t.out_scale, t.out_zero);
	else
		return Output();
}

/* A copy of the arguments: the outputs, being bytes, might be the arguments for all that the compiler knows. */
template <class Output, bool Integer, bool Residual> void finish_rows(const finish_args t)
{
	const Output output = make_output<Output>(t);
	const bool clips = t.activation == ATOM_FN_CLIP;
	const __m512 low = _mm512_set1_ps(clips ? t.p0 : t.activation == ATOM_FN_RELU ? 0 : -__builtin_inff());
	const __m512 high = _mm512_set1_ps(clips ? t.p1 : __builtin_inff());
	for (std::size_t row = 0; row < t.rows; ++row) {
		const finish_row from{static_cast<const float *>(t.sums) + row * t.stride, t.integer_bias, t.scale, t.bias,
				      t.residual, low, high};
		std::byte *to = t.out + static_cast<std::ptrdiff_t>(row) * t.out_stride;
		std::size_t i = 0;
		if constexpr (Output::bytes == 1)
			for (; i + 64 <= t.columns; i += 64)
				output.store(from.template real<Integer, Residual>(i, 0xffff),
					     from.template real<Integer, Residual>(i + 16, 0xffff),
					     from.template real<Integer, Residual>(i + 32, 0xffff),
					     from.template real<Integer, Residual>(i + 48, 0xffff), to + i);
		for (; i + 16 <= t.columns; i += 16)
			output.store(from.template real<Integer, Residual>(i, 0xffff), 0xffff, to + i * Output::bytes);
		if (i < t.columns) {
			const auto some = static_cast<__mmask16>((1u << (t.columns - i)) - 1);
			output.store(from.template real<Integer, Residual>(i, some), some, to + i * Output::bytes);
		}
	}
}

template <class Output> void finish_to(const finish_args &t)
{
	using function = void (*)(finish_args);
	static constexpr function functions[2][2] = {
		{finish_rows<Output, false, false>, finish_rows<Output, false, true>},
		{finish_rows<Output, true, false>, finish_rows<Output, true, true>},
	};
	functions[t.scale != nullptr][t.residual != nullptr](t);
}

void finish(const finish_args &t)
{
	switch (t.dtype) {
	case ATOM_DTYPE_F16:
		return finish_to<as_f16>(t);
	case ATOM_DTYPE_BF16:
		return finish_to<as_bf16>(t);
	case ATOM_DTYPE_I8:
		return finish_to<as_bytes<true>>(t);
	case ATOM_DTYPE_U8:
		return finish_to<as_bytes<false>>(t);
	default:
		return finish_to<as_f32>(t);
	}
}

} // namespace
} // namespace atom::engine::fast
