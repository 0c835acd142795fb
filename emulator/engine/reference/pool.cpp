/* SPDX-License-Identifier: MIT */
#include "reference/pool.h"

#include <cstring>
#include <limits>

#include "numeric/convert.h"
#include "numeric/function.h"
#include "reference/element.h"

namespace atom::engine::reference {

namespace {

/* What the elements seen so far come to. */
struct pooled {
	float real;
	std::int64_t integer;
	std::int64_t at; /* h * W + w of the maximum, -1: none yet */
};

/* The first of the largest; NaN counts as larger than all, the first NaN wins. */
template <class T> void take_larger(T x, std::int64_t at, T &largest, std::int64_t &where)
{
	if (x > largest || (x != x && largest == largest) || where < 0) {
		largest = x;
		where = at;
	}
}

bool take(const pool_plan &p, memory &mem, const index5 &at, pooled &s)
{
	const std::int64_t position = at[2] * p.in.dims[3] + at[3];
	if (p.integer) {
		std::int64_t x;
		if (!read_integer(mem, p.in, at, x))
			return false;
		take_larger(x, position, s.integer, s.at);
		return true;
	}
	float x;
	if (!read_real(mem, p.in, at, x))
		return false;
	if (p.kind == ATOM_POOL_MAX)
		take_larger(x, position, s.real, s.at);
	else
		s.real += p.kind == ATOM_POOL_LP ? lp_term(x, p.p) : x;
	return true;
}

bool write(const pool_plan &p, memory &mem, const index5 &o, const pooled &s, std::int64_t count)
{
	if (p.index && !write_integer(mem, p.index, o, s.at))
		return false;
	if (p.integer)
		return write_integer(mem, p.out, o, s.integer);
	const float r = p.kind == ATOM_POOL_AVERAGE ? s.real / static_cast<float>(count)
			: p.kind == ATOM_POOL_LP    ? lp_root(s.real, p.p)
						    : s.real;
	return finish(mem, p.tail, p.out, o, r);
}

} // namespace

/*
 * Each output is of the elements of its window that lie inside the input, rows
 * first. AVERAGE divides by their number; with COUNT_PAD by that of the taps
 * that lie inside the padded input.
 */
void pool(const pool_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	const std::int64_t height = p.in.dims[2], width = p.in.dims[3];
	const window_axis &h = p.window.h, &w = p.window.w;
	tile_progress &kept = mem.progress();
	index5 o = index_at(first, p.out.dims);
	for (std::uint64_t n = first; n < last; ++n, next(o, p.out.dims)) {
		const tap_range rows = h.taps_inside(o[2], 0, height), columns = w.taps_inside(o[3], 0, width);
		const std::int64_t taps = rows.count() * columns.count();
		pooled s{p.kind == ATOM_POOL_MAX ? -std::numeric_limits<float>::infinity() : 0.0f,
			 saturate(std::numeric_limits<std::int64_t>::min(), p.in.dtype), -1};
		const std::int64_t start = kept.k;
		if (start)
			std::memcpy(&s, kept.sums.data(), sizeof s);
		for (std::int64_t t = start; t < taps; ++t) {
			if (t > start && t % static_cast<std::int64_t>(pool_taps) == 0 && mem.interrupted()) {
				const auto *bytes = reinterpret_cast<const std::byte *>(&s);
				kept.sums.assign(bytes, bytes + sizeof s);
				kept.k = t;
				return;
			}
			const index5 at = {0, o[1], h.at(o[2], rows.first + t / columns.count()),
					   w.at(o[3], columns.first + t % columns.count()), o[4]};
			if (!take(p, mem, at, s))
				return;
		}
		const std::int64_t padded = h.taps_inside(o[2], -h.pad_before, height + h.pad_after).count() *
					    w.taps_inside(o[3], -w.pad_before, width + w.pad_after).count();
		if (!write(p, mem, o, s, p.count_pad ? padded : taps))
			return;
	}
}

} // namespace atom::engine::reference
