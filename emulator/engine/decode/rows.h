/* SPDX-License-Identifier: MIT */
/**
 * @file rows.h
 * @brief An operation on rows, cut into tiles of some rows, or of one that may take long.
 */
#pragma once

#include <algorithm>

#include "decode/parser.h"
#include "fast/rows.h"
#include "rows_plan.h"

namespace atom::engine {

template <class Plan> class row_operation final : public operation {
public:
	/** Rows [first, last), in row-major order. */
	using reference_function = void (*)(const Plan &, memory &, std::uint64_t first, std::uint64_t last);
	using fast_function = void (*)(const fast::row_streams<Plan> &, memory &, scratch &, std::uint64_t tile);

	/** @p dims are the input's, the work is @p each an element. */
	row_operation(parser &in, const Plan &plan, const index5 &dims, unsigned reduced, std::uint64_t each,
		      reference_function by_reference, fast_function by_vectors)
		: streams_(fast::prepare(plan)), by_reference_(in.how().reference ? by_reference : nullptr),
		  by_vectors_(by_vectors), rows_(elements(rows_of(dims, reduced)))
	{
		operands_ = in.take_operands();
		cost_.where = cost::unit::vector;
		cost_.dtype = plan.in.dtype;
		cost_.elements = elements(dims) * each;
		const std::uint64_t row = elements(within_rows(dims, reduced)) * each;
		per_tile_ = std::max(reference_per_tile / row, std::uint64_t{1});
		tiles_ = by_reference_ ? (rows_ + per_tile_ - 1) / per_tile_ : streams_.space.tiles();
	}

	void run(std::uint64_t tile, memory &mem, scratch &work) const override
	{
		if (by_reference_)
			by_reference_(streams_.p, mem, tile * per_tile_, std::min((tile + 1) * per_tile_, rows_));
		else
			by_vectors_(streams_, mem, work, tile);
	}

private:
	/* What the scalar reference does in about a millisecond. */
	static constexpr std::uint64_t reference_per_tile = 1u << 12;

	fast::row_streams<Plan> streams_;
	reference_function by_reference_;
	fast_function by_vectors_;
	std::uint64_t rows_;
	std::uint64_t per_tile_;
};

} // namespace atom::engine
