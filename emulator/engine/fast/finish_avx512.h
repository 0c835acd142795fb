/* SPDX-License-Identifier: MIT */
/**
 * @file finish_avx512.h
 * @brief finish() in one pass over registers; included where AVX-512 is compiled for.
 */
#pragma once

#include "fast/finish.h"
#include "kernels/bytes_avx512.h"
#include "kernels/outputs_avx512.h"

namespace atom::engine::fast {
namespace {

using kernels::as_bf16, kernels::as_bytes, kernels::as_f16, kernels::as_f32;

/** Some columns of a row. */
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
		return kernels::clamped(x, low, high);
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
	const __m512 low = _mm512_set1_ps(t.low), high = _mm512_set1_ps(t.high);
	const auto *residual = reinterpret_cast<const std::byte *>(t.residual);
	for (std::size_t row = 0; row < t.rows; ++row) {
		const finish_row from{static_cast<const float *>(t.sums) + row * t.stride, t.integer_bias, t.scale, t.bias,
				      reinterpret_cast<const float *>(residual), low, high};
		residual += t.residual_stride;
		std::byte *to = t.out + static_cast<std::ptrdiff_t>(row) * t.out_stride;
		std::size_t i = 0;
		if constexpr (Output::bytes == 1)
			for (; i + 64 <= t.columns; i += 64)
				output.store(from.template real<Integer, Residual>(i, 0xffff),
					     from.template real<Integer, Residual>(i + 16, 0xffff),
					     from.template real<Integer, Residual>(i + 32, 0xffff),
					     from.template real<Integer, Residual>(i + 48, 0xffff), to + i);
		if constexpr (__is_same(Output, as_bf16))
			for (; i + 32 <= t.columns; i += 32)
				output.store(from.template real<Integer, Residual>(i, 0xffff),
					     from.template real<Integer, Residual>(i + 16, 0xffff), to + i * Output::bytes);
		for (; i + 16 <= t.columns; i += 16)
			output.store(from.template real<Integer, Residual>(i, 0xffff), 0xffff, to + i * Output::bytes);
		if (i < t.columns) {
			const auto some = static_cast<__mmask16>((1u << (t.columns - i)) - 1);
			output.store(from.template real<Integer, Residual>(i, some), some, to + i * Output::bytes);
		}
	}
}

/**
 * 64 columns of i32 sums to bytes; a row with any in doubt is finished in full. False: some factor is not below 1/2, and
 * nothing was done.
 */
template <bool Signed> bool finish_64(const finish_args &t, const as_bytes<Signed> &output, std::size_t column)
{
	const __m512 low = _mm512_set1_ps(t.low), high = _mm512_set1_ps(t.high);
	const kernels::bytes_by_factor<Signed> quick(t.out_zero, output.all(low), output.all(high));
	__m512i bias[4];
	__m512 factor[4];
	__mmask16 small = 0xffff;
#pragma GCC unroll 4
	for (std::size_t j = 0; j < 4; ++j) {
		bias[j] = t.integer_bias ? _mm512_loadu_si512(t.integer_bias + column + 16 * j) : _mm512_setzero_si512();
		factor[j] = _mm512_mul_ps(_mm512_loadu_ps(t.scale + column + 16 * j), output.inverse);
		small &= _mm512_cmp_ps_mask(_mm512_abs_ps(factor[j]), _mm512_set1_ps(0.5f), _CMP_LT_OQ);
	}
	if (small != 0xffff)
		return false;
	const float *sums = static_cast<const float *>(t.sums) + column;
	std::byte *to = t.out + column;
	for (std::size_t row = 0; row < t.rows; ++row, sums += t.stride, to += t.out_stride) {
		__m512 x[4];
#pragma GCC unroll 4
		for (std::size_t j = 0; j < 4; ++j)
			x[j] = _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_loadu_si512(sums + 16 * j), bias[j]));
		__m512i bytes;
		if (quick.make(x, factor, bytes)) {
			output.store_packed(bytes, to);
			continue;
		}
		const finish_row from{sums - column, t.integer_bias, t.scale, nullptr, nullptr, low, high};
		output.store(from.template real<true, false>(column, 0xffff),
			     from.template real<true, false>(column + 16, 0xffff),
			     from.template real<true, false>(column + 32, 0xffff),
			     from.template real<true, false>(column + 48, 0xffff), to);
	}
	return true;
}

template <bool Signed> void finish_bytes(finish_args t)
{
	const as_bytes<Signed> output(t.out_scale, t.out_zero);
	std::size_t column = 0;
	while (output.usual && column + 64 <= t.columns && finish_64(t, output, column))
		column += 64;
	if (column == t.columns)
		return;
	t.sums = static_cast<const float *>(t.sums) + column;
	t.columns -= column;
	t.scale += column;
	if (t.integer_bias)
		t.integer_bias += column;
	t.out += column;
	finish_rows<as_bytes<Signed>, true, false>(t);
}

template <class Output> void finish_to(const finish_args &t)
{
	using function = void (*)(finish_args);
	static constexpr function functions[2][2] = {
		{finish_rows<Output, false, false>, finish_rows<Output, false, true>},
		{finish_rows<Output, true, false>, finish_rows<Output, true, true>},
	};
	if constexpr (Output::bytes == 1)
		if (t.scale && !t.bias && !t.residual)
			return finish_bytes<Output::is_signed>(t);
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
