/* SPDX-License-Identifier: MIT */
/* Compiled once for each instruction set, ATOM_DEPTHWISE_VECTORS naming the table; see vector.cpp. Products and sums may be fused. */
#include "fast/depthwise_vectors.h"

#include <type_traits>

#ifdef __AVX512F__
#include "kernels/outputs_avx512.h"
#endif

namespace atom::engine::fast {

namespace {

using size = std::size_t;
using std::ptrdiff_t;

template <class T> struct vector_of {
	typedef T type __attribute__((vector_size(depthwise_lanes * sizeof(T))));
};

template <class T> using vector = typename vector_of<T>::type;
using floats = vector<float>;

#define ATOM_INLINE __attribute__((always_inline))

/* By reference everywhere: vectors that the instruction set lacks are no arguments. */
template <class T> ATOM_INLINE inline void load(const void *from, vector<T> &to)
{
	__builtin_memcpy(&to, from, sizeof to);
}

/* What images are made of. */
struct real {
	static constexpr ptrdiff_t bytes = 4;
	static constexpr bool has_zero = false;
	ATOM_INLINE static void read(const std::byte *from, floats &to) { load<float>(from, to); }
};

#ifdef __AVX512F__
struct brain {
	static constexpr ptrdiff_t bytes = 2;
	static constexpr bool has_zero = false;
	ATOM_INLINE static void read(const std::byte *from, floats &to)
	{
		const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
		to = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
	}
};

template <bool Signed> struct integer {
	static constexpr ptrdiff_t bytes = 1;
	static constexpr bool has_zero = true;
	ATOM_INLINE static void read(const std::byte *from, floats &to)
	{
		const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
		to = _mm512_cvtepi32_ps(Signed ? _mm512_cvtepi8_epi32(x) : _mm512_cvtepu8_epi32(x));
	}
};
#endif

ATOM_INLINE inline void finish(const depthwise_args &t, size channel, floats &sum)
{
	constexpr floats zeros = {};
	floats bias;
	if (t.bias) {
		load<float>(t.bias + channel, bias);
		sum += bias;
	}
	sum = sum < t.low ? t.low - zeros : sum;
	sum = sum > t.high ? t.high - zeros : sum;
}

/* What becomes of sums. */
struct to_reals {
	static constexpr ptrdiff_t bytes = 4;
	ATOM_INLINE static void write(const depthwise_args &t, size channel, floats &sum, std::byte *to)
	{
		finish(t, channel, sum);
		__builtin_memcpy(to, &sum, sizeof sum);
	}
};

struct to_integers {
	static constexpr ptrdiff_t bytes = 4;
	ATOM_INLINE static void write(const depthwise_args &, size, const floats &sum, std::byte *to)
	{
		const auto whole = __builtin_convertvector(sum, vector<std::int32_t>);
		__builtin_memcpy(to, &whole, sizeof whole);
	}
};

#ifdef __AVX512F__
struct to_brains {
	static constexpr ptrdiff_t bytes = 2;
	ATOM_INLINE static void write(const depthwise_args &t, size channel, floats &sum, std::byte *to)
	{
		finish(t, channel, sum);
		kernels::as_bf16().store(sum, 0xffff, to);
	}
};
#endif

template <unsigned N> using few = std::integral_constant<unsigned, N>;

inline ptrdiff_t times(size n, ptrdiff_t stride)
{
	return static_cast<ptrdiff_t>(n) * stride;
}

/* Some vectors of channels of a block of columns: each weight is loaded once for all of them. */
template <class In, class Out, unsigned Columns, unsigned Vectors>
void multiply(const depthwise_args &t, size row, const column_block &block, size channel)
{
	constexpr auto lanes = static_cast<ptrdiff_t>(depthwise_lanes);
	const ptrdiff_t column_stride = t.column_stride;
	const std::byte *image = t.image + times(row, t.row_stride) + times(block.first, column_stride) + times(channel, In::bytes);
	const kernels::tap_range rows = t.row_taps[row];
	floats sum[Columns][Vectors] = {};
	floats of_all[Vectors] = {}; /* weights that all columns have: the zero point is taken off once */
	for (size kh = rows.first; kh < rows.last; ++kh) {
		const float *weights = t.weights + kh * t.tap_columns * t.weight_stride + channel;
		const std::byte *line = image + t.row_offsets[kh];
		for (size kw = 0; kw < t.tap_columns; ++kw, weights += t.weight_stride) {
			const std::byte *from = line + t.column_offsets[kw];
			const column_skip skip = block.skips[kw];
			floats w[Vectors];
#pragma GCC unroll 8
			for (unsigned j = 0; j < Vectors; ++j)
				load<float>(weights + j * depthwise_lanes, w[j]);
			const auto add = [&](unsigned i, auto whole) ATOM_INLINE {
#pragma GCC unroll 8
				for (unsigned j = 0; j < Vectors; ++j) {
					floats x;
					In::read(from + i * column_stride + j * lanes * In::bytes, x);
					if constexpr (In::has_zero && !decltype(whole)::value)
						x -= t.zero;
					sum[i][j] += x * w[j];
				}
			};
			const auto add_all_but = [&](auto first, auto last) ATOM_INLINE {
#pragma GCC unroll 8
				for (unsigned i = 0; i < Columns; ++i)
					if (i >= first && i + last < Columns)
						add(i, std::bool_constant<decltype(first)::value + decltype(last)::value == 0>{});
			};
			switch (skip.first << 8 | skip.last) {
			case 0:
#pragma GCC unroll 8
				for (unsigned j = 0; In::has_zero && j < Vectors; ++j)
					of_all[j] += w[j];
				add_all_but(few<0>{}, few<0>{});
				break;
			case 1 << 8:
				add_all_but(few<1>{}, few<0>{});
				break;
			case 2 << 8:
				add_all_but(few<2>{}, few<0>{});
				break;
			case 1:
				add_all_but(few<0>{}, few<1>{});
				break;
			case 2:
				add_all_but(few<0>{}, few<2>{});
				break;
			default:
#pragma GCC unroll 8
				for (unsigned i = 0; i < Columns; ++i)
					if (i >= skip.first && i + skip.last < Columns)
						add(i, std::false_type{});
				break;
			}
		}
	}
	std::byte *out = t.out + times(row, t.out_row_stride) + times(block.first - t.first_column, t.out_column_stride) + times(channel, Out::bytes);
#pragma GCC unroll 8
	for (unsigned i = 0; i < Columns; ++i)
#pragma GCC unroll 8
		for (unsigned j = 0; j < Vectors; ++j) {
			if constexpr (In::has_zero)
				sum[i][j] -= of_all[j] * t.zero;
			Out::write(t, channel + j * depthwise_lanes, sum[i][j], out + i * t.out_column_stride + j * lanes * Out::bytes);
		}
}

/* Sums that registers hold: with too few of them each waits for itself. */
#ifdef __AVX512F__
constexpr unsigned columns_most = 8, sums = 16;
#else
constexpr unsigned columns_most = 4, sums = 4;
#endif

/* Channels beyond the last full vector are computed with some before them once more. */
template <class In, class Out, unsigned Columns> void all_channels(const depthwise_args &t, size row, const column_block &block)
{
	constexpr unsigned vectors = sums / Columns < 4 ? sums / Columns : 4;
	size channel = 0;
	for (; channel + vectors * depthwise_lanes <= t.channels; channel += vectors * depthwise_lanes)
		multiply<In, Out, Columns, vectors>(t, row, block, channel);
	for (; channel + depthwise_lanes <= t.channels; channel += depthwise_lanes)
		multiply<In, Out, Columns, 1>(t, row, block, channel);
	if (channel < t.channels)
		multiply<In, Out, Columns, 1>(t, row, block, t.channels - depthwise_lanes);
}

template <class In, class Out> void depthwise(const depthwise_args &t)
{
	using function = void (*)(const depthwise_args &, size, const column_block &);
	static constexpr function functions[] = {
		all_channels<In, Out, 1>, all_channels<In, Out, 2>, all_channels<In, Out, 3>, all_channels<In, Out, 4>,
#ifdef __AVX512F__
		all_channels<In, Out, 5>, all_channels<In, Out, 6>, all_channels<In, Out, 7>, all_channels<In, Out, 8>,
#endif
	};
	static_assert(sizeof functions / sizeof *functions == columns_most);
	for (size row = 0; row < t.rows; ++row)
		for (size i = 0; i < t.block_count; ++i)
			functions[t.blocks[i].count - 1](t, row, t.blocks[i]);
}

#undef ATOM_INLINE

} // namespace

constinit const depthwise_kernels ATOM_DEPTHWISE_VECTORS = {
	.columns = columns_most,
	.f32 = depthwise<real, to_reals>,
	.f32_to_i32 = depthwise<real, to_integers>,
#ifdef __AVX512F__
	.bf16 = depthwise<brain, to_reals>,
	.bf16_to_bf16 = depthwise<brain, to_brains>,
	.u8 = depthwise<integer<false>, to_integers>,
	.i8 = depthwise<integer<true>, to_integers>,
#endif
};

} // namespace atom::engine::fast
