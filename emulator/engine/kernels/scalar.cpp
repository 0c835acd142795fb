/* SPDX-License-Identifier: MIT */
// Plain C++: works on any CPU, and where the compiler can it uses that CPU's base instructions.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "pack.h"
#include "tile.h"

namespace atom::engine::kernels {
namespace {

struct scalar_moves {
	static constexpr unsigned lines = 4;

	static void half_run(const std::byte *from, std::size_t count, float *to)
	{
		for (std::size_t i = 0; i < count; ++i)
			to[i] = to_float(load_element<half>(from + 2 * i));
	}
	template <std::uint32_t Flip>
	static void transpose(const std::byte *const *from, std::ptrdiff_t at, std::uint32_t *to, std::size_t step)
	{
		for (unsigned i = 0; i < lines; ++i)
			for (unsigned j = 0; j < lines; ++j)
				to[i * step + j] = load_element<std::uint32_t>(from[j] + at + 4 * i) ^ Flip;
	}
};

/** A "vector" of four dwords. */
template <class T> struct four {
	T lane[4];
};

struct scalar_vectors {
	static constexpr unsigned lanes = 4, panel = 8, rows = 2;
	using vector = four<std::uint32_t>;

	static vector broadcast(const std::byte *from)
	{
		const auto dword = load_element<std::uint32_t>(from);
		return {{dword, dword, dword, dword}};
	}
	static vector load(const std::byte *from) { return load_element<vector>(from); }
};

template <class T> struct scalar_ops : scalar_vectors {
	using accumulator = four<T>;

	static accumulator zero() { return {}; }
	static accumulator add(accumulator a, const accumulator &b)
	{
		for (unsigned i = 0; i < lanes; ++i)
			a.lane[i] += b.lane[i];
		return a;
	}
	static accumulator load_sums(const T *from) { return load_some(from, lanes); }
	static void store_sums(T *to, const accumulator &value) { store_some(to, value, lanes); }
	static accumulator load_some(const T *from, unsigned count)
	{
		accumulator value = {};
		for (unsigned i = 0; i < count; ++i)
			value.lane[i] = from[i];
		return value;
	}
	static void store_some(T *to, const accumulator &value, unsigned count)
	{
		for (unsigned i = 0; i < count; ++i)
			to[i] = value.lane[i];
	}
};

struct f32_ops : scalar_ops<float> {
	using element = float;
	static constexpr bool integer = false;

	static accumulator multiply_add(accumulator sum, const vector &a, const vector &b)
	{
		for (unsigned i = 0; i < lanes; ++i)
			sum.lane[i] += float_of(a.lane[i]) * float_of(b.lane[i]);
		return sum;
	}
};

inline std::int32_t low(std::uint32_t pair)
{
	return static_cast<std::int16_t>(pair & 0xffff);
}
inline std::int32_t high(std::uint32_t pair)
{
	return static_cast<std::int16_t>(pair >> 16);
}

/** Elements are unsigned: sums wrap. */
struct i16_ops : scalar_ops<std::uint32_t> {
	using element = std::uint32_t;
	static constexpr bool integer = true;

	static accumulator multiply_add(accumulator sum, const vector &a, const vector &b)
	{
		for (unsigned i = 0; i < lanes; ++i)
			sum.lane[i] += static_cast<std::uint32_t>(low(a.lane[i]) * low(b.lane[i])) +
				       static_cast<std::uint32_t>(high(a.lane[i]) * high(b.lane[i]));
		return sum;
	}
	static accumulator add_to_all(accumulator a, std::uint32_t term)
	{
		for (std::uint32_t &lane : a.lane)
			lane += term;
		return a;
	}
};

inline std::uint32_t sum_pair(const std::byte *from)
{
	const auto pair = load_element<std::uint32_t>(from);
	return static_cast<std::uint32_t>(low(pair) + high(pair));
}

void sum_rows(const std::byte *a, std::ptrdiff_t stride, unsigned rows, std::size_t groups, std::uint32_t *sums)
{
	for (unsigned i = 0; i < rows; ++i, a += stride) {
		sums[i] = 0;
		for (std::size_t g = 0; g < groups; ++g)
			sums[i] += sum_pair(a + 4 * g);
	}
}

void sum_columns(const std::byte *panel, std::size_t groups, std::uint32_t *sums)
{
	for (unsigned j = 0; j < scalar_vectors::panel; ++j)
		sums[j] = 0;
	for (; groups; --groups, panel += 4 * scalar_vectors::panel)
		for (unsigned j = 0; j < scalar_vectors::panel; ++j)
			sums[j] += sum_pair(panel + 4 * j);
}

template <class Block> void blocks_f32_of(const block_args &t)
{
	for (std::size_t i = 0; i < t.rows; ++i)
		for (std::size_t column = 0; column < t.columns; ++column) {
			float sum = 0;
			for (std::size_t block = 0; block < t.blocks; ++block) {
				float weights[32];
				Block::dequantise(t.b + static_cast<std::ptrdiff_t>(column) * t.b_stride +
							  static_cast<std::ptrdiff_t>(block) * t.b_step,
						  weights);
				const float *a = t.a + (i * t.blocks + block) * 32;
				for (unsigned j = 0; j < 32; ++j)
					sum += a[j] * weights[j];
			}
			t.out[i * t.out_stride + column] = sum;
		}
}

void blocks_f32(const block_args &t)
{
	if (t.type == ATOM_DTYPE_Q8_0)
		blocks_f32_of<q8_0_block>(t);
	else if (t.type == ATOM_DTYPE_Q4_0)
		blocks_f32_of<q4_0_block>(t);
	else
		blocks_f32_of<q4_1_block>(t);
}

/** f32 to f16, to nearest even. */
std::uint16_t half_of(float value)
{
	std::uint32_t bits;
	std::memcpy(&bits, &value, sizeof bits);
	const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
	bits &= 0x7fffffffu;
	if (bits >= 0x7f800000u)
		return sign | (bits > 0x7f800000u ? 0x7e00 : 0x7c00);
	if (bits >= 0x477ff000u) // from the middle between the greatest f16 and 2^16
		return sign | 0x7c00;
	if (bits < 0x38800000u) { // subnormal: units of 2^-24, rounded by the addition
		float magnitude;
		std::memcpy(&magnitude, &bits, sizeof bits);
		magnitude += 0.5f; // an f32 of exponent -1 has the unit 2^-24
		std::memcpy(&bits, &magnitude, sizeof bits);
		return static_cast<std::uint16_t>(sign | (bits - 0x3f000000u));
	}
	bits += 0xfffu + (bits >> 13 & 1);
	return static_cast<std::uint16_t>(sign | ((bits >> 13) - (112u << 10)));
}

void quantise_block(const float *from, std::int8_t *q, float *scale, std::int32_t *sum)
{
	float greatest = 0;
	for (unsigned i = 0; i < 32; ++i)
		greatest = std::max(greatest, std::fabs(from[i]));
	const float unit = greatest / 127;
	*scale = to_float(half{half_of(unit)});
	*sum = 0;
	for (unsigned i = 0; i < 32; ++i) {
		const float x = from[i] / unit;
		int n = 0;
		if (std::fabs(x) <= 127)
			n = static_cast<int>(x);
		else if (std::fabs(x) > 127)
			n = x > 0 ? 127 : -127;
		const float rest = x - static_cast<float>(n); // exact
		if (n > -127 && n < 127)
			n += rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0;
		q[i] = static_cast<std::int8_t>(n);
		*sum += n;
	}
}

void quantise(const float *from, std::size_t blocks, const quantised &to)
{
	for (std::size_t block = 0; block < blocks; ++block) {
		quantise_block(from + 32 * block, to.q + 32 * block, to.scale + block, to.sums + block);
		to.scaled_sums[block] = to.scale[block] * static_cast<float>(to.sums[block]);
	}
}

/** Exact dot product of a block and 32 values. */
std::int32_t dot_block(const std::byte *block, atom_dtype type, const std::int8_t *q)
{
	std::int32_t sum = 0;
	if (type == ATOM_DTYPE_Q8_0) {
		for (unsigned j = 0; j < 32; ++j)
			sum += load_element<std::int8_t>(block + 2 + j) * q[j];
		return sum;
	}
	const int zero = type == ATOM_DTYPE_Q4_0 ? 8 : 0;
	const std::byte *nibbles = block + (type == ATOM_DTYPE_Q4_0 ? 2 : 4);
	for (unsigned j = 0; j < 16; ++j) {
		const int pair = load_element<std::uint8_t>(nibbles + j);
		sum += ((pair & 15) - zero) * q[j] + ((pair >> 4) - zero) * q[j + 16];
	}
	return sum;
}

void blocks_q8(const block_args &t)
{
	const std::size_t groups = q8_groups(t.blocks);
	for (std::size_t i = 0; i < t.rows; ++i)
		for (std::size_t column = 0; column < t.columns; ++column) {
			float sum = 0;
			for (std::size_t block = 0; block < t.blocks; ++block) {
				const std::byte *b = t.b + static_cast<std::ptrdiff_t>(column) * t.b_stride +
						     static_cast<std::ptrdiff_t>(block) * t.b_step;
				const std::size_t a = i * groups * q8_group_lanes + block;
				const std::int8_t *q = t.q + i * groups * q8_group_bytes + 32 * block;
				sum += t.scale[a] * to_float(load_element<half>(b)) *
				       static_cast<float>(dot_block(b, t.type, q));
				if (t.type == ATOM_DTYPE_Q4_1)
					sum += to_float(load_element<half>(b + 2)) * t.scaled_sums[a];
			}
			t.out[i * t.out_stride + column] = sum;
		}
}

} // namespace

const family scalar_f32 = {
	.rows = f32_ops::rows,
	.columns = f32_ops::panel,
	.group = 1,
	.in_place = 1u << ATOM_DTYPE_F32,
	.integer = false,
	.b_offset = 0,
	.tile = tile<f32_ops>,
	.pair = 0,
	.pair_tile = nullptr,
	.stage_a = stage_f32<scalar_moves>,
	.pack_b = pack_f32<scalar_moves, f32_ops::panel>,
	.sum_rows = nullptr,
	.sum_columns = nullptr,
};

const family scalar_integer = {
	.rows = i16_ops::rows,
	.columns = i16_ops::panel,
	.group = 2,
	.in_place = 0,
	.integer = true,
	.b_offset = 0,
	.tile = tile<i16_ops>,
	.pair = 0,
	.pair_tile = nullptr,
	.stage_a = stage_integer<format_i16, scalar_moves>,
	.pack_b = pack_integer<format_i16, scalar_moves, i16_ops::panel>,
	.sum_rows = sum_rows,
	.sum_columns = sum_columns,
};

const gemm_kernels scalar_kernels = {
	.f32 = &scalar_f32,
	.bf16 = &scalar_f32,
	.integer = {&scalar_integer, &scalar_integer, &scalar_integer, &scalar_integer},
	.few_rows_f32 = nullptr,
	.few_rows_integer = nullptr,
	.blocks_f32 = blocks_f32,
	.blocks_q8 = blocks_q8,
	.quantise = quantise,
};

} // namespace atom::engine::kernels
