// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Page tables
 *
 * The CPU builds the tables of an address space in coherent host memory. The
 * device may walk them at any moment, so that every entry is written whole, and
 * a table is filled before an entry names it.
 *
 * Changing tables cannot fail: the caller says beforehand what it will do
 * (atom_mmu_tables_for_map() and _for_unmap()) and gets that many spare tables
 * from atom_mmu_reserve(). Tables that become empty are taken out at once but
 * freed only by atom_mmu_flush(), when the device has forgotten them. The memory
 * that was mapped may be given away after that call, too, and not earlier.
 *
 * A small buffer that is mapped all over an address space takes much more memory
 * for tables than its own, so that tables count as memory of the user who opened
 * the file (DOC: Quotas).
 */
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_mmu.h"
#include "atom_quota.h"

/* Spare tables that an address space keeps for the next call. */
#define ATOM_MMU_SPARE_KEEP	8

#define ATOM_CONT_ENTRIES	(SZ_64K / SZ_4K)

/**
 * struct atom_table - one page table
 */
struct atom_table {
	/** @link: Entry of the spare or retired list. */
	struct list_head link;
	/** @entries: What the device sees. */
	__le64 *entries;
	/** @dma: Bus address of @entries. */
	dma_addr_t dma;
	/** @used: Valid entries. */
	u32 used;
	/** @child: Tables that the entries name; all NULL on level 0. */
	struct atom_table *child[ATOM_PT_ENTRIES];
};

/* What it takes of the machine's memory. */
#define ATOM_TABLE_BYTES	(ATOM_PT_BYTES + roundup_pow_of_two(sizeof(struct atom_table)))

static struct atom_table *atom_table_alloc(struct atom_device *adev)
{
	/* Charged to the program that asks for mappings. */
	struct atom_table *table = kzalloc_obj(*table, GFP_KERNEL_ACCOUNT);

	if (!table)
		return NULL;
	table->entries = dma_alloc_coherent(adev->drm.dev, ATOM_PT_BYTES, &table->dma,
					    GFP_KERNEL);
	if (!table->entries) {
		kfree(table);
		return NULL;
	}
	atomic_inc(&adev->counters.tables);
	return table;
}

static void atom_mmu_uncharge(struct atom_mmu *mmu, u32 tables)
{
	atom_quota_give(mmu->quota, ATOM_QUOTA_SYSTEM, (u64)tables * ATOM_TABLE_BYTES);
}

static void atom_table_free(struct atom_mmu *mmu, struct atom_table *table)
{
	struct atom_device *adev = mmu->adev;

	dma_free_coherent(adev->drm.dev, ATOM_PT_BYTES, table->entries, table->dma);
	kfree(table);
	atomic_dec(&adev->counters.tables);
	atom_mmu_uncharge(mmu, 1);
}

static void atom_table_free_list(struct atom_mmu *mmu, struct list_head *list)
{
	struct atom_table *table, *next;

	list_for_each_entry_safe(table, next, list, link) {
		atom_table_free(mmu, table);
		cond_resched();
	}
	INIT_LIST_HEAD(list);
}

static void atom_table_free_tree(struct atom_mmu *mmu, struct atom_table *table, int level)
{
	int i;

	for (i = 0; level && i < ATOM_PT_ENTRIES; i++)
		if (table->child[i])
			atom_table_free_tree(mmu, table->child[i], level - 1);
	atom_table_free(mmu, table);
	cond_resched();
}

static u32 atom_pt_index(u64 va, int level)
{
	return (va >> ATOM_PT_SHIFT(level)) & (ATOM_PT_ENTRIES - 1);
}

static u64 atom_pt_read(const struct atom_table *table, u32 index)
{
	return le64_to_cpu(READ_ONCE(table->entries[index]));
}

/* Write an entry; the table counts the valid ones. */
static void atom_pt_write(struct atom_table *table, u32 index, u64 entry)
{
	bool was = atom_pt_read(table, index) & ATOM_PTE_VALID;
	bool is = entry & ATOM_PTE_VALID;

	table->used += is - was;
	WRITE_ONCE(table->entries[index], cpu_to_le64(entry));
}

static void atom_mmu_stale(struct atom_mmu *mmu, u64 start, u64 bytes)
{
	if (mmu->stale_end <= mmu->stale_start) {
		mmu->stale_start = start;
		mmu->stale_end = start + bytes;
		return;
	}
	mmu->stale_start = min(mmu->stale_start, start);
	mmu->stale_end = max(mmu->stale_end, start + bytes);
}

static struct atom_table *atom_mmu_take_spare(struct atom_mmu *mmu)
{
	struct atom_table *table = list_first_entry(&mmu->spare, struct atom_table, link);

	/* The caller has reserved them: atom_mmu_reserve(). */
	WARN_ON(list_empty(&mmu->spare));
	list_del_init(&table->link);
	mmu->spare_count--;
	return table;
}

/* Name table @child in entry @index of @table. */
static void atom_mmu_set_child(struct atom_table *table, u32 index, struct atom_table *child)
{
	table->child[index] = child;
	/* What the child holds is there before the device can find it. */
	dma_wmb();
	atom_pt_write(table, index, child->dma | ATOM_PTE_VALID |
		      ATOM_PTE_APERTURE(ATOM_APERTURE_SYSTEM));
}

/* Turn a 2 MiB page into a table of the same pages in 4 KiB. */
static void atom_mmu_split(struct atom_mmu *mmu, struct atom_table *table, u32 index, u64 va)
{
	struct atom_table *child = atom_mmu_take_spare(mmu);
	u64 entry = atom_pt_read(table, index);
	u32 i;

	if (mmu->adev->limits.page_sizes & SZ_64K)
		entry |= ATOM_PTE_CONT64K;
	for (i = 0; i < ATOM_PT_ENTRIES; i++)
		atom_pt_write(child, i, entry + (u64)i * SZ_4K);
	atom_mmu_set_child(table, index, child);
	atom_mmu_stale(mmu, ALIGN_DOWN(va, SZ_2M), SZ_2M);
}

/* The table of @level that holds the entry of @va, made if it is missing. */
static struct atom_table *atom_mmu_walk(struct atom_mmu *mmu, u64 va, int level)
{
	struct atom_table *table = mmu->root;
	int i;

	for (i = ATOM_PT_LEVELS - 1; i > level; i--) {
		u32 index = atom_pt_index(va, i);

		if (!table->child[index]) {
			if (atom_pt_read(table, index) & ATOM_PTE_VALID)
				atom_mmu_split(mmu, table, index, va);
			else
				atom_mmu_set_child(table, index, atom_mmu_take_spare(mmu));
		}
		table = table->child[index];
	}
	return table;
}

/*
 * Before one entry of a 64 KiB group changes, the others must stop saying that
 * all 16 belong together.
 */
static void atom_mmu_break_group(struct atom_mmu *mmu, struct atom_table *table, u32 index,
				 u64 va)
{
	u32 first = ALIGN_DOWN(index, ATOM_CONT_ENTRIES);
	u32 i;

	if (!(atom_pt_read(table, index) & ATOM_PTE_CONT64K))
		return;
	for (i = first; i < first + ATOM_CONT_ENTRIES; i++)
		atom_pt_write(table, i, atom_pt_read(table, i) & ~ATOM_PTE_CONT64K);
	atom_mmu_stale(mmu, ALIGN_DOWN(va, SZ_64K), SZ_64K);
}

/*
 * Clear [va, end) below @table. Returns true if the table became empty; the
 * caller then takes it out.
 */
static bool atom_mmu_clear(struct atom_mmu *mmu, struct atom_table *table, int level, u64 va,
			   u64 end)
{
	u64 step = 1ull << ATOM_PT_SHIFT(level);

	while (va < end) {
		u64 next = min(ALIGN_DOWN(va, step) + step, end);
		u32 index = atom_pt_index(va, level);
		struct atom_table *child = table->child[index];

		if (!child && level && atom_pt_read(table, index) & ATOM_PTE_VALID &&
		    next - va < step) {
			atom_mmu_split(mmu, table, index, va);
			child = table->child[index];
		}
		if (child) {
			if (atom_mmu_clear(mmu, child, level - 1, va, next)) {
				table->child[index] = NULL;
				atom_pt_write(table, index, 0);
				list_add_tail(&child->link, &mmu->retired);
				/* The device may remember it for all of its range. */
				atom_mmu_stale(mmu, ALIGN_DOWN(va, step), step);
			}
		} else if (atom_pt_read(table, index) & ATOM_PTE_VALID) {
			if (!level)
				atom_mmu_break_group(mmu, table, index, va);
			atom_pt_write(table, index, 0);
			atom_mmu_stale(mmu, va, next - va);
		}
		va = next;
	}
	return !table->used;
}

/**
 * atom_mmu_unmap() - take translations away
 * @mmu: address space with atom_mmu_tables_for_unmap() spare tables
 * @va: first address, multiple of 4 KiB
 * @bytes: multiple of 4 KiB
 */
void atom_mmu_unmap(struct atom_mmu *mmu, u64 va, u64 bytes)
{
	if (mmu->root)
		atom_mmu_clear(mmu, mmu->root, ATOM_PT_LEVELS - 1, va, va + bytes);
}

/* The largest page that fits at @va. */
static u64 atom_mmu_page(u32 page_sizes, u64 va, u64 address, u64 bytes)
{
	if (page_sizes & SZ_2M && IS_ALIGNED(va | address, SZ_2M) && bytes >= SZ_2M)
		return SZ_2M;
	if (page_sizes & SZ_64K && IS_ALIGNED(va | address, SZ_64K) && bytes >= SZ_64K)
		return SZ_64K;
	return SZ_4K;
}

/* Map one page of 4 KiB, 64 KiB or 2 MiB where nothing is mapped. */
static void atom_mmu_map_page(struct atom_mmu *mmu, u64 va, u64 address, u64 page, u64 attributes)
{
	u64 entry = address | attributes | ATOM_PTE_VALID | ATOM_PTE_LEAF | ATOM_PTE_READ;
	int level = page == SZ_2M ? 1 : 0;
	struct atom_table *table = atom_mmu_walk(mmu, va, level);
	u32 index = atom_pt_index(va, level);
	u32 i;

	if (page == SZ_64K) {
		for (i = 0; i < ATOM_CONT_ENTRIES; i++)
			atom_pt_write(table, index + i,
				      (entry + (u64)i * SZ_4K) | ATOM_PTE_CONT64K);
	} else {
		atom_pt_write(table, index, entry);
	}
}

/* The extent that holds @offset. */
static u32 atom_mapping_first_extent(const struct atom_mapping *mapping)
{
	u32 low = 0, high = mapping->extent_count;

	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (mapping->extents[middle].offset <= mapping->offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

typedef void (atom_page_fn)(void *data, u64 va, u64 address, u64 bytes);

/*
 * Call @page for each page of @mapping. Both the planning and the doing use it,
 * so that they agree on the size of pages.
 */
static void atom_mapping_walk(const struct atom_mapping *mapping, atom_page_fn *page,
			      void *data)
{
	u32 index = atom_mapping_first_extent(mapping);
	u64 done = 0;

	while (done < mapping->bytes) {
		const struct atom_extent *extent = &mapping->extents[index++];
		u64 skip = mapping->offset + done - extent->offset;
		u64 address = extent->address + skip;
		u64 end = done + min(extent->bytes - skip, mapping->bytes - done);

		while (done < end) {
			u64 bytes = atom_mmu_page(mapping->page_sizes, mapping->va + done,
						  address, end - done);

			page(data, mapping->va + done, address, bytes);
			address += bytes;
			done += bytes;
		}
		/* Scattered memory has an extent a page, and millions of them. */
		cond_resched();
	}
}

struct atom_table_count {
	u64 last[ATOM_PT_LEVELS - 1];
	u32 tables;
};

static void atom_mmu_count_page(void *data, u64 va, u64 address, u64 bytes)
{
	struct atom_table_count *count = data;
	int level;

	/* A table of @level covers what an entry one level up does. */
	for (level = bytes == SZ_2M ? 1 : 0; level < ATOM_PT_LEVELS - 1; level++) {
		u64 area = va >> ATOM_PT_SHIFT(level + 1);

		if (count->last[level] != area) {
			count->last[level] = area;
			count->tables++;
		}
	}
}

/**
 * atom_mmu_tables_for_map() - spare tables that a mapping may take
 * @mapping: for atom_mmu_map()
 *
 * Return: a number that is enough whatever is mapped there already, without what
 * clearing the range takes.
 */
u32 atom_mmu_tables_for_map(const struct atom_mapping *mapping)
{
	struct atom_table_count count = { .last = { U64_MAX, U64_MAX, U64_MAX } };

	atom_mapping_walk(mapping, atom_mmu_count_page, &count);
	return count.tables;
}

/**
 * atom_mmu_tables_for_unmap() - spare tables that clearing a range may take
 *
 * Return: one for the 2 MiB page at each of its ends.
 */
u32 atom_mmu_tables_for_unmap(void)
{
	return 2;
}

static int atom_mmu_charge(struct atom_mmu *mmu, u32 tables)
{
	return atom_quota_take(mmu->quota, ATOM_QUOTA_SYSTEM, (u64)tables * ATOM_TABLE_BYTES);
}

static int atom_mmu_fill_spare(struct atom_mmu *mmu, u32 count)
{
	while (mmu->spare_count < count) {
		struct atom_table *table;

		if (fatal_signal_pending(current))
			return -EINTR;
		table = atom_table_alloc(mmu->adev);
		if (!table)
			return -ENOMEM;
		list_add_tail(&table->link, &mmu->spare);
		mmu->spare_count++;
		cond_resched();
	}
	return 0;
}

/**
 * atom_mmu_reserve() - have spare tables
 * @mmu: address space
 * @count: how many
 *
 * Return: 0, -ENOMEM, also if the user would have too much memory, or -EINTR when
 * the caller is being killed: an allocation for the OOM killer's victim succeeds
 * from the last reserves.
 */
int atom_mmu_reserve(struct atom_mmu *mmu, u32 count)
{
	u64 pages;
	u32 missing;
	int ret;

	if (count <= mmu->spare_count)
		return 0;
	missing = count - mmu->spare_count;
	ret = atom_mmu_charge(mmu, missing);
	if (ret)
		return ret;
	pages = (u64)missing * ATOM_TABLE_BYTES >> PAGE_SHIFT;
	ret = atom_quota_begin_pinning(pages);
	if (!ret) {
		ret = atom_mmu_fill_spare(mmu, count);
		atom_quota_end_pinning(pages);
	}
	/* Those that were made keep their charge. */
	atom_mmu_uncharge(mmu, count - mmu->spare_count);
	return ret;
}

struct atom_mmu_map_data {
	struct atom_mmu *mmu;
	u64 attributes;
};

static void atom_mmu_map_one(void *data, u64 va, u64 address, u64 bytes)
{
	struct atom_mmu_map_data *map = data;

	atom_mmu_map_page(map->mmu, va, address, bytes, map->attributes);
}

/**
 * atom_mmu_map() - put translations where there are none
 * @mmu: address space with atom_mmu_tables_for_map() spare tables
 * @mapping: what to map
 */
void atom_mmu_map(struct atom_mmu *mmu, const struct atom_mapping *mapping)
{
	struct atom_mmu_map_data data = {
		.mmu = mmu,
		.attributes = ATOM_PTE_APERTURE(mapping->aperture) |
			      (mapping->readonly ? 0 : ATOM_PTE_WRITE),
	};

	if (!mmu->root)
		return;
	atom_mapping_walk(mapping, atom_mmu_map_one, &data);
	/* The entries are in memory before a doorbell can follow. */
	dma_wmb();
}

/**
 * atom_mmu_invalidate() - make the device forget what was unmapped
 * @mmu: address space
 *
 * After the return no access by an old translation happens any more, whatever
 * the return value is: a device that does not obey has been stopped. Neither
 * allocates memory nor frees any.
 *
 * Return: 0 or -EIO.
 */
int atom_mmu_invalidate(struct atom_mmu *mmu)
{
	struct atom_device *adev = mmu->adev;
	int ret = 0;

	if (mmu->stale_start < mmu->stale_end && mmu->root) {
		struct atom_admin_desc desc = {
			.opcode = cpu_to_le16(ATOM_ADMIN_TLB_INVALIDATE),
			.id = cpu_to_le32(mmu->asid),
			.tlb.va = cpu_to_le64(mmu->stale_start),
			.tlb.bytes = cpu_to_le64(mmu->stale_end - mmu->stale_start),
		};

		ret = atom_admin_exec(adev, &desc);
		/* Its reset forgets all translations as well. */
		if (ret == -EREMOTEIO)
			ret = atom_reset_force(adev, "TLB invalidation refused");
	}
	mmu->stale_start = 0;
	mmu->stale_end = 0;
	return ret;
}

/**
 * atom_mmu_flush() - atom_mmu_invalidate(), and free the tables that are left over
 * @mmu: address space
 *
 * Return: 0 or -EIO.
 */
int atom_mmu_flush(struct atom_mmu *mmu)
{
	int ret = atom_mmu_invalidate(mmu);

	atom_table_free_list(mmu, &mmu->retired);
	while (mmu->spare_count > ATOM_MMU_SPARE_KEEP) {
		atom_table_free(mmu, atom_mmu_take_spare(mmu));
		cond_resched();
	}
	return ret;
}

static void atom_mmu_free_asid(struct atom_mmu *mmu)
{
	ida_free(&mmu->adev->asids, mmu->asid);
	atomic_dec(&mmu->adev->counters.asids);
}

static int atom_mmu_set_root(struct atom_mmu *mmu)
{
	int ret = atom_admin_set_root(mmu->adev, mmu->asid, mmu->root->dma);

	return ret == -EREMOTEIO ? -EIO : ret;
}

/**
 * atom_mmu_init() - make an empty address space
 * @adev: device, inside drm_dev_enter()
 * @mmu: to be filled
 * @quota: account for its tables
 *
 * Return: 0, -ENOSPC without a free ASID, -ENOMEM or -EIO.
 */
int atom_mmu_init(struct atom_device *adev, struct atom_mmu *mmu, struct atom_quota *quota)
{
	int ret;

	mmu->adev = adev;
	mmu->quota = quota;
	INIT_LIST_HEAD(&mmu->spare);
	INIT_LIST_HEAD(&mmu->retired);

	ret = ida_alloc_range(&adev->asids, 1, adev->limits.num_asids - 1, GFP_KERNEL);
	if (ret < 0)
		return ret;
	mmu->asid = ret;
	atomic_inc(&adev->counters.asids);

	ret = atom_mmu_reserve(mmu, 1);
	if (ret)
		goto free_asid;
	mmu->root = atom_mmu_take_spare(mmu);
	ret = atom_mmu_set_root(mmu);
	if (ret)
		goto free_root;
	atom_quota_get(quota);
	return 0;

free_root:
	atom_table_free(mmu, mmu->root);
	mmu->root = NULL;
free_asid:
	atom_mmu_free_asid(mmu);
	return ret;
}

static void atom_mmu_clear_root(struct atom_mmu *mmu)
{
	struct atom_admin_desc desc = {
		.opcode = cpu_to_le16(ATOM_ADMIN_ASID_CLEAR),
		.id = cpu_to_le32(mmu->asid),
	};

	atom_admin_take_back(mmu->adev, &desc, "address space not given back");
}

/**
 * atom_mmu_fini() - end an address space
 * @mmu: address space whose queues are gone; calling it again does nothing
 *
 * After the return the device reaches nothing through it.
 */
void atom_mmu_fini(struct atom_mmu *mmu)
{
	struct atom_device *adev = mmu->adev;
	int idx;

	if (!mmu->root)
		return;

	if (drm_dev_enter(&adev->drm, &idx)) {
		atom_mmu_clear_root(mmu);
		drm_dev_exit(idx);
	} else {
		atom_device_stop_hw(adev);
	}
	atom_table_free_list(mmu, &mmu->retired);
	atom_table_free_list(mmu, &mmu->spare);
	mmu->spare_count = 0;
	atom_table_free_tree(mmu, mmu->root, ATOM_PT_LEVELS - 1);
	mmu->root = NULL;
	atom_mmu_free_asid(mmu);
	atom_quota_put(mmu->quota);
}
