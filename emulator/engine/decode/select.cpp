/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include "decode/elementwise.h"
#include "reference/reference.h"

namespace atom::engine {

std::unique_ptr<operation> decode_select(parser &in)
{
	atom_cmd_select c;
	if (!in.command(c, 0))
		return nullptr;
	select_plan p;
	constexpr tensor_rules elements{.dtypes = all_dtypes & ~block_dtypes, .raw = true};
	constexpr tensor_rules result{.dtypes = elements.dtypes, .output = true, .raw = true};
	const auto same_dtype = [&](const tensor &t) {
		return in.require(t.dtype == p.out.dtype, ATOM_FAULT_BAD_DTYPE, t.field + offsetof(atom_tensor, dtype));
	};
	const tensor *in_place[] = {&p.cond, &p.a, &p.b};
	if (!in.read_tensor(c.cond, offsetof(atom_cmd_select, cond), {.dtypes = dtype_bit(ATOM_DTYPE_U8), .raw = true},
			    p.cond) ||
	    !in.read_tensor(c.a, offsetof(atom_cmd_select, a), elements, p.a) ||
	    !in.read_tensor(c.b, offsetof(atom_cmd_select, b), elements, p.b) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_select, out), result, p.out) ||
	    !same_dtype(p.a) || !same_dtype(p.b) || !in.same_dims(p.cond, p.out) || !in.same_dims(p.a, p.out) ||
	    !in.same_dims(p.b, p.out) || !in.check_work(p.out) || !in.check_overlap(p.out, in_place))
		return nullptr;
	return std::make_unique<elementwise<select_plan>>(in, p, cost::unit::vector, reference::select, fast::select);
}

} // namespace atom::engine
