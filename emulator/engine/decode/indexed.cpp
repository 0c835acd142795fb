/* SPDX-License-Identifier: MIT */
#include "decode/indexed.h"

#include <algorithm>

#include "box.h"
#include "fast/indexed.h"
#include "reference/indexed.h"

namespace atom::engine {

namespace {

/* Goes through the dimensions of the elements and says where each comes from. */
class fitting {
public:
	fitting(parser &in, indexed_plan &p) : in_(in), p_(p) {}

	bool rank(const tensor &t, std::size_t is)
	{
		return in_.require(t.rank == is, ATOM_FAULT_BAD_SHAPE, t.field + offsetof(atom_tensor, rank));
	}
	bool require_dim(bool good, const tensor &t, std::size_t d)
	{
		return in_.require(good, ATOM_FAULT_BAD_SHAPE, t.field + offsetof(atom_tensor, dims) + 8 * d);
	}
	static std::int64_t dim(const tensor &t, std::size_t d) { return t.dims[pad(t) + d]; }
	static std::size_t pad(const tensor &t) { return std::size_t{ATOM_RANK_MAX} - t.rank; }

	/* The next dimension of the elements is dimension @d of the table. */
	bool of_table(std::size_t d)
	{
		p_.map.table_from[pad(p_.table) + d] = element();
		return size_is(dim(p_.table, d));
	}
	bool of_index(std::size_t d)
	{
		p_.map.index_from[pad(p_.map.index) + d] = element();
		return size_is(dim(p_.map.index, d));
	}
	/* A batch dimension: of both. */
	bool of_both(std::size_t d)
	{
		p_.map.index_from[pad(p_.map.index) + d] = element();
		return require_dim(dim(p_.map.index, d) == dim(p_.table, d), p_.map.index, d) && of_table(d);
	}
	/* ELEMENTS: the index may be smaller than the table. */
	bool within(std::size_t d)
	{
		p_.map.table_from[pad(p_.table) + d] = element();
		return require_dim(dim(p_.map.index, d) <= dim(p_.table, d), p_.map.index, d) && of_index(d);
	}
	void address(std::size_t d, unsigned component)
	{
		p_.map.addressed[component] = static_cast<std::uint8_t>(pad(p_.table) + d);
	}

private:
	std::uint8_t element() const { return static_cast<std::uint8_t>(pad(p_.each) + next_); }
	bool size_is(std::int64_t is)
	{
		const std::size_t d = next_++;
		return require_dim(dim(p_.each, d) == is, p_.each, d);
	}

	parser &in_;
	indexed_plan &p_;
	std::size_t next_ = 0;
};

/* each [table before axis, index behind the batch dims, table behind axis] */
bool fit_rows(fitting &fit, const indexed_plan &p, std::size_t axis, std::size_t batch_dims)
{
	const std::size_t table = p.table.rank, index = p.map.index.rank;
	if (!fit.rank(p.each, table - 1 + index - batch_dims))
		return false;
	for (std::size_t d = 0; d < axis; ++d)
		if (!(d < batch_dims ? fit.of_both(d) : fit.of_table(d)))
			return false;
	for (std::size_t d = batch_dims; d < index; ++d)
		if (!fit.of_index(d))
			return false;
	for (std::size_t d = axis + 1; d < table; ++d)
		if (!fit.of_table(d))
			return false;
	fit.address(axis, 0);
	return true;
}

/* each [index]; beside axis the index reaches no farther than the table */
bool fit_elements(fitting &fit, const indexed_plan &p, std::size_t axis)
{
	if (!fit.rank(p.map.index, p.table.rank) || !fit.rank(p.each, p.table.rank))
		return false;
	for (std::size_t d = 0; d < p.table.rank; ++d)
		if (!(d == axis ? fit.of_index(d) : fit.within(d)))
			return false;
	fit.address(axis, 0);
	return true;
}

/* each [index but its last dimension, table behind the dimensions that are addressed] */
bool fit_tuples(fitting &fit, indexed_plan &p, std::size_t batch_dims)
{
	const std::size_t table = p.table.rank, tuples = p.map.index.rank - 1u;
	const std::int64_t coordinates = p.map.index.dims.back();
	if (!fit.require_dim(batch_dims <= table && coordinates <= static_cast<std::int64_t>(table - batch_dims),
			     p.map.index, tuples))
		return false;
	p.map.tuples = true;
	p.map.components = static_cast<unsigned>(coordinates);
	const std::size_t behind = batch_dims + p.map.components;
	if (!fit.rank(p.each, tuples + table - behind))
		return false;
	for (std::size_t d = 0; d < tuples; ++d)
		if (!(d < batch_dims ? fit.of_both(d) : fit.of_index(d)))
			return false;
	for (std::size_t d = behind; d < table; ++d)
		if (!fit.of_table(d))
			return false;
	for (unsigned k = 0; k < p.map.components; ++k)
		fit.address(batch_dims + k, k);
	return true;
}

class indexed_operation final : public operation {
public:
	using reference_function = void (*)(const indexed_plan &, memory &, const box &);
	using fast_function = void (*)(const fast::indexed &, memory &, scratch &, const box &);

	/* @ordered: what may go to the same element of the table is in one tile. */
	indexed_operation(parser &in, indexed_plan &p, bool ordered, reference_function by_reference,
			  fast_function by_vectors)
		: streams_(take(in, p)), by_reference_(in.how().reference ? by_reference : nullptr),
		  by_vectors_(by_vectors), cut_(cut(ordered))
	{
		const bool moves = !p.convert && p.reduction == ATOM_SCATTER_ASSIGN;
		cost_.where = moves ? cost::unit::dma : cost::unit::vector;
		cost_.dtype = p.each.dtype;
		cost_.elements = elements(p.each.dims);
		tiles_ = cut_.count();
	}

	void run(std::uint64_t tile, memory &mem, scratch &work) const override
	{
		const box b = cut_.at(tile);
		if (by_reference_)
			by_reference_(streams_.p, mem, b);
		else
			by_vectors_(streams_, mem, work, b);
	}

private:
	/* What the scalar reference does in about a millisecond. */
	static constexpr std::uint64_t reference_per_tile = 1u << 12;
	static constexpr std::int64_t reference_run = 64;

	fast::indexed take(parser &in, indexed_plan &p)
	{
		operands_ = in.take_operands();
		p.map.index_va = operands_[p.map.index.operand].va;
		/* Of the table only what the elements name is moved. */
		const std::uint64_t named = elements(p.each.dims) / (is_block(p.table.dtype) ? ATOM_BLOCK_ELEMENTS : 1);
		std::uint64_t &moved = operands_[p.table.operand].bytes;
		moved = std::min(moved, named * p.table.element_bytes);
		/* A reduction reads what it changes. */
		if (p.reduction != ATOM_SCATTER_ASSIGN)
			operands_[p.table.operand].access |= ATOM_ACCESS_READ;
		return fast::prepare(p);
	}
	/*
	 * Two elements may go to the same place only if they differ in coordinates that
	 * the index answers for, and in no other.
	 */
	boxes cut(bool ordered) const
	{
		std::array<bool, ATOM_RANK_MAX> whole{};
		if (!by_reference_) {
			for (std::size_t d = 0; d < whole.size(); ++d)
				whole[d] = ordered && streams_.table.t.strides[d] == 0;
			return boxes(streams_.dims, whole, fast::indexed_per_tile, fast::run_elements);
		}
		const indexed_plan &p = streams_.p;
		whole.fill(ordered);
		for (const std::uint8_t d : p.map.table_from)
			if (d != index_map::none)
				whole[d] = false;
		return boxes(p.each.dims, whole, reference_per_tile, reference_run);
	}

	fast::indexed streams_;
	reference_function by_reference_;
	fast_function by_vectors_;
	boxes cut_;
};

} // namespace

bool read_index_map(parser &in, const index_fields &fields, std::uint32_t mode, std::uint32_t axis,
		    std::uint32_t batch_dims, indexed_plan &p)
{
	const tensor &index = p.map.index;
	const bool tuples = mode == ATOM_GATHER_ND;
	if (!in.require(tuples ? axis == 0 : axis < p.table.rank, ATOM_FAULT_BAD_FIELD, fields.axis) ||
	    !in.require(index.quant.kind == ATOM_QUANT_NONE, ATOM_FAULT_BAD_QUANT,
			index.field + offsetof(atom_tensor, quant) + offsetof(atom_quant, kind)) ||
	    /* Rank 0 holds no tuple. */
	    !in.require(!tuples || index.rank > 0, ATOM_FAULT_BAD_SHAPE, index.field + offsetof(atom_tensor, rank)))
		return false;
	const std::uint32_t batch_max = mode == ATOM_GATHER_ROWS ? std::min<std::uint32_t>(axis, index.rank)
					: tuples		 ? index.rank - 1u
								 : 0;
	if (!in.require(batch_dims <= batch_max, ATOM_FAULT_BAD_FIELD, fields.batch_dims))
		return false;
	fitting fit(in, p);
	return mode == ATOM_GATHER_ROWS	      ? fit_rows(fit, p, axis, batch_dims)
	       : mode == ATOM_GATHER_ELEMENTS ? fit_elements(fit, p, axis)
					      : fit_tuples(fit, p, batch_dims);
}

std::unique_ptr<operation> make_gather(parser &in, indexed_plan &p)
{
	return std::make_unique<indexed_operation>(in, p, false, reference::gather, fast::gather);
}

std::unique_ptr<operation> make_scatter(parser &in, indexed_plan &p)
{
	return std::make_unique<indexed_operation>(in, p, true, reference::scatter, fast::scatter);
}

} // namespace atom::engine
