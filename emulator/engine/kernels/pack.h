/* SPDX-License-Identifier: MIT */
/**
 * @file pack.h
 * @brief Bringing a and b into the order of the tiles, written once over a format
 * (elements.h) and the vector moves of an instruction set (`Moves`). Included by
 * the files of the instruction sets only; see tile.h.
 *
 * Moves::half_run(from, count, to) converts contiguous f16 to f32;
 * Moves::transpose<Flip>(from, at, to, step) writes dword i of line j, with the bits of Flip
 * turned over, to to[i * step + j] for Moves::lines lines of as many dwords, at from[j] + at;
 */
#pragma once

#include "elements.h"

namespace atom::engine::kernels {
namespace {

/** Contiguous elements to contiguous groups; count is any, the last group is filled up with 0. */
template <class Format, class Moves, class From>
void convert_run(const std::byte *from, std::size_t count, std::byte *to)
{
	constexpr std::size_t bytes = 4 / Format::group;
	const std::size_t groups = (count + Format::group - 1) / Format::group;
	if (const std::size_t odd = groups * Format::group - count)
		std::memset(to + count * bytes, 0, odd * bytes);
	if constexpr (Format::template native<From>) {
		std::memcpy(to, from, count * bytes);
	} else if constexpr (__is_same(From, half)) {
		Moves::half_run(from, count, reinterpret_cast<float *>(to));
	} else {
		for (std::size_t i = 0; i < count; ++i) {
			const std::uint32_t bits = Format::bits(load_element<From>(from + i * sizeof(From)));
			std::memcpy(to + i * bytes, &bits, bytes); // little endian
		}
	}
}

template <class Format, class Moves, class From>
void stage_from(const matrix &a, std::size_t row, std::size_t rows, std::size_t k, std::size_t count, std::byte *to,
		std::size_t stride)
{
	constexpr std::size_t bytes = 4 / Format::group;
	const std::size_t groups = (count + Format::group - 1) / Format::group;
	const std::byte *from = a.data + static_cast<std::ptrdiff_t>(row) * a.row_stride +
				static_cast<std::ptrdiff_t>(k) * a.column_stride;
	for (std::size_t i = 0; i < rows; ++i, from += a.row_stride, to += stride) {
		if (a.column_stride == static_cast<std::ptrdiff_t>(sizeof(From))) {
			convert_run<Format, Moves, From>(from, count, to);
			continue;
		}
		std::memset(to + (groups - 1) * 4, 0, 4);
		for (std::size_t j = 0; j < count; ++j) {
			const std::uint32_t bits = Format::bits(
				load_element<From>(from + static_cast<std::ptrdiff_t>(j) * a.column_stride));
			std::memcpy(to + j * bytes, &bits, bytes);
		}
	}
}

/** One group of one column, k of them being there (the rest is 0). */
template <class Format, class From> std::uint32_t gather_group(const std::byte *from, std::ptrdiff_t stride, std::size_t k)
{
	std::uint32_t dword = 0;
	for (std::size_t e = 0; e < k; ++e)
		dword |= Format::bits(load_element<From>(from + static_cast<std::ptrdiff_t>(e) * stride))
			 << (32 / Format::group * e);
	return dword;
}

/** Groups of any layout, element by element. */
template <class Format, class From, unsigned Panel>
void pack_any(const std::byte *from, const matrix &b, std::size_t columns, std::size_t count, std::uint32_t *to)
{
	for (std::size_t k = 0; k < count; k += Format::group, to += Panel) {
		const std::size_t there = count - k < Format::group ? count - k : Format::group;
		for (std::size_t j = 0; j < columns; ++j)
			to[j] = gather_group<Format, From>(from + static_cast<std::ptrdiff_t>(k) * b.row_stride +
								   static_cast<std::ptrdiff_t>(j) * b.column_stride,
							   b.row_stride, there);
		for (std::size_t j = columns; j < Panel; ++j)
			to[j] = 0;
	}
}

/** Columns side by side: whole rows of the panel are converted and interleaved. */
template <class Format, class Moves, class From, unsigned Panel>
void pack_along_n(const std::byte *from, std::ptrdiff_t row_stride, std::size_t groups, std::uint32_t *to)
{
	for (std::size_t g = 0; g < groups; ++g, to += Panel, from += row_stride * Format::group) {
		if constexpr (Format::group == 1) {
			convert_run<Format, Moves, From>(from, Panel, reinterpret_cast<std::byte *>(to));
		} else if constexpr (Format::group == 2) {
			for (unsigned j = 0; j < Panel; ++j)
				to[j] = Format::bits(load_element<From>(from + j * sizeof(From))) |
					Format::bits(load_element<From>(from + row_stride + j * sizeof(From))) << 16;
		} else {
			Moves::template interleave<Panel>(from, row_stride, Format::bits(std::uint8_t{0}) * 0x01010101u,
							  to);
		}
	}
}

/** Bytes of each line that are fetched ahead. */
inline constexpr std::ptrdiff_t pack_ahead = 512;

/** Lines of k side by side: dwords are transposed, after conversion in a small buffer where they need it. */
template <class Format, class Moves, class From, unsigned Panel>
void pack_along_k(const std::byte *from, std::ptrdiff_t column_stride, std::size_t columns, std::size_t groups,
		  std::uint32_t *to)
{
	constexpr unsigned lines = Moves::lines;
	constexpr bool direct = Format::template native<From> || Format::group == 4;
	constexpr std::uint32_t flip = Format::group == 4 ? Format::bits(From{}) * 0x01010101u : 0;
	alignas(64) std::uint32_t converted[direct ? 1 : lines * lines];
	// At the end of lines, the start of those that follow them is fetched.
	const auto run = static_cast<std::ptrdiff_t>(groups * Format::group * sizeof(From));
	const std::ptrdiff_t ahead = pack_ahead < run ? pack_ahead : run;

	for (unsigned column = 0; column < Panel; column += lines) {
		const std::byte *line[lines];
		for (unsigned j = 0; j < lines; ++j) { // beyond the last column: again the last, nobody looks
			const std::size_t real = column + j < columns ? column + j : columns - 1;
			line[j] = from + static_cast<std::ptrdiff_t>(real) * column_stride;
		}
		std::uint32_t *out = to + column;
		for (std::size_t g = 0; g + lines <= groups; g += lines, out += lines * Panel) {
			const auto at = static_cast<std::ptrdiff_t>(g * Format::group * sizeof(From));
			if constexpr (!direct) {
				const std::byte *row[lines];
				for (unsigned j = 0; j < lines; ++j) {
					convert_run<Format, Moves, From>(
						line[j] + at, lines * Format::group,
						reinterpret_cast<std::byte *>(converted + j * lines));
					row[j] = reinterpret_cast<std::byte *>(converted + j * lines);
				}
				Moves::template transpose<flip>(row, 0, out, Panel);
			} else {
				Moves::template transpose<flip>(line, at, out, Panel);
			}
			const std::ptrdiff_t next = at + ahead < run ? at + ahead : at + ahead - run + lines * column_stride;
			for (unsigned j = 0; j < lines; ++j)
				__builtin_prefetch(line[j] + next); // more lines than the hardware follows
		}
	}
}

template <class Format, class Moves, class From, unsigned Panel>
void pack_from(const matrix &b, std::size_t column, std::size_t columns, std::size_t k, std::size_t count, std::byte *to)
{
	const std::byte *from = b.data + static_cast<std::ptrdiff_t>(k) * b.row_stride +
				static_cast<std::ptrdiff_t>(column) * b.column_stride;
	constexpr auto element = static_cast<std::ptrdiff_t>(sizeof(From));
	std::uint32_t *out = reinterpret_cast<std::uint32_t *>(to);
	std::size_t groups = 0; // packed by vectors
	if (b.column_stride == element && columns == Panel) {
		groups = count / Format::group;
		pack_along_n<Format, Moves, From, Panel>(from, b.row_stride, groups, out);
	} else if (b.row_stride == element) {
		groups = count / Format::group / Moves::lines * Moves::lines;
		pack_along_k<Format, Moves, From, Panel>(from, b.column_stride, columns, groups, out);
	}
	const std::size_t done = groups * Format::group;
	if (done < count)
		pack_any<Format, From, Panel>(from + static_cast<std::ptrdiff_t>(done) * b.row_stride, b, columns,
					      count - done, out + groups * Panel);
}

/* Blocks of weights, as f32. */

struct q8_0_block {
	static constexpr std::size_t bytes = sizeof(atom_block_q8_0);
	static void dequantise(const std::byte *from, float *to)
	{
		const float scale = to_float(load_element<half>(from));
		for (unsigned i = 0; i < 32; ++i)
			to[i] = scale * static_cast<float>(load_element<std::int8_t>(from + 2 + i));
	}
};

struct q4_0_block {
	static constexpr std::size_t bytes = sizeof(atom_block_q4_0);
	static void dequantise(const std::byte *from, float *to)
	{
		const float scale = to_float(load_element<half>(from));
		for (unsigned i = 0; i < 16; ++i) {
			const int pair = load_element<std::uint8_t>(from + 2 + i);
			to[i] = scale * static_cast<float>((pair & 15) - 8);
			to[i + 16] = scale * static_cast<float>((pair >> 4) - 8);
		}
	}
};

struct q4_1_block {
	static constexpr std::size_t bytes = sizeof(atom_block_q4_1);
	static void dequantise(const std::byte *from, float *to)
	{
		const float scale = to_float(load_element<half>(from)), min = to_float(load_element<half>(from + 2));
		for (unsigned i = 0; i < 16; ++i) {
			const int pair = load_element<std::uint8_t>(from + 4 + i);
			to[i] = scale * static_cast<float>(pair & 15) + min;
			to[i + 16] = scale * static_cast<float>(pair >> 4) + min;
		}
	}
};

/** k and count are multiples of a block. */
template <class Block, class Moves, unsigned Panel>
void pack_blocks(const matrix &b, std::size_t column, std::size_t columns, std::size_t k, std::size_t count, std::byte *to)
{
	constexpr unsigned lines = Moves::lines;
	alignas(64) float weights[lines][32];
	auto *out = reinterpret_cast<std::uint32_t *>(to);
	for (std::size_t block = 0; block < count / 32; ++block, out += 32 * Panel)
		for (unsigned j0 = 0; j0 < Panel; j0 += lines) {
			const std::byte *row[lines];
			for (unsigned j = 0; j < lines; ++j) { // beyond the last column: again the last
				const std::size_t real = j0 + j < columns ? j0 + j : columns - 1;
				Block::dequantise(b.data + static_cast<std::ptrdiff_t>(k / 32 + block) * b.row_stride +
							  static_cast<std::ptrdiff_t>(column + real) * b.column_stride,
						  weights[j]);
			}
			for (unsigned i = 0; i < 32; i += lines) {
				for (unsigned j = 0; j < lines; ++j)
					row[j] = reinterpret_cast<const std::byte *>(weights[j] + i);
				Moves::template transpose<0>(row, 0, out + i * Panel + j0, Panel);
			}
		}
}

/* The functions of families. */

template <class Moves>
void stage_f32(const matrix &a, std::size_t row, std::size_t rows, std::size_t k, std::size_t count, std::byte *to,
	       std::size_t stride)
{
	if (a.type == ATOM_DTYPE_F32)
		stage_from<format_f32, Moves, float>(a, row, rows, k, count, to, stride);
	else if (a.type == ATOM_DTYPE_F16)
		stage_from<format_f32, Moves, half>(a, row, rows, k, count, to, stride);
	else
		stage_from<format_f32, Moves, brain>(a, row, rows, k, count, to, stride);
}

template <class Moves, unsigned Panel>
void pack_f32(const matrix &b, std::size_t column, std::size_t columns, std::size_t k, std::size_t count, std::byte *to)
{
	if (b.type == ATOM_DTYPE_F32)
		pack_from<format_f32, Moves, float, Panel>(b, column, columns, k, count, to);
	else if (b.type == ATOM_DTYPE_F16)
		pack_from<format_f32, Moves, half, Panel>(b, column, columns, k, count, to);
	else if (b.type == ATOM_DTYPE_Q8_0)
		pack_blocks<q8_0_block, Moves, Panel>(b, column, columns, k, count, to);
	else if (b.type == ATOM_DTYPE_Q4_0)
		pack_blocks<q4_0_block, Moves, Panel>(b, column, columns, k, count, to);
	else if (b.type == ATOM_DTYPE_Q4_1)
		pack_blocks<q4_1_block, Moves, Panel>(b, column, columns, k, count, to);
	else
		pack_from<format_f32, Moves, brain, Panel>(b, column, columns, k, count, to);
}

template <class Format, class Moves>
void stage_integer(const matrix &a, std::size_t row, std::size_t rows, std::size_t k, std::size_t count, std::byte *to,
		   std::size_t stride)
{
	if (a.type == ATOM_DTYPE_I8)
		stage_from<Format, Moves, std::int8_t>(a, row, rows, k, count, to, stride);
	else
		stage_from<Format, Moves, std::uint8_t>(a, row, rows, k, count, to, stride);
}

template <class Format, class Moves, unsigned Panel>
void pack_integer(const matrix &b, std::size_t column, std::size_t columns, std::size_t k, std::size_t count,
		  std::byte *to)
{
	if (b.type == ATOM_DTYPE_I8)
		pack_from<Format, Moves, std::int8_t, Panel>(b, column, columns, k, count, to);
	else
		pack_from<Format, Moves, std::uint8_t, Panel>(b, column, columns, k, count, to);
}

} // namespace
} // namespace atom::engine::kernels
