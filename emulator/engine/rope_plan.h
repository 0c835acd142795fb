/* SPDX-License-Identifier: MIT */
/**
 * @file rope_plan.h
 * @brief ROPE, decoded.
 */
#pragma once

#include "numeric/rotation.h"
#include "plan.h"

namespace atom::engine {

struct rope_plan {
	bool interleaved = false;
	bool inverse = false;
	bool rows_by_position = false; ///< cos and sin are [positions known, pairs]
	std::int64_t pairs = 0;
	rotation turn; ///< without tables
	tensor in;
	tensor positions; ///< its strides are those over the dimensions of `in`
	std::uint64_t positions_va = 0;
	tensor factors;
	tensor cos;
	tensor sin;
	tensor out;
};

/** The pair's elements of a row: index of the first and the second. */
inline std::int64_t first_of_pair(const rope_plan &p, std::int64_t pair) { return p.interleaved ? 2 * pair : pair; }
inline std::int64_t second_of_pair(const rope_plan &p, std::int64_t pair)
{
	return p.interleaved ? 2 * pair + 1 : p.pairs + pair;
}

/** INDEX_RANGE at byte @p at of the positions. */
inline fault position_range(const rope_plan &p, std::int64_t at)
{
	fault why;
	why.code = ATOM_FAULT_INDEX_RANGE;
	why.where = ATOM_WHERE_DATA;
	why.field = p.positions.field;
	why.va = p.positions_va + static_cast<std::uint64_t>(at);
	why.access = ATOM_ACCESS_READ;
	return why;
}

} // namespace atom::engine
