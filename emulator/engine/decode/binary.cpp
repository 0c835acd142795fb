/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include "decode/elementwise.h"
#include "reference/reference.h"

namespace atom::engine {

namespace {

bool kind_known(std::uint32_t kind)
{
	return kind <= ATOM_BINARY_ATAN2 || (kind >= ATOM_BINARY_EQ && kind <= ATOM_BINARY_GE) ||
	       (kind >= ATOM_BINARY_LOGICAL_AND && kind <= ATOM_BINARY_LOGICAL_XOR) ||
	       (kind >= ATOM_BINARY_AND && kind <= ATOM_BINARY_SHR);
}

/* Either all integers without quantisation and of one dtype, or all real: floats and quantised integers. */
bool check_types(parser &in, binary_plan &p)
{
	constexpr std::size_t kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);
	constexpr std::size_t dtype_at = offsetof(atom_tensor, dtype);
	const auto dtype = [&](bool good, const tensor &t) {
		return in.require(good, ATOM_FAULT_BAD_DTYPE, t.field + dtype_at);
	};
	const auto quant = [&](bool good, const tensor &t) {
		return in.require(good, ATOM_FAULT_BAD_QUANT, t.field + kind_at);
	};
	const bool truth = p.kind >= ATOM_BINARY_EQ && p.kind <= ATOM_BINARY_LOGICAL_XOR;
	p.integer = is_plain_integer(p.a);
	if (p.kind >= ATOM_BINARY_AND &&
	    !(dtype(is_integer(p.a.dtype), p.a) && quant(p.a.quant.kind == ATOM_QUANT_NONE, p.a)))
		return false;
	if (!dtype(!p.integer || p.kind != ATOM_BINARY_ATAN2, p.a))
		return false;
	if (p.integer ? !(dtype(p.b.dtype == p.a.dtype, p.b) && quant(is_plain_integer(p.b), p.b))
		      : !quant(!is_plain_integer(p.b), p.b))
		return false;
	if (truth)
		return dtype(p.out.dtype == ATOM_DTYPE_U8, p.out) && quant(is_plain_integer(p.out), p.out);
	return p.integer ? dtype(p.out.dtype == p.a.dtype, p.out) && quant(is_plain_integer(p.out), p.out)
			 : quant(!is_plain_integer(p.out), p.out);
}

/* There is an epilogue for real results only. */
bool check_epilogue(parser &in, const binary_plan &p)
{
	constexpr std::size_t at = offsetof(atom_cmd_binary, epilogue);
	if (!p.integer && !(p.kind >= ATOM_BINARY_EQ && p.kind <= ATOM_BINARY_LOGICAL_XOR))
		return true;
	return in.require(p.tail.activation == ATOM_FN_IDENTITY, ATOM_FAULT_BAD_FIELD,
			  at + offsetof(atom_epilogue, activation)) &&
	       in.require(!p.tail.residual, ATOM_FAULT_BAD_DTYPE,
			  at + offsetof(atom_epilogue, residual) + offsetof(atom_tensor, dtype));
}

} // namespace

std::unique_ptr<operation> decode_binary(parser &in)
{
	atom_cmd_binary c;
	if (!in.command(c, 0))
		return nullptr;
	binary_plan p;
	p.kind = c.kind;
	constexpr std::uint32_t dtypes = float_dtypes | small_integer_dtypes;
	const tensor *in_place[] = {&p.a, &p.b, &p.tail.residual};
	if (!in.require(kind_known(c.kind), ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_binary, kind)) ||
	    !in.require(c.reserved == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_binary, reserved)) ||
	    !in.read_tensor(c.a, offsetof(atom_cmd_binary, a), {.dtypes = dtypes}, p.a) ||
	    !in.read_tensor(c.b, offsetof(atom_cmd_binary, b), {.dtypes = dtypes}, p.b) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_binary, out), {.dtypes = dtypes, .output = true}, p.out) ||
	    !check_types(in, p) || !in.same_dims(p.a, p.out) || !in.same_dims(p.b, p.out) ||
	    !read_epilogue(in, c.epilogue, offsetof(atom_cmd_binary, epilogue), 0, p.out, p.tail) ||
	    !check_epilogue(in, p) || !in.check_work(p.out) || !in.check_overlap(p.out, in_place))
		return nullptr;
	return std::make_unique<elementwise<binary_plan>>(in, p, cost::unit::vector, reference::binary, fast::binary);
}

} // namespace atom::engine
