/* SPDX-License-Identifier: MIT */
/**
 * @file mmu.h
 * @brief Address spaces, page-table walks and translation caches.
 *
 * The table of address spaces changes only while no tile runs (the dispatcher
 * stops the team first), so translating needs no lock. Each thread has a cache
 * of its own; the dispatcher empties all of them, in the same quiet moment.
 */
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "atom/hw/fault.h"
#include "atom/hw/mmu.h"
#include "host_port.h"

namespace atom::model {

/** Where bytes are: an aperture and an address in it. */
struct location {
	std::uint32_t aperture = ATOM_APERTURE_SYSTEM;
	std::uint64_t address = 0;
};

/** What an address space is; `present` false: no root. */
struct asid_entry {
	bool present = false;
	bool identity = false;
	location root;
	std::uint32_t generation = 0;
	std::uint32_t users = 0; ///< queues that name it
};

/** Translation: where @ref va is, and for how many bytes (to the end of its page) that holds. */
struct translation {
	std::uint16_t fault = ATOM_FAULT_NONE;
	location at;
	std::uint64_t bytes = 0;
};

/** Device memories that are not reached by DMA. */
struct local_memory {
	std::byte *dram = nullptr;
	std::uint64_t dram_size = 0;
	std::byte *shm = nullptr;
	std::uint64_t shm_size = 0;

	/** nullptr: @p bytes at @p at do not lie inside. SYSTEM is never inside. */
	std::byte *find(location at, std::uint64_t bytes) const
	{
		std::byte *base = at.aperture == ATOM_APERTURE_LOCAL ? dram :
				  at.aperture == ATOM_APERTURE_SHM   ? shm : nullptr;
		const std::uint64_t size = at.aperture == ATOM_APERTURE_LOCAL ? dram_size : shm_size;
		if (!base || bytes > size || at.address > size - bytes)
			return nullptr;
		return base + at.address;
	}
};

/** Cache of translations of one thread. Holds valid leaves only. */
class tlb {
public:
	static constexpr std::uint32_t small_entries = 1024; ///< 4 KiB pages
	static constexpr std::uint32_t large_entries = 128;  ///< 2 MiB pages

	struct entry {
		std::uint64_t tag = 0; ///< 0: empty
		std::uint64_t pte = 0;
	};

	/** The leaf for @p va, or 0; @p shift: log2 of its page. */
	std::uint64_t find(std::uint32_t asid, std::uint64_t va, unsigned &shift) const;
	void insert(std::uint32_t asid, std::uint64_t va, unsigned shift, std::uint64_t pte);
	/** @p bytes 0: all of the ASID. */
	void invalidate(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes);
	void clear();

	/** Last level-0 table walked to, so that a run of 4 KiB pages walks once. */
	struct {
		bool valid = false;
		std::uint32_t asid = 0;
		std::uint64_t region = 0; ///< va >> 21
		location table;
	} walked;

private:
	static std::uint64_t tag(std::uint32_t asid, std::uint64_t page)
	{
		return 1ull << 63 | std::uint64_t{asid} << 40 | page;
	}

	std::array<entry, small_entries> small_;
	std::array<entry, large_entries> large_;
};

class mmu {
public:
	mmu(host_port &host, const local_memory &memory, std::uint32_t asids)
		: host_(host), memory_(memory), spaces_(asids)
	{
	}

	asid_entry &space(std::uint32_t asid) { return spaces_[asid]; }
	const asid_entry &space(std::uint32_t asid) const { return spaces_[asid]; }
	std::uint32_t count() const { return static_cast<std::uint32_t>(spaces_.size()); }
	void reset();

	/** Translates @p va for @p access (ATOM_ACCESS_*), walking the tables if @p cache does not know it. */
	translation translate(std::uint32_t asid, std::uint64_t va, std::uint32_t access, tlb &cache);

private:
	static constexpr std::uint32_t prefetch = 64; ///< entries of level 0 read at once

	std::uint16_t check(std::uint64_t pte, unsigned level) const;
	bool read_entries(location table, std::uint32_t first, std::uint32_t count, std::uint64_t *to);
	std::uint16_t walk(std::uint32_t asid, std::uint64_t va, tlb &cache, std::uint64_t &pte,
			   unsigned &shift);
	std::uint16_t walk_level0(std::uint32_t asid, std::uint64_t va, location table, tlb &cache,
				  std::uint64_t &pte);

	host_port &host_;
	const local_memory &memory_;
	std::vector<asid_entry> spaces_;
};

} // namespace atom::model
