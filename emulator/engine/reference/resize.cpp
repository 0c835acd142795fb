/* SPDX-License-Identifier: MIT */
#include "reference/resize.h"

#include <cstring>

#include "reference/element.h"

namespace atom::engine::reference {

namespace {

/* The weighted sum so far, and that of the row at hand. */
struct sums {
	float all = 0;
	float row = 0;
};

bool copy(const resize_plan &p, memory &mem, const index5 &from, const index5 &to)
{
	if (p.integer) {
		std::int64_t x;
		return read_integer(mem, p.in, from, x) && write_integer(mem, p.out, to, x);
	}
	float x;
	return read_real(mem, p.in, from, x) && write_real(mem, p.out, to, x);
}

} // namespace

/*
 * out = sum over kh of weight * (sum over kw of weight * in), each in f32, taps
 * ascending; a weight of 0 takes nothing, an infinity neither.
 */
void resize(const resize_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	tile_progress &kept = mem.progress();
	index5 o = index_at(first, p.out.dims);
	for (std::uint64_t n = first; n < last; ++n, next(o, p.out.dims)) {
		const resample_taps h = locate(p.h, o[2]), w = locate(p.w, o[3]);
		if (h.outside || w.outside) {
			if (!write_real(mem, p.out, o, p.extrapolation))
				return;
			continue;
		}
		if (p.nearest()) {
			if (!copy(p, mem, {0, o[1], position(p.h, h, 0), position(p.w, w, 0), o[4]}, o))
				return;
			continue;
		}
		sums s;
		const std::int64_t start = kept.k;
		if (start)
			std::memcpy(&s, kept.sums.data(), sizeof s);
		for (std::int64_t t = start; t < p.h.taps * p.w.taps; ++t) {
			if (t > start && t % static_cast<std::int64_t>(resize_taps) == 0 && mem.interrupted()) {
				const auto *bytes = reinterpret_cast<const std::byte *>(&s);
				kept.sums.assign(bytes, bytes + sizeof s);
				kept.k = t;
				return;
			}
			const std::int64_t kh = t / p.w.taps, kw = t % p.w.taps;
			const float across = weight(p.w, w, kw), down = weight(p.h, h, kh);
			float x;
			if (!read_real(mem, p.in, {0, o[1], position(p.h, h, kh), position(p.w, w, kw), o[4]}, x))
				return;
			if (across != 0)
				s.row += across * x;
			if (kw == p.w.taps - 1) {
				if (down != 0)
					s.all += down * s.row;
				s.row = 0;
			}
		}
		if (!write_real(mem, p.out, o, s.all))
			return;
	}
}

} // namespace atom::engine::reference
