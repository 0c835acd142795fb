/* SPDX-License-Identifier: MIT */
#include "fast/fast.h"

#include <algorithm>
#include <cstring>

namespace atom::engine::fast {

namespace {

constexpr std::size_t buffer_bytes = run_elements * sizeof(atom_block_q8_0);

bool contiguous(const stream &s) { return s.t.strides.back() == s.t.element_bytes; }

/* A row of any length: both sides have contiguous elements. */
bool copy_row(memory &mem, const streams<copy_plan> &s, const index5 &index, std::uint64_t bytes, std::byte *buffer)
{
	const std::int64_t from = offset_of(index, s.in.t.strides), to = offset_of(index, s.out.t.strides);
	for (std::uint64_t done = 0; done < bytes;) {
		/* In pieces, so that one page that cannot be mapped does not slow down the others. */
		const auto some = static_cast<std::int64_t>(std::min<std::uint64_t>(bytes - done, buffer_bytes));
		const std::int64_t a = from + static_cast<std::int64_t>(done), b = to + static_cast<std::int64_t>(done);
		if (!mem.read(s.in.t.operand, a, buffer, static_cast<std::size_t>(some)) ||
		    !mem.write(s.out.t.operand, b, buffer, static_cast<std::size_t>(some)))
			return false;
		done += static_cast<std::uint64_t>(some);
	}
	return true;
}

void copy_rows(const streams<copy_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last)
{
	std::byte *buffer = work.get(0, buffer_bytes);
	const auto row = static_cast<std::uint64_t>(s.dims.back());
	while (first < last) {
		const std::uint64_t some = std::min(row - first % row, last - first);
		const index5 index = index_at(first, s.dims);
		const std::uint64_t bytes = some * s.out.t.element_bytes;
		const std::int64_t a = offset_of(index, s.in.t.strides), b = offset_of(index, s.out.t.strides);
		const auto length = static_cast<std::int64_t>(bytes);
		const std::byte *from = mem.map(s.in.t.operand, a, a + length, ATOM_ACCESS_READ);
		if (!from && mem.failed())
			return;
		std::byte *to = mem.map(s.out.t.operand, b, b + length, ATOM_ACCESS_WRITE);
		if (!to && mem.failed())
			return;
		if (from && to) {
			/* Two VAs may name the same memory: memmove keeps that defined. */
			std::memmove(to, from, bytes);
		} else if (from ? !mem.write(s.out.t.operand, b, from, bytes)
			   : to ? !mem.read(s.in.t.operand, a, to, bytes)
				: !copy_row(mem, s, index, bytes, buffer)) {
			return;
		}
		first += some;
	}
}

/* Rows of the output are columns of the input: its contiguous elements run along the dimension before the last. */
bool transposes(const streams<copy_plan> &s)
{
	const std::uint32_t bytes = s.out.t.element_bytes;
	return !s.p.fill && bytes <= 8 && (bytes & (bytes - 1)) == 0 && contiguous(s.out) && s.in.t.strides[3] == bytes &&
	       s.dims[3] > 1;
}

/* Square blocks, so that a cache line of either side is used up while it is there. */
template <class T>
void transpose(const std::byte *from, std::ptrdiff_t from_stride, std::byte *to, std::ptrdiff_t to_stride,
	       std::int64_t rows, std::int64_t columns)
{
	constexpr std::int64_t edge = 64 / sizeof(T) < 16 ? 16 : 64 / sizeof(T);
	for (std::int64_t r0 = 0; r0 < rows; r0 += edge)
		for (std::int64_t c0 = 0; c0 < columns; c0 += edge)
			for (std::int64_t r = r0; r < std::min(r0 + edge, rows); ++r)
				for (std::int64_t c = c0; c < std::min(c0 + edge, columns); ++c)
					std::memcpy(to + r * to_stride + c * static_cast<std::int64_t>(sizeof(T)),
						    from + c * from_stride + r * static_cast<std::int64_t>(sizeof(T)),
						    sizeof(T));
}

/* Whole rows of the output. */
void transpose_rows(const streams<copy_plan> &s, const std::byte *from, std::byte *to, std::uint64_t first,
		    std::uint64_t last)
{
	const std::int64_t columns = s.dims[4];
	while (first < last) {
		const index5 index = index_at(first, s.dims);
		const std::int64_t rows =
			std::min(static_cast<std::int64_t>(last - first) / columns, s.dims[3] - index[3]);
		const std::byte *a = from + offset_of(index, s.in.t.strides);
		std::byte *b = to + offset_of(index, s.out.t.strides);
		const std::ptrdiff_t from_stride = s.in.t.strides[4], to_stride = s.out.t.strides[3];
		switch (s.out.t.element_bytes) {
		case 1:
			transpose<std::uint8_t>(a, from_stride, b, to_stride, rows, columns);
			break;
		case 2:
			transpose<std::uint16_t>(a, from_stride, b, to_stride, rows, columns);
			break;
		case 4:
			transpose<std::uint32_t>(a, from_stride, b, to_stride, rows, columns);
			break;
		default:
			transpose<std::uint64_t>(a, from_stride, b, to_stride, rows, columns);
		}
		first += static_cast<std::uint64_t>(rows * columns);
	}
}

} // namespace

streams<copy_plan> prepare(const copy_plan &p)
{
	streams<copy_plan> s{.p = p, .dims = p.out.dims, .in = make_stream(p.in), .b = {}, .residual = {},
			     .out = make_stream(p.out)};
	/* Channels mean nothing to a copy. */
	s.in.channels = s.out.channels = {};
	s.dims = merge(s.dims, {&s.in, &s.out});
	return s;
}

std::uint64_t copy_elements_per_tile(const streams<copy_plan> &s)
{
	const bool rows = !s.p.fill && contiguous(s.in) && contiguous(s.out);
	const std::uint64_t bytes = s.out.t.element_bytes;
	const auto row = static_cast<std::uint64_t>(s.dims.back());
	if (transposes(s) && row <= elements_per_tile)
		return elements_per_tile / row * row;
	return (rows || (s.p.fill && contiguous(s.out))) && row * bytes >= 512
		       ? std::max<std::uint64_t>(copy_bytes_per_tile / bytes, 1)
		       : elements_per_tile / 4;
}

void copy(const streams<copy_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last)
{
	if (!s.p.fill && contiguous(s.in) && contiguous(s.out))
		return copy_rows(s, mem, work, first, last);

	std::byte *buffer = work.get(0, buffer_bytes);
	if (s.p.fill)
		for (std::size_t i = 0; i < run_elements; ++i)
			std::memcpy(buffer + i * s.out.t.element_bytes, &s.p.fill_bits, s.out.t.element_bytes);
	window in, out;
	if ((!s.p.fill && !in.open(mem, s.in, s.dims, first, last, ATOM_ACCESS_READ)) ||
	    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE))
		return;
	const auto row = static_cast<std::uint64_t>(s.dims.back());
	if (transposes(s) && in.base() && out.base() && first % row == 0 && last % row == 0)
		return transpose_rows(s, in.base(), out.base(), first, last);
	for (run_walk run(s.dims, first, last); run.next();) {
		const std::byte *from = s.p.fill ? buffer : in.read(run.index(), run.count(), buffer);
		if (!from || !out.write(run.index(), run.count(), from))
			return;
	}
}

} // namespace atom::engine::fast
