/* SPDX-License-Identifier: MIT */
#include "fast/fast.h"

#include <limits>

#include "fast/lane_kernels.h"
#include "fast/values.h"

namespace atom::engine::fast {

namespace {

struct buffers {
	run_buffers run;
	alignas(64) float gate[run_elements];
	alignas(64) float value[run_elements];
	alignas(64) float cut[run_elements];
	alignas(64) float opened[run_elements];
};

} // namespace

streams<glu_plan> prepare(const glu_plan &p)
{
	streams<glu_plan> s{.p = p, .dims = p.out.dims, .in = make_stream(p.gate), .b = make_stream(p.value),
			    .residual = {}, .out = make_stream(p.out)};
	s.dims = merge(s.dims, {&s.in, &s.b, &s.out});
	return s;
}

void glu(const streams<glu_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	const auto clip = vectors().unary[ATOM_FN_CLIP];
	real_run gate, value, out;
	if (!gate.open(mem, s.in, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !value.open(mem, s.b, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE))
		return;
	for (run_walk run(s.dims, first, last); run.next();) {
		const std::size_t n = run.count();
		if (!gate.load(run.index(), n, buf.gate, buf.run) || !value.load(run.index(), n, buf.value, buf.run))
			return;
		const float *x = buf.gate;
		if (s.p.limit > 0) {
			clip(x, buf.cut, n, -std::numeric_limits<float>::infinity(), s.p.limit);
			x = buf.cut;
		}
		apply(s.p.function, x, buf.opened, n, s.p.p0, 0);
		const float *y = buf.value;
		if (s.p.limit > 0) {
			clip(y, buf.cut, n, -s.p.limit, s.p.limit);
			y = buf.cut;
		}
		lane_vectors().gate(buf.opened, y, buf.gate, n, s.p.bias);
		if (!out.store(run.index(), n, buf.gate, buf.run))
			return;
	}
}

} // namespace atom::engine::fast
