/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "memory.h"

namespace atom::inprocess {

/**
 * The page tables of one address space, in system memory as the device walks them
 * (include/README.md, section 3). Not thread-safe.
 */
class page_tables {
public:
	/** @throw std::bad_alloc */
	explicit page_tables(memory &system);

	/** Bus address of the root. */
	std::uint64_t root() const { return root_; }

	/** Takes what one more map() with these arguments, or unmap(), may need: those then cannot fail. */
	void reserve_map(std::uint64_t va, std::uint64_t bytes, std::uint64_t address);
	void reserve_unmap() { reserve(2); } // a large page at each end may have to be split
	/** Maps [va, va + bytes) to @p address of @p aperture, with the largest pages that fit. */
	void map(std::uint64_t va, std::uint64_t bytes, std::uint32_t aperture, std::uint64_t address,
		 bool read_only);
	void unmap(std::uint64_t va, std::uint64_t bytes);

	/** Whether the device may still know what is no longer in the tables. */
	bool stale() const { return stale_; }
	/** The device has forgotten it: what was replaced is freed, and what was reserved. */
	void flushed();

private:
	struct change;

	void reserve(std::uint64_t count);
	std::uint64_t *entries(std::uint64_t table) const;
	std::uint64_t take_table();
	void write(unsigned level, std::uint64_t table, std::uint64_t va, std::uint64_t end, const change &what);
	void drop(unsigned level, std::uint64_t entry);

	memory &system_;
	std::map<std::uint64_t, memory_range> tables_; // by bus address
	std::vector<memory_range> spare_;
	std::uint64_t reserved_ = 0; // of spare_
	std::vector<memory_range> replaced_;
	std::uint64_t root_;
	bool stale_ = false;
};

} // namespace atom::inprocess
