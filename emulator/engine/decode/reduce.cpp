/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include <algorithm>
#include <bit>

#include "decode/rows.h"
#include "reference/rows.h"

namespace atom::engine {

namespace {

constexpr std::size_t dtype_at = offsetof(atom_tensor, dtype);
constexpr std::size_t rank_at = offsetof(atom_tensor, rank);
constexpr std::size_t dims_at = offsetof(atom_tensor, dims);
constexpr std::size_t kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);

constexpr std::uint32_t index_dtypes = dtype_bit(ATOM_DTYPE_I32) | dtype_bit(ATOM_DTYPE_I64);

bool has_integers(std::uint32_t kind)
{
	return kind != ATOM_REDUCE_L2 && kind != ATOM_REDUCE_LOG_SUM && kind != ATOM_REDUCE_LOG_SUM_EXP;
}

/* Indices, integers from integers, reals from reals. */
bool read_output(parser &in, const atom_cmd_reduce &c, reduce_plan &p)
{
	constexpr std::size_t field = offsetof(atom_cmd_reduce, out);
	const bool plain = p.finds() || p.integer;
	std::uint32_t dtypes = float_dtypes | small_integer_dtypes;
	if (plain)
		dtypes = index_dtypes | (p.finds() ? 0 : dtype_bit(p.in.dtype));
	return in.read_tensor(c.out, field, {.dtypes = dtypes, .output = true}, p.out) &&
	       in.require(is_plain_integer(p.out) == plain, ATOM_FAULT_BAD_QUANT, field + kind_at);
}

bool check_shapes(parser &in, const atom_cmd_reduce &c, const reduce_plan &p)
{
	if (!in.require(p.out.rank == p.in.rank, ATOM_FAULT_BAD_SHAPE, p.out.field + rank_at))
		return false;
	const unsigned pad = ATOM_RANK_MAX - p.in.rank;
	for (unsigned i = 0; i < p.in.rank; ++i) {
		const bool over = is_reduced(c.axes, i);
		if (!in.require(p.out.dims[pad + i] == (over ? 1 : p.in.dims[pad + i]), ATOM_FAULT_BAD_SHAPE,
				p.out.field + dims_at + 8 * i))
			return false;
		/* An i32 must be able to name the last element. */
		const bool far = over && p.finds() && p.out.dtype == ATOM_DTYPE_I32;
		if (!in.require(!far || p.in.dims[pad + i] <= std::int64_t{1} << 31, ATOM_FAULT_BAD_SHAPE,
				p.in.field + dims_at + 8 * i))
			return false;
	}
	return true;
}

/* Elements of a row, or more than any limit. */
std::int64_t row_length(const reduce_plan &p)
{
	constexpr std::int64_t most = std::int64_t{1} << 62;
	std::int64_t n = 1;
	for (const std::int64_t d : within_rows(p.in.dims, p.reduced))
		n = d > most / n ? most : n * d;
	return n;
}

} // namespace

std::unique_ptr<operation> decode_reduce(parser &in)
{
	atom_cmd_reduce c;
	if (!in.command(c, ATOM_REDUCE_LAST_INDEX))
		return nullptr;
	reduce_plan p;
	p.kind = c.kind;
	p.last_index = c.header.flags & ATOM_REDUCE_LAST_INDEX;
	constexpr std::uint32_t dtypes = float_dtypes | small_integer_dtypes;
	if (!in.require(c.kind <= ATOM_REDUCE_SUM_SQUARE, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_reduce, kind)) ||
	    !in.require(p.finds() || !p.last_index, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_reduce, header.flags)) ||
	    !in.read_tensor(c.in, offsetof(atom_cmd_reduce, in), {.dtypes = dtypes}, p.in) ||
	    !in.require(c.axes >> p.in.rank == 0 && (!p.finds() || std::has_single_bit(c.axes)), ATOM_FAULT_BAD_FIELD,
			offsetof(atom_cmd_reduce, axes)))
		return nullptr;
	p.integer = is_plain_integer(p.in);
	p.reduced = c.axes << (ATOM_RANK_MAX - p.in.rank);
	if (!in.require(!p.integer || has_integers(p.kind), ATOM_FAULT_BAD_DTYPE, p.in.field + dtype_at) ||
	    !read_output(in, c, p) || !check_shapes(in, c, p) || !in.check_work(p.out, row_length(p)) ||
	    !in.check_overlap(p.out, {}))
		return nullptr;
	return std::make_unique<row_operation<reduce_plan>>(in, p, p.in.dims, p.reduced, 1, reference::reduce,
							    p.integer ? fast::reduce_integers : fast::reduce);
}

} // namespace atom::engine
