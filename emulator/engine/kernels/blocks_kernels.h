/* SPDX-License-Identifier: MIT */
/**
 * @file blocks_kernels.h
 * @brief Rows of a against blocks of weights in vectors of 256 bits, for AVX2 and
 * what comes after. Included by the files of the instruction sets only; see tile.h.
 *
 * Ops::dot_bytes(weights, a) gives 8 lanes of i32 whose sum is the dot product of
 * 32 weights and 32 values of a, minus Ops::excess * sum(a); weights are i8 for
 * q8_0 and 0 .. 15 else.
 */
#pragma once

#include <immintrin.h>

#include "elements.h"
#include "tile.h"

namespace atom::engine::kernels {
namespace {

inline float scale_at(const std::byte *from)
{
	return _cvtsh_ss(load_element<std::uint16_t>(from));
}

/** The 32 weights of a block as bytes: as they are, or nibbles. */
template <atom_dtype Type> __m256i block_bytes(const std::byte *block)
{
	if constexpr (Type == ATOM_DTYPE_Q8_0) {
		return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(block + 2));
	} else {
		const std::byte *nibbles = block + (Type == ATOM_DTYPE_Q4_0 ? 2 : 4);
		const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i *>(nibbles));
		return _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16(pairs, 4), pairs), _mm256_set1_epi8(15));
	}
}

/** Eight of them as f32, the real values: scale * q (+ min). */
template <atom_dtype Type> __m256 dequantised(__m128i bytes, __m256 scale, __m256 min)
{
	if constexpr (Type == ATOM_DTYPE_Q8_0) {
		return _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)));
	} else if constexpr (Type == ATOM_DTYPE_Q4_0) {
		const __m256i q = _mm256_sub_epi32(_mm256_cvtepi8_epi32(bytes), _mm256_set1_epi32(8));
		return _mm256_mul_ps(scale, _mm256_cvtepi32_ps(q));
	} else {
		return _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), min);
	}
}

inline float sum_lanes(__m256 v)
{
	const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
	const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
	return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

template <atom_dtype Type, unsigned Rows> void blocks_f32_rows(const block_args &t)
{
	for (std::size_t column = 0; column < t.columns; ++column) {
		const std::byte *b = t.b + static_cast<std::ptrdiff_t>(column) * t.b_stride;
		__m256 sum[Rows][2] = {};
		const float *a = t.a;
		for (std::size_t block = 0; block < t.blocks; ++block, b += t.b_step, a += 32) {
			const __m256i bytes = block_bytes<Type>(b);
			const __m256 scale = _mm256_set1_ps(scale_at(b));
			const __m256 min = Type == ATOM_DTYPE_Q4_1 ? _mm256_set1_ps(scale_at(b + 2)) : scale;
			const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
			const __m256 w[4] = {
				dequantised<Type>(low, scale, min),
				dequantised<Type>(_mm_srli_si128(low, 8), scale, min),
				dequantised<Type>(high, scale, min),
				dequantised<Type>(_mm_srli_si128(high, 8), scale, min),
			};
#pragma GCC unroll 4
			for (unsigned i = 0; i < Rows; ++i)
#pragma GCC unroll 4
				for (unsigned j = 0; j < 4; ++j)
					sum[i][j % 2] = _mm256_fmadd_ps(
						w[j], _mm256_loadu_ps(a + i * t.a_stride * 32 + 8 * j), sum[i][j % 2]);
		}
		for (unsigned i = 0; i < Rows; ++i)
			t.out[i * t.out_stride + column] = sum_lanes(_mm256_add_ps(sum[i][0], sum[i][1]));
	}
}

/** The sums of the lanes of eight vectors. */
inline __m256i sum_each(const __m256i *v)
{
	const __m256i a = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
	const __m256i b = _mm256_hadd_epi32(_mm256_hadd_epi32(v[4], v[5]), _mm256_hadd_epi32(v[6], v[7]));
	return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
}

inline __m256i load_8(const void *from)
{
	return _mm256_loadu_si256(static_cast<const __m256i *>(from));
}

/** Eight blocks at a time: each has its exact dot product before it meets its scales. */
template <class Ops, atom_dtype Type, unsigned Rows> void blocks_q8_rows(const block_args &t)
{
	// With fewer than eight blocks left, the last is repeated and its scale is 0.
	constexpr int excess = Type == ATOM_DTYPE_Q8_0 ? Ops::excess : Type == ATOM_DTYPE_Q4_0 ? 8 : 0;
	for (std::size_t column = 0; column < t.columns; ++column) {
		const std::byte *first = t.b + static_cast<std::ptrdiff_t>(column) * t.b_stride;
		__m256 sum[Rows] = {};
		for (std::size_t block = 0; block < t.blocks; block += 8) {
			__m256i weights[8];
			alignas(32) float scales[8], mins[8];
			const std::size_t there = t.blocks - block < 8 ? t.blocks - block : 8;
			for (unsigned j = 0; j < 8; ++j) {
				const std::size_t at = block + (j < there ? j : there - 1);
				const std::byte *b = first + static_cast<std::ptrdiff_t>(at) * t.b_step;
				weights[j] = block_bytes<Type>(b);
				scales[j] = j < there ? scale_at(b) : 0;
				mins[j] = Type == ATOM_DTYPE_Q4_1 && j < there ? scale_at(b + 2) : 0;
			}
			const __m256i some = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(there)),
								_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
			for (unsigned i = 0; i < Rows; ++i) {
				const std::size_t a = i * t.a_stride + block;
				__m256i dots[8];
				for (unsigned j = 0; j < 8; ++j) {
					const std::size_t at = a + (j < there ? j : there - 1);
					dots[j] = Ops::template dot_bytes<Type>(weights[j], load_8(t.q + 32 * at));
				}
				const __m256i a_sums = _mm256_maskload_epi32(t.sums + a, some);
				const __m256 a_scales = _mm256_maskload_ps(t.scale + a, some);
				const __m256i dot = _mm256_sub_epi32(
					sum_each(dots), _mm256_mullo_epi32(a_sums, _mm256_set1_epi32(excess)));
				const __m256 scale = _mm256_mul_ps(a_scales, _mm256_load_ps(scales));
				sum[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), scale, sum[i]);
				if constexpr (Type == ATOM_DTYPE_Q4_1)
					sum[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(a_sums),
								 _mm256_mul_ps(a_scales, _mm256_load_ps(mins)), sum[i]);
			}
		}
		for (unsigned i = 0; i < Rows; ++i)
			t.out[i * t.out_stride + column] = sum_lanes(sum[i]);
	}
}

template <atom_dtype Type, unsigned... Row>
void blocks_f32_of(const block_args &t, std::integer_sequence<unsigned, Row...>)
{
	using function = void (*)(const block_args &);
	static constexpr function functions[] = {blocks_f32_rows<Type, Row + 1>...};
	functions[t.rows - 1](t);
}

template <class Ops, atom_dtype Type, unsigned... Row>
void blocks_q8_of(const block_args &t, std::integer_sequence<unsigned, Row...>)
{
	using function = void (*)(const block_args &);
	static constexpr function functions[] = {blocks_q8_rows<Ops, Type, Row + 1>...};
	functions[t.rows - 1](t);
}

/** blocks_f32() and blocks_q8() of the table. */
inline void blocks_f32(const block_args &t)
{
	constexpr auto rows = std::make_integer_sequence<unsigned, few_rows_max>{};
	if (t.type == ATOM_DTYPE_Q8_0)
		blocks_f32_of<ATOM_DTYPE_Q8_0>(t, rows);
	else if (t.type == ATOM_DTYPE_Q4_0)
		blocks_f32_of<ATOM_DTYPE_Q4_0>(t, rows);
	else
		blocks_f32_of<ATOM_DTYPE_Q4_1>(t, rows);
}

template <class Ops> void blocks_q8(const block_args &t)
{
	constexpr auto rows = std::make_integer_sequence<unsigned, few_rows_max>{};
	if (t.type == ATOM_DTYPE_Q8_0)
		blocks_q8_of<Ops, ATOM_DTYPE_Q8_0>(t, rows);
	else if (t.type == ATOM_DTYPE_Q4_0)
		blocks_q8_of<Ops, ATOM_DTYPE_Q4_0>(t, rows);
	else
		blocks_q8_of<Ops, ATOM_DTYPE_Q4_1>(t, rows);
}

} // namespace
} // namespace atom::engine::kernels
