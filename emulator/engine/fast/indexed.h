/* SPDX-License-Identifier: MIT */
/**
 * @file indexed.h
 * @brief GATHER and SCATTER in runs; same results as reference/indexed.h.
 */
#pragma once

#include "box.h"
#include "fast/stream.h"
#include "indexed_plan.h"

namespace atom::engine::fast {

inline constexpr std::uint64_t indexed_per_tile = 1u << 16;

/** A plan with its operands as streams over the joined dims of the elements. */
struct indexed {
	indexed_plan p;
	index5 dims;
	stream each;
	stream table; ///< strides are 0 along dimensions that only the index knows of
	stream index; ///< of the first coordinate
	std::array<std::int64_t, ATOM_RANK_MAX> coordinate_strides{}; ///< in the table
	std::array<std::int64_t, ATOM_RANK_MAX> coordinate_dims{};
	std::int64_t coordinate_step = 0; ///< in the index, from coordinate to coordinate
	byte_range table_range{};         ///< of the whole table

	/** The elements of a run do not lie in a row in the table: the index has a say in each. */
	bool scattered() const { return index.t.strides.back() != 0 || table.t.strides.back() == 0; }
};

indexed prepare(const indexed_plan &p);

/** The elements of @p b. A fault ends the function and is left in @p mem. */
void gather(const indexed &s, memory &mem, scratch &work, const box &b);
void scatter(const indexed &s, memory &mem, scratch &work, const box &b);

/** Buffers of one worker for one run. */
struct indexed_buffers {
	alignas(64) std::byte index[run_elements * 8];
	alignas(64) std::int64_t at[run_elements];
	alignas(64) std::byte each[run_elements * 8];
	alignas(64) std::byte table[run_elements * 8];
	alignas(64) std::byte result[run_elements * 8];
	alignas(64) float x[run_elements];
	alignas(64) float y[run_elements];
	alignas(64) float z[run_elements];
};

/** The table in one tile: where its elements are, and a mapping if the tile uses enough of it. */
class table_view {
public:
	/** False: fault. */
	bool open(memory &mem, const indexed &s, const box &b, std::uint32_t access);

	/**
	 * Offsets of the elements that a run at @p index goes with: of all if they are
	 * scattered(), else only the first's. Reads each coordinate once. False: fault.
	 */
	bool locate(const index5 &index, std::size_t count, indexed_buffers &buf) const;

	/** Host address of the element at offset 0, or nullptr if it is not mapped. */
	std::byte *base() const { return base_; }
	/** One element. False: fault. */
	bool read(std::int64_t at, void *to) const;
	bool write(std::int64_t at, const void *from) const;

private:
	memory *mem_ = nullptr;
	const indexed *s_ = nullptr;
	std::byte *base_ = nullptr;
};

} // namespace atom::engine::fast
