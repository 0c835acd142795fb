/* SPDX-License-Identifier: MIT */
#include "fast/indexed.h"

#include <cstring>

#include "fast/values.h"
#include "numeric/convert.h"
#include "numeric/function.h"

namespace atom::engine::fast {

namespace {

/* The model is asked whether to go on after so many elements; finding a run counts as some. */
constexpr std::size_t elements_per_question = 1u << 14;
constexpr std::size_t elements_per_run = 64;

/* One element: old op update. */
void reduce_element(const indexed_plan &p, const std::byte *old, const std::byte *update, std::byte *to)
{
	const std::uint32_t kind = binary_of(p.reduction);
	const std::uint8_t dtype = p.table.dtype;
	if (is_integer(dtype))
		store_integer(to, dtype,
			      apply_binary(kind, load_integer(old, dtype), load_integer(update, dtype),
					   p.table.element_bytes * 8));
	else
		store_float(to, dtype, apply_binary(kind, load_float(old, dtype), load_float(update, p.each.dtype)));
}

/* A run whose elements all go to different places. */
void reduce_run(const indexed_plan &p, const std::byte *old, const std::byte *update, std::byte *to, std::size_t n,
		indexed_buffers &buf)
{
	const vector_kernels &v = vectors();
	const std::uint32_t kind = binary_of(p.reduction);
	const std::uint8_t dtype = p.table.dtype;
	if (dtype == ATOM_DTYPE_I64) {
		for (std::size_t i = 0; i < n; ++i)
			reduce_element(p, old + 8 * i, update + 8 * i, to + 8 * i);
	} else if (is_integer(dtype)) {
		auto *x = reinterpret_cast<std::int32_t *>(buf.x), *y = reinterpret_cast<std::int32_t *>(buf.y),
		     *z = reinterpret_cast<std::int32_t *>(buf.z);
		v.load_integer[dtype](old, x, n);
		v.load_integer[dtype](update, y, n);
		v.binary_integer[kind](x, y, z, n);
		v.store_integer[dtype](z, to, n);
	} else {
		v.load[dtype](old, buf.x, n);
		v.load[p.each.dtype](update, buf.y, n);
		v.binary[kind](buf.x, buf.y, buf.z, n);
		v.store[dtype](buf.z, to, n);
	}
}

/* To places that lie in a row. False: fault. */
bool write_row(const indexed &s, memory &mem, const table_view &table, const std::byte *from, std::size_t count,
	       const indexed_buffers &buf)
{
	const tensor &t = s.p.table;
	const std::int64_t stride = s.table.t.strides.back();
	if (stride == t.element_bytes || count == 1)
		return mem.write(t.operand, buf.at[0], from, count * t.element_bytes);
	for (std::size_t i = 0; i < count; ++i)
		if (!table.write(buf.at[0] + static_cast<std::int64_t>(i) * stride, from + i * t.element_bytes))
			return false;
	return true;
}

/* One run of updates, its places found. False: fault. */
bool put(const indexed &s, memory &mem, const table_view &table, const std::byte *updates, std::size_t count,
	 indexed_buffers &buf)
{
	const indexed_plan &p = s.p;
	const std::uint32_t bytes = p.table.element_bytes;
	if (p.reduction == ATOM_SCATTER_ASSIGN) {
		if (p.convert) {
			vectors().load[p.each.dtype](updates, buf.x, count);
			vectors().store[p.table.dtype](buf.x, buf.result, count);
			updates = buf.result;
		}
		if (!s.scattered())
			return write_row(s, mem, table, updates, count, buf);
		for (std::size_t i = 0; i < count; ++i)
			if (!table.write(buf.at[i], updates + i * bytes))
				return false;
		return true;
	}
	if (!s.scattered()) {
		if (!read_strided(mem, p.table, buf.at[0], s.table.t.strides.back(), count, buf.table))
			return false;
		reduce_run(p, buf.table, updates, buf.result, count, buf);
		return write_row(s, mem, table, buf.result, count, buf);
	}
	for (std::size_t i = 0; i < count; ++i) {
		std::byte old[8], result[8];
		if (!table.read(buf.at[i], old))
			return false;
		reduce_element(p, old, updates + i * p.each.element_bytes, result);
		if (!table.write(buf.at[i], result))
			return false;
	}
	return true;
}

} // namespace

void scatter(const indexed &s, memory &mem, scratch &work, const box &b)
{
	auto &buf = *reinterpret_cast<indexed_buffers *>(work.get(0, sizeof(indexed_buffers)));
	const bool reads = s.p.reduction != ATOM_SCATTER_ASSIGN;
	table_view table;
	window updates;
	updates.attach(mem, s.each);
	if (!table.open(mem, s, b, ATOM_ACCESS_WRITE | (reads ? ATOM_ACCESS_READ : 0u)))
		return;
	std::size_t unasked = 0;
	for (box_walk walk(b, run_elements, mem.progress().k); walk.next();) {
		/* All that may go to one place is in one tile, however long that takes. */
		unasked += walk.count() + elements_per_run;
		if (unasked >= elements_per_question) {
			unasked = 0;
			if (mem.interrupted()) {
				mem.progress().k = walk.ordinal();
				return;
			}
		}
		const std::byte *from = updates.read(walk.index(), walk.count(), buf.each);
		if (!from || !table.locate(walk.index(), walk.count(), buf) ||
		    !put(s, mem, table, from, walk.count(), buf))
			return;
	}
}

} // namespace atom::engine::fast
