/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include <algorithm>
#include <cmath>

#include "fast/resize.h"
#include "reference/resize.h"

namespace atom::engine {

namespace {

constexpr std::size_t kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);

/* Of each output. */
std::int64_t taps(const resize_plan &p) { return p.h.taps * p.w.taps; }

class resize_operation : public operation {
protected:
	resize_operation(parser &in, const resize_plan &plan) : plan_(plan)
	{
		operands_ = in.take_operands();
		cost_.where = cost::unit::vector;
		cost_.dtype = plan.in.dtype;
		cost_.elements = elements(plan.out.dims) * static_cast<std::uint64_t>(taps(plan));
	}

	resize_plan plan_;
};

class fast_resize final : public resize_operation {
public:
	fast_resize(parser &in, const resize_plan &plan) : resize_operation(in, plan), shape_(fast::cut(plan_))
	{
		tiles_ = shape_.tiles;
	}
	void run(std::uint64_t tile, memory &mem, scratch &work) const override
	{
		fast::resize(plan_, shape_, mem, work, tile);
	}

private:
	fast::resize_shape shape_;
};

class reference_resize final : public resize_operation {
public:
	reference_resize(parser &in, const resize_plan &plan)
		: resize_operation(in, plan), outputs_(elements(plan.out.dims)),
		  per_tile_(std::max<std::uint64_t>(reference::resize_taps / static_cast<std::uint64_t>(taps(plan)), 1))
	{
		tiles_ = (outputs_ + per_tile_ - 1) / per_tile_;
	}
	void run(std::uint64_t tile, memory &mem, scratch &) const override
	{
		const std::uint64_t first = tile * per_tile_;
		reference::resize(plan_, mem, first, std::min(first + per_tile_, outputs_));
	}

private:
	std::uint64_t outputs_;
	std::uint64_t per_tile_;
};

/* @value may be set only if @used, and is zero otherwise. */
bool parameter(parser &in, float value, bool used, std::size_t field)
{
	return in.require(used ? std::isfinite(value) : value == 0 && !std::signbit(value), ATOM_FAULT_BAD_FIELD, field);
}

bool check_parameters(parser &in, const atom_cmd_resize2d &c)
{
	const auto field = [&](bool good, std::size_t at) { return in.require(good, ATOM_FAULT_BAD_FIELD, at); };
	const bool nearest = c.mode == ATOM_RESIZE_NEAREST, crop = c.coordinate == ATOM_COORD_CROP_AND_RESIZE;
	const auto scale = [](float s) { return std::isfinite(s) && s > 0; };
	if (!field(!nearest || c.header.flags == 0, offsetof(atom_cmd_resize2d, header.flags)) ||
	    !field(c.mode <= ATOM_RESIZE_CUBIC, offsetof(atom_cmd_resize2d, mode)) ||
	    !field(c.coordinate <= ATOM_COORD_CROP_AND_RESIZE, offsetof(atom_cmd_resize2d, coordinate)) ||
	    !field(c.nearest <= (nearest ? ATOM_NEAREST_CEIL : 0), offsetof(atom_cmd_resize2d, nearest)) ||
	    !field(c.reserved0 == 0, offsetof(atom_cmd_resize2d, reserved0)) ||
	    !field(scale(c.scale_h), offsetof(atom_cmd_resize2d, scale_h)) ||
	    !field(scale(c.scale_w), offsetof(atom_cmd_resize2d, scale_w)) ||
	    !parameter(in, c.cubic_coeff, c.mode == ATOM_RESIZE_CUBIC, offsetof(atom_cmd_resize2d, cubic_coeff)))
		return false;
	for (std::size_t i = 0; i < 4; ++i)
		if (!parameter(in, c.roi[i], crop, offsetof(atom_cmd_resize2d, roi) + 4 * i))
			return false;
	return parameter(in, c.extrapolation, crop, offsetof(atom_cmd_resize2d, extrapolation)) &&
	       field(c.reserved1 == 0, offsetof(atom_cmd_resize2d, reserved1));
}

bool check_tensors(parser &in, resize_plan &p)
{
	constexpr std::size_t rank_at = offsetof(atom_tensor, rank), dtype_at = offsetof(atom_tensor, dtype);
	for (const tensor *t : {&p.in, &p.out})
		if (!in.require(t->rank == 4, ATOM_FAULT_BAD_SHAPE, t->field + rank_at))
			return false;
	for (const unsigned i : {0u, 3u})
		if (!in.require(p.out.dims[i + 1] == p.in.dims[i + 1], ATOM_FAULT_BAD_SHAPE,
				p.out.field + offsetof(atom_tensor, dims) + 8 * i))
			return false;
	p.integer = is_plain_integer(p.in);
	return in.require(!p.integer || p.nearest(), ATOM_FAULT_BAD_QUANT, p.in.field + kind_at) &&
	       in.require(p.in.quant.kind != ATOM_QUANT_PER_CHANNEL || p.in.quant.axis == 4, ATOM_FAULT_BAD_QUANT,
			  p.in.field + offsetof(atom_tensor, quant) + offsetof(atom_quant, axis)) &&
	       in.require(!p.integer || p.out.dtype == p.in.dtype, ATOM_FAULT_BAD_DTYPE, p.out.field + dtype_at) &&
	       in.require(is_plain_integer(p.out) == p.integer, ATOM_FAULT_BAD_QUANT, p.out.field + kind_at);
}

} // namespace

std::unique_ptr<operation> decode_resize(parser &in)
{
	atom_cmd_resize2d c;
	if (!in.command(c, ATOM_RESIZE_EXCLUDE_OUTSIDE | ATOM_RESIZE_ANTIALIAS) || !check_parameters(in, c))
		return nullptr;
	resize_plan p;
	p.extrapolation = c.extrapolation;
	p.h = {.mode = c.mode, .coordinate = c.coordinate, .nearest = c.nearest,
	       .exclude_outside = (c.header.flags & ATOM_RESIZE_EXCLUDE_OUTSIDE) != 0,
	       .antialias = (c.header.flags & ATOM_RESIZE_ANTIALIAS) != 0, .cubic_coeff = c.cubic_coeff,
	       .start = c.roi[0], .end = c.roi[2]};
	p.w = p.h;
	p.w.start = c.roi[1];
	p.w.end = c.roi[3];
	constexpr std::uint32_t dtypes = float_dtypes | small_integer_dtypes;
	if (!in.read_tensor(c.in, offsetof(atom_cmd_resize2d, in), {.dtypes = dtypes}, p.in) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_resize2d, out), {.dtypes = dtypes, .output = true}, p.out) ||
	    !check_tensors(in, p))
		return nullptr;
	if (!in.require(p.h.set_sizes(p.in.dims[2], p.out.dims[2], c.scale_h), ATOM_FAULT_TOO_LARGE,
			offsetof(atom_cmd_resize2d, scale_h)) ||
	    !in.require(p.w.set_sizes(p.in.dims[3], p.out.dims[3], c.scale_w), ATOM_FAULT_TOO_LARGE,
			offsetof(atom_cmd_resize2d, scale_w)) ||
	    !in.check_work(p.out, taps(p)) || !in.check_overlap(p.out, {}))
		return nullptr;
	if (in.how().reference)
		return std::make_unique<reference_resize>(in, p);
	return std::make_unique<fast_resize>(in, p);
}

} // namespace atom::engine
