/* SPDX-License-Identifier: MIT */
#include "fast/indexed.h"

#include <cstring>

#include "fast/values.h"

namespace atom::engine::fast {

namespace {

/* A copy is cheaper than a mapping of so few bytes. */
constexpr std::size_t bytes_worth_mapping = 512;

template <class T> void pick(const std::byte *base, const std::int64_t *at, std::size_t count, std::byte *to)
{
	for (std::size_t i = 0; i < count; ++i)
		std::memcpy(to + i * sizeof(T), base + at[i], sizeof(T));
}

/* Elements from all over the table, one behind the other; nullptr: fault. */
const std::byte *read_elements(const indexed &s, const table_view &table, std::size_t count, indexed_buffers &buf)
{
	const std::uint32_t bytes = s.p.table.element_bytes;
	if (!table.base()) {
		for (std::size_t i = 0; i < count; ++i)
			if (!table.read(buf.at[i], buf.table + i * bytes))
				return nullptr;
		return buf.table;
	}
	switch (bytes) {
	case 1:
		pick<std::uint8_t>(table.base(), buf.at, count, buf.table);
		break;
	case 2:
		pick<std::uint16_t>(table.base(), buf.at, count, buf.table);
		break;
	case 4:
		pick<std::uint32_t>(table.base(), buf.at, count, buf.table);
		break;
	default:
		pick<std::uint64_t>(table.base(), buf.at, count, buf.table);
	}
	return buf.table;
}

/* Elements or blocks in a row, in place if that can be had; nullptr: fault. */
const std::byte *read_row(const indexed &s, memory &mem, const table_view &table, std::size_t count,
			  indexed_buffers &buf)
{
	const tensor &t = s.p.table;
	const std::int64_t at = buf.at[0], stride = s.table.t.strides.back();
	if (is_block(t.dtype))
		count /= ATOM_BLOCK_ELEMENTS;
	const std::size_t bytes = count * t.element_bytes;
	if (stride != t.element_bytes && count > 1)
		return read_strided(mem, t, at, stride, count, buf.table) ? buf.table : nullptr;
	if (table.base())
		return table.base() + at;
	if (bytes >= bytes_worth_mapping) {
		const std::byte *p = mem.map(t.operand, at, at + static_cast<std::int64_t>(bytes), ATOM_ACCESS_READ);
		if (p || mem.failed())
			return p;
	}
	return mem.read(t.operand, at, buf.table, bytes) ? buf.table : nullptr;
}

void convert(const indexed &s, const std::byte *from, std::size_t count, std::byte *to, indexed_buffers &buf)
{
	const std::uint8_t dtype = s.p.table.dtype;
	if (is_block(dtype))
		dequantise_blocks(from, dtype, count / ATOM_BLOCK_ELEMENTS, buf.x);
	else
		vectors().load[dtype](from, buf.x, count);
	vectors().store[s.p.each.dtype](buf.x, to, count);
}

} // namespace

void gather(const indexed &s, memory &mem, scratch &work, const box &b)
{
	auto &buf = *reinterpret_cast<indexed_buffers *>(work.get(0, sizeof(indexed_buffers)));
	index5 last = b.first;
	for (std::size_t d = 0; d < last.size(); ++d)
		last[d] += b.dims[d] - 1;
	table_view table;
	window out;
	if (!table.open(mem, s, b, ATOM_ACCESS_READ) ||
	    !out.open(mem, s.each, range_of(s.each.t, b.first, last), ATOM_ACCESS_WRITE))
		return;
	for (box_walk walk(b, run_elements); walk.next();) {
		if (!table.locate(walk.index(), walk.count(), buf))
			return;
		const std::byte *from = s.scattered() ? read_elements(s, table, walk.count(), buf)
						   : read_row(s, mem, table, walk.count(), buf);
		if (!from)
			return;
		std::byte *place = out.place(walk.index());
		if (s.p.convert) {
			std::byte *to = place ? place : buf.result;
			convert(s, from, walk.count(), to, buf);
			from = to;
		} else if (place) {
			/* Two VAs may name the same memory: memmove keeps that defined. */
			std::memmove(place, from, walk.count() * s.p.each.element_bytes);
		}
		if (!place && !out.write(walk.index(), walk.count(), from))
			return;
	}
}

} // namespace atom::engine::fast
