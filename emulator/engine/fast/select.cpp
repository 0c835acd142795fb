/* SPDX-License-Identifier: MIT */
#include "fast/fast.h"

#include <bit>

#include "fast/lane_kernels.h"

namespace atom::engine::fast {

namespace {

struct buffers {
	alignas(64) std::byte cond[run_elements];
	alignas(64) std::byte a[run_elements * 8];
	alignas(64) std::byte b[run_elements * 8];
	alignas(64) std::byte to[run_elements * 8];
};

} // namespace

streams<select_plan> prepare(const select_plan &p)
{
	streams<select_plan> s{.p = p, .dims = p.out.dims, .in = make_stream(p.a), .b = make_stream(p.b),
			       .residual = make_stream(p.cond), .out = make_stream(p.out)};
	s.dims = merge(s.dims, {&s.in, &s.b, &s.residual, &s.out});
	return s;
}

void select(const streams<select_plan> &s, memory &mem, scratch &work, std::uint64_t first, std::uint64_t last)
{
	auto &buf = *reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)));
	const auto choose = lane_vectors().select[std::countr_zero(s.out.t.element_bytes)];
	window cond, a, b, out;
	if (!cond.open(mem, s.residual, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !a.open(mem, s.in, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !b.open(mem, s.b, s.dims, first, last, ATOM_ACCESS_READ) ||
	    !out.open(mem, s.out, s.dims, first, last, ATOM_ACCESS_WRITE))
		return;
	for (run_walk run(s.dims, first, last); run.next();) {
		const std::byte *const truth = cond.read(run.index(), run.count(), buf.cond);
		const std::byte *const x = truth ? a.read(run.index(), run.count(), buf.a) : nullptr;
		const std::byte *const y = x ? b.read(run.index(), run.count(), buf.b) : nullptr;
		if (!y)
			return;
		std::byte *const place = out.place(run.index());
		choose(reinterpret_cast<const std::uint8_t *>(truth), x, y, place ? place : buf.to, run.count());
		if (!place && !out.write(run.index(), run.count(), buf.to))
			return;
	}
}

} // namespace atom::engine::fast
