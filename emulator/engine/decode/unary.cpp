/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include "decode/elementwise.h"
#include "numeric/function.h"
#include "reference/reference.h"

namespace atom::engine {

namespace {

bool gives_truth(std::uint32_t function)
{
	return function == ATOM_FN_LOGICAL_NOT || function == ATOM_FN_IS_NAN || function == ATOM_FN_IS_INF;
}

/* Which dtypes go together. */
bool check_types(parser &in, unary_plan &p)
{
	constexpr std::size_t kind = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);
	constexpr std::size_t dtype = offsetof(atom_tensor, dtype);
	p.integer = is_plain_integer(p.in);
	if (!in.require(!p.integer || has_integer_form(p.function), ATOM_FAULT_BAD_DTYPE, p.in.field + dtype) ||
	    !in.require(p.function != ATOM_FN_BITWISE_NOT || is_integer(p.in.dtype), ATOM_FAULT_BAD_DTYPE,
			p.in.field + dtype) ||
	    !in.require(p.function != ATOM_FN_BITWISE_NOT || p.integer, ATOM_FAULT_BAD_QUANT, p.in.field + kind))
		return false;
	const bool truth = gives_truth(p.function);
	if (truth || p.integer)
		return in.require(p.out.dtype == (truth ? std::uint8_t{ATOM_DTYPE_U8} : p.in.dtype), ATOM_FAULT_BAD_DTYPE,
				  p.out.field + dtype) &&
		       in.require(is_plain_integer(p.out), ATOM_FAULT_BAD_QUANT, p.out.field + kind);
	return in.require(!is_plain_integer(p.out), ATOM_FAULT_BAD_QUANT, p.out.field + kind);
}

} // namespace

std::unique_ptr<operation> decode_unary(parser &in)
{
	atom_cmd_unary c;
	if (!in.command(c, 0))
		return nullptr;
	unary_plan p;
	p.function = c.function;
	p.p0 = c.p0;
	p.p1 = c.p1;
	constexpr std::uint32_t dtypes = float_dtypes | small_integer_dtypes;
	const tensor *in_place[] = {&p.in};
	if (!in.require(c.function != ATOM_FN_LUT, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_unary, function)) ||
	    !in.read_function(c.function, offsetof(atom_cmd_unary, function), ATOM_FN_COUNT, c.p0,
			      offsetof(atom_cmd_unary, p0), c.p1, offsetof(atom_cmd_unary, p1)) ||
	    !in.require(c.reserved == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_unary, reserved)) ||
	    !in.read_tensor(c.in, offsetof(atom_cmd_unary, in), {.dtypes = dtypes}, p.in) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_unary, out), {.dtypes = dtypes, .output = true}, p.out) ||
	    !check_types(in, p) || !in.same_dims(p.in, p.out) || !in.check_work(p.out) ||
	    !in.check_overlap(p.out, in_place))
		return nullptr;
	return std::make_unique<elementwise<unary_plan>>(in, p, cost::unit::vector, reference::unary, fast::unary);
}

} // namespace atom::engine
