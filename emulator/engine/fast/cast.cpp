/* SPDX-License-Identifier: MIT */
#include "fast/fast.h"

#include <algorithm>

#include "fast/values.h"
#include "numeric/convert.h"

namespace atom::engine::fast {

namespace {

struct buffers {
	run_buffers run;
	alignas(64) float x[run_elements];
	alignas(64) std::int32_t i[run_elements];
	alignas(64) std::byte out[run_elements * 8];
};

/* One run of integers that stand for themselves on both sides. */
void convert(const cast_plan &p, const std::byte *from, std::byte *to, buffers &buf, std::size_t n)
{
	const vector_kernels &v = vectors();
	if (p.in.dtype == ATOM_DTYPE_I64)
		return (p.wrap ? v.narrow_wrap : v.narrow)(from, to, n);
	if (p.out.dtype == ATOM_DTYPE_I64)
		return v.widen(from, to, n);
	v.load_integer[p.in.dtype](from, buf.i, n);
	(p.wrap ? v.store_integer : v.store_saturated)[p.out.dtype](buf.i, to, n);
}

/* Exact, i64 among them. */
void integers(const streams<cast_plan> &s, memory &mem, buffers &buf, std::uint64_t first, std::uint64_t last)
{
	window in, out;
	if (!in.open(mem, s.in, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE))
		return;
	for (run_walk run(s.dims, first, last); run.next();) {
		const std::byte *raw = in.read(run.index(), run.count(), buf.run.raw);
		if (!raw)
			return;
		convert(s.p, raw, buf.out, buf, run.count());
		if (!out.write(run.index(), run.count(), buf.out))
			return;
	}
}

/* Out of blocks, which lie along the last dimension: runs are of whole blocks. */
void blocks(const streams<cast_plan> &s, memory &mem, buffers &buf, std::uint64_t first, std::uint64_t last)
{
	index5 block_dims = s.dims;
	block_dims.back() /= ATOM_BLOCK_ELEMENTS;
	window in;
	real_run out;
	if (!in.open(mem, s.in, block_dims, first / ATOM_BLOCK_ELEMENTS, last / ATOM_BLOCK_ELEMENTS,
		     ATOM_ACCESS_READ) ||
	    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE))
		return;
	for (run_walk run(s.dims, first, last); run.next();) {
		index5 at = run.index();
		at.back() /= ATOM_BLOCK_ELEMENTS;
		const std::size_t count = run.count() / ATOM_BLOCK_ELEMENTS;
		const std::byte *raw = in.read(at, count, buf.run.raw);
		if (!raw)
			return;
		dequantise_blocks(raw, s.in.t.dtype, count, buf.x);
		if (!out.store(run.index(), run.count(), buf.x, buf.run))
			return;
	}
}

/* Elements are independent of each other, so any dimension may be the innermost. */
void make_innermost(unsigned axis, streams<cast_plan> &s)
{
	const auto rotate = [axis](index5 &x) { std::rotate(x.begin() + axis, x.begin() + axis + 1, x.end()); };
	rotate(s.dims);
	for (stream *x : {&s.in, &s.out}) {
		rotate(x->t.dims);
		rotate(x->t.strides);
	}
}

} // namespace

streams<cast_plan> prepare(const cast_plan &p)
{
	streams<cast_plan> s{.p = p, .dims = p.out.dims, .in = make_stream(p.in), .b = {}, .residual = {},
			     .out = make_stream(p.out)};
	if (is_block(p.in.dtype))
		make_innermost(p.in.quant.axis, s);
	else
		s.dims = merge(s.dims, {&s.in, &s.out});
	return s;
}

void cast(const streams<cast_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	if (is_plain_integer(s.p.in) && is_plain_integer(s.p.out))
		return integers(s, mem, buf, first, last);
	if (is_block(s.p.in.dtype))
		return blocks(s, mem, buf, first, last);
	real_run in, out;
	window wrapped;
	if (!in.open(mem, s.in, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !(s.p.wrap ? wrapped.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE)
		       : out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE)))
		return;
	const tensor &to = s.out.t;
	for (run_walk run(s.dims, first, last); run.next();) {
		if (!in.load(run.index(), run.count(), buf.x, buf.run))
			return;
		if (!s.p.wrap) {
			if (!out.store(run.index(), run.count(), buf.x, buf.run, nullptr, s.p.toward_zero))
				return;
			continue;
		}
		for (std::size_t i = 0; i < run.count(); ++i)
			store_integer(buf.out + i * to.element_bytes, to.dtype,
				      wrap(round_real(buf.x[i], s.p.toward_zero), to.dtype));
		if (!wrapped.write(run.index(), run.count(), buf.out))
			return;
	}
}

} // namespace atom::engine::fast
