/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cmath>

#include "reference/element.h"
#include "reference/rows.h"

namespace atom::engine::reference {

namespace {

struct row_state {
	float sum, mean, inverse;
};

/* 1 / divisor; a NaN stays one. */
float inverse_of(const norm_plan &p, float sum, float n)
{
	switch (p.kind) {
	case ATOM_NORM_L1:
		return 1.0f / (sum < p.eps ? p.eps : sum);
	case ATOM_NORM_L2: {
		const float root = std::sqrt(sum);
		return 1.0f / (root < p.eps ? p.eps : root);
	}
	default:
		return 1.0f / std::sqrt(sum / n + p.eps);
	}
}

bool write_result(const norm_plan &p, memory &mem, const index5 &i, float r)
{
	float gamma, beta;
	if ((p.gamma && !read_real(mem, p.gamma, i, gamma)) || (p.beta && !read_real(mem, p.beta, i, beta)))
		return false;
	if (p.gamma)
		r *= gamma;
	if (p.beta)
		r += beta;
	return write_real(mem, p.out, i, r);
}

} // namespace

/*
 * LAYER: mean = sum / n, then the sum of (x - mean)^2. The others: mean 0, the sum of x^2, of |x| for L1.
 * In a last pass out = (x - mean) * inverse [* gamma] [+ beta].
 */
void norm(const norm_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	const unsigned passes = p.kind == ATOM_NORM_LAYER ? 3 : 2;
	const auto n = static_cast<float>(elements(within_rows(p.in.dims, p.reduced)));
	row_passes<row_state> at(mem, p.in.dims, p.reduced, passes, first, last);
	row_state &s = at.state;
	while (at.next()) {
		const index5 i = at.index();
		if (at.row_begins())
			s = {};
		float x;
		if (!read_real(mem, p.in, i, x))
			return;
		if (at.pass() == passes - 1) {
			if (!write_result(p, mem, i, (x - s.mean) * s.inverse))
				return;
			continue;
		}
		const bool averages = passes == 3 && at.pass() == 0;
		const float d = x - s.mean;
		s.sum += averages ? x : p.kind == ATOM_NORM_L1 ? std::fabs(x) : d * d;
		if (!at.pass_ends())
			continue;
		if (averages) {
			s.mean = s.sum / n;
			s.sum = 0;
			if (p.mean && !write_real(mem, p.mean, at.row(), s.mean))
				return;
		} else {
			s.inverse = inverse_of(p, s.sum, n);
			if (p.inverse && !write_real(mem, p.inverse, at.row(), s.inverse))
				return;
		}
	}
}

/* out = x / (bias + alpha / size * sum of x^2)^beta, the sum over the window as far as it lies inside. */
void lrn(const lrn_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	index5 i = index_at(first, p.out.dims);
	for (std::uint64_t n = first; n < last; ++n, next(i, p.out.dims)) {
		float x, sum = 0;
		if (!read_real(mem, p.in, i, x))
			return;
		const std::int64_t middle = i[p.axis];
		const std::int64_t end = std::min(middle + p.after + 1, p.in.dims[p.axis]);
		for (std::int64_t j = std::max(middle - p.before, std::int64_t{0}); j < end; ++j) {
			index5 beside = i;
			beside[p.axis] = j;
			float y;
			if (!read_real(mem, p.in, beside, y))
				return;
			sum += y * y;
		}
		if (!write_real(mem, p.out, i, x / std::pow(p.bias + p.factor * sum, p.beta)))
			return;
	}
}

} // namespace atom::engine::reference
