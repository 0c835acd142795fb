/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include <algorithm>
#include <cmath>

#include "decode/window.h"
#include "fast/pool.h"
#include "reference/pool.h"

namespace atom::engine {

namespace {

constexpr std::size_t kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);
constexpr std::size_t axis_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, axis);
constexpr std::size_t dtype_at = offsetof(atom_tensor, dtype);

class pool_operation : public operation {
protected:
	pool_operation(parser &in, const pool_plan &plan)
	{
		operands_ = in.take_operands();
		cost_.where = cost::unit::vector;
		cost_.dtype = plan.in.dtype;
		/* The vector unit is busy with each element of a window. */
		cost_.elements = elements(plan.out.dims) * static_cast<std::uint64_t>(plan.window.taps());
	}
};

class fast_pool final : public pool_operation {
public:
	fast_pool(parser &in, const pool_plan &plan) : pool_operation(in, plan), plan_(plan), shape_(fast::cut(plan_))
	{
		tiles_ = shape_.tiles;
	}
	void run(std::uint64_t tile, memory &mem, scratch &work) const override
	{
		fast::pool(plan_, shape_, mem, work, tile);
	}

private:
	pool_plan plan_;
	fast::pool_shape shape_;
};

class reference_pool final : public pool_operation {
public:
	reference_pool(parser &in, const pool_plan &plan)
		: pool_operation(in, plan), plan_(plan), outputs_(elements(plan.out.dims)),
		  per_tile_(std::max<std::uint64_t>(reference::pool_taps / static_cast<std::uint64_t>(plan.window.taps()), 1))
	{
		tiles_ = (outputs_ + per_tile_ - 1) / per_tile_;
	}
	void run(std::uint64_t tile, memory &mem, scratch &) const override
	{
		const std::uint64_t first = tile * per_tile_;
		reference::pool(plan_, mem, first, std::min(first + per_tile_, outputs_));
	}

private:
	pool_plan plan_;
	std::uint64_t outputs_;
	std::uint64_t per_tile_;
};

/* Outputs along one axis: the last window may be cut off or not. */
bool check_extent(parser &in, const pool_plan &p, const window_axis &w, unsigned i)
{
	const std::int64_t steps = p.in.dims[i + 1] + w.pad_before + w.pad_after - w.reach();
	const std::int64_t down = steps >= 0 ? steps / w.stride : -((w.stride - 1 - steps) / w.stride);
	const std::int64_t up = steps % w.stride ? down + 1 : down, last = p.out.dims[i + 1] - 1;
	return in.require(last == down || last == up, ATOM_FAULT_BAD_SHAPE,
			  p.out.field + offsetof(atom_tensor, dims) + 8 * i);
}

bool check_shapes(parser &in, const pool_plan &p)
{
	for (const tensor *t : {&p.in, &p.out})
		if (!in.require(t->rank == 4, ATOM_FAULT_BAD_SHAPE, t->field + offsetof(atom_tensor, rank)))
			return false;
	for (const unsigned i : {0u, 3u})
		if (!in.require(p.out.dims[i + 1] == p.in.dims[i + 1], ATOM_FAULT_BAD_SHAPE,
				p.out.field + offsetof(atom_tensor, dims) + 8 * i))
			return false;
	return check_extent(in, p, p.window.h, 1) && check_extent(in, p, p.window.w, 2);
}

bool check_types(parser &in, pool_plan &p)
{
	p.integer = is_plain_integer(p.in);
	return in.require(!p.integer || p.kind == ATOM_POOL_MAX, ATOM_FAULT_BAD_QUANT, p.in.field + kind_at) &&
	       in.require(p.in.quant.kind != ATOM_QUANT_PER_CHANNEL || p.in.quant.axis == 4, ATOM_FAULT_BAD_QUANT,
			  p.in.field + axis_at) &&
	       in.require(!p.integer || p.out.dtype == p.in.dtype, ATOM_FAULT_BAD_DTYPE, p.out.field + dtype_at) &&
	       in.require(is_plain_integer(p.out) == p.integer, ATOM_FAULT_BAD_QUANT, p.out.field + kind_at);
}

bool check_index(parser &in, const pool_plan &p)
{
	if (!p.index)
		return true;
	/* Every position must be a number of the type. */
	const __int128 positions = static_cast<__int128>(p.in.dims[2]) * p.in.dims[3];
	return in.require(positions <= (p.index.dtype == ATOM_DTYPE_I32 ? INT32_MAX : INT64_MAX), ATOM_FAULT_BAD_DTYPE,
			  p.index.field + dtype_at) &&
	       in.require(is_plain_integer(p.index), ATOM_FAULT_BAD_QUANT, p.index.field + kind_at) &&
	       in.same_dims(p.index, p.out);
}

bool check_epilogue(parser &in, const pool_plan &p)
{
	constexpr std::size_t at = offsetof(atom_cmd_pool2d, epilogue);
	return in.require(!p.integer || p.tail.activation == ATOM_FN_IDENTITY, ATOM_FAULT_BAD_FIELD,
			  at + offsetof(atom_epilogue, activation)) &&
	       in.require(!p.tail.residual, ATOM_FAULT_BAD_DTYPE, at + offsetof(atom_epilogue, residual) + dtype_at);
}

} // namespace

std::unique_ptr<operation> decode_pool(parser &in)
{
	atom_cmd_pool2d c;
	if (!in.command(c, ATOM_POOL_COUNT_PAD))
		return nullptr;
	pool_plan p;
	p.kind = c.kind;
	p.count_pad = c.header.flags & ATOM_POOL_COUNT_PAD;
	p.p = c.p;
	constexpr std::uint32_t dtypes = float_dtypes | small_integer_dtypes;
	const bool max = c.kind == ATOM_POOL_MAX;
	const tensor_rules index{.dtypes = max ? dtype_bit(ATOM_DTYPE_I32) | dtype_bit(ATOM_DTYPE_I64) : 0,
				 .optional = true, .output = true};
	const bool good_p = c.kind == ATOM_POOL_LP ? std::isfinite(c.p) && c.p > 0 : c.p == 0 && !std::signbit(c.p);
	if (!in.require(!p.count_pad || c.kind == ATOM_POOL_AVERAGE, ATOM_FAULT_BAD_FIELD,
			offsetof(atom_cmd_pool2d, header.flags)) ||
	    !read_window(in, c.window, offsetof(atom_cmd_pool2d, window), p.window) ||
	    !in.require(c.kind <= ATOM_POOL_LP, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_pool2d, kind)) ||
	    !in.require(good_p, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_pool2d, p)) ||
	    !in.read_tensor(c.in, offsetof(atom_cmd_pool2d, in), {.dtypes = dtypes}, p.in) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_pool2d, out), {.dtypes = dtypes, .output = true}, p.out) ||
	    !check_shapes(in, p) || !check_types(in, p) ||
	    !in.read_tensor(c.index, offsetof(atom_cmd_pool2d, index), index, p.index) || !check_index(in, p) ||
	    !in.check_work(p.out, p.window.taps()) ||
	    !read_epilogue(in, c.epilogue, offsetof(atom_cmd_pool2d, epilogue), 0, p.out, p.tail) ||
	    !check_epilogue(in, p) || !in.check_overlap(p.out, {}) || (p.index && !in.check_overlap(p.index, {})))
		return nullptr;
	if (in.how().reference)
		return std::make_unique<reference_pool>(in, p);
	return std::make_unique<fast_pool>(in, p);
}

} // namespace atom::engine
