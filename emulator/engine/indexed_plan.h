/* SPDX-License-Identifier: MIT */
/**
 * @file indexed_plan.h
 * @brief GATHER and SCATTER, decoded: all modes in one form.
 *
 * Both go over elements (GATHER's `out`, SCATTER's `updates`); each goes with one
 * element of a table (GATHER's `data`, SCATTER's `out`). A coordinate in the
 * table is one of the element's own coordinates, or is read from the index.
 */
#pragma once

#include "plan.h"

namespace atom::engine {

struct index_map {
	static constexpr std::uint8_t none = 0xff;

	tensor index;
	std::uint64_t index_va = 0;
	bool wrap_negative = false;
	bool tuples = false;     ///< ND: the last dimension of the index holds the coordinates one behind the other
	unsigned components = 1; ///< coordinates that are read from the index
	std::array<std::uint8_t, ATOM_RANK_MAX> addressed{}; ///< the dimensions of the table that they are for
	/** Which dimension of the elements gives a coordinate in the table, or in the index; or none. */
	std::array<std::uint8_t, ATOM_RANK_MAX> table_from = {none, none, none, none, none};
	std::array<std::uint8_t, ATOM_RANK_MAX> index_from = {none, none, none, none, none};
};

struct indexed_plan {
	index_map map;
	tensor table;
	tensor each;
	bool convert = false;                              ///< from one dtype to another, by way of f32
	std::uint32_t reduction = ATOM_SCATTER_ASSIGN; ///< SCATTER
};

/** A coordinate as the index has it to one of the table. @return false if it is outside. */
inline bool into_table(std::int64_t &coordinate, std::int64_t dim, bool wrap_negative)
{
	if (wrap_negative && coordinate < 0)
		coordinate += dim;
	return coordinate >= 0 && coordinate < dim;
}

/** INDEX_RANGE at byte @p at of the index. */
inline fault index_range(const index_map &map, std::int64_t at)
{
	fault why;
	why.code = ATOM_FAULT_INDEX_RANGE;
	why.where = ATOM_WHERE_DATA;
	why.field = map.index.field;
	why.va = map.index_va + static_cast<std::uint64_t>(at);
	why.access = ATOM_ACCESS_READ;
	return why;
}

/** enum atom_scatter_reduction but ASSIGN as enum atom_binary_kind. */
constexpr std::uint32_t binary_of(std::uint32_t reduction)
{
	switch (reduction) {
	case ATOM_SCATTER_MUL:
		return ATOM_BINARY_MUL;
	case ATOM_SCATTER_MIN:
		return ATOM_BINARY_MIN;
	case ATOM_SCATTER_MAX:
		return ATOM_BINARY_MAX;
	default:
		return ATOM_BINARY_ADD;
	}
}

} // namespace atom::engine
