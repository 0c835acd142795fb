/* SPDX-License-Identifier: MIT */
#include <cmath>
#include <limits>

#include "numeric/exponential.h"
#include "numeric/function.h"
#include "reference/element.h"
#include "reference/rows.h"

namespace atom::engine::reference {

namespace {

/* y = in * scale [+ slope * mask], each step rounded. */
bool read_score(const softmax_plan &p, memory &mem, const index5 &i, float &y)
{
	if (!read_real(mem, p.in, i, y))
		return false;
	y *= p.scale;
	if (!p.mask)
		return true;
	float mask;
	if (!read_real(mem, p.mask, i, mask))
		return false;
	constexpr unsigned head = softmax_plan::head_axis;
	y += (p.max_bias != 0 ? alibi_slope(p.max_bias, p.in.dims[head], i[head]) : 1.0f) * mask;
	return true;
}

struct row_state {
	float max, sum, sink;
};

} // namespace

/*
 * Three times over each row: max; sum = sum of exp(y - max); out = exp(y - max) / sum,
 * or with LOG (y - max) - log(sum). What CAUSAL drops counts nowhere, and becomes 0 or -infinity. A sink is
 * a last score that is not written.
 */
void softmax(const softmax_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	constexpr float infinity = std::numeric_limits<float>::infinity();
	row_passes<row_state> at(mem, p.in.dims, 1u << p.axis, 3, first, last);
	row_state &s = at.state;
	while (at.next()) {
		const index5 i = at.index();
		if (at.row_begins()) {
			s = {-infinity, 0, 0};
			const index5 head = {0, 0, 0, 0, i[softmax_plan::head_axis]};
			if (p.sinks && !read_real(mem, p.sinks, head, s.sink))
				return;
		}
		const bool dropped = p.causal && i[p.axis] > i[p.axis - 1] + p.causal_offset;
		float y = -infinity;
		if (!dropped && !read_score(p, mem, i, y))
			return;
		const bool sink = p.sinks && at.pass_ends();
		switch (at.pass()) {
		case 0:
			s.max = dropped ? s.max : apply_binary(ATOM_BINARY_MAX, s.max, y);
			s.max = sink ? apply_binary(ATOM_BINARY_MAX, s.max, s.sink) : s.max;
			break;
		case 1:
			s.sum += dropped ? 0 : exponential(y - s.max);
			s.sum += sink ? exponential(s.sink - s.max) : 0;
			break;
		default:
			if (!write_real(mem, p.out, i,
					dropped ? (p.log ? -infinity : 0)
					: p.log ? (y - s.max) - std::log(s.sum)
						: exponential(y - s.max) / s.sum))
				return;
		}
	}
}

} // namespace atom::engine::reference
