/* SPDX-License-Identifier: MIT */
#include "fast/fast.h"

#include <algorithm>
#include <cmath>

#include "fast/row_kernels.h"
#include "fast/values.h"

namespace atom::engine::fast {

namespace {

struct buffers {
	run_buffers run;
	alignas(64) float x[run_elements];
	alignas(64) float y[run_elements];
	alignas(64) float sum[run_elements];
};

constexpr std::size_t last_dimension = ATOM_RANK_MAX - 1;

/* Adds the squares of what is @p by elements farther along the axis than the run, as far as that is inside. */
bool add_squares(const lrn_plan &p, real_run &in, const run_walk &run, std::int64_t by, buffers &buf)
{
	const std::int64_t count = p.in.dims[p.axis];
	index5 at = run.index();
	at[p.axis] += by;
	std::int64_t skipped = 0, n = static_cast<std::int64_t>(run.count());
	if (p.axis == last_dimension) {
		skipped = std::clamp(-at[p.axis], std::int64_t{0}, n);
		n = std::clamp(count - at[p.axis], skipped, n);
		at[p.axis] += skipped;
	} else if (at[p.axis] < 0 || at[p.axis] >= count) {
		return true;
	}
	const auto some = static_cast<std::size_t>(n - skipped);
	if (some == 0)
		return true;
	if (!in.load(at, some, buf.y, buf.run))
		return false;
	row_vectors().add_squares(buf.sum + skipped, buf.y, some);
	return true;
}

} // namespace

/* Dimensions are not joined: the window lies along one of them. */
streams<lrn_plan> prepare(const lrn_plan &p)
{
	streams<lrn_plan> s{};
	s.p = p;
	s.dims = p.out.dims;
	s.in = make_stream(p.in);
	s.out = make_stream(p.out);
	return s;
}

void lrn(const streams<lrn_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	const lrn_plan &p = s.p;
	real_run in, out;
	/* Windows reach beyond the tile's own elements. */
	if (!in.open(mem, s.in, s.dims, 0, elements(s.dims), ATOM_ACCESS_READ) ||
	    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE))
		return;
	for (run_walk run(s.dims, first, last); run.next();) {
		const std::size_t n = run.count();
		std::fill_n(buf.sum, n, 0.0f);
		for (std::int64_t by = -p.before; by <= p.after; ++by)
			if (!add_squares(p, in, run, by, buf))
				return;
		if (!in.load(run.index(), n, buf.x, buf.run))
			return;
		for (std::size_t i = 0; i < n; ++i)
			buf.x[i] /= std::pow(p.bias + p.factor * buf.sum[i], p.beta);
		if (!out.store(run.index(), n, buf.x, buf.run))
			return;
	}
}

} // namespace atom::engine::fast
