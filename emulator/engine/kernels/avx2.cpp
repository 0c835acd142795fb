/* SPDX-License-Identifier: MIT */
// AVX2, FMA, F16C: f32 tiles, and bytes widened to i16 for vpmaddwd, which is exact (vpmaddubsw saturates).
#include <immintrin.h>

#include "blocks_kernels.h"
#include "few_rows_kernels.h"
#include "pack.h"
#include "tile.h"

namespace atom::engine::kernels {
namespace {

inline __m256i first_lanes(unsigned count)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
				  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

struct avx2_moves {
	static constexpr unsigned lines = 8;

	static void half_run(const std::byte *from, std::size_t count, float *to)
	{
		std::size_t i = 0;
		for (; i + 8 <= count; i += 8)
			_mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(
							 reinterpret_cast<const __m128i *>(from + 2 * i))));
		for (; i < count; ++i)
			to[i] = to_float(load_element<half>(from + 2 * i));
	}

	template <std::uint32_t Flip>
	static void transpose(const std::byte *const *from, std::ptrdiff_t at, std::uint32_t *to, std::size_t step)
	{
		const __m256i flips = _mm256_set1_epi32(static_cast<int>(Flip));
		__m256i r[8], s[8];
#pragma GCC unroll 8
		for (int i = 0; i < 8; ++i)
			r[i] = _mm256_xor_si256(flips, _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from[i] + at)));
#pragma GCC unroll 4
		for (int i = 0; i < 4; ++i) {
			s[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
			s[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
		}
#pragma GCC unroll 2
		for (int i = 0; i < 2; ++i) {
			r[4 * i] = _mm256_unpacklo_epi64(s[4 * i], s[4 * i + 2]);
			r[4 * i + 1] = _mm256_unpackhi_epi64(s[4 * i], s[4 * i + 2]);
			r[4 * i + 2] = _mm256_unpacklo_epi64(s[4 * i + 1], s[4 * i + 3]);
			r[4 * i + 3] = _mm256_unpackhi_epi64(s[4 * i + 1], s[4 * i + 3]);
		}
#pragma GCC unroll 4
		for (int c = 0; c < 4; ++c) {
			_mm256_storeu_si256(reinterpret_cast<__m256i *>(to + c * step),
					    _mm256_permute2x128_si256(r[c], r[c + 4], 0x20));
			_mm256_storeu_si256(reinterpret_cast<__m256i *>(to + (c + 4) * step),
					    _mm256_permute2x128_si256(r[c], r[c + 4], 0x31));
		}
	}
};

struct avx2_vectors {
	static constexpr unsigned lanes = 8, panel = 16, rows = 6;
	using vector = __m256i;

	static vector broadcast(const std::byte *from)
	{
		int dword;
		std::memcpy(&dword, from, sizeof dword);
		return _mm256_set1_epi32(dword);
	}
	static vector load(const std::byte *from)
	{
		return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
	}
};

struct f32_ops : avx2_vectors {
	using accumulator = __m256;
	using element = float;
	static constexpr bool integer = false;

	static accumulator zero() { return _mm256_setzero_ps(); }
	static accumulator multiply_add(accumulator sum, vector a, vector b)
	{
		return _mm256_fmadd_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), sum);
	}
	static accumulator add(accumulator a, accumulator b) { return _mm256_add_ps(a, b); }
	static accumulator load_sums(const float *from) { return _mm256_loadu_ps(from); }
	static void store_sums(float *to, accumulator value) { _mm256_storeu_ps(to, value); }
	static accumulator load_some(const float *from, unsigned count)
	{
		return _mm256_maskload_ps(from, first_lanes(count));
	}
	static void store_some(float *to, accumulator value, unsigned count)
	{
		_mm256_maskstore_ps(to, first_lanes(count), value);
	}
};

struct i16_ops : avx2_vectors {
	using accumulator = __m256i;
	using element = std::int32_t;
	static constexpr bool integer = true;

	static accumulator zero() { return _mm256_setzero_si256(); }
	static accumulator multiply_add(accumulator sum, vector a, vector b)
	{
		return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
	}
	static accumulator add(accumulator a, accumulator b) { return _mm256_add_epi32(a, b); }
	static accumulator add_to_all(accumulator a, std::uint32_t term)
	{
		return _mm256_add_epi32(a, _mm256_set1_epi32(static_cast<int>(term)));
	}
	static accumulator load_sums(const void *from)
	{
		return _mm256_loadu_si256(static_cast<const __m256i *>(from));
	}
	static void store_sums(std::int32_t *to, accumulator value)
	{
		_mm256_storeu_si256(reinterpret_cast<__m256i *>(to), value);
	}
	static accumulator load_some(const std::int32_t *from, unsigned count)
	{
		return _mm256_maskload_epi32(from, first_lanes(count));
	}
	static void store_some(std::int32_t *to, accumulator value, unsigned count)
	{
		_mm256_maskstore_epi32(to, first_lanes(count), value);
	}
};

inline __m256i sum_pairs(__m256i sum, const std::byte *pairs)
{
	return _mm256_add_epi32(sum, _mm256_madd_epi16(avx2_vectors::load(pairs), _mm256_set1_epi16(1)));
}

void sum_rows(const std::byte *a, std::ptrdiff_t stride, unsigned rows, std::size_t groups, std::uint32_t *sums)
{
	for (unsigned i = 0; i < rows; ++i, a += stride) {
		__m256i sum = _mm256_setzero_si256();
		std::size_t g = 0;
		for (; g + 8 <= groups; g += 8)
			sum = sum_pairs(sum, a + 4 * g);
		alignas(32) std::uint32_t lanes[8];
		_mm256_store_si256(reinterpret_cast<__m256i *>(lanes), sum);
		std::uint32_t total = 0;
		for (std::uint32_t lane : lanes)
			total += lane;
		for (g *= 2; g < 2 * groups; ++g)
			total += static_cast<std::uint32_t>(load_element<std::int16_t>(a + 2 * g));
		sums[i] = total;
	}
}

void sum_columns(const std::byte *panel, std::size_t groups, std::uint32_t *sums)
{
	__m256i sum[2] = {};
	for (; groups; --groups, panel += 64)
		for (unsigned j = 0; j < 2; ++j)
			sum[j] = sum_pairs(sum[j], panel + 32 * j);
	_mm256_storeu_si256(reinterpret_cast<__m256i *>(sums), sum[0]);
	_mm256_storeu_si256(reinterpret_cast<__m256i *>(sums + 8), sum[1]);
}

/** f32 vectors for few rows. */
struct floats {
	static constexpr unsigned lanes = 8, columns = 2;
	using vector = __m256;

	static vector zero() { return _mm256_setzero_ps(); }
	static vector broadcast(float x) { return _mm256_set1_ps(x); }
	static vector multiply_add(vector sum, vector a, vector b) { return _mm256_fmadd_ps(a, b, sum); }
	static vector add(vector a, vector b) { return _mm256_add_ps(a, b); }
	static float sum(vector v) { return sum_lanes(v); }
	static vector load_floats(const float *from) { return _mm256_loadu_ps(from); }
	static vector load_some_floats(const float *from, unsigned count)
	{
		return _mm256_maskload_ps(from, first_lanes(count));
	}
	static void store(float *to, vector value) { _mm256_storeu_ps(to, value); }
	static void store_some(float *to, vector value, unsigned count)
	{
		_mm256_maskstore_ps(to, first_lanes(count), value);
	}
	template <class From> static vector load(const std::byte *from)
	{
		if constexpr (sizeof(From) == 4)
			return _mm256_loadu_ps(reinterpret_cast<const float *>(from));
		const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
		if constexpr (__is_same(From, half))
			return _mm256_cvtph_ps(halves);
		return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
	}
	template <class From> static vector load_some(const std::byte *from, std::size_t count)
	{
		alignas(32) std::byte padded[32] = {};
		std::memcpy(padded, from, count * sizeof(From));
		return load<From>(padded);
	}
};

/** b is widened to i16 as the staged rows are. */
template <bool UnsignedB, unsigned Rows> void few_integer_rows(const few_rows_args &t)
{
	const auto sum_lanes = [](__m256i v) {
		alignas(32) std::uint32_t lanes[8];
		_mm256_store_si256(reinterpret_cast<__m256i *>(lanes), v);
		std::uint32_t total = 0;
		for (std::uint32_t lane : lanes)
			total += lane;
		return total;
	};
	for (std::size_t column = 0; column < t.columns; ++column) {
		const std::byte *b = t.b + static_cast<std::ptrdiff_t>(column) * t.b_stride;
		__m256i sum[Rows] = {}, b_sum = _mm256_setzero_si256();
		const auto step = [&](const std::byte *bytes, std::size_t k, auto load_a) {
			const __m128i narrow = _mm_loadu_si128(reinterpret_cast<const __m128i *>(bytes));
			const __m256i wide =
				UnsignedB ? _mm256_cvtepu8_epi16(narrow) : _mm256_cvtepi8_epi16(narrow);
			b_sum = _mm256_add_epi32(b_sum, _mm256_madd_epi16(wide, _mm256_set1_epi16(1)));
#pragma GCC unroll 4
			for (unsigned i = 0; i < Rows; ++i)
				sum[i] = _mm256_add_epi32(
					sum[i], _mm256_madd_epi16(wide, load_a(t.a + i * t.a_stride + 2 * k)));
		};
		std::size_t k = 0;
		for (; k + 16 <= t.k; k += 16)
			step(b + k, k, [](const std::byte *a) { return avx2_vectors::load(a); });
		if (const std::size_t rest = t.k - k) {
			alignas(32) std::byte padded[16] = {};
			std::memcpy(padded, b + k, rest);
			step(padded, k, [=](const std::byte *a) {
				alignas(32) std::byte padded_a[32] = {};
				std::memcpy(padded_a, a, 2 * rest);
				return avx2_vectors::load(padded_a);
			});
		}
		for (unsigned i = 0; i < Rows; ++i)
			static_cast<std::uint32_t *>(t.out)[i * t.out_stride + column] = sum_lanes(sum[i]);
		if (t.column_sums)
			t.column_sums[column] = sum_lanes(b_sum);
	}
}

void few_rows_integer(const few_rows_args &t)
{
	using function = void (*)(const few_rows_args &);
	static constexpr function functions[2][few_rows_max] = {
		{few_integer_rows<false, 1>, few_integer_rows<false, 2>, few_integer_rows<false, 3>,
		 few_integer_rows<false, 4>},
		{few_integer_rows<true, 1>, few_integer_rows<true, 2>, few_integer_rows<true, 3>,
		 few_integer_rows<true, 4>},
	};
	functions[t.b_type == ATOM_DTYPE_U8][t.rows - 1](t);
}

struct bytes {
	static constexpr int excess = 0;
	/** vpmaddubsw of magnitudes and of a with the weights' signs: 2 * 128 * 127 fits in i16. */
	template <atom_dtype Type> static __m256i add_dots(__m256i sum, __m256i weights, __m256i a)
	{
		const __m256i pairs = Type == ATOM_DTYPE_Q8_0
					      ? _mm256_maddubs_epi16(_mm256_abs_epi8(weights),
								     _mm256_sign_epi8(a, weights))
					      : _mm256_maddubs_epi16(weights, a);
		return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
	}
};

} // namespace

const family avx2_f32 = {
	.rows = f32_ops::rows,
	.columns = f32_ops::panel,
	.group = 1,
	.in_place = 1u << ATOM_DTYPE_F32,
	.integer = false,
	.b_offset = 0,
	.tile = tile<f32_ops>,
	.pair = 0,
	.pair_tile = nullptr,
	.stage_a = stage_f32<avx2_moves>,
	.pack_b = pack_f32<avx2_moves, f32_ops::panel>,
	.sum_rows = nullptr,
	.sum_columns = nullptr,
};

const family avx2_integer = {
	.rows = i16_ops::rows,
	.columns = i16_ops::panel,
	.group = 2,
	.in_place = 0,
	.integer = true,
	.b_offset = 0,
	.tile = tile<i16_ops>,
	.pair = 0,
	.pair_tile = nullptr,
	.stage_a = stage_integer<format_i16, avx2_moves>,
	.pack_b = pack_integer<format_i16, avx2_moves, i16_ops::panel>,
	.sum_rows = sum_rows,
	.sum_columns = sum_columns,
};

void avx2_few_rows_integer(const few_rows_args &args)
{
	few_rows_integer(args);
}

void avx2_blocks_f32(const block_args &args)
{
	blocks_f32(args);
}

void avx2_quantise(const float *from, std::size_t blocks, const quantised &to)
{
	quantise_blocks(from, blocks, to);
}

void avx2_blocks_q8(const block_args &args)
{
	blocks_q8<bytes>(args);
}

const gemm_kernels avx2_kernels = {
	.f32 = &avx2_f32,
	.bf16 = &avx2_f32,
	.integer = {&avx2_integer, &avx2_integer, &avx2_integer, &avx2_integer},
	.few_rows_f32 = few_rows_f32<floats>,
	.few_rows_integer = avx2_few_rows_integer,
	.blocks_f32 = avx2_blocks_f32,
	.blocks_q8 = avx2_blocks_q8,
	.quantise = avx2_quantise,
};

} // namespace atom::engine::kernels
