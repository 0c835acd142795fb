/* SPDX-License-Identifier: MIT */
#include "reference/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "numeric/convert.h"
#include "numeric/function.h"
#include "numeric/half.h"
#include "reference/element.h"

namespace atom::engine::reference {

namespace {

constexpr std::int64_t k_chunk = 256; /* multiple of ATOM_BLOCK_ELEMENTS */

/* Accumulators of a tile and the panels of A (rows x k_chunk) and B (k_chunk x columns). */
struct state {
	const gemm_plan &p;
	memory &mem;
	const gemm_tile &tile;
	std::int64_t rows, columns;
	float *real;            /* [rows][columns] */
	std::uint32_t *integer; /* instead of real */
	float *a;
	float *b;
	std::int32_t *ia; /* instead of a and b */
	std::int32_t *ib;
	std::byte *bytes; /* elements as they are in memory */

	index5 a_at(std::int64_t m, std::int64_t k) const
	{
		index5 i = tile.matrix;
		i[3] = tile.m_first + m;
		i[4] = k;
		return i;
	}
	index5 b_at(std::int64_t k, std::int64_t n) const
	{
		index5 i = tile.matrix;
		i[3] = k;
		i[4] = tile.n_first + n;
		return i;
	}
};

bool load_real_panels(state &s, std::int64_t k0, std::int64_t ks)
{
	const tensor &a = s.p.a, &b = s.p.b;
	for (std::int64_t m = 0; m < s.rows; ++m) {
		if (!read_run(s.mem, a, s.a_at(m, k0), 4, ks, s.bytes))
			return false;
		for (std::int64_t k = 0; k < ks; ++k)
			s.a[m * k_chunk + k] = load_float(s.bytes + k * a.element_bytes, a.dtype);
	}
	if (is_block(b.dtype)) {
		for (std::int64_t n = 0; n < s.columns; ++n)
			for (std::int64_t k = 0; k < ks; ++k) {
				index5 at = s.b_at((k0 + k) / ATOM_BLOCK_ELEMENTS, n);
				if (k % ATOM_BLOCK_ELEMENTS == 0 &&
				    !s.mem.read(b.operand, offset_of(at, b.strides), s.bytes, b.element_bytes))
					return false;
				s.b[k * gemm_columns + n] = load_block_element(
					s.bytes, b.dtype, static_cast<unsigned>(k % ATOM_BLOCK_ELEMENTS));
			}
		return true;
	}
	for (std::int64_t k = 0; k < ks; ++k) {
		if (!read_run(s.mem, b, s.b_at(k0 + k, 0), 4, s.columns, s.bytes))
			return false;
		for (std::int64_t n = 0; n < s.columns; ++n)
			s.b[k * gemm_columns + n] = load_float(s.bytes + n * b.element_bytes, b.dtype);
	}
	return true;
}

/* acc += a[m, k] * b[k, n], k ascending. */
bool accumulate_real(state &s, std::int64_t k0, std::int64_t ks)
{
	if (!load_real_panels(s, k0, ks))
		return false;
	for (std::int64_t m = 0; m < s.rows; ++m)
		for (std::int64_t k = 0; k < ks; ++k)
			for (std::int64_t n = 0; n < s.columns; ++n)
				s.real[m * s.columns + n] +=
					s.a[m * k_chunk + k] * s.b[k * gemm_columns + n];
	return true;
}

/* acc += (a[m, k] - zero point) * (b[k, n] - zero point), modulo 2^32. */
bool accumulate_integer(state &s, std::int64_t k0, std::int64_t ks)
{
	const tensor &a = s.p.a, &b = s.p.b;
	for (std::int64_t m = 0; m < s.rows; ++m) {
		if (!read_run(s.mem, a, s.a_at(m, k0), 4, ks, s.bytes))
			return false;
		for (std::int64_t k = 0; k < ks; ++k)
			s.ia[m * k_chunk + k] = static_cast<std::int32_t>(load_integer(s.bytes + k, a.dtype)) -
						a.quant.zero_point;
	}
	std::int32_t zero_points[gemm_columns];
	for (std::int64_t n = 0; n < s.columns; ++n) {
		float scale;
		if (!read_quant(s.mem, b, s.b_at(0, n), scale, zero_points[n]))
			return false;
	}
	for (std::int64_t k = 0; k < ks; ++k) {
		if (!read_run(s.mem, b, s.b_at(k0 + k, 0), 4, s.columns, s.bytes))
			return false;
		for (std::int64_t n = 0; n < s.columns; ++n)
			s.ib[k * gemm_columns + n] =
				static_cast<std::int32_t>(load_integer(s.bytes + n, b.dtype)) - zero_points[n];
	}
	for (std::int64_t m = 0; m < s.rows; ++m)
		for (std::int64_t k = 0; k < ks; ++k)
			for (std::int64_t n = 0; n < s.columns; ++n)
				s.integer[m * s.columns + n] += static_cast<std::uint32_t>(
					s.ia[m * k_chunk + k] * s.ib[k * gemm_columns + n]);
	return true;
}

/* 32 activations as q8_0: f16 scale, values round(x / d) with ties away from zero. */
struct activation_block {
	float scale;
	std::int32_t q[ATOM_BLOCK_ELEMENTS];
	std::int32_t sum;
};

activation_block quantise_activations(const float *x)
{
	activation_block block{};
	float largest = 0;
	for (unsigned i = 0; i < ATOM_BLOCK_ELEMENTS; ++i)
		largest = std::fabs(x[i]) > largest ? std::fabs(x[i]) : largest;
	const float d = largest / 127.0f;
	block.scale = f16_to_f32(f32_to_f16(d));
	for (unsigned i = 0; i < ATOM_BLOCK_ELEMENTS; ++i) {
		block.q[i] = static_cast<std::int32_t>(
			saturate(d != 0 ? static_cast<double>(std::round(x[i] / d)) : 0.0, ATOM_DTYPE_I8));
		block.sum += block.q[i];
	}
	return block;
}

/* acc += (d_a * d_b) * integer dot product of a block [+ min_b * (d_a * sum of q_a)], blocks ascending. */
bool accumulate_q8(state &s, std::int64_t k0, std::int64_t ks)
{
	const tensor &a = s.p.a, &b = s.p.b;
	for (std::int64_t m = 0; m < s.rows; ++m) {
		if (!read_run(s.mem, a, s.a_at(m, k0), 4, ks, s.bytes))
			return false;
		for (std::int64_t k = 0; k < ks; ++k)
			s.a[m * k_chunk + k] = load_float(s.bytes + k * a.element_bytes, a.dtype);
	}
	for (std::int64_t k = 0; k < ks; k += ATOM_BLOCK_ELEMENTS) {
		activation_block rows[gemm_rows];
		for (std::int64_t m = 0; m < s.rows; ++m)
			rows[m] = quantise_activations(s.a + m * k_chunk + k);
		for (std::int64_t n = 0; n < s.columns; ++n) {
			const index5 at = s.b_at((k0 + k) / ATOM_BLOCK_ELEMENTS, n);
			std::byte raw[sizeof(atom_block_q8_0)];
			if (!s.mem.read(b.operand, offset_of(at, b.strides), raw, b.element_bytes))
				return false;
			const block_integers block = load_block(raw, b.dtype);
			for (std::int64_t m = 0; m < s.rows; ++m) {
				std::int32_t dot = 0;
				for (unsigned i = 0; i < ATOM_BLOCK_ELEMENTS; ++i)
					dot += rows[m].q[i] * block.q[i];
				float &acc = s.real[m * s.columns + n];
				acc += rows[m].scale * block.scale * static_cast<float>(dot);
				if (b.dtype == ATOM_DTYPE_Q4_1)
					acc += block.min * (rows[m].scale * static_cast<float>(rows[m].sum));
			}
		}
	}
	return true;
}

bool finish_one(const state &s, const index5 &out, const index5 &b_index, std::int64_t i)
{
	const gemm_plan &p = s.p;
	if (!p.integer)
		return finish_real(s.mem, p.tail, p.out, out, p.alpha != 1 ? p.alpha * s.real[i] : s.real[i]);
	float scale_b;
	std::int32_t zero_point;
	if (!read_quant(s.mem, p.b, b_index, scale_b, zero_point))
		return false;
	float scale = p.a.quant.scale * scale_b;
	if (p.alpha != 1)
		scale *= p.alpha;
	return finish_integer(s.mem, p.tail, p.out, p.exact, out, s.integer[i], scale);
}

} // namespace

/*
 * out[.., m, n] = epilogue(alpha * sum over k of a[.., m, k] * b[.., k, n]).
 * Floats and dequantised blocks: one f32 accumulator an output, k ascending,
 * product and sum rounded each. i8/u8: i32 modulo 2^32, zero points taken off
 * before. The result of integers is (f32)acc * (scale_a * scale_b [* alpha]).
 */
void gemm(const gemm_plan &p, memory &mem, scratch &work, const gemm_tile &tile)
{
	const std::int64_t rows = tile.m_last - tile.m_first, columns = tile.n_last - tile.n_first;
	constexpr auto panel = [](std::int64_t n) { return static_cast<std::size_t>(n) * 4; };
	std::byte *a = work.get(0, panel(gemm_rows * k_chunk));
	std::byte *b = work.get(1, panel(gemm_columns * k_chunk));
	std::byte *acc = work.get(2, panel(gemm_rows * gemm_columns));
	state s{p, mem, tile, rows, columns,
		reinterpret_cast<float *>(acc), reinterpret_cast<std::uint32_t *>(acc),
		reinterpret_cast<float *>(a), reinterpret_cast<float *>(b),
		reinterpret_cast<std::int32_t *>(a), reinterpret_cast<std::int32_t *>(b),
		work.get(3, panel(k_chunk))};
	const std::size_t bytes = panel(rows * columns);
	tile_progress &kept = mem.progress();
	if (kept.k)
		std::memcpy(acc, kept.sums.data(), bytes);
	else
		std::memset(acc, 0, bytes);

	for (std::int64_t k0 = kept.k; k0 < p.k; k0 += k_chunk) {
		if (mem.interrupted()) {
			kept.sums.assign(acc, acc + bytes);
			kept.k = k0;
			return;
		}
		const std::int64_t ks = std::min(k_chunk, p.k - k0);
		if (!(p.integer  ? accumulate_integer(s, k0, ks)
		      : p.act_q8 ? accumulate_q8(s, k0, ks)
				 : accumulate_real(s, k0, ks)))
			return;
	}

	for (std::int64_t m = 0; m < rows; ++m)
		for (std::int64_t n = 0; n < columns; ++n) {
			index5 out = tile.matrix;
			out[3] = tile.m_first + m;
			out[4] = tile.n_first + n;
			if (!finish_one(s, out, s.b_at(0, n), m * columns + n))
				return;
		}
}

} // namespace atom::engine::reference
