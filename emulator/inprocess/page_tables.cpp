/* SPDX-License-Identifier: MIT */
#include "page_tables.h"

#include <algorithm>
#include <atomic>
#include <new>

#include "atom/hw/mmu.h"

namespace atom::inprocess {

namespace {

constexpr std::uint64_t cont_bytes = 64ull << 10;

std::uint64_t load(std::uint64_t &entry)
{
	return std::atomic_ref(entry).load(std::memory_order_relaxed);
}

/* The device may be walking the tables. */
void store(std::uint64_t &entry, std::uint64_t value)
{
	std::atomic_ref(entry).store(value, std::memory_order_release);
}

} // namespace

/** What map() or unmap() does. */
struct page_tables::change {
	std::uint64_t va;      ///< where it begins
	std::uint64_t address; ///< of the memory at va
	std::uint64_t flags;   ///< of leaves; 0: unmap

	/** The leaf for @p at. */
	std::uint64_t leaf(std::uint64_t at) const { return flags ? (address + (at - va)) | flags : 0; }
	/** Whether a large page may stand at @p at. */
	bool fits_large(std::uint64_t at) const { return !flags || (address + (at - va)) % large_page_bytes == 0; }
};

page_tables::page_tables(memory &system) : system_(system)
{
	reserve(1);
	root_ = take_table();
	flushed();
}

std::uint64_t *page_tables::entries(std::uint64_t table) const
{
	return reinterpret_cast<std::uint64_t *>(tables_.at(table).cpu());
}

std::uint64_t page_tables::take_table()
{
	const std::uint64_t address = spare_.back().address();
	tables_.emplace(address, std::move(spare_.back()));
	spare_.pop_back();
	return address;
}

void page_tables::reserve(std::uint64_t count)
{
	reserved_ += count;
	replaced_.reserve(reserved_);
	while (spare_.size() < reserved_) {
		memory_range table = system_.allocate(ATOM_PT_BYTES);
		if (!table)
			throw std::bad_alloc();
		spare_.push_back(std::move(table));
	}
}

void page_tables::reserve_map(std::uint64_t va, std::uint64_t bytes, std::uint64_t address)
{
	std::uint64_t count = 0;
	for (unsigned level = 1; level < ATOM_PT_LEVELS; ++level) {
		const unsigned shift = ATOM_PT_SHIFT(level);
		const std::uint64_t touched = ((va + bytes - 1) >> shift) - (va >> shift) + 1;
		const bool large = level == 1 && (va - address) % large_page_bytes == 0;
		count += large ? std::min<std::uint64_t>(touched, 2) : touched; /* large pages but at the ends */
		if (large) /* tables that these may replace */
			replaced_.reserve(replaced_.size() + touched);
	}
	reserve(count);
}

void page_tables::map(std::uint64_t va, std::uint64_t bytes, std::uint32_t aperture, std::uint64_t address,
		      bool read_only)
{
	const std::uint64_t flags = ATOM_PTE_VALID | ATOM_PTE_LEAF | ATOM_PTE_READ |
				    (read_only ? 0 : ATOM_PTE_WRITE) | ATOM_PTE_APERTURE(aperture);
	write(ATOM_PT_LEVELS - 1, root_, va, va + bytes, {va, address, flags});
}

void page_tables::unmap(std::uint64_t va, std::uint64_t bytes)
{
	write(ATOM_PT_LEVELS - 1, root_, va, va + bytes, {va, 0, 0});
}

/* The subtree that @p entry of level @p level named is in the tables no more. */
void page_tables::drop(unsigned level, std::uint64_t entry)
{
	if (!(entry & ATOM_PTE_VALID))
		return;
	stale_ = true;
	if (level == 0 || entry & ATOM_PTE_LEAF)
		return;
	auto node = tables_.extract(entry & ATOM_PTE_ADDR_MASK);
	replaced_.push_back(std::move(node.mapped()));
}

void page_tables::write(unsigned level, std::uint64_t table, std::uint64_t va, std::uint64_t end,
			const change &what)
{
	const std::uint64_t span = 1ull << ATOM_PT_SHIFT(level);
	std::uint64_t *const all = entries(table);
	while (va < end) {
		const std::uint64_t next = std::min((va / span + 1) * span, end);
		std::uint64_t &entry = all[va >> ATOM_PT_SHIFT(level) & (ATOM_PT_ENTRIES - 1)];
		const std::uint64_t old = load(entry);
		if (level == 0) {
			const std::uint64_t block = va / cont_bytes * cont_bytes;
			const bool whole = what.flags && block >= what.va && block + cont_bytes <= end &&
					   (what.address + (block - what.va)) % cont_bytes == 0;
			store(entry, what.leaf(va) | (whole ? ATOM_PTE_CONT64K : 0));
			drop(level, old);
		} else if (level == 1 && next - va == span && what.fits_large(va)) {
			store(entry, what.leaf(va));
			drop(level, old);
		} else if (old & ATOM_PTE_VALID || what.flags) {
			std::uint64_t child = old & ATOM_PTE_ADDR_MASK;
			if (!(old & ATOM_PTE_VALID) || old & ATOM_PTE_LEAF) {
				child = take_table();
				if (old & ATOM_PTE_LEAF && old & ATOM_PTE_VALID) { /* the same pages, in small */
					std::uint64_t *small = entries(child);
					for (std::uint64_t i = 0; i < ATOM_PT_ENTRIES; ++i)
						store(small[i], old + i * page_bytes);
					stale_ = true;
				}
				store(entry, child | ATOM_PTE_VALID);
			}
			write(level - 1, child, va, next, what);
		}
		va = next;
	}
}

void page_tables::flushed()
{
	constexpr std::size_t kept = 8; /* for the next change, which often is a small one */
	stale_ = false;
	replaced_.clear();
	reserved_ = 0;
	if (spare_.size() > kept)
		spare_.resize(kept);
}

} // namespace atom::inprocess
