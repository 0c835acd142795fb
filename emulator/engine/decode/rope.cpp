/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "fast/rope.h"
#include "reference/rope.h"

namespace atom::engine {

namespace {

/* One row is done in one go. */
constexpr std::int64_t row_max = 1 << 16;

constexpr std::size_t dtype_of(std::size_t tensor) { return tensor + offsetof(atom_tensor, dtype); }

bool is_positive(float x) { return std::isfinite(x) && x > 0; }
bool is_zero(float x) { return std::bit_cast<std::uint32_t>(x) == 0; }

/* The parameters say the angles, or tables do; then all of them are zero. */
bool check_parameters(parser &in, const atom_cmd_rope &c, const rope_plan &p)
{
	const bool tables = static_cast<bool>(p.cos), extrapolates = c.extrapolation != 0;
	const auto field = [&](bool good, std::size_t at) { return in.require(good, ATOM_FAULT_BAD_FIELD, at); };
	const auto beta = [&](float x) { return extrapolates ? is_positive(x) : is_zero(x); };
	if (tables)
		return field(c.original_context == 0, offsetof(atom_cmd_rope, original_context)) &&
		       field(is_zero(c.base), offsetof(atom_cmd_rope, base)) &&
		       field(is_zero(c.frequency_scale), offsetof(atom_cmd_rope, frequency_scale)) &&
		       field(is_zero(c.extrapolation), offsetof(atom_cmd_rope, extrapolation)) &&
		       field(is_zero(c.attention), offsetof(atom_cmd_rope, attention)) &&
		       field(is_zero(c.beta_fast), offsetof(atom_cmd_rope, beta_fast)) &&
		       field(is_zero(c.beta_slow), offsetof(atom_cmd_rope, beta_slow)) &&
		       in.require(!p.factors, ATOM_FAULT_BAD_DTYPE, dtype_of(offsetof(atom_cmd_rope, factors)));
	return field(extrapolates || c.original_context == 0, offsetof(atom_cmd_rope, original_context)) &&
	       /* YaRN divides by the logarithm of the base. */
	       field(is_positive(c.base) && !(extrapolates && c.base == 1), offsetof(atom_cmd_rope, base)) &&
	       field(is_positive(c.frequency_scale), offsetof(atom_cmd_rope, frequency_scale)) &&
	       field(std::isfinite(c.extrapolation), offsetof(atom_cmd_rope, extrapolation)) &&
	       field(std::isfinite(c.attention), offsetof(atom_cmd_rope, attention)) &&
	       field(beta(c.beta_fast), offsetof(atom_cmd_rope, beta_fast)) &&
	       field(beta(c.beta_slow), offsetof(atom_cmd_rope, beta_slow));
}

bool rank_is(parser &in, const tensor &t, unsigned rank)
{
	return in.require(t.rank == rank, ATOM_FAULT_BAD_SHAPE, t.field + offsetof(atom_tensor, rank));
}

/* @padded: the dimension as if the rank were five. */
bool dim_is(parser &in, const tensor &t, unsigned padded, std::int64_t size)
{
	const std::size_t d = padded - (ATOM_RANK_MAX - t.rank);
	return in.require(t.dims[padded] == size, ATOM_FAULT_BAD_SHAPE, t.field + offsetof(atom_tensor, dims) + 8 * d);
}

/* @t has the dims of `in`, but the last one is @last. */
bool is_like_rows(parser &in, const tensor &t, const tensor &rows, std::int64_t last)
{
	if (!rank_is(in, t, rows.rank))
		return false;
	for (unsigned d = ATOM_RANK_MAX - rows.rank; d + 1 < ATOM_RANK_MAX; ++d)
		if (!dim_is(in, t, d, rows.dims[d]))
			return false;
	return dim_is(in, t, ATOM_RANK_MAX - 1, last);
}

/* One position for each index of a dimension, or for each row; from then on the strides are over `in`. */
bool check_positions(parser &in, std::uint32_t axis, rope_plan &p)
{
	tensor &t = p.positions;
	const auto axis_good = [&](bool good) {
		return in.require(good, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_rope, position_axis));
	};
	if (!t)
		return axis_good(axis == 0);
	if (!in.require(t.quant.kind == ATOM_QUANT_NONE, ATOM_FAULT_BAD_QUANT,
			t.field + offsetof(atom_tensor, quant) + offsetof(atom_quant, kind)))
		return false;
	if (t.rank != 1)
		return is_like_rows(in, t, p.in, 1) && axis_good(axis == 0);
	if (!axis_good(axis + 1u < p.in.rank && axis < ATOM_RANK_MAX))
		return false;
	const unsigned d = ATOM_RANK_MAX - p.in.rank + axis;
	if (!dim_is(in, t, ATOM_RANK_MAX - 1, p.in.dims[d]))
		return false;
	const std::int64_t stride = t.strides.back();
	t.strides = {};
	t.strides[d] = stride;
	return true;
}

bool check_tables(parser &in, rope_plan &p)
{
	if (p.factors && !(rank_is(in, p.factors, 1) && dim_is(in, p.factors, ATOM_RANK_MAX - 1, p.pairs)))
		return false;
	if (!p.cos)
		return true;
	p.rows_by_position = static_cast<bool>(p.positions);
	if (p.rows_by_position ? !(rank_is(in, p.cos, 2) && dim_is(in, p.cos, ATOM_RANK_MAX - 1, p.pairs))
			       : !is_like_rows(in, p.cos, p.in, p.pairs))
		return false;
	return in.same_dims(p.sin, p.cos);
}

class rope_operation final : public operation {
public:
	rope_operation(parser &in, rope_plan &p)
		: streams_(take(in, p)), reference_(in.how().reference), rows_(elements(p.out.dims) / length())
	{
		per_tile_ = std::max<std::uint64_t>((reference_ ? reference_per_tile : fast::rope_elements_per_tile) / length(), 1);
		cost_.where = cost::unit::vector;
		cost_.dtype = p.out.dtype;
		cost_.elements = elements(p.out.dims);
		tiles_ = (rows_ + per_tile_ - 1) / per_tile_;
	}

	void run(std::uint64_t tile, memory &mem, scratch &work) const override
	{
		const std::uint64_t first = tile * per_tile_, last = std::min(first + per_tile_, rows_);
		if (reference_)
			reference::rope(streams_.p, mem, first, last);
		else
			fast::rope(streams_, mem, work, first, last);
	}

private:
	static constexpr std::uint64_t reference_per_tile = 1u << 12;

	fast::rope_streams take(parser &in, rope_plan &p)
	{
		operands_ = in.take_operands();
		if (p.positions)
			p.positions_va = operands_[p.positions.operand].va;
		return fast::prepare(p);
	}
	std::uint64_t length() const { return static_cast<std::uint64_t>(streams_.p.out.dims.back()); }

	fast::rope_streams streams_;
	bool reference_;
	std::uint64_t rows_;
	std::uint64_t per_tile_ = 1;
};

} // namespace

std::unique_ptr<operation> decode_rope(parser &in)
{
	atom_cmd_rope c;
	if (!in.command(c, ATOM_ROPE_INTERLEAVED | ATOM_ROPE_INVERSE))
		return nullptr;
	rope_plan p;
	p.interleaved = c.header.flags & ATOM_ROPE_INTERLEAVED;
	p.inverse = c.header.flags & ATOM_ROPE_INVERSE;
	p.pairs = c.rotary_dims / 2;
	constexpr std::uint32_t integers = dtype_bit(ATOM_DTYPE_I32) | dtype_bit(ATOM_DTYPE_I64);
	const tensor_rules table{.dtypes = float_dtypes, .optional = true};
	const tensor *in_place[] = {&p.in};
	if (!in.require(c.rotary_dims >= 2 && c.rotary_dims % 2 == 0, ATOM_FAULT_BAD_FIELD,
			offsetof(atom_cmd_rope, rotary_dims)) ||
	    !in.read_tensor(c.in, offsetof(atom_cmd_rope, in), {.dtypes = float_dtypes}, p.in) ||
	    !in.read_tensor(c.positions, offsetof(atom_cmd_rope, positions), {.dtypes = integers, .optional = true},
			    p.positions) ||
	    !in.read_tensor(c.factors, offsetof(atom_cmd_rope, factors),
			    {.dtypes = dtype_bit(ATOM_DTYPE_F32), .optional = true}, p.factors) ||
	    !in.read_tensor(c.cos, offsetof(atom_cmd_rope, cos), table, p.cos) ||
	    !in.read_tensor(c.sin, offsetof(atom_cmd_rope, sin), table, p.sin) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_rope, out), {.dtypes = float_dtypes, .output = true}, p.out) ||
	    !in.require(c.reserved == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_rope, reserved)) ||
	    !in.require(p.in.rank > 0, ATOM_FAULT_BAD_SHAPE, p.in.field + offsetof(atom_tensor, rank)) ||
	    !in.require(p.in.dims.back() <= row_max, ATOM_FAULT_BAD_SHAPE,
			p.in.field + offsetof(atom_tensor, dims) + 8u * (p.in.rank - 1u)) ||
	    !in.require(c.rotary_dims <= p.in.dims.back(), ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_rope, rotary_dims)) ||
	    !in.require(p.positions || p.cos, ATOM_FAULT_BAD_DTYPE, dtype_of(offsetof(atom_cmd_rope, positions))) ||
	    !in.require(static_cast<bool>(p.cos) == static_cast<bool>(p.sin), ATOM_FAULT_BAD_DTYPE,
			dtype_of(offsetof(atom_cmd_rope, sin))) ||
	    !check_parameters(in, c, p) || !check_positions(in, c.position_axis, p) || !check_tables(in, p) ||
	    !in.same_dims(p.in, p.out) || !in.check_work(p.out) || !in.check_overlap(p.out, in_place))
		return nullptr;
	if (!p.cos)
		p.turn = make_rotation(c.rotary_dims, c.base, c.frequency_scale, c.attention,
				       {.extrapolation = c.extrapolation, .original_context = c.original_context,
					.beta_fast = c.beta_fast, .beta_slow = c.beta_slow},
				       p.inverse);
	return std::make_unique<rope_operation>(in, p);
}

} // namespace atom::engine
