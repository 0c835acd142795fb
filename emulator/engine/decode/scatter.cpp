/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include "decode/indexed.h"

namespace atom::engine {

namespace {

/* Rows of floats may be converted; a reduction takes integers as they are. */
bool check_types(parser &in, std::uint32_t mode, indexed_plan &p)
{
	constexpr std::size_t kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);
	const tensor &updates = p.each, &out = p.table;
	p.convert = updates.dtype != out.dtype;
	return in.require(!p.convert || (mode == ATOM_GATHER_ROWS && is_float(updates.dtype) && is_float(out.dtype)),
			  ATOM_FAULT_BAD_DTYPE, updates.field + offsetof(atom_tensor, dtype)) &&
	       in.require(updates.quant.kind == ATOM_QUANT_NONE, ATOM_FAULT_BAD_QUANT, updates.field + kind_at) &&
	       in.require(out.quant.kind == ATOM_QUANT_NONE, ATOM_FAULT_BAD_QUANT, out.field + kind_at);
}

} // namespace

std::unique_ptr<operation> decode_scatter(parser &in)
{
	atom_cmd_scatter c;
	if (!in.command(c, ATOM_INDEX_WRAP_NEGATIVE))
		return nullptr;
	indexed_plan p;
	p.map.wrap_negative = c.header.flags & ATOM_INDEX_WRAP_NEGATIVE;
	p.reduction = c.reduction;
	constexpr index_fields fields{.axis = offsetof(atom_cmd_scatter, axis),
				      .batch_dims = offsetof(atom_cmd_scatter, batch_dims)};
	constexpr std::uint32_t integers = dtype_bit(ATOM_DTYPE_I32) | dtype_bit(ATOM_DTYPE_I64);
	constexpr std::uint32_t dtypes = all_dtypes & ~block_dtypes;
	/* Bytes are moved whatever they stand for; a reduction has to know. */
	const bool raw = c.reduction == ATOM_SCATTER_ASSIGN;
	if (!in.require(c.mode <= ATOM_GATHER_ND, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_scatter, mode)) ||
	    !in.require(c.reduction <= ATOM_SCATTER_MAX, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_scatter, reduction)) ||
	    !in.read_tensor(c.updates, offsetof(atom_cmd_scatter, updates), {.dtypes = dtypes, .raw = raw}, p.each) ||
	    !in.read_tensor(c.index, offsetof(atom_cmd_scatter, index), {.dtypes = integers}, p.map.index) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_scatter, out), {.dtypes = dtypes, .output = true, .raw = raw},
			    p.table) ||
	    !read_index_map(in, fields, c.mode, c.axis, c.batch_dims, p) || !check_types(in, c.mode, p) ||
	    !in.check_work(p.each, p.map.components) || !in.check_overlap(p.table, {}))
		return nullptr;
	return make_scatter(in, p);
}

} // namespace atom::engine
