/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include "decode/elementwise.h"
#include "reference/reference.h"

namespace atom::engine {

namespace {

/* i64 goes to and from i32 only; blocks go to floats only. */
bool pair_allowed(std::uint8_t from, std::uint8_t to)
{
	if (from == ATOM_DTYPE_I64 || to == ATOM_DTYPE_I64)
		return from == ATOM_DTYPE_I32 || to == ATOM_DTYPE_I32;
	return !is_block(from) || is_float(to);
}

} // namespace

std::unique_ptr<operation> decode_cast(parser &in)
{
	atom_cmd_cast c;
	if (!in.command(c, ATOM_CAST_WRAP))
		return nullptr;
	cast_plan p;
	p.wrap = c.header.flags & ATOM_CAST_WRAP;
	p.toward_zero = c.rounding == ATOM_ROUND_TOWARD_ZERO;
	if (!in.require(c.rounding <= ATOM_ROUND_TOWARD_ZERO, ATOM_FAULT_BAD_FIELD,
			offsetof(atom_cmd_cast, rounding)) ||
	    !in.require(c.reserved == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_cast, reserved)) ||
	    !in.read_tensor(c.in, offsetof(atom_cmd_cast, in), {}, p.in) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_cast, out),
			    {.dtypes = all_dtypes & ~block_dtypes, .output = true}, p.out))
		return nullptr;
	const bool to_integer = is_integer(p.out.dtype);
	const auto quantised = [](const tensor &t) {
		return t.quant.kind == ATOM_QUANT_PER_TENSOR || t.quant.kind == ATOM_QUANT_PER_CHANNEL;
	};
	/* i64 is exact only beside an i32 that is an integer itself. */
	const auto has_i64 = p.in.dtype == ATOM_DTYPE_I64 || p.out.dtype == ATOM_DTYPE_I64;
	const tensor *in_place[] = {&p.in};
	if (!in.require(pair_allowed(p.in.dtype, p.out.dtype), ATOM_FAULT_BAD_DTYPE,
			offsetof(atom_cmd_cast, out.dtype)) ||
	    !in.require(!has_i64 || !quantised(p.in), ATOM_FAULT_BAD_QUANT,
			offsetof(atom_cmd_cast, in.quant.kind)) ||
	    !in.require(!has_i64 || !quantised(p.out), ATOM_FAULT_BAD_QUANT,
			offsetof(atom_cmd_cast, out.quant.kind)) ||
	    !in.require(!p.toward_zero || to_integer, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_cast, rounding)) ||
	    !in.require(!p.wrap || (to_integer && !quantised(p.out)), ATOM_FAULT_BAD_FIELD,
			offsetof(atom_cmd_cast, header.flags)) ||
	    !in.same_dims(p.in, p.out) || !in.check_work(p.out) || !in.check_overlap(p.out, in_place))
		return nullptr;
	return std::make_unique<elementwise<cast_plan>>(in, p, cost::unit::vector, reference::cast, fast::cast);
}

} // namespace atom::engine
