/* SPDX-License-Identifier: MIT */
#include "mmu.h"

#include <algorithm>

namespace atom::model {

namespace {

constexpr unsigned small_shift = ATOM_PT_SHIFT(0);
constexpr unsigned large_shift = ATOM_PT_SHIFT(1);

std::uint32_t aperture_of(std::uint64_t pte)
{
	return static_cast<std::uint32_t>((pte & ATOM_PTE_APERTURE_MASK) >> ATOM_PTE_APERTURE_SHIFT);
}

location target_of(std::uint64_t pte)
{
	return {aperture_of(pte), pte & ATOM_PTE_ADDR_MASK};
}

std::uint32_t index_of(std::uint64_t va, unsigned level)
{
	return static_cast<std::uint32_t>(va >> ATOM_PT_SHIFT(level)) & (ATOM_PT_ENTRIES - 1);
}

} // namespace

std::uint64_t tlb::find(std::uint32_t asid, std::uint64_t va, unsigned &shift) const
{
	const entry &s = small_[(va >> small_shift) % small_entries];
	if (s.tag == tag(asid, va >> small_shift)) {
		shift = small_shift;
		return s.pte;
	}
	const entry &l = large_[(va >> large_shift) % large_entries];
	if (l.tag == tag(asid, va >> large_shift)) {
		shift = large_shift;
		return l.pte;
	}
	return 0;
}

void tlb::insert(std::uint32_t asid, std::uint64_t va, unsigned shift, std::uint64_t pte)
{
	const std::uint64_t page = va >> shift;
	if (shift == small_shift)
		small_[page % small_entries] = {tag(asid, page), pte};
	else
		large_[page % large_entries] = {tag(asid, page), pte};
}

void tlb::invalidate(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes)
{
	walked.valid = false;
	const auto drop = [&](auto &entries, unsigned shift) {
		const std::uint64_t pages_of_asid = tag(asid, 0) >> 40;
		const std::uint64_t first = va >> shift;
		const std::uint64_t last = bytes ? (va + (bytes - 1)) >> shift : 0;
		if (bytes && last - first < entries.size()) {
			for (std::uint64_t page = first; page <= last; ++page) {
				entry &e = entries[page % entries.size()];
				if (e.tag == tag(asid, page))
					e.tag = 0;
			}
			return;
		}
		for (entry &e : entries) {
			const std::uint64_t page = e.tag & ((1ull << 40) - 1);
			if (e.tag >> 40 == pages_of_asid && (!bytes || (page >= first && page <= last)))
				e.tag = 0;
		}
	};
	drop(small_, small_shift);
	drop(large_, large_shift);
}

void tlb::clear()
{
	small_.fill({});
	large_.fill({});
	walked.valid = false;
}

void mmu::reset()
{
	std::fill(spaces_.begin(), spaces_.end(), asid_entry{});
}

/* Everything that an entry can have wrong by itself; permissions come with the access. */
std::uint16_t mmu::check(std::uint64_t pte, unsigned level) const
{
	if (!(pte & ATOM_PTE_VALID))
		return ATOM_FAULT_NOT_PRESENT;
	if (pte & ATOM_PTE_RESERVED)
		return ATOM_FAULT_RESERVED_BIT;
	const bool leaf = pte & ATOM_PTE_LEAF;
	if (leaf ? level > 1 : level == 0)
		return ATOM_FAULT_RESERVED_BIT;
	if (!leaf && (pte & (ATOM_PTE_READ | ATOM_PTE_WRITE)))
		return ATOM_FAULT_RESERVED_BIT;
	/* The hint has no meaning anywhere else. Where it stands it is not used:
	 * sixteen entries that disagree still translate each by itself.
	 */
	if ((pte & ATOM_PTE_CONT64K) && !(leaf && level == 0))
		return ATOM_FAULT_RESERVED_BIT;
	const std::uint64_t page = leaf ? 1ull << ATOM_PT_SHIFT(level) : ATOM_PT_BYTES;
	const location at = target_of(pte);
	if (at.address & (page - 1))
		return ATOM_FAULT_RESERVED_BIT;
	switch (at.aperture) {
	case ATOM_APERTURE_SYSTEM:
		return ATOM_FAULT_NONE;
	case ATOM_APERTURE_SHM:
		if (!leaf)
			return ATOM_FAULT_RESERVED_BIT;
		[[fallthrough]];
	case ATOM_APERTURE_LOCAL:
		return memory_.find(at, page) ? ATOM_FAULT_NONE : ATOM_FAULT_APERTURE_RANGE;
	default:
		return ATOM_FAULT_APERTURE_RANGE;
	}
}

bool mmu::read_entries(location table, std::uint32_t first, std::uint32_t count, std::uint64_t *to)
{
	const location at{table.aperture, table.address + first * sizeof(std::uint64_t)};
	const std::size_t bytes = count * sizeof(std::uint64_t);
	if (at.aperture == ATOM_APERTURE_SYSTEM)
		return host_.dma_read(at.address, to, bytes);
	const std::byte *from = memory_.find(at, bytes);
	if (!from)
		return false;
	guest_copy(to, from, bytes);
	return true;
}

/* Reads a stretch of the table and keeps the neighbours that are good: a run of
 * 4 KiB pages is the common case, and reading one entry by DMA costs as much as
 * reading many. Entries that are not valid are never kept.
 */
std::uint16_t mmu::walk_level0(std::uint32_t asid, std::uint64_t va, location table, tlb &cache,
			       std::uint64_t &pte)
{
	std::uint64_t entries[prefetch];
	const std::uint32_t index = index_of(va, 0);
	const std::uint32_t first = index / prefetch * prefetch;
	if (!read_entries(table, first, prefetch, entries))
		return ATOM_FAULT_TABLE_WALK;
	pte = entries[index - first];
	if (const std::uint16_t bad = check(pte, 0)) {
		host_.trace(ATOM_TRACE_TLB_MISS, asid, va, 0, pte);
		return bad;
	}
	const std::uint64_t base = va >> small_shift << small_shift;
	for (std::uint32_t i = 0; i < prefetch; ++i) {
		if (check(entries[i], 0) == ATOM_FAULT_NONE)
			cache.insert(asid, base + (std::uint64_t{first} + i) * ATOM_PT_BYTES -
						   std::uint64_t{index} * ATOM_PT_BYTES,
				     small_shift, entries[i]);
	}
	return ATOM_FAULT_NONE;
}

std::uint16_t mmu::walk(std::uint32_t asid, std::uint64_t va, tlb &cache, std::uint64_t &pte,
			unsigned &shift)
{
	auto &walked = cache.walked;
	if (walked.valid && walked.asid == asid && walked.region == va >> large_shift) {
		shift = small_shift;
		return walk_level0(asid, va, walked.table, cache, pte);
	}
	location table = spaces_[asid].root;
	for (unsigned level = ATOM_PT_LEVELS - 1; level > 0; --level) {
		if (!read_entries(table, index_of(va, level), 1, &pte)) {
			host_.trace(ATOM_TRACE_TLB_MISS, asid, va, level, 0);
			return ATOM_FAULT_TABLE_WALK;
		}
		if (const std::uint16_t bad = check(pte, level)) {
			host_.trace(ATOM_TRACE_TLB_MISS, asid, va, level, pte);
			return bad;
		}
		if (pte & ATOM_PTE_LEAF) {
			shift = ATOM_PT_SHIFT(level);
			cache.insert(asid, va, shift, pte);
			return ATOM_FAULT_NONE;
		}
		table = target_of(pte);
	}
	shift = small_shift;
	const std::uint16_t bad = walk_level0(asid, va, table, cache, pte);
	if (!bad) {
		walked.valid = true;
		walked.asid = asid;
		walked.region = va >> large_shift;
		walked.table = table;
	}
	return bad;
}

translation mmu::translate(std::uint32_t asid, std::uint64_t va, std::uint32_t access, tlb &cache)
{
	translation t;
	const asid_entry &space = spaces_[asid];
	if (!space.present) {
		t.fault = ATOM_FAULT_NO_ASID;
		return t;
	}
	if (space.identity) {
		t.at = {ATOM_APERTURE_SYSTEM, va};
		t.bytes = va ? 0 - va : UINT64_MAX;
		return t;
	}
	if (va >> ATOM_VA_BITS) {
		t.fault = ATOM_FAULT_VA_RANGE;
		return t;
	}
	unsigned shift = 0;
	std::uint64_t pte = cache.find(asid, va, shift);
	if (!pte) {
		t.fault = walk(asid, va, cache, pte, shift);
		if (t.fault)
			return t;
		host_.trace(ATOM_TRACE_TLB_MISS, asid, va, shift == small_shift ? 0 : 1, pte);
	}
	if (((access & ATOM_ACCESS_READ) && !(pte & ATOM_PTE_READ)) ||
	    ((access & ATOM_ACCESS_WRITE) && !(pte & ATOM_PTE_WRITE))) {
		t.fault = ATOM_FAULT_PERMISSION;
		return t;
	}
	const std::uint64_t offset = va & ((1ull << shift) - 1);
	t.at = target_of(pte);
	t.at.address += offset;
	t.bytes = (1ull << shift) - offset;
	return t;
}

} // namespace atom::model
