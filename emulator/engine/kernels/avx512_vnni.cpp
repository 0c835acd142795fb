/* SPDX-License-Identifier: MIT */
// AVX-512 VNNI: vpdpbusd adds four products of an unsigned and a signed byte to an i32, without saturation.
// The bytes of a are used as they are; those of b are moved by 128 where both have the same signedness.
#include "blocks_kernels.h"
#include "bytes_avx512.h"
#include "lines.h"

namespace atom::engine::kernels {
namespace {

// Of i32, not __m512i: GCC 12 copies each sum to memory and back where it has to reinterpret lanes.
using integers [[gnu::vector_size(64)]] = std::int32_t;

/** Rows of two vectors of sums to outputs of bytes. Rows with a byte in doubt come last, by way of memory. */
template <bool Signed> class byte_rows {
public:
	static constexpr unsigned rows = 2; ///< at a time

	explicit byte_rows(const tile_output &to)
	    : to_(to.to), stride_(to.stride), factors_{_mm512_loadu_ps(to.factor), _mm512_loadu_ps(to.factor + 16)},
	      quick_(to.out_zero, _mm512_set1_epi8(static_cast<char>(to.least)), _mm512_set1_epi8(static_cast<char>(to.most)))
	{
	}

	template <unsigned Row, std::size_t Count>
	[[gnu::always_inline]] void put(const integers (&sums)[Count], const tile_args &t)
	{
		constexpr bool two = 2 * (Row + 1) < Count;
		constexpr unsigned next = two ? Row + 1 : Row;
		const __m512 reals[4] = {real(sums[2 * Row]), real(sums[2 * Row + 1]), real(sums[2 * next]),
					 real(sums[2 * next + 1])};
		const __m512 factors[4] = {factors_[0], factors_[1], factors_[0], factors_[1]};
		__m512i bytes;
		if (quick_.make(reals, factors, bytes)) {
			bytes = as_bytes<Signed>::ordered(bytes);
			std::byte *to = to_ + std::ptrdiff_t{Row} * stride_;
			_mm256_storeu_si256(reinterpret_cast<__m256i *>(to), _mm512_castsi512_si256(bytes));
			if constexpr (two)
				_mm256_storeu_si256(reinterpret_cast<__m256i *>(to + stride_),
						    _mm512_extracti64x4_epi64(bytes, 1));
			return;
		}
		keep(sums[2 * Row], sums[2 * Row + 1], Row, t);
		if constexpr (two)
			keep(sums[2 * next], sums[2 * next + 1], next, t);
	}
	void end(const tile_args &t) const
	{
		if (__builtin_expect(doubtful_ != 0, 0))
			put_exactly(t, doubtful_);
	}

private:
	[[gnu::always_inline]] static __m512 real(integers sums)
	{
		return _mm512_cvtepi32_ps(reinterpret_cast<__m512i>(sums));
	}
	[[gnu::always_inline]] void keep(integers left, integers right, unsigned row, const tile_args &t)
	{
		auto *c = static_cast<std::int32_t *>(t.c) + row * t.c_stride;
		_mm512_storeu_si512(c, reinterpret_cast<__m512i>(left));
		_mm512_storeu_si512(c + 16, reinterpret_cast<__m512i>(right));
		doubtful_ |= 1u << row;
	}
	/** As the reference does it. */
	[[gnu::noinline]] static void put_exactly(const tile_args &t, unsigned rows)
	{
		const tile_output to = *t.output;
		const as_bytes<Signed> output(to.out_scale, to.out_zero);
		for (; rows; rows &= rows - 1) {
			const auto row = static_cast<unsigned>(__builtin_ctz(rows));
			const auto *c = static_cast<const std::int32_t *>(t.c) + row * t.c_stride;
			std::byte *place = to.to + static_cast<std::ptrdiff_t>(row) * to.stride;
			for (unsigned i = 0; i < 32; i += 16) {
				const __m512 sums = _mm512_cvtepi32_ps(_mm512_loadu_si512(c + i));
				const __m512 x = _mm512_mul_ps(sums, _mm512_loadu_ps(to.scale + i));
				output.store(clamped(x, _mm512_set1_ps(to.low), _mm512_set1_ps(to.high)), 0xffff, place + i);
			}
		}
	}

	std::byte *to_;
	std::ptrdiff_t stride_;
	__m512 factors_[2];
	bytes_by_factor<Signed> quick_;
	unsigned doubtful_ = 0;
};

struct byte_finish {
	static constexpr unsigned columns = 32; ///< of which a tile's are a multiple

	template <unsigned Vectors, class Function> static void choose(const tile_args &t, const Function &function)
	{
		const tile_output &to = *t.output;
		if (to.type == ATOM_DTYPE_I8)
			return function(byte_rows<true>(to));
		return function(byte_rows<false>(to));
	}
};

template <bool UnsignedA> struct vnni_ops : avx512_vectors {
	using accumulator = integers;
	using element = std::int32_t;
	using finish = byte_finish;
	static constexpr bool integer = true;

	static accumulator zero() { return accumulator{}; }
	static accumulator multiply_add(accumulator sum, vector a, vector b)
	{
		const auto old = reinterpret_cast<__m512i>(sum);
		return reinterpret_cast<accumulator>(UnsignedA ? _mm512_dpbusd_epi32(old, a, b)
							       : _mm512_dpbusd_epi32(old, b, a));
	}
	static accumulator add(accumulator a, accumulator b)
	{
		return reinterpret_cast<accumulator>(
			_mm512_add_epi32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
	}
	static accumulator add_to_all(accumulator a, std::uint32_t term)
	{
		return add(a, reinterpret_cast<accumulator>(_mm512_set1_epi32(static_cast<int>(term))));
	}
	static accumulator load_sums(const void *from)
	{
		return reinterpret_cast<accumulator>(_mm512_loadu_si512(from));
	}
	static void store_sums(std::int32_t *to, accumulator value)
	{
		_mm512_storeu_si512(to, reinterpret_cast<__m512i>(value));
	}
	static accumulator load_some(const std::int32_t *from, unsigned count)
	{
		return reinterpret_cast<accumulator>(_mm512_maskz_loadu_epi32(first_lanes(count), from));
	}
	static void store_some(std::int32_t *to, accumulator value, unsigned count)
	{
		_mm512_mask_storeu_epi32(to, first_lanes(count), reinterpret_cast<__m512i>(value));
	}
};

template <bool UnsignedA>
void sum_rows(const std::byte *a, std::ptrdiff_t stride, unsigned rows, std::size_t groups, std::uint32_t *sums)
{
	const __m512i ones = _mm512_set1_epi8(1);
	for (unsigned i = 0; i < rows; ++i, a += stride) {
		__m512i sum = _mm512_setzero_si512();
		for (std::size_t g = 0; g < groups; g += 16) {
			const __mmask16 there = groups - g < 16 ? first_lanes(groups - g) : __mmask16(0xffff);
			const __m512i bytes = _mm512_maskz_loadu_epi32(there, a + 4 * g);
			sum = UnsignedA ? _mm512_dpbusd_epi32(sum, bytes, ones) : _mm512_dpbusd_epi32(sum, ones, bytes);
		}
		sums[i] = static_cast<std::uint32_t>(_mm512_reduce_add_epi32(sum));
	}
}

/** The panel holds signed bytes where a is unsigned. */
template <bool UnsignedA> void sum_columns(const std::byte *panel, std::size_t groups, std::uint32_t *sums)
{
	const __m512i ones = _mm512_set1_epi8(1);
	__m512i sum[2] = {};
	for (; groups; --groups, panel += 128)
		for (unsigned j = 0; j < 2; ++j) {
			const __m512i bytes = _mm512_loadu_si512(panel + 64 * j);
			sum[j] = UnsignedA ? _mm512_dpbusd_epi32(sum[j], ones, bytes)
					   : _mm512_dpbusd_epi32(sum[j], bytes, ones);
		}
	_mm512_storeu_si512(sums, sum[0]);
	_mm512_storeu_si512(sums + 16, sum[1]);
}

/** Four columns at a time where there are. */
template <bool UnsignedA, unsigned Flip, unsigned Rows, unsigned Columns>
void few_integer_columns(const few_rows_args &t, std::size_t column)
{
	const __m512i flips = _mm512_set1_epi8(static_cast<char>(Flip)), ones = _mm512_set1_epi8(1);
	const std::byte *b = t.b + static_cast<std::ptrdiff_t>(column) * t.b_stride;
	__m512i sum[Rows][Columns] = {}, b_sum[Columns] = {};
	const bool with_sums = t.column_sums != nullptr;
	const auto step = [&](std::size_t k, auto load) __attribute__((always_inline)) {
#pragma GCC unroll 4
		for (unsigned j = 0; j < Columns; ++j) {
			const __m512i raw = load(b + static_cast<std::ptrdiff_t>(j) * t.b_stride + k);
			// As the tiles see it: signed where a is unsigned.
			const __m512i bytes = _mm512_xor_si512(raw, flips);
			if (with_sums)
				b_sum[j] = UnsignedA != (Flip != 0) ? _mm512_dpbusd_epi32(b_sum[j], ones, raw)
								    : _mm512_dpbusd_epi32(b_sum[j], raw, ones);
#pragma GCC unroll 4
			for (unsigned i = 0; i < Rows; ++i) {
				const __m512i a = load(t.a + static_cast<std::ptrdiff_t>(i) * t.a_stride + k);
				sum[i][j] = UnsignedA ? _mm512_dpbusd_epi32(sum[i][j], a, bytes)
						      : _mm512_dpbusd_epi32(sum[i][j], bytes, a);
			}
		}
	};
	std::size_t k = 0;
	for (; k + 64 <= t.k; k += 64)
		step(k, [](const std::byte *from) __attribute__((always_inline)) { return _mm512_loadu_si512(from); });
	if (k < t.k) {
		const __mmask64 there = (__mmask64{1} << (t.k - k)) - 1;
		step(k, [=](const std::byte *from) __attribute__((always_inline)) {
			return _mm512_maskz_loadu_epi8(there, from);
		});
	}
	for (unsigned j = 0; j < Columns; ++j) {
		for (unsigned i = 0; i < Rows; ++i)
			static_cast<std::int32_t *>(t.out)[i * t.out_stride + column + j] =
				_mm512_reduce_add_epi32(sum[i][j]);
		if (t.column_sums)
			t.column_sums[column + j] = static_cast<std::uint32_t>(_mm512_reduce_add_epi32(b_sum[j]));
	}
}

template <bool UnsignedA, unsigned Flip, unsigned Rows> void few_integer_rows(const few_rows_args &t)
{
	std::size_t column = 0;
	for (; column + 4 <= t.columns; column += 4)
		few_integer_columns<UnsignedA, Flip, Rows, 4>(t, column);
	for (; column < t.columns; ++column)
		few_integer_columns<UnsignedA, Flip, Rows, 1>(t, column);
}

template <bool UnsignedA, unsigned Flip> void few_integer(const few_rows_args &t)
{
	using function = void (*)(const few_rows_args &);
	static constexpr function functions[few_rows_max] = {
		few_integer_rows<UnsignedA, Flip, 1>,
		few_integer_rows<UnsignedA, Flip, 2>,
		few_integer_rows<UnsignedA, Flip, 3>,
		few_integer_rows<UnsignedA, Flip, 4>,
	};
	functions[t.rows - 1](t);
}

struct bytes {
	/** Weights of q8_0 are moved into 0 .. 255. */
	static constexpr int excess = 128;
	template <atom_dtype Type> static __m256i add_dots(__m256i sum, __m256i weights, __m256i a)
	{
		if constexpr (Type == ATOM_DTYPE_Q8_0)
			weights = _mm256_xor_si256(weights, _mm256_set1_epi8(static_cast<char>(0x80)));
		return _mm256_dpbusd_epi32(sum, weights, a);
	}
};

template <bool UnsignedA> constexpr line_family vnni_lines = {
	.rows = line_rows,
	.types = 1u << (UnsignedA ? ATOM_DTYPE_I8 : ATOM_DTYPE_U8),
	.tile = lines_tile<vnni_ops<UnsignedA>>,
	.sum_lines = sum_rows<!UnsignedA>,
};

template <bool UnsignedA, unsigned Flip> constexpr family vnni_family(std::int32_t b_offset)
{
	using ops = vnni_ops<UnsignedA>;
	return {
		.rows = ops::rows,
		.columns = ops::panel,
		.group = 4,
		.in_place = 1u << ATOM_DTYPE_I8 | 1u << ATOM_DTYPE_U8,
		.integer = true,
		.b_offset = b_offset,
		.tile = tile<ops>,
		.pair = pair_rows,
		.pair_tile = pair_tile<ops, pair_rows>,
		.stage_a = stage_integer<format_i8<0>, avx512_moves>,
		.pack_b = pack_integer<format_i8<Flip>, avx512_moves, ops::panel>,
		.sum_rows = sum_rows<UnsignedA>,
		.sum_columns = sum_columns<UnsignedA>,
		.lines = Flip ? nullptr : &vnni_lines<UnsignedA>,
		.output_columns = byte_finish::columns,
	};
}

} // namespace

const family avx512_vnni[4] = {
	vnni_family<false, 0x80>(128), // i8 * i8: b + 128
	vnni_family<true, 0>(0),       // u8 * i8
	vnni_family<false, 0>(0),      // i8 * u8
	vnni_family<true, 0x80>(-128), // u8 * u8: b - 128
};

void vnni_few_rows_integer(const few_rows_args &t)
{
	const bool unsigned_a = t.a_type == ATOM_DTYPE_U8, unsigned_b = t.b_type == ATOM_DTYPE_U8;
	if (unsigned_a)
		(unsigned_b ? few_integer<true, 0x80> : few_integer<true, 0>)(t);
	else
		(unsigned_b ? few_integer<false, 0> : few_integer<false, 0x80>)(t);
}

void vnni_blocks_q8(const block_args &args)
{
	blocks_q8<bytes>(args);
}

const gemm_kernels avx512_vnni_kernels = {
	.f32 = &avx512_f32,
	.bf16 = &avx512_f32,
	.integer = {&avx512_vnni[0], &avx512_vnni[1], &avx512_vnni[2], &avx512_vnni[3]},
	.few_rows_f32 = avx512_few_rows_f32,
	.few_rows_integer = vnni_few_rows_integer,
	.blocks_f32 = avx2_blocks_f32,
	.blocks_q8 = vnni_blocks_q8,
	.quantise = avx2_quantise,
};

} // namespace atom::engine::kernels
