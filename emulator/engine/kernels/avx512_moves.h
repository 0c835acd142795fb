/* SPDX-License-Identifier: MIT */
/**
 * @file avx512_moves.h
 * @brief Vector moves of AVX-512 (F, BW, DQ, VL) for pack.h, and what its files share.
 */
#pragma once

#include <immintrin.h>

#include "kernel_table.h"
#include "outputs_avx512.h"
#include "pack.h"

namespace atom::engine::kernels {
namespace {

inline __mmask16 first_lanes(std::size_t count)
{
	return static_cast<__mmask16>((1u << count) - 1u);
}

struct avx512_moves {
	static constexpr unsigned lines = 16;

	static void half_run(const std::byte *from, std::size_t count, float *to)
	{
		std::size_t i = 0;
		for (; i + 16 <= count; i += 16)
			_mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256(
							 reinterpret_cast<const __m256i *>(from + 2 * i))));
		if (i < count) {
			const __mmask16 some = first_lanes(count - i);
			_mm512_mask_storeu_ps(to + i, some,
					      _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(some, from + 2 * i)));
		}
	}

	template <std::uint32_t Flip>
	static void transpose(const std::byte *const *from, std::ptrdiff_t at, std::uint32_t *to, std::size_t step)
	{
		__m512i r[16], s[16];
#pragma GCC unroll 16
		for (int i = 0; i < 16; ++i) {
			r[i] = _mm512_loadu_si512(from[i] + at);
			if constexpr (Flip != 0)
				r[i] = _mm512_xor_si512(r[i], _mm512_set1_epi32(static_cast<int>(Flip)));
		}
		// Dwords and pairs of dwords of neighbouring lines, within 128 bits.
#pragma GCC unroll 8
		for (int i = 0; i < 8; ++i) {
			s[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
			s[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
		}
#pragma GCC unroll 4
		for (int i = 0; i < 4; ++i) {
			r[4 * i] = _mm512_unpacklo_epi64(s[4 * i], s[4 * i + 2]);
			r[4 * i + 1] = _mm512_unpackhi_epi64(s[4 * i], s[4 * i + 2]);
			r[4 * i + 2] = _mm512_unpacklo_epi64(s[4 * i + 1], s[4 * i + 3]);
			r[4 * i + 3] = _mm512_unpackhi_epi64(s[4 * i + 1], s[4 * i + 3]);
		}
		// r[4 q + c]: columns c, c + 4, c + 8, c + 12 of lines 4 q .. 4 q + 3. Now the 128 bits.
#pragma GCC unroll 4
		for (int c = 0; c < 4; ++c) {
			const __m512i even0 = _mm512_shuffle_i32x4(r[c], r[c + 4], 0x88);
			const __m512i odd0 = _mm512_shuffle_i32x4(r[c], r[c + 4], 0xdd);
			const __m512i even1 = _mm512_shuffle_i32x4(r[c + 8], r[c + 12], 0x88);
			const __m512i odd1 = _mm512_shuffle_i32x4(r[c + 8], r[c + 12], 0xdd);
			_mm512_storeu_si512(to + (c + 0) * step, _mm512_shuffle_i32x4(even0, even1, 0x88));
			_mm512_storeu_si512(to + (c + 4) * step, _mm512_shuffle_i32x4(odd0, odd1, 0x88));
			_mm512_storeu_si512(to + (c + 8) * step, _mm512_shuffle_i32x4(even0, even1, 0xdd));
			_mm512_storeu_si512(to + (c + 12) * step, _mm512_shuffle_i32x4(odd0, odd1, 0xdd));
		}
	}

	/** Four rows of 32 bytes to 32 groups of four. */
	template <unsigned Panel>
	static void interleave(const std::byte *from, std::ptrdiff_t row_stride, std::uint32_t flip, std::uint32_t *to)
	{
		static_assert(Panel == 32);
		const __m256i flips = _mm256_set1_epi32(static_cast<int>(flip));
		// Unpacking works within 128 bits: bring columns 8 q + 4 l .. + 3 to dword q of half l.
		const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
		__m256i r[4];
#pragma GCC unroll 4
		for (int i = 0; i < 4; ++i)
			r[i] = _mm256_permutevar8x32_epi32(
				_mm256_xor_si256(flips, _mm256_loadu_si256(reinterpret_cast<const __m256i *>(
								from + i * row_stride))),
				order);
		const __m256i low01 = _mm256_unpacklo_epi8(r[0], r[1]), high01 = _mm256_unpackhi_epi8(r[0], r[1]);
		const __m256i low23 = _mm256_unpacklo_epi8(r[2], r[3]), high23 = _mm256_unpackhi_epi8(r[2], r[3]);
		auto *out = reinterpret_cast<__m256i *>(to);
		_mm256_storeu_si256(out + 0, _mm256_unpacklo_epi16(low01, low23));
		_mm256_storeu_si256(out + 1, _mm256_unpackhi_epi16(low01, low23));
		_mm256_storeu_si256(out + 2, _mm256_unpacklo_epi16(high01, high23));
		_mm256_storeu_si256(out + 3, _mm256_unpackhi_epi16(high01, high23));
	}
};

/** Images are often a multiple of 7 pixels wide, and twice 7 rows of two vectors are as many as there are registers for. */
inline constexpr unsigned pair_rows = 7;

/** Vectors of dwords: what the tiles of all AVX-512 families have in common. */
struct avx512_vectors {
	static constexpr unsigned lanes = 16, panel = 32, rows = 12, pair = pair_rows;
	using vector = __m512i;

	static vector broadcast(const std::byte *from)
	{
		int dword;
		std::memcpy(&dword, from, sizeof dword);
		return _mm512_set1_epi32(dword);
	}
	static vector load(const std::byte *from) { return _mm512_loadu_si512(from); }
};

/** Rows of one or two vectors of sums to outputs of floats; of the last vector all lanes or some. */
template <class Output, unsigned Vectors, bool Full> class avx512_float_rows {
public:
	static constexpr unsigned rows = 1; ///< at a time

	avx512_float_rows(const tile_output &to, unsigned columns)
	    : to_(to.to), residual_(to.residual), stride_(to.stride), residual_stride_(to.residual_stride),
	      low_(_mm512_set1_ps(to.low)), high_(_mm512_set1_ps(to.high)), last_(first_lanes(columns - (Vectors - 1) * 16)),
	      bias_{bias(to, 0), bias(to, Vectors - 1)}
	{
	}

	/** Called, it would send all of a tile's sums through memory. */
	template <unsigned Row, std::size_t Count>
	[[gnu::always_inline]] void put(const __m512 (&sums)[Count], const tile_args &) const
	{
		std::byte *to = to_ + std::ptrdiff_t{Row} * stride_;
		const std::byte *residual = residual_ ? residual_ + std::ptrdiff_t{Row} * residual_stride_ : nullptr;
		const __m512 a = output<0>(sums[Vectors * Row], residual);
		if constexpr (Vectors == 1)
			return output_.store(a, lanes(0), to);
		const __m512 b = output<1>(sums[Vectors * Row + Vectors - 1], residual);
		if constexpr (Full)
			return output_.store(a, b, to);
		output_.store(a, 0xffff, to);
		output_.store(b, lanes(1), to + 16 * Output::bytes);
	}
	void end(const tile_args &) const {}

private:
	[[gnu::always_inline]] __mmask16 lanes(unsigned vector) const
	{
		return Full || vector + 1 < Vectors ? static_cast<__mmask16>(0xffff) : last_;
	}
	[[gnu::always_inline]] __m512 bias(const tile_output &to, unsigned vector) const
	{
		// -0 added to anything is that.
		return to.bias ? _mm512_maskz_loadu_ps(lanes(vector), to.bias + 16 * vector) : _mm512_set1_ps(-0.0f);
	}
	template <unsigned Vector> [[gnu::always_inline]] __m512 output(__m512 sum, const std::byte *residual) const
	{
		sum = _mm512_add_ps(sum, bias_[Vector]);
		if (residual)
			sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes(Vector), residual + 64 * Vector));
		return clamped(sum, low_, high_);
	}

	std::byte *to_;
	const std::byte *residual_;
	std::ptrdiff_t stride_, residual_stride_;
	__m512 low_, high_;
	__mmask16 last_;
	__m512 bias_[2];
	Output output_;
};

struct avx512_float_finish {
	static constexpr unsigned columns = 1; ///< of which a tile's are a multiple

	template <unsigned Vectors, class Function> [[gnu::always_inline]] static void choose(const tile_args &t, const Function &function)
	{
		switch (t.output->type) {
		case ATOM_DTYPE_F16:
			return choose<Vectors, as_f16>(t, function);
		case ATOM_DTYPE_BF16:
			return choose<Vectors, as_bf16>(t, function);
		default:
			return choose<Vectors, as_f32>(t, function);
		}
	}

private:
	template <unsigned Vectors, class Output, class Function>
	[[gnu::always_inline]] static void choose(const tile_args &t, const Function &function)
	{
		if (t.columns == Vectors * 16)
			return function(avx512_float_rows<Output, Vectors, true>(*t.output, t.columns));
		function(avx512_float_rows<Output, Vectors, false>(*t.output, t.columns));
	}
};

struct avx512_floats : avx512_vectors {
	using accumulator = __m512;
	using element = float;
	using finish = avx512_float_finish;
	static constexpr bool integer = false;

	static accumulator zero() { return _mm512_setzero_ps(); }
	static accumulator add(accumulator a, accumulator b) { return _mm512_add_ps(a, b); }
	static accumulator load_sums(const float *from) { return _mm512_loadu_ps(from); }
	static void store_sums(float *to, accumulator value) { _mm512_storeu_ps(to, value); }
	static accumulator load_some(const float *from, unsigned count)
	{
		return _mm512_maskz_loadu_ps(first_lanes(count), from);
	}
	static void store_some(float *to, accumulator value, unsigned count)
	{
		_mm512_mask_storeu_ps(to, first_lanes(count), value);
	}
};

} // namespace
} // namespace atom::engine::kernels
