/* SPDX-License-Identifier: MIT */
/**
 * @file indexed.h
 * @brief What GATHER and SCATTER have in common: how index, table and elements fit together.
 */
#pragma once

#include <memory>

#include "decode/parser.h"
#include "indexed_plan.h"

namespace atom::engine {

/** Where the command names what read_index_map() checks. */
struct index_fields {
	std::size_t axis, batch_dims;
};

/**
 * Fills in @p p.map from mode (a known one), axis and batch_dims; @p p.table, @p p.each and
 * @p p.map.index have been read.
 */
bool read_index_map(parser &in, const index_fields &fields, std::uint32_t mode, std::uint32_t axis,
		    std::uint32_t batch_dims, indexed_plan &p);

/** Makes the operation; the command is good. */
std::unique_ptr<operation> make_gather(parser &in, indexed_plan &p);
std::unique_ptr<operation> make_scatter(parser &in, indexed_plan &p);

} // namespace atom::engine
