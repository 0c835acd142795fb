/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include <cmath>

#include "atom/hw/mmu.h"
#include "decode/rows.h"
#include "reference/rows.h"

namespace atom::engine {

namespace {

constexpr std::size_t kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);

/* As far as a dimension reaches. */
constexpr std::int64_t offset_limit = std::int64_t{1} << ATOM_VA_BITS;

bool check_parameters(parser &in, const atom_cmd_softmax &c, const softmax_plan &p)
{
	const auto require = [&](bool good, std::size_t field) {
		return in.require(good, ATOM_FAULT_BAD_FIELD, field);
	};
	return require(std::isfinite(p.scale), offsetof(atom_cmd_softmax, scale)) &&
	       require(p.causal_offset >= -offset_limit && p.causal_offset <= offset_limit &&
			       (p.causal || p.causal_offset == 0),
		       offsetof(atom_cmd_softmax, causal_offset)) &&
	       require(std::isfinite(p.max_bias) && p.max_bias >= 0, offsetof(atom_cmd_softmax, max_bias)) &&
	       require(c.reserved == 0, offsetof(atom_cmd_softmax, reserved));
}

/* The axis is a dimension, and not the one of the heads or of the rows where these count. */
bool check_axis(parser &in, const atom_cmd_softmax &c, softmax_plan &p)
{
	const bool heads = p.max_bias != 0 || c.sinks.dtype != ATOM_DTYPE_NONE;
	if (!in.require(c.axis < p.in.rank && !(p.causal && c.axis == 0) && !(heads && c.axis + 3 == p.in.rank),
			ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_softmax, axis)) ||
	    !in.require(!heads || p.in.rank >= 3, ATOM_FAULT_BAD_SHAPE, p.in.field + offsetof(atom_tensor, rank)))
		return false;
	p.axis = c.axis + ATOM_RANK_MAX - p.in.rank;
	return true;
}

bool read_mask(parser &in, const atom_cmd_softmax &c, softmax_plan &p)
{
	constexpr std::uint32_t dtypes = dtype_bit(ATOM_DTYPE_F16) | dtype_bit(ATOM_DTYPE_F32);
	return in.read_tensor(c.mask, offsetof(atom_cmd_softmax, mask), {.dtypes = dtypes, .optional = true}, p.mask) &&
	       (!p.mask || in.same_dims(p.mask, p.in)) &&
	       in.require(p.mask || p.max_bias == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_softmax, max_bias));
}

bool read_sinks(parser &in, const atom_cmd_softmax &c, softmax_plan &p)
{
	constexpr std::size_t field = offsetof(atom_cmd_softmax, sinks);
	return in.read_tensor(c.sinks, field, {.dtypes = dtype_bit(ATOM_DTYPE_F32), .optional = true}, p.sinks) &&
	       (!p.sinks || (in.require(p.sinks.rank == 1, ATOM_FAULT_BAD_SHAPE, field + offsetof(atom_tensor, rank)) &&
			     in.require(p.sinks.dims.back() == p.in.dims[softmax_plan::head_axis], ATOM_FAULT_BAD_SHAPE,
					field + offsetof(atom_tensor, dims))));
}

} // namespace

std::unique_ptr<operation> decode_softmax(parser &in)
{
	atom_cmd_softmax c;
	if (!in.command(c, ATOM_SOFTMAX_LOG | ATOM_SOFTMAX_CAUSAL))
		return nullptr;
	softmax_plan p;
	p.log = c.header.flags & ATOM_SOFTMAX_LOG;
	p.causal = c.header.flags & ATOM_SOFTMAX_CAUSAL;
	p.scale = c.scale;
	p.causal_offset = static_cast<std::int64_t>(c.causal_offset);
	p.max_bias = c.max_bias;
	constexpr std::uint32_t dtypes = float_dtypes | small_integer_dtypes;
	const tensor *in_place[] = {&p.in, &p.mask};
	if (!check_parameters(in, c, p) ||
	    !in.read_tensor(c.in, offsetof(atom_cmd_softmax, in), {.dtypes = dtypes}, p.in) ||
	    !in.require(!is_plain_integer(p.in), ATOM_FAULT_BAD_QUANT, p.in.field + kind_at) ||
	    !check_axis(in, c, p) || !read_mask(in, c, p) || !read_sinks(in, c, p) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_softmax, out), {.dtypes = dtypes, .output = true}, p.out) ||
	    !in.require(!is_plain_integer(p.out), ATOM_FAULT_BAD_QUANT, p.out.field + kind_at) ||
	    !in.same_dims(p.out, p.in) || !in.check_work(p.out) || !in.check_overlap(p.out, in_place))
		return nullptr;
	return std::make_unique<row_operation<softmax_plan>>(in, p, p.in.dims, 1u << p.axis, 1, reference::softmax,
							     fast::softmax);
}

} // namespace atom::engine
