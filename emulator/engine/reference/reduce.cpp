/* SPDX-License-Identifier: MIT */
#include <cmath>

#include "numeric/exponential.h"
#include "numeric/function.h"
#include "reference/element.h"
#include "reference/rows.h"

namespace atom::engine::reference {

namespace {

/* @x is to take the place of @best: the first of equals stays, or the last comes; a NaN is better than all numbers. */
template <class T> bool is_better(const reduce_plan &p, T x, T best)
{
	if (p.last_index)
		return x != x || x == best || (p.kind == ATOM_REDUCE_ARGMIN ? x < best : x > best);
	return x != x ? best == best : p.kind == ATOM_REDUCE_ARGMIN ? x < best : x > best;
}

struct real_state {
	float sum, best;
	std::int64_t at;
};

void add_real(const reduce_plan &p, unsigned pass, std::int64_t position, float x, real_state &s)
{
	switch (p.kind) {
	case ATOM_REDUCE_MAX:
		s.best = apply_binary(ATOM_BINARY_MAX, s.best, x);
		break;
	case ATOM_REDUCE_MIN:
		s.best = apply_binary(ATOM_BINARY_MIN, s.best, x);
		break;
	case ATOM_REDUCE_ARGMAX:
	case ATOM_REDUCE_ARGMIN:
		if (is_better(p, x, s.best)) {
			s.best = x;
			s.at = position;
		}
		break;
	case ATOM_REDUCE_PROD:
		s.sum *= x;
		break;
	case ATOM_REDUCE_L1:
		s.sum += std::fabs(x);
		break;
	case ATOM_REDUCE_L2:
	case ATOM_REDUCE_SUM_SQUARE:
		s.sum += x * x;
		break;
	case ATOM_REDUCE_LOG_SUM_EXP:
		if (pass == 0)
			s.best = apply_binary(ATOM_BINARY_MAX, s.best, x);
		else
			s.sum += exponential(x - s.best);
		break;
	default:
		s.sum += x;
	}
}

float real_result(const reduce_plan &p, const real_state &s, float n)
{
	switch (p.kind) {
	case ATOM_REDUCE_MAX:
	case ATOM_REDUCE_MIN:
		return s.best;
	case ATOM_REDUCE_MEAN:
		return s.sum / n;
	case ATOM_REDUCE_L2:
		return std::sqrt(s.sum);
	case ATOM_REDUCE_LOG_SUM:
		return std::log(s.sum);
	case ATOM_REDUCE_LOG_SUM_EXP:
		return std::isinf(s.best) ? s.best : s.best + std::log(s.sum);
	default:
		return s.sum;
	}
}

/* f32; LOG_SUM_EXP in two passes, the first of which finds the maximum. */
void reduce_real(const reduce_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	const unsigned passes = p.kind == ATOM_REDUCE_LOG_SUM_EXP ? 2 : 1;
	const auto n = static_cast<float>(elements(within_rows(p.in.dims, p.reduced)));
	row_passes<real_state> at(mem, p.in.dims, p.reduced, passes, first, last);
	while (at.next()) {
		float x;
		if (!read_real(mem, p.in, at.index(), x))
			return;
		if (at.row_begins())
			at.state = {p.kind == ATOM_REDUCE_PROD ? 1.0f : 0.0f, x, 0};
		add_real(p, at.pass(), at.position(), x, at.state);
		if (!at.pass_ends() || at.pass() != passes - 1)
			continue;
		if (!(p.finds() ? write_integer(mem, p.out, at.row(), at.state.at)
				: write_real(mem, p.out, at.row(), real_result(p, at.state, n))))
			return;
	}
}

struct integer_state {
	std::uint64_t sum;
	std::int64_t best, at;
};

void add_integer(const reduce_plan &p, std::int64_t position, std::int64_t x, integer_state &s)
{
	const auto bits = static_cast<std::uint64_t>(x);
	switch (p.kind) {
	case ATOM_REDUCE_MAX:
		s.best = x > s.best ? x : s.best;
		break;
	case ATOM_REDUCE_MIN:
		s.best = x < s.best ? x : s.best;
		break;
	case ATOM_REDUCE_ARGMAX:
	case ATOM_REDUCE_ARGMIN:
		if (is_better(p, x, s.best)) {
			s.best = x;
			s.at = position;
		}
		break;
	case ATOM_REDUCE_PROD:
		s.sum *= bits;
		break;
	case ATOM_REDUCE_L1:
		s.sum += x < 0 ? 0 - bits : bits;
		break;
	case ATOM_REDUCE_SUM_SQUARE:
		s.sum += bits * bits;
		break;
	default:
		s.sum += bits;
	}
}

std::int64_t integer_result(const reduce_plan &p, const integer_state &s, std::int64_t n)
{
	switch (p.kind) {
	case ATOM_REDUCE_MAX:
	case ATOM_REDUCE_MIN:
		return s.best;
	case ATOM_REDUCE_ARGMAX:
	case ATOM_REDUCE_ARGMIN:
		return s.at;
	case ATOM_REDUCE_MEAN:
		return static_cast<std::int64_t>(s.sum) / n;
	default:
		return static_cast<std::int64_t>(s.sum);
	}
}

/* Modulo 2^64, and then 2^bits of the output. */
void reduce_integer(const reduce_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	const auto n = static_cast<std::int64_t>(elements(within_rows(p.in.dims, p.reduced)));
	row_passes<integer_state> at(mem, p.in.dims, p.reduced, 1, first, last);
	while (at.next()) {
		std::int64_t x;
		if (!read_integer(mem, p.in, at.index(), x))
			return;
		if (at.row_begins())
			at.state = {p.kind == ATOM_REDUCE_PROD ? 1u : 0u, x, 0};
		add_integer(p, at.position(), x, at.state);
		if (at.pass_ends() && !write_integer(mem, p.out, at.row(), integer_result(p, at.state, n)))
			return;
	}
}

} // namespace

void reduce(const reduce_plan &p, memory &mem, std::uint64_t first, std::uint64_t last)
{
	(p.integer ? reduce_integer : reduce_real)(p, mem, first, last);
}

} // namespace atom::engine::reference
