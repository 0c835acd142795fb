/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_MMU_H
#define ATOM_MMU_H

#include <linux/list.h>
#include <linux/types.h>

#include <atom/hw/mmu.h>

struct atom_device;
struct atom_extent;
struct atom_quota;
struct atom_table;

/**
 * struct atom_mmu - page tables of one address space
 *
 * Callers serialise all calls by struct atom_vm.tables_lock, but for atom_mmu_reserve(),
 * which allocates memory: the spare tables are under struct atom_vm.lock.
 */
struct atom_mmu {
	/** @adev: Device. */
	struct atom_device *adev;
	/** @quota: Account that its tables are on; a reference is held while @root is set. */
	struct atom_quota *quota;
	/** @root: Table of level 3; NULL after atom_mmu_fini(). */
	struct atom_table *root;
	/** @asid: Hardware id. */
	u32 asid;
	/** @spare: Tables for atom_mmu_map() and _unmap(), which may not fail. */
	struct list_head spare;
	/** @spare_count: How many. */
	u32 spare_count;
	/** @retired: Tables that the device may still walk, until atom_mmu_flush(). */
	struct list_head retired;
	/** @stale_start: First address whose old translation the device may know. */
	u64 stale_start;
	/** @stale_end: First behind; not above @stale_start if there is none. */
	u64 stale_end;
};

/**
 * struct atom_mapping - what atom_mmu_map() puts into the tables
 */
struct atom_mapping {
	/** @va: First address. */
	u64 va;
	/** @bytes: Size. */
	u64 bytes;
	/** @offset: Offset in the buffer. */
	u64 offset;
	/** @extents: Memory of the buffer. */
	const struct atom_extent *extents;
	/** @extent_count: Entries of @extents. */
	u32 extent_count;
	/** @aperture: ATOM_APERTURE_*. */
	u32 aperture;
	/** @page_sizes: Bit n = pages of 2^n bytes may be used. */
	u32 page_sizes;
	/** @readonly: The device cannot write. */
	bool readonly;
};

int atom_mmu_init(struct atom_device *adev, struct atom_mmu *mmu, struct atom_quota *quota);
void atom_mmu_fini(struct atom_mmu *mmu);
u32 atom_mmu_tables_for_map(const struct atom_mapping *mapping);
u32 atom_mmu_tables_for_unmap(void);
int atom_mmu_reserve(struct atom_mmu *mmu, u32 count);
void atom_mmu_map(struct atom_mmu *mmu, const struct atom_mapping *mapping);
void atom_mmu_unmap(struct atom_mmu *mmu, u64 va, u64 bytes);
int atom_mmu_invalidate(struct atom_mmu *mmu);
int atom_mmu_flush(struct atom_mmu *mmu);

#endif
