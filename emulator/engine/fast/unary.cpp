/* SPDX-License-Identifier: MIT */
#include "fast/fast.h"

#include "fast/values.h"
#include "numeric/function.h"

namespace atom::engine::fast {

namespace {

struct buffers {
	run_buffers run;
	alignas(64) float x[run_elements];
	alignas(64) float y[run_elements];
	alignas(64) std::int32_t ix[run_elements];
	alignas(64) std::int32_t iy[run_elements];
};

void apply_integer(const unary_plan &p, const std::int32_t *x, std::int32_t *to, std::size_t n)
{
	if (vectors().unary_integer[p.function])
		return vectors().unary_integer[p.function](x, to, n);
	for (std::size_t i = 0; i < n; ++i)
		to[i] = static_cast<std::int32_t>(
			apply_function(p.function, std::int64_t{x[i]}, p.p0, p.p1, p.in.dtype));
}

} // namespace

streams<unary_plan> prepare(const unary_plan &p)
{
	streams<unary_plan> s{.p = p, .dims = p.out.dims, .in = make_stream(p.in), .b = {}, .residual = {},
			      .out = make_stream(p.out)};
	s.dims = merge(s.dims, {&s.in, &s.out});
	return s;
}

void unary(const streams<unary_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	if (s.p.integer) {
		integer_run in, out;
		if (!in.open(mem, s.in, s.dims, first, last, ATOM_ACCESS_READ) ||
		    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE))
			return;
		for (run_walk run(s.dims, first, last); run.next();) {
			if (!in.load(run.index(), run.count(), buf.ix, buf.run))
				return;
			apply_integer(s.p, buf.ix, buf.iy, run.count());
			if (!out.store(run.index(), run.count(), buf.iy, buf.run))
				return;
		}
		return;
	}
	real_run in, out;
	if (!in.open(mem, s.in, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE))
		return;
	for (run_walk run(s.dims, first, last); run.next();) {
		if (!in.load(run.index(), run.count(), buf.x, buf.run))
			return;
		apply(s.p.function, buf.x, buf.y, run.count(), s.p.p0, s.p.p1);
		if (!out.store(run.index(), run.count(), buf.y, buf.run))
			return;
	}
}

} // namespace atom::engine::fast
