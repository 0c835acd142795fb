/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include <cmath>

#include "decode/elementwise.h"
#include "reference/reference.h"

namespace atom::engine {

namespace {

bool gates(std::uint32_t function)
{
	switch (function) {
	case ATOM_FN_IDENTITY:
	case ATOM_FN_RELU:
	case ATOM_FN_SIGMOID:
	case ATOM_FN_GELU_ERF:
	case ATOM_FN_GELU_TANH:
	case ATOM_FN_SILU:
	case ATOM_FN_GELU_QUICK:
		return true;
	default:
		return false;
	}
}

/* One input with the halves behind one another in its last dimension. */
bool check_packed(parser &in, const tensor &gate, const tensor &out)
{
	constexpr unsigned last = ATOM_RANK_MAX - 1;
	if (!in.require(gate.rank == out.rank && gate.rank > 0, ATOM_FAULT_BAD_SHAPE,
			gate.field + offsetof(atom_tensor, rank)))
		return false;
	tensor half = gate;
	if (!in.require(gate.dims[last] == 2 * out.dims[last], ATOM_FAULT_BAD_SHAPE,
			gate.field + offsetof(atom_tensor, dims) + 8 * (gate.rank - 1u)))
		return false;
	half.dims[last] = out.dims[last];
	return in.same_dims(half, out);
}

void split(parser &in, glu_plan &p, bool swapped)
{
	constexpr unsigned last = ATOM_RANK_MAX - 1;
	const std::int64_t half = p.out.dims[last];
	p.value = p.gate;
	in.take_part(p.gate, last, swapped ? half : 0, half);
	in.take_part(p.value, last, swapped ? 0 : half, half);
}

} // namespace

std::unique_ptr<operation> decode_glu(parser &in)
{
	atom_cmd_glu c;
	if (!in.command(c, ATOM_GLU_SWAPPED))
		return nullptr;
	glu_plan p;
	p.function = c.function;
	p.p0 = c.p0;
	p.limit = c.limit;
	p.bias = c.bias;
	const bool packed = c.value.dtype == ATOM_DTYPE_NONE;
	const bool swapped = c.header.flags & ATOM_GLU_SWAPPED;
	const tensor *in_place[] = {&p.gate, &p.value};
	/* No function here has a second parameter. */
	if (!in.require(packed || !swapped, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_glu, header.flags)) ||
	    !in.require(gates(c.function), ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_glu, function)) ||
	    !in.read_function(c.function, offsetof(atom_cmd_glu, function), ATOM_FN_ABS, c.p0,
			      offsetof(atom_cmd_glu, p0), 0, offsetof(atom_cmd_glu, p0)) ||
	    !in.require(std::isfinite(c.limit) && c.limit >= 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_glu, limit)) ||
	    !in.require(std::isfinite(c.bias), ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_glu, bias)) ||
	    !in.read_tensor(c.gate, offsetof(atom_cmd_glu, gate), {.dtypes = float_dtypes}, p.gate) ||
	    !in.read_tensor(c.value, offsetof(atom_cmd_glu, value), {.dtypes = float_dtypes, .optional = true}, p.value) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_glu, out), {.dtypes = float_dtypes, .output = true}, p.out) ||
	    !(packed ? check_packed(in, p.gate, p.out) : in.same_dims(p.gate, p.out) && in.same_dims(p.value, p.out)) ||
	    !in.check_work(p.out) || !in.check_overlap(p.out, in_place))
		return nullptr;
	if (packed)
		split(in, p, swapped);
	return std::make_unique<elementwise<glu_plan>>(in, p, cost::unit::vector, reference::glu, fast::glu);
}

} // namespace atom::engine
