/* SPDX-License-Identifier: MIT */
/**
 * @file elementwise.h
 * @brief An operation on independent elements, cut into tiles by their number.
 */
#pragma once

#include <algorithm>

#include "decode/parser.h"
#include "fast/fast.h"

namespace atom::engine {

template <class Plan> class elementwise final : public operation {
public:
	using reference_function = void (*)(const Plan &, memory &, std::uint64_t first, std::uint64_t last);
	using fast_function = void (*)(const fast::streams<Plan> &, memory &, scratch &, std::uint64_t first,
				       std::uint64_t last);

	elementwise(parser &in, const Plan &plan, cost::unit where, reference_function by_reference,
		    fast_function by_vectors, std::uint64_t per_tile = fast::elements_per_tile, std::uint64_t each = 1)
		: streams_(fast::prepare(plan)), by_reference_(in.how().reference ? by_reference : nullptr),
		  by_vectors_(by_vectors), elements_(elements(plan.out.dims)),
		  per_tile_(std::max((by_reference_ ? reference_per_tile : per_tile) / each, std::uint64_t{1}))
	{
		operands_ = in.take_operands();
		cost_.where = where;
		cost_.dtype = plan.out.dtype;
		cost_.elements = elements_ * each;
		tiles_ = (elements_ + per_tile_ - 1) / per_tile_;
	}

	void run(std::uint64_t tile, memory &mem, scratch &work) const override
	{
		const std::uint64_t first = tile * per_tile_, last = std::min(first + per_tile_, elements_);
		if (by_reference_)
			by_reference_(streams_.p, mem, first, last);
		else
			by_vectors_(streams_, mem, work, first, last);
	}

private:
	/* What the scalar reference does in about a millisecond. */
	static constexpr std::uint64_t reference_per_tile = 1u << 13;

	fast::streams<Plan> streams_;
	reference_function by_reference_;
	fast_function by_vectors_;
	std::uint64_t elements_;
	std::uint64_t per_tile_;
};

} // namespace atom::engine
