/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include "decode/indexed.h"

namespace atom::engine {

namespace {

/* Bytes unchanged; rows of floats and of blocks may be converted on the way. */
bool check_types(parser &in, std::uint32_t mode, std::uint32_t axis, indexed_plan &p)
{
	const tensor &data = p.table, &out = p.each;
	const bool rows = mode == ATOM_GATHER_ROWS, blocks = is_block(data.dtype);
	p.convert = data.dtype != out.dtype;
	return in.require(rows || !blocks, ATOM_FAULT_BAD_DTYPE, data.field + offsetof(atom_tensor, dtype)) &&
	       in.require(!p.convert || (rows && is_float(out.dtype) && (blocks || is_float(data.dtype))),
			  ATOM_FAULT_BAD_DTYPE, out.field + offsetof(atom_tensor, dtype)) &&
	       /* A row is of whole blocks, which lie along its end. */
	       in.require(!blocks || (data.quant.axis == ATOM_RANK_MAX - 1 && axis + 1u < data.rank),
			  ATOM_FAULT_BAD_QUANT,
			  data.field + offsetof(atom_tensor, quant) + offsetof(atom_quant, axis));
}

} // namespace

std::unique_ptr<operation> decode_gather(parser &in)
{
	atom_cmd_gather c;
	if (!in.command(c, ATOM_INDEX_WRAP_NEGATIVE))
		return nullptr;
	indexed_plan p;
	p.map.wrap_negative = c.header.flags & ATOM_INDEX_WRAP_NEGATIVE;
	constexpr index_fields fields{.axis = offsetof(atom_cmd_gather, axis),
				      .batch_dims = offsetof(atom_cmd_gather, batch_dims)};
	constexpr std::uint32_t integers = dtype_bit(ATOM_DTYPE_I32) | dtype_bit(ATOM_DTYPE_I64);
	if (!in.require(c.mode <= ATOM_GATHER_ND, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_gather, mode)) ||
	    !in.require(c.reserved == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_gather, reserved)) ||
	    !in.read_tensor(c.data, offsetof(atom_cmd_gather, data), {.raw = true}, p.table) ||
	    !in.read_tensor(c.index, offsetof(atom_cmd_gather, index), {.dtypes = integers}, p.map.index) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_gather, out),
			    {.dtypes = all_dtypes & ~block_dtypes, .output = true, .raw = true}, p.each) ||
	    !read_index_map(in, fields, c.mode, c.axis, c.batch_dims, p) || !check_types(in, c.mode, c.axis, p) ||
	    !in.check_work(p.each, p.map.components) || !in.check_overlap(p.each, {}))
		return nullptr;
	return make_gather(in, p);
}

} // namespace atom::engine
