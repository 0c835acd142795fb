/* SPDX-License-Identifier: MIT */
/**
 * @file blocks_kernels.h
 * @brief Rows of a against blocks of weights in vectors of 256 bits, for AVX2 and
 * what comes after. Included by the files of the instruction sets only; see tile.h.
 *
 * Ops::add_dots(sum, weights, a) adds to 8 lanes of i32 the dot products of four weights
 * and values of a each, plus Ops::excess * sum(a) for q8_0; weights are i8 for q8_0 and
 * 0 .. 15 else.
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
						w[j], _mm256_loadu_ps(a + i * t.blocks * 32 + 8 * j), sum[i][j % 2]);
		}
		for (unsigned i = 0; i < Rows; ++i)
			t.out[i * t.out_stride + column] = sum_lanes(_mm256_add_ps(sum[i][0], sum[i][1]));
	}
}

inline __m256i load_8(const void *from)
{
	return _mm256_loadu_si256(static_cast<const __m256i *>(from));
}

/** Sixteen bytes of each of two blocks. */
inline __m256i halves(const std::byte *one, const std::byte *other)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i *>(one))),
				       _mm_loadu_si128(reinterpret_cast<const __m128i *>(other)), 1);
}

/** The first and the second sixteen weights of two blocks. */
template <atom_dtype Type>
void two_blocks(const std::byte *one, const std::byte *other, __m256i &first, __m256i &second)
{
	if constexpr (Type == ATOM_DTYPE_Q8_0) {
		first = halves(one + 2, other + 2);
		second = halves(one + 18, other + 18);
	} else {
		constexpr std::ptrdiff_t header = Type == ATOM_DTYPE_Q4_0 ? 2 : 4;
		const __m256i pairs = halves(one + header, other + header), low = _mm256_set1_epi8(15);
		first = _mm256_and_si256(pairs, low);
		second = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), low);
	}
}

/** Four blocks of each of two columns. */
struct eight_blocks {
	const std::byte *at[2][4];
};

/** What comes next of columns that lie side by side: two of them at a time look to the processor like no stream. */
template <atom_dtype Type> void prefetch(const eight_blocks &b)
{
	constexpr int ahead = 4096, block_bytes = Type == ATOM_DTYPE_Q8_0 ? 34 : Type == ATOM_DTYPE_Q4_0 ? 18 : 20;
	for (unsigned j = 0; j < 2; ++j)
		for (int at = 0; at < 4 * block_bytes; at += 64)
			_mm_prefetch(reinterpret_cast<const char *>(b.at[j][0]) + ahead + at, _MM_HINT_T0);
}

/** Their scales, and of q4_1 their minima: (column 0: blocks 0, 1; column 1: 0, 1; then 2, 3 of each). */
template <atom_dtype Type> __m256 scales_of(const eight_blocks &b, __m256 &mins)
{
	if constexpr (Type == ATOM_DTYPE_Q4_1) {
		__m256 pairs[2];
		for (unsigned j = 0; j < 2; ++j)
			pairs[j] = _mm256_cvtph_ps(_mm_setr_epi32(
				load_element<std::int32_t>(b.at[j][0]), load_element<std::int32_t>(b.at[j][1]),
				load_element<std::int32_t>(b.at[j][2]), load_element<std::int32_t>(b.at[j][3])));
		mins = _mm256_shuffle_ps(pairs[0], pairs[1], 0xdd);
		return _mm256_shuffle_ps(pairs[0], pairs[1], 0x88);
	} else {
		const auto one = [&](unsigned j, unsigned i) { return load_element<std::int16_t>(b.at[j][i]); };
		return _mm256_cvtph_ps(_mm_setr_epi16(one(0, 0), one(0, 1), one(1, 0), one(1, 1), one(0, 2), one(0, 3),
						      one(1, 2), one(1, 3)));
	}
}

/** Adds a group of blocks, each with its exact dot product before it meets its scales. @p mask: lanes that there are */
template <class Ops, atom_dtype Type, unsigned Rows>
void add_group(const block_args &t, std::size_t group, const eight_blocks &b, __m256 mask, __m256 *sum)
{
	constexpr int excess = Type == ATOM_DTYPE_Q8_0 ? Ops::excess : Type == ATOM_DTYPE_Q4_0 ? 8 : 0;
	__m256i weights[4][2];
	prefetch<Type>(b);
	for (unsigned j = 0; j < 4; ++j)
		two_blocks<Type>(b.at[j / 2][j % 2], b.at[j / 2][j % 2 + 2], weights[j][0], weights[j][1]);
	__m256 mins = _mm256_setzero_ps();
	const __m256 scales = _mm256_and_ps(scales_of<Type>(b, mins), mask);
	mins = _mm256_and_ps(mins, mask);
	const std::size_t groups = q8_groups(t.blocks);
#pragma GCC unroll 4
	for (unsigned i = 0; i < Rows; ++i) {
		const std::size_t at = i * groups + group;
		const std::int8_t *q = t.q + q8_group_bytes * at;
		__m256i dots[4];
		for (unsigned j = 0; j < 4; ++j) {
			const std::int8_t *a = q + 64 * (j % 2);
			dots[j] = Ops::template add_dots<Type>(_mm256_setzero_si256(), weights[j][0], load_8(a));
			dots[j] = Ops::template add_dots<Type>(dots[j], weights[j][1], load_8(a + 32));
		}
		__m256i dot = _mm256_hadd_epi32(_mm256_hadd_epi32(dots[0], dots[1]), _mm256_hadd_epi32(dots[2], dots[3]));
		if constexpr (excess != 0)
			dot = _mm256_sub_epi32(
				dot, _mm256_mullo_epi32(load_8(t.sums + 8 * at), _mm256_set1_epi32(excess)));
		sum[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_mul_ps(scales, _mm256_loadu_ps(t.scale + 8 * at)),
					 sum[i]);
		if constexpr (Type == ATOM_DTYPE_Q4_1)
			sum[i] = _mm256_fmadd_ps(mins, _mm256_loadu_ps(t.scaled_sums + 8 * at), sum[i]);
	}
}

template <class Ops, atom_dtype Type, unsigned Rows> void blocks_q8_rows(const block_args &t)
{
	const __m256 all = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
	const __m256i numbers = _mm256_setr_epi32(0, 1, 0, 1, 2, 3, 2, 3);
	const std::size_t whole = t.blocks / 4, rest = t.blocks % 4;
	const __m256 some = _mm256_castsi256_ps(
		_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(rest)), numbers));
	for (std::size_t column = 0; column < t.columns; column += 2) {
		const std::byte *first = t.b + static_cast<std::ptrdiff_t>(column) * t.b_stride;
		const bool two_columns = column + 1 < t.columns;
		const std::byte *second = two_columns ? first + t.b_stride : first;
		const auto blocks_from = [&](std::size_t block, std::size_t count) {
			eight_blocks b;
			for (std::size_t i = 0; i < 4; ++i) {
				const auto offset = static_cast<std::ptrdiff_t>(block + (i < count ? i : 0)) * t.b_step;
				b.at[0][i] = first + offset;
				b.at[1][i] = second + offset;
			}
			return b;
		};
		__m256 sum[Rows] = {};
		for (std::size_t group = 0; group < whole; ++group)
			add_group<Ops, Type, Rows>(t, group, blocks_from(4 * group, 4), all, sum);
		if (rest)
			add_group<Ops, Type, Rows>(t, whole, blocks_from(4 * whole, rest), some, sum);
		for (unsigned i = 0; i < Rows; ++i) {
			const __m128 four =
				_mm_add_ps(_mm256_castps256_ps128(sum[i]), _mm256_extractf128_ps(sum[i], 1));
			const __m128 two = _mm_hadd_ps(four, four);
			float *out = t.out + i * t.out_stride + column;
			out[0] = _mm_cvtss_f32(two);
			if (two_columns)
				out[1] = _mm_cvtss_f32(_mm_movehdup_ps(two));
		}
	}
}

/** Where what belongs to block @p i of a group stands: its scale in two lanes, its weights in two halves. */
inline unsigned lane_of(std::size_t i) { return static_cast<unsigned>(i / 2 * 4 + i % 2); }
inline unsigned bytes_of(std::size_t i) { return static_cast<unsigned>(i / 2 * 16 + i % 2 * 64); }

/** Rounds 32 values; returns their sum. */
inline std::int32_t quantise_block(const float *from, std::int8_t *low, std::int8_t *high, float &scale)
{
	const __m256 sign = _mm256_set1_ps(-0.0f), one = _mm256_set1_ps(1), limit = _mm256_set1_ps(127);
	__m256 x[4], greatest = _mm256_setzero_ps();
	for (unsigned i = 0; i < 4; ++i) {
		x[i] = _mm256_loadu_ps(from + 8 * i);
		greatest = _mm256_max_ps(_mm256_andnot_ps(sign, x[i]), greatest); // leaves out what is no number
	}
	const __m128 four = _mm_max_ps(_mm256_castps256_ps128(greatest), _mm256_extractf128_ps(greatest, 1));
	const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
	const float unit = _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two))) / 127;
	scale = _cvtsh_ss(_cvtss_sh(unit, _MM_FROUND_TO_NEAREST_INT));
	__m256i n[4];
	for (unsigned i = 0; i < 4; ++i) {
		__m256 v = _mm256_div_ps(x[i], _mm256_set1_ps(unit));
		v = _mm256_and_ps(v, _mm256_cmp_ps(v, v, _CMP_ORD_Q));
		v = _mm256_max_ps(_mm256_min_ps(v, limit), _mm256_xor_ps(limit, sign));
		const __m256 whole = _mm256_round_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
		// Half away from zero: the rest is exact.
		const __m256 rest = _mm256_andnot_ps(sign, _mm256_sub_ps(v, whole));
		const __m256 away = _mm256_and_ps(_mm256_cmp_ps(rest, _mm256_set1_ps(0.5f), _CMP_GE_OQ),
						  _mm256_or_ps(one, _mm256_and_ps(v, sign)));
		n[i] = _mm256_cvttps_epi32(_mm256_add_ps(whole, away));
	}
	const __m256i bytes = _mm256_permutevar8x32_epi32(
		_mm256_packs_epi16(_mm256_packs_epi32(n[0], n[1]), _mm256_packs_epi32(n[2], n[3])),
		_mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
	_mm_storeu_si128(reinterpret_cast<__m128i *>(low), _mm256_castsi256_si128(bytes));
	_mm_storeu_si128(reinterpret_cast<__m128i *>(high), _mm256_extracti128_si256(bytes, 1));
	const __m256i sums = _mm256_add_epi32(_mm256_add_epi32(n[0], n[1]), _mm256_add_epi32(n[2], n[3]));
	const __m128i s4 = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
	const __m128i s2 = _mm_add_epi32(s4, _mm_unpackhi_epi64(s4, s4));
	return _mm_cvtsi128_si32(_mm_add_epi32(s2, _mm_shuffle_epi32(s2, 1)));
}

/** quantise() of the table: in groups of four blocks, in the order in which add_group() meets them. */
inline void quantise_blocks(const float *from, std::size_t blocks, const quantised &to)
{
	for (std::size_t block = 0; block < 4 * q8_groups(blocks); ++block, from += 32) {
		const std::size_t group = block / 4;
		std::int8_t *q = to.q + q8_group_bytes * group + bytes_of(block % 4);
		float scale = 0;
		std::int32_t sum = 0;
		if (block < blocks) {
			sum = quantise_block(from, q, q + 32, scale);
		} else {
			_mm_storeu_si128(reinterpret_cast<__m128i *>(q), _mm_setzero_si128());
			_mm_storeu_si128(reinterpret_cast<__m128i *>(q + 32), _mm_setzero_si128());
		}
		const std::size_t lane = 8 * group + lane_of(block % 4);
		for (const std::size_t at : {lane, lane + 2}) {
			to.scale[at] = scale;
			to.sums[at] = sum;
			to.scaled_sums[at] = scale * static_cast<float>(sum);
		}
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
