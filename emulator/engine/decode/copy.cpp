/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include "decode/elementwise.h"
#include "reference/reference.h"

namespace atom::engine {

namespace {

/* From here on a block is the element. */
void count_blocks(tensor &t)
{
	if (t && is_block(t.dtype))
		t.dims[t.quant.axis] /= ATOM_BLOCK_ELEMENTS;
}

bool same_kind(parser &in, const tensor &from, const tensor &to)
{
	return in.require(from.dtype == to.dtype, ATOM_FAULT_BAD_DTYPE,
			  from.field + offsetof(atom_tensor, dtype)) &&
	       in.same_dims(from, to) &&
	       in.require(from.quant.axis == to.quant.axis, ATOM_FAULT_BAD_QUANT,
			  from.field + offsetof(atom_tensor, quant) + offsetof(atom_quant, axis));
}

} // namespace

std::unique_ptr<operation> decode_copy(parser &in)
{
	atom_cmd_copy c;
	if (!in.command(c, ATOM_COPY_FILL))
		return nullptr;
	copy_plan p;
	p.fill = c.header.flags & ATOM_COPY_FILL;
	p.fill_bits = c.fill;
	/* A block has no fill: it is longer than the field. */
	const std::uint32_t dtypes = p.fill ? all_dtypes & ~block_dtypes : all_dtypes;
	const tensor_rules from{.dtypes = p.fill ? 0 : dtypes, .optional = p.fill, .raw = true};
	const tensor_rules to{.dtypes = dtypes, .output = true, .raw = true};
	if (!in.read_tensor(c.in, offsetof(atom_cmd_copy, in), from, p.in) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_copy, out), to, p.out))
		return nullptr;
	const bool fill_fits = p.fill ? p.out.element_bytes == 8 || c.fill >> (8 * p.out.element_bytes) == 0
				      : c.fill == 0;
	if (!in.require(fill_fits, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_copy, fill)) ||
	    (p.in && !same_kind(in, p.in, p.out)) || !in.check_work(p.out) ||
	    !in.check_overlap(p.out, {}))
		return nullptr;
	count_blocks(p.in);
	count_blocks(p.out);
	return std::make_unique<elementwise<copy_plan>>(in, p, cost::unit::dma, reference::copy, fast::copy,
						fast::copy_elements_per_tile(fast::prepare(p)));
}

} // namespace atom::engine
