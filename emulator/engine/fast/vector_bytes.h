/* SPDX-License-Identifier: MIT */
/**
 * @file vector_bytes.h
 * @brief Loops over quantised bytes in one pass over registers; included where AVX-512 is compiled for.
 */
#pragma once

#include "fast/vector.h"
#include "kernels/bytes_avx512.h"

namespace atom::engine::fast {
namespace {

using kernels::as_bytes;

inline __mmask16 lanes_of(std::size_t count)
{
	return static_cast<__mmask16>((1u << count) - 1);
}

template <bool Signed> void quantise_bytes(const float *from, void *to, std::size_t n, float scale, float zero)
{
	const as_bytes<Signed> output(scale, zero);
	auto *y = static_cast<std::byte *>(to);
	std::size_t i = 0;
	for (; i + 64 <= n; i += 64)
		output.store(_mm512_loadu_ps(from + i), _mm512_loadu_ps(from + i + 16), _mm512_loadu_ps(from + i + 32),
			     _mm512_loadu_ps(from + i + 48), y + i);
	for (; i + 16 <= n; i += 16)
		output.store(_mm512_loadu_ps(from + i), 0xffff, y + i);
	if (i < n)
		output.store(_mm512_maskz_loadu_ps(lanes_of(n - i), from + i), lanes_of(n - i), y + i);
}

/** Bytes as reals; signed ones are moved into 0 .. 255, as is their zero point. */
struct real_bytes {
	__m128i flip;
	__m512 scale, zero;

	real_bytes(bool is_signed, float s, float zero_point)
		: flip(_mm_set1_epi8(is_signed ? -128 : 0)), scale(_mm512_set1_ps(s)),
		  zero(_mm512_set1_ps(zero_point + (is_signed ? 128.0f : 0.0f)))
	{
	}
	__m512 of(__m128i bytes) const
	{
		const __m512i integers = _mm512_cvtepu8_epi32(_mm_xor_si128(bytes, flip));
		return _mm512_mul_ps(scale, _mm512_sub_ps(_mm512_cvtepi32_ps(integers), zero));
	}
};

template <bool Signed> void add_bytes_to(const add_bytes_args t)
{
	const as_bytes<Signed> output(t.out_scale, t.out_zero);
	const real_bytes a(t.a_signed, t.a_scale, t.a_zero), b(t.b_signed, t.b_scale, t.b_zero);
	const __m512 low = _mm512_set1_ps(t.low), high = _mm512_set1_ps(t.high);
	const auto sum = [&](__m128i x, __m128i y) __attribute__((always_inline)) {
		/* The second operand if one is NaN, or if both are 0. */
		return _mm512_min_ps(high, _mm512_max_ps(low, _mm512_add_ps(a.of(x), b.of(y))));
	};
	const auto whole = [&](std::size_t i) __attribute__((always_inline)) {
		return sum(_mm_loadu_si128(reinterpret_cast<const __m128i *>(t.a + i)),
			   _mm_loadu_si128(reinterpret_cast<const __m128i *>(t.b + i)));
	};
	std::size_t i = 0;
	for (; i + 64 <= t.n; i += 64)
		output.store(whole(i), whole(i + 16), whole(i + 32), whole(i + 48), t.out + i);
	for (; i + 16 <= t.n; i += 16)
		output.store(whole(i), 0xffff, t.out + i);
	if (const __mmask16 some = lanes_of(t.n - i))
		output.store(sum(_mm_maskz_loadu_epi8(some, t.a + i), _mm_maskz_loadu_epi8(some, t.b + i)), some, t.out + i);
}

void add_bytes(const add_bytes_args &t)
{
	(t.out_signed ? add_bytes_to<true> : add_bytes_to<false>)(t);
}

} // namespace
} // namespace atom::engine::fast
