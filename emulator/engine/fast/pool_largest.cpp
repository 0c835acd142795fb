/* SPDX-License-Identifier: MIT */
#include "fast/lane_kernels.h"
#include "fast/pool.h"

namespace atom::engine::fast {

namespace {

/* More taps would make a tile long, for they are not interrupted. */
constexpr std::int64_t taps_max = 64;

/* Quantised values keep their order, and come back as they were, unless the scale makes them overflow or denormal. */
bool keeps_values(const tensor &in, const tensor &out)
{
	const quantisation &a = in.quant, &b = out.quant;
	if (a.kind != b.kind || in.dtype != out.dtype)
		return false;
	return a.kind == ATOM_QUANT_NONE || (a.kind == ATOM_QUANT_PER_TENSOR && a.scale == b.scale &&
					     a.zero_point == b.zero_point && a.scale > 0x1p-60f && a.scale < 0x1p60f);
}

} // namespace

bool largest_in_place(const pool_plan &p, const pool_shape &shape, memory &mem, std::uint64_t first, std::uint64_t last)
{
	const auto largest_of = lane_vectors().largest_of[p.in.dtype];
	if (!largest_of || p.kind != ATOM_POOL_MAX || p.index || p.tail.activation != ATOM_FN_IDENTITY ||
	    shape.run != pool_shape::along::channels || p.window.taps() > taps_max || !keeps_values(p.in, p.out))
		return false;
	window in, out;
	if (!in.open(mem, shape.in, inputs_of(p, shape, first, last), ATOM_ACCESS_READ) ||
	    !out.open(mem, shape.out, shape.dims, first, last, ATOM_ACCESS_WRITE))
		return true;
	if (!in.place({}) || !out.place({}))
		return false;
	const std::int64_t down = p.in.strides[2] * p.window.h.dilation, right = p.in.strides[3] * p.window.w.dilation;
	for (run_walk run(shape.dims, first, last); run.next();) {
		const output_place o = place_of(run.index(), shape.run);
		const tap_range rows = p.window.h.taps_inside(o.y, 0, p.in.dims[2]);
		const tap_range columns = p.window.w.taps_inside(o.x, 0, p.in.dims[3]);
		const std::byte *taps[taps_max];
		std::size_t count = 0;
		const std::byte *first_tap = in.place({0, o.n, p.window.h.at(o.y, 0), p.window.w.at(o.x, 0), o.channel});
		for (std::int64_t ky = rows.first; ky < rows.last; ++ky)
			for (std::int64_t kx = columns.first; kx < columns.last; ++kx)
				taps[count++] = first_tap + ky * down + kx * right;
		largest_of(taps, count, out.place(run.index()), run.count());
	}
	return true;
}

} // namespace atom::engine::fast
