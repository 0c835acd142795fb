// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Page tables without a device: what would be asked of it is noted.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/module.h>

/* The functions under test, linked into this module too. */
#include "../atom_mmu.c"
#include "atom_fake_kunit.h"

#define BASE	SZ_1G

struct fixture {
	struct atom_device *adev;
	struct atom_quota *quota;
	struct atom_mmu mmu;
};

static int atom_mmu_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct device *dev = kunit_device_register(test, "atom_mmu");

	KUNIT_ASSERT_NOT_NULL(test, f);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	f->adev = kunit_kzalloc(test, sizeof(*f->adev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->adev);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	f->adev->drm.dev = dev;
	f->adev->limits.num_asids = 4;
	f->adev->limits.page_sizes = SZ_4K | SZ_64K | SZ_2M;
	ida_init(&f->adev->asids);
	atom_quota_init(f->adev);
	f->quota = atom_quota_of_caller(f->adev);
	KUNIT_ASSERT_NOT_NULL(test, f->quota);
	KUNIT_ASSERT_EQ(test, atom_mmu_init(f->adev, &f->mmu, f->quota), 0);
	test->priv = f;
	return 0;
}

static void atom_mmu_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	atom_mmu_fini(&f->mmu);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->adev->counters.tables), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->adev->counters.asids), 0);
	KUNIT_EXPECT_EQ(test, f->quota->held[ATOM_QUOTA_SYSTEM], 0ull);
	atom_quota_put(f->quota);
	ida_destroy(&f->adev->asids);
}

/* As the device walks: the leaf of @va, or 0; @level tells where it is. */
static u64 leaf(struct fixture *f, u64 va, int *level)
{
	struct atom_table *table = f->mmu.root;
	int i;

	for (i = ATOM_PT_LEVELS - 1; i >= 0; i--) {
		u32 index = (va >> ATOM_PT_SHIFT(i)) & (ATOM_PT_ENTRIES - 1);
		u64 entry = le64_to_cpu(table->entries[index]);

		*level = i;
		if (!(entry & ATOM_PTE_VALID) || !i || entry & ATOM_PTE_LEAF)
			return entry & ATOM_PTE_VALID ? entry : 0;
		table = table->child[index];
	}
	return 0;
}

static u64 address_of_leaf(struct fixture *f, u64 va)
{
	int level;

	return leaf(f, va, &level) & ATOM_PTE_ADDR_MASK;
}

/* Map @bytes of contiguous memory at @address. */
static void map(struct kunit *test, u64 va, u64 address, u64 bytes, bool readonly)
{
	struct fixture *f = test->priv;
	struct atom_extent extent = { .address = address, .bytes = bytes };
	struct atom_mapping mapping = {
		.va = va,
		.bytes = bytes,
		.extents = &extent,
		.extent_count = 1,
		.aperture = ATOM_APERTURE_LOCAL,
		.page_sizes = f->adev->limits.page_sizes,
		.readonly = readonly,
	};

	KUNIT_ASSERT_EQ(test, atom_mmu_reserve(&f->mmu, atom_mmu_tables_for_map(&mapping)), 0);
	atom_mmu_map(&f->mmu, &mapping);
}

static void unmap(struct kunit *test, u64 va, u64 bytes)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, atom_mmu_reserve(&f->mmu, atom_mmu_tables_for_unmap()), 0);
	atom_mmu_unmap(&f->mmu, va, bytes);
}

static void a_page_says_where_it_is_and_what_is_allowed(struct kunit *test)
{
	struct fixture *f = test->priv;
	int level;
	u64 entry;

	map(test, BASE, 0x5000, SZ_4K, false);
	entry = leaf(f, BASE, &level);
	KUNIT_EXPECT_EQ(test, level, 0);
	KUNIT_EXPECT_EQ(test, entry & ATOM_PTE_ADDR_MASK, 0x5000ull);
	KUNIT_EXPECT_EQ(test, entry & ATOM_PTE_RESERVED, 0ull);
	KUNIT_EXPECT_EQ(test, entry & ATOM_PTE_APERTURE_MASK,
			ATOM_PTE_APERTURE(ATOM_APERTURE_LOCAL));
	KUNIT_EXPECT_NE(test, entry & ATOM_PTE_WRITE, 0ull);
	map(test, BASE + SZ_4K, 0x9000, SZ_4K, true);
	entry = leaf(f, BASE + SZ_4K, &level);
	KUNIT_EXPECT_EQ(test, entry & ATOM_PTE_WRITE, 0ull);
	KUNIT_EXPECT_NE(test, entry & ATOM_PTE_READ, 0ull);
	KUNIT_EXPECT_EQ(test, leaf(f, BASE + 2 * SZ_4K, &level), 0ull);
	KUNIT_EXPECT_EQ(test, leaf(f, BASE - SZ_4K, &level), 0ull);
}

static void aligned_memory_gets_large_pages(struct kunit *test)
{
	struct fixture *f = test->priv;
	int level;
	u64 entry, offset;

	map(test, BASE, SZ_2M, SZ_2M + SZ_64K + SZ_4K, false);
	entry = leaf(f, BASE + SZ_1M, &level);
	KUNIT_EXPECT_EQ(test, level, 1);
	KUNIT_EXPECT_EQ(test, entry & ATOM_PTE_ADDR_MASK, (u64)SZ_2M);
	for (offset = 0; offset < SZ_64K; offset += SZ_4K) {
		entry = leaf(f, BASE + SZ_2M + offset, &level);
		KUNIT_EXPECT_EQ(test, level, 0);
		KUNIT_EXPECT_NE(test, entry & ATOM_PTE_CONT64K, 0ull);
		KUNIT_EXPECT_EQ(test, entry & ATOM_PTE_ADDR_MASK, SZ_4M + offset);
	}
	entry = leaf(f, BASE + SZ_2M + SZ_64K, &level);
	KUNIT_EXPECT_EQ(test, entry & ATOM_PTE_CONT64K, 0ull);
}

static void a_hole_in_a_group_of_64k_ends_the_group(struct kunit *test)
{
	struct fixture *f = test->priv;
	int level;
	u64 offset;

	map(test, BASE, SZ_64K, SZ_64K, false);
	unmap(test, BASE + SZ_4K, SZ_4K);
	for (offset = 0; offset < SZ_64K; offset += SZ_4K) {
		u64 entry = leaf(f, BASE + offset, &level);

		KUNIT_EXPECT_EQ(test, entry & ATOM_PTE_CONT64K, 0ull);
		KUNIT_EXPECT_EQ(test, entry & ATOM_PTE_ADDR_MASK,
				offset == SZ_4K ? 0ull : SZ_64K + offset);
	}
	KUNIT_EXPECT_LE(test, f->mmu.stale_start, (u64)BASE);
	KUNIT_EXPECT_GE(test, f->mmu.stale_end, (u64)BASE + SZ_64K);
}

static void a_hole_in_a_page_of_2m_leaves_the_rest(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 offset;

	map(test, BASE, SZ_4M, SZ_2M, false);
	unmap(test, BASE + SZ_1M, SZ_4K);
	for (offset = 0; offset < SZ_2M; offset += SZ_4K)
		KUNIT_EXPECT_EQ(test, address_of_leaf(f, BASE + offset),
				offset == SZ_1M ? 0ull : SZ_4M + offset);
}

static void empty_tables_are_freed_only_when_the_device_has_forgotten_them(struct kunit *test)
{
	struct fixture *f = test->priv;
	int tables;
	u32 commands;

	map(test, BASE, 0x5000, SZ_4K, false);
	unmap(test, BASE, SZ_4K);
	KUNIT_EXPECT_FALSE(test, list_empty(&f->mmu.retired));
	KUNIT_EXPECT_EQ(test, f->mmu.root->used, 0u);
	tables = atomic_read(&f->adev->counters.tables);
	commands = atom_fake.commands;
	KUNIT_EXPECT_EQ(test, atom_mmu_flush(&f->mmu), 0);
	KUNIT_EXPECT_EQ(test, atom_fake.commands, commands + 1);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(atom_fake.last.opcode), (u16)ATOM_ADMIN_TLB_INVALIDATE);
	KUNIT_EXPECT_LE(test, le64_to_cpu(atom_fake.last.tlb.va), (u64)BASE);
	KUNIT_EXPECT_TRUE(test, list_empty(&f->mmu.retired));
	KUNIT_EXPECT_LT(test, atomic_read(&f->adev->counters.tables), tables);
	/* Nothing is stale any more: nothing is asked. */
	KUNIT_EXPECT_EQ(test, atom_mmu_flush(&f->mmu), 0);
	KUNIT_EXPECT_EQ(test, atom_fake.commands, commands + 1);
}

static void what_is_reserved_is_enough_wherever_a_mapping_lies(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 state = 1;
	int i;

	for (i = 0; i < 200; i++) {
		u64 va, bytes;

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		va = ((state >> 20) & 0xfffff) * SZ_4K + ((state >> 60) << 44);
		bytes = ((state >> 40) % 1200 + 1) * SZ_4K;
		/* A spare table too few is a warning, and a crash. */
		unmap(test, va, bytes);
		map(test, va, ALIGN_DOWN(state >> 16, SZ_4K) & (SZ_1G - 1), bytes, false);
		if (i % 3 == 0)
			unmap(test, va + SZ_4K * (bytes / SZ_4K / 2), SZ_4K);
		KUNIT_EXPECT_EQ(test, atom_mmu_flush(&f->mmu), 0);
	}
}

static void tables_are_on_the_account_of_the_user_as_long_as_they_are_there(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 *held = &f->quota->held[ATOM_QUOTA_SYSTEM];
	u64 state = 1;
	int i;

	KUNIT_EXPECT_GE(test, *held, (u64)ATOM_PT_BYTES);
	for (i = 0; i < 50; i++) {
		u64 va;

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		va = ALIGN_DOWN(state >> 17, SZ_4K);
		map(test, va, 0x5000, SZ_4K, false);
		KUNIT_EXPECT_EQ(test, *held,
				(u64)atomic_read(&f->adev->counters.tables) * ATOM_TABLE_BYTES);
		if (i % 2)
			unmap(test, va, SZ_4K);
		if (i % 3)
			KUNIT_EXPECT_EQ(test, atom_mmu_flush(&f->mmu), 0);
		KUNIT_EXPECT_EQ(test, *held,
				(u64)atomic_read(&f->adev->counters.tables) * ATOM_TABLE_BYTES);
	}
}

static struct kunit_case atom_mmu_cases[] = {
	KUNIT_CASE(a_page_says_where_it_is_and_what_is_allowed),
	KUNIT_CASE(aligned_memory_gets_large_pages),
	KUNIT_CASE(a_hole_in_a_group_of_64k_ends_the_group),
	KUNIT_CASE(a_hole_in_a_page_of_2m_leaves_the_rest),
	KUNIT_CASE(empty_tables_are_freed_only_when_the_device_has_forgotten_them),
	KUNIT_CASE(what_is_reserved_is_enough_wherever_a_mapping_lies),
	KUNIT_CASE(tables_are_on_the_account_of_the_user_as_long_as_they_are_there),
	{}
};

static struct kunit_suite atom_mmu_suite = {
	.name = "atom_mmu",
	.init = atom_mmu_test_init,
	.exit = atom_mmu_test_exit,
	.test_cases = atom_mmu_cases,
};

kunit_test_suite(atom_mmu_suite);

MODULE_DESCRIPTION("KUnit tests of atom_npu");
MODULE_LICENSE("Dual MIT/GPL");
