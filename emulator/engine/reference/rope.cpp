/* SPDX-License-Identifier: MIT */
#include "reference/rope.h"

#include "reference/element.h"

namespace atom::engine::reference {

namespace {

/* Cosine and sine of a pair in the tables. */
bool read_tables(const rope_plan &p, memory &mem, const index5 &row, std::int64_t position, std::int64_t pair,
		 float &cosine, float &sine)
{
	index5 at = row;
	if (p.rows_by_position)
		at = {0, 0, 0, position, 0};
	at.back() = pair;
	if (!read_real(mem, p.cos, at, cosine) || !read_real(mem, p.sin, at, sine))
		return false;
	if (p.inverse)
		sine = -sine;
	return true;
}

/* (x0, x1) becomes (x0 cos - x1 sin, x0 sin + x1 cos). */
bool rotate(const rope_plan &p, memory &mem, const index5 &row, std::int64_t pair, float cosine, float sine)
{
	index5 first = row, second = row;
	first.back() = first_of_pair(p, pair);
	second.back() = second_of_pair(p, pair);
	float x0, x1;
	return read_real(mem, p.in, first, x0) && read_real(mem, p.in, second, x1) &&
	       write_real(mem, p.out, first, x0 * cosine - x1 * sine) &&
	       write_real(mem, p.out, second, x0 * sine + x1 * cosine);
}

bool turn_row(const rope_plan &p, memory &mem, const index5 &row)
{
	std::int64_t position = 0;
	if (p.positions && !read_integer(mem, p.positions, row, position))
		return false;
	if (p.rows_by_position && (position < 0 || position >= p.cos.dims[3])) {
		mem.fail(position_range(p, offset_of(row, p.positions.strides)));
		return false;
	}
	auto theta = static_cast<float>(position);
	for (std::int64_t pair = 0; pair < p.pairs; ++pair) {
		float cosine, sine, factor = 1;
		if (p.cos) {
			if (!read_tables(p, mem, row, position, pair, cosine, sine))
				return false;
		} else {
			if (p.factors && !read_real(mem, p.factors, {0, 0, 0, 0, pair}, factor))
				return false;
			turn(p.turn, theta / factor, pair, cosine, sine);
			theta *= p.turn.step;
		}
		if (!rotate(p, mem, row, pair, cosine, sine))
			return false;
	}
	index5 rest = row;
	for (rest.back() = 2 * p.pairs; rest.back() < p.out.dims.back(); ++rest.back()) {
		float x;
		if (!read_real(mem, p.in, rest, x) || !write_real(mem, p.out, rest, x))
			return false;
	}
	return true;
}

} // namespace

void rope(const rope_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	index5 rows = p.out.dims;
	rows.back() = 1;
	index5 row = index_at(first, rows);
	for (std::uint64_t n = first; n < last; ++n, next(row, rows))
		if (!turn_row(p, mem, row))
			return;
}

} // namespace atom::engine::reference
