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
	for (run_walk run(s.dims, first, last); run.next();) {
		const std::byte *from = s.p.fill ? buffer : in.read(run.index(), run.count(), buffer);
		if (!from || !out.write(run.index(), run.count(), from))
			return;
	}
}

} // namespace atom::engine::fast
