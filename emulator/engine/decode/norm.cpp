/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include <bit>
#include <cmath>

#include "decode/elementwise.h"
#include "decode/rows.h"
#include "reference/rows.h"

namespace atom::engine {

namespace {

constexpr std::size_t rank_at = offsetof(atom_tensor, rank);
constexpr std::size_t dims_at = offsetof(atom_tensor, dims);
constexpr std::size_t kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);
constexpr std::size_t axis_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, axis);

constexpr std::uint32_t lrn_size_max = 1024;

bool check_parameters(parser &in, const atom_cmd_norm &c)
{
	const auto require = [&](bool good, std::size_t field) {
		return in.require(good, ATOM_FAULT_BAD_FIELD, field);
	};
	const bool lrn = c.kind == ATOM_NORM_LRN;
	const auto of_lrn = [&](float value, std::size_t field) {
		return require(lrn ? std::isfinite(value) : value == 0, field);
	};
	return require(c.kind <= ATOM_NORM_LRN, offsetof(atom_cmd_norm, kind)) &&
	       require(c.axes >> ATOM_RANK_MAX == 0 && (!lrn || std::has_single_bit(c.axes)) &&
			       (c.axes != 0 || c.groups != 0),
		       offsetof(atom_cmd_norm, axes)) &&
	       require(!lrn || c.groups == 0, offsetof(atom_cmd_norm, groups)) &&
	       require(c.groups != 0 || c.group_axis == 0, offsetof(atom_cmd_norm, group_axis)) &&
	       require(std::isfinite(c.eps) && (lrn ? c.eps == 0 : c.eps >= 0), offsetof(atom_cmd_norm, eps)) &&
	       of_lrn(c.lrn_alpha, offsetof(atom_cmd_norm, lrn_alpha)) &&
	       of_lrn(c.lrn_beta, offsetof(atom_cmd_norm, lrn_beta)) &&
	       of_lrn(c.lrn_bias, offsetof(atom_cmd_norm, lrn_bias)) &&
	       require(lrn ? c.lrn_size >= 1 && c.lrn_size <= lrn_size_max : c.lrn_size == 0,
		       offsetof(atom_cmd_norm, lrn_size)) &&
	       require(c.reserved == 0, offsetof(atom_cmd_norm, reserved));
}

/* Floats or quantised integers; a dimension that is split has no channels. */
bool read_elements(parser &in, const atom_cmd_norm &c, const atom_tensor &from, std::size_t field, bool output,
		   tensor &to)
{
	constexpr std::uint32_t dtypes = float_dtypes | small_integer_dtypes;
	if (!in.read_tensor(from, field, {.dtypes = dtypes, .output = output}, to) ||
	    !in.require(!is_plain_integer(to), ATOM_FAULT_BAD_QUANT, field + kind_at))
		return false;
	const bool split = c.groups != 0 && from.quant.kind == ATOM_QUANT_PER_CHANNEL && from.quant.axis == c.group_axis;
	return in.require(!split, ATOM_FAULT_BAD_QUANT, field + axis_at);
}

bool check_axes(parser &in, const atom_cmd_norm &c, const tensor &of)
{
	if (!in.require(c.axes >> of.rank == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_norm, axes)))
		return false;
	if (c.groups == 0)
		return true;
	/* Split, it is one dimension more. */
	return in.require(of.rank < ATOM_RANK_MAX, ATOM_FAULT_BAD_SHAPE, of.field + rank_at) &&
	       in.require(c.group_axis < of.rank && !is_reduced(c.axes, c.group_axis), ATOM_FAULT_BAD_FIELD,
			  offsetof(atom_cmd_norm, group_axis)) &&
	       in.require(of.dims[c.group_axis + ATOM_RANK_MAX - of.rank] % c.groups == 0, ATOM_FAULT_BAD_FIELD,
			  offsetof(atom_cmd_norm, groups));
}

bool read_factor(parser &in, const atom_tensor &from, std::size_t field, bool allowed, const tensor &like, tensor &to)
{
	return in.read_tensor(from, field, {.dtypes = allowed ? float_dtypes : 0, .optional = true}, to) &&
	       (!to || in.same_dims(to, like));
}

/* mean, inverse: one element a row. */
bool read_statistic(parser &in, const atom_cmd_norm &c, const atom_tensor &from, std::size_t field, bool allowed,
		    const tensor &like, tensor &to)
{
	if (!in.read_tensor(from, field,
			    {.dtypes = allowed ? dtype_bit(ATOM_DTYPE_F32) : 0, .optional = true, .output = true}, to))
		return false;
	if (!to)
		return true;
	if (!in.require(to.rank == like.rank, ATOM_FAULT_BAD_SHAPE, field + rank_at))
		return false;
	const unsigned pad = ATOM_RANK_MAX - like.rank;
	for (unsigned i = 0; i < like.rank; ++i) {
		const bool parts = c.groups != 0 && i == c.group_axis;
		const std::int64_t count = parts ? c.groups : is_reduced(c.axes, i) ? 1 : like.dims[pad + i];
		if (!in.require(to.dims[pad + i] == count, ATOM_FAULT_BAD_SHAPE, field + dims_at + 8 * i))
			return false;
	}
	return true;
}

/* Dimension @axis becomes two, of @groups parts; there is room, the first dimension is a padded one. */
void split(tensor &t, unsigned axis, std::int64_t groups)
{
	for (unsigned i = 0; i < axis; ++i) {
		t.dims[i] = t.dims[i + 1];
		t.strides[i] = t.strides[i + 1];
	}
	const std::int64_t part = t.dims[axis] / groups;
	t.dims[axis - 1] = groups;
	t.strides[axis - 1] = t.strides[axis] * part;
	t.dims[axis] = part;
	if (t.quant.kind == ATOM_QUANT_PER_CHANNEL && t.quant.axis < axis)
		--t.quant.axis;
}

void make_groups(const atom_cmd_norm &c, norm_plan &p)
{
	p.reduced = c.axes << (ATOM_RANK_MAX - p.in.rank);
	if (c.groups == 0)
		return;
	const unsigned axis = c.group_axis + ATOM_RANK_MAX - p.in.rank;
	const unsigned below = (1u << axis) - 1;
	p.reduced = (p.reduced & ~below) | (p.reduced & below) >> 1 | 1u << axis;
	for (tensor *t : {&p.in, &p.gamma, &p.beta, &p.out, &p.mean, &p.inverse})
		if (*t)
			split(*t, axis, c.groups);
}

std::unique_ptr<operation> make_lrn(parser &in, const atom_cmd_norm &c, const norm_plan &norm)
{
	lrn_plan p;
	p.axis = static_cast<unsigned>(std::countr_zero(c.axes)) + ATOM_RANK_MAX - norm.in.rank;
	p.before = (c.lrn_size - 1) / 2;
	p.after = c.lrn_size / 2;
	p.factor = c.lrn_alpha / static_cast<float>(c.lrn_size);
	p.beta = c.lrn_beta;
	p.bias = c.lrn_bias;
	p.in = norm.in;
	p.out = norm.out;
	if (!in.check_work(p.out, c.lrn_size) || !in.check_overlap(p.out, {}))
		return nullptr;
	return std::make_unique<elementwise<lrn_plan>>(in, p, cost::unit::vector, reference::lrn, fast::lrn,
						       fast::elements_per_tile, c.lrn_size);
}

} // namespace

std::unique_ptr<operation> decode_norm(parser &in)
{
	atom_cmd_norm c;
	if (!in.command(c, 0))
		return nullptr;
	norm_plan p;
	p.kind = c.kind;
	p.eps = c.eps;
	const bool lrn = c.kind == ATOM_NORM_LRN;
	const tensor *in_place[] = {&p.in, &p.gamma, &p.beta};
	if (!check_parameters(in, c) || !read_elements(in, c, c.in, offsetof(atom_cmd_norm, in), false, p.in) ||
	    !check_axes(in, c, p.in) ||
	    !read_factor(in, c.gamma, offsetof(atom_cmd_norm, gamma), !lrn, p.in, p.gamma) ||
	    !read_factor(in, c.beta, offsetof(atom_cmd_norm, beta), !lrn, p.in, p.beta) ||
	    !read_elements(in, c, c.out, offsetof(atom_cmd_norm, out), true, p.out) || !in.same_dims(p.out, p.in) ||
	    !read_statistic(in, c, c.mean, offsetof(atom_cmd_norm, mean), c.kind == ATOM_NORM_LAYER, p.in, p.mean) ||
	    !read_statistic(in, c, c.inverse, offsetof(atom_cmd_norm, inverse), !lrn, p.in, p.inverse))
		return nullptr;
	if (lrn)
		return make_lrn(in, c, p);
	if (!in.check_work(p.out) || !in.check_overlap(p.out, in_place) ||
	    (p.mean && !in.check_overlap(p.mean, {})) || (p.inverse && !in.check_overlap(p.inverse, {})))
		return nullptr;
	make_groups(c, p);
	return std::make_unique<row_operation<norm_plan>>(in, p, p.in.dims, p.reduced, 1, reference::norm, fast::norm);
}

} // namespace atom::engine
