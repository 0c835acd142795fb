// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What is given out of the device's memory, and how much of it: the allocators without a device.
 */
#include <kunit/test.h>

/* The functions under test, linked into this module too. */
#include "../atom_vram.c"
#include "atom_fake_kunit.h"

#define LOCAL_SIZE	SZ_8M
/* Its end lies within blocks. */
#define WINDOW		(SZ_4M + SZ_4K)
#define SHM_SIZE	SZ_1M
#define BLOCKS		48

struct fixture {
	struct atom_device *adev;
	struct atom_vram_block blocks[BLOCKS];
	/* Pages of LOCAL that somebody has. */
	u8 taken[LOCAL_SIZE / SZ_4K];
};

static int atom_vram_test_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct atom_vram *vram;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->adev = kunit_kzalloc(test, sizeof(*f->adev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->adev);
	vram = &f->adev->vram;
	mutex_init(&vram->lock);
	KUNIT_ASSERT_EQ(test, gpu_buddy_init(&vram->local, LOCAL_SIZE, SZ_4K), 0);
	vram->local_size = LOCAL_SIZE;
	vram->local_visible = WINDOW;
	drm_mm_init(&vram->shm, 0, SHM_SIZE);
	vram->shm_size = SHM_SIZE;
	for (i = 0; i < BLOCKS; i++)
		INIT_LIST_HEAD(&f->blocks[i].local);
	test->priv = f;
	return 0;
}

/* All is given back, and the sums know it. */
static void atom_vram_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 i;

	if (!f)
		return;
	for (i = 0; i < BLOCKS; i++)
		atom_vram_free(f->adev, &f->blocks[i]);
	KUNIT_EXPECT_EQ(test, f->adev->vram.local_used, 0ull);
	KUNIT_EXPECT_EQ(test, f->adev->vram.local_visible_used, 0ull);
	KUNIT_EXPECT_EQ(test, f->adev->vram.shm_used, 0ull);
	atom_vram_fini(f->adev);
}

/* Notes who has the pages of @block; @return how many bytes of it the window shows. */
static u64 mark(struct kunit *test, const struct atom_vram_block *block, bool taken)
{
	struct fixture *f = test->priv;
	struct atom_extent *extents;
	u64 bytes = 0, visible = 0, at;
	u32 count, i;

	extents = atom_vram_extents(f->adev, block, &count);
	KUNIT_ASSERT_NOT_NULL(test, extents);
	for (i = 0; i < count; i++) {
		bytes += extents[i].bytes;
		for (at = extents[i].address; at < extents[i].address + extents[i].bytes;
		     at += SZ_4K) {
			KUNIT_ASSERT_LT(test, at, (u64)LOCAL_SIZE);
			KUNIT_EXPECT_EQ(test, f->taken[at / SZ_4K], (u8)!taken);
			f->taken[at / SZ_4K] = taken;
			visible += at < WINDOW ? SZ_4K : 0;
		}
	}
	KUNIT_EXPECT_EQ(test, bytes, block->bytes);
	kvfree(extents);
	return visible;
}

static void no_two_blocks_share_a_page_and_the_sums_are_right(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 state = 1, used = 0, visible_used = 0;
	u32 i, refused = 0;

	for (i = 0; i < 2000; i++) {
		struct atom_vram_block *block;
		bool visible;
		u64 bytes;
		int ret;

		state = state * 6364136223846793005ull + 1442695040888963407ull;
		block = &f->blocks[(state >> 33) % BLOCKS];
		visible = state >> 60 & 1;
		bytes = ((state >> 40) % 100 + 1) * SZ_4K;
		if (block->bytes) {
			used -= block->bytes;
			visible_used -= mark(test, block, false);
			atom_vram_free(f->adev, block);
			KUNIT_EXPECT_EQ(test, block->bytes, 0ull);
		} else {
			ret = atom_vram_alloc_local(f->adev, block, bytes, visible);
			if (!ret) {
				u64 seen = mark(test, block, true);

				KUNIT_EXPECT_EQ(test, block->bytes, bytes);
				KUNIT_EXPECT_EQ(test, block->visible, seen);
				if (visible)
					KUNIT_EXPECT_EQ(test, seen, bytes);
				used += bytes;
				visible_used += seen;
			} else {
				KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
				refused++;
			}
		}
		KUNIT_EXPECT_EQ(test, f->adev->vram.local_used, used);
		KUNIT_EXPECT_EQ(test, f->adev->vram.local_visible_used, visible_used);
	}
	KUNIT_EXPECT_LT(test, refused, 1000u);
}

static void what_nobody_maps_leaves_the_window_to_others(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, atom_vram_alloc_local(f->adev, &f->blocks[0], LOCAL_SIZE - WINDOW,
						    false), 0);
	KUNIT_EXPECT_EQ(test, f->blocks[0].visible, 0ull);
	KUNIT_EXPECT_EQ(test, atom_vram_alloc_local(f->adev, &f->blocks[1], WINDOW, true), 0);
	KUNIT_EXPECT_EQ(test, f->adev->vram.local_visible_used, (u64)WINDOW);
}

static void a_full_window_is_no_full_device(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, atom_vram_alloc_local(f->adev, &f->blocks[0], WINDOW, true), 0);
	KUNIT_EXPECT_EQ(test, atom_vram_alloc_local(f->adev, &f->blocks[1], SZ_4K, true),
			-ENOSPC);
	KUNIT_EXPECT_TRUE(test, list_empty(&f->blocks[1].local));
	KUNIT_EXPECT_EQ(test, atom_vram_alloc_local(f->adev, &f->blocks[1], LOCAL_SIZE - WINDOW,
						    false), 0);
	KUNIT_EXPECT_EQ(test, atom_vram_alloc_local(f->adev, &f->blocks[2], SZ_4K, false),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, f->adev->vram.local_used, (u64)LOCAL_SIZE);
	/* What is given back can be had again. */
	atom_vram_free(f->adev, &f->blocks[0]);
	KUNIT_EXPECT_EQ(test, f->adev->vram.local_visible_used, 0ull);
	KUNIT_EXPECT_EQ(test, atom_vram_alloc_local(f->adev, &f->blocks[2], WINDOW, true), 0);
}

static void absurd_sizes_are_refused_and_change_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;
	static const u64 sizes[] = {
		LOCAL_SIZE + SZ_4K, 1ull << 40, 1ull << 63, U64_MAX - SZ_4K + 1
	};
	u32 i;

	KUNIT_ASSERT_EQ(test, atom_vram_alloc_local(f->adev, &f->blocks[0], SZ_4K, true), 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct atom_vram_block *block = &f->blocks[1];

		KUNIT_EXPECT_EQ(test, atom_vram_alloc_local(f->adev, block, sizes[i], false),
				-ENOSPC);
		KUNIT_EXPECT_EQ(test, atom_vram_alloc_local(f->adev, block, sizes[i], true),
				-ENOSPC);
		KUNIT_EXPECT_EQ(test, atom_vram_alloc_shm(f->adev, block, sizes[i]), -ENOSPC);
	}
	KUNIT_EXPECT_EQ(test, f->adev->vram.local_used, (u64)SZ_4K);
	KUNIT_EXPECT_EQ(test, f->adev->vram.shm_used, 0ull);
}

static void shared_memory_is_counted_to_the_last_page(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct atom_extent *extents;
	u32 count;

	KUNIT_ASSERT_EQ(test, atom_vram_alloc_shm(f->adev, &f->blocks[0], SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, atom_vram_alloc_shm(f->adev, &f->blocks[1], SZ_64K), 0);
	KUNIT_EXPECT_EQ(test, f->adev->vram.shm_used, (u64)SZ_64K + SZ_4K);
	extents = atom_vram_extents(f->adev, &f->blocks[1], &count);
	KUNIT_ASSERT_NOT_NULL(test, extents);
	KUNIT_EXPECT_EQ(test, count, 1u);
	KUNIT_EXPECT_EQ(test, extents[0].bytes, (u64)SZ_64K);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(extents[0].address, SZ_64K));
	kvfree(extents);
	/* All that is left, though it begins nowhere that is aligned. */
	atom_vram_free(f->adev, &f->blocks[1]);
	KUNIT_EXPECT_EQ(test, atom_vram_alloc_shm(f->adev, &f->blocks[1], SHM_SIZE - SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, f->adev->vram.shm_used, (u64)SHM_SIZE);
	KUNIT_EXPECT_EQ(test, atom_vram_alloc_shm(f->adev, &f->blocks[2], SZ_4K), -ENOSPC);
}

static void a_device_without_memory_says_so(struct kunit *test)
{
	struct fixture *f = test->priv;

	atom_vram_fini(f->adev);
	KUNIT_EXPECT_EQ(test, atom_vram_alloc_local(f->adev, &f->blocks[0], SZ_4K, true),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, atom_vram_alloc_shm(f->adev, &f->blocks[0], SZ_4K), -EOPNOTSUPP);
}

static void all_of_a_block_is_cleared_in_parts_of_bounded_size(struct kunit *test)
{
	struct fixture *f = test->priv;
	const struct atom_extent extents[] = {
		{ .address = SZ_1M, .bytes = 2ull * ATOM_CLEAR_CHUNK + SZ_4K },
		{ .address = SZ_1G, .bytes = SZ_4K },
	};
	u32 before = atom_fake.commands;

	atom_fake.cleared = 0;
	KUNIT_EXPECT_EQ(test, atom_vram_clear(f->adev, ATOM_APERTURE_LOCAL, extents, 2), 0);
	KUNIT_EXPECT_EQ(test, atom_fake.commands - before, 4u);
	KUNIT_EXPECT_EQ(test, atom_fake.cleared, extents[0].bytes + extents[1].bytes);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(atom_fake.last.mem_clear.address), (u64)SZ_1G);
}

static struct kunit_case atom_vram_cases[] = {
	KUNIT_CASE(no_two_blocks_share_a_page_and_the_sums_are_right),
	KUNIT_CASE(what_nobody_maps_leaves_the_window_to_others),
	KUNIT_CASE(a_full_window_is_no_full_device),
	KUNIT_CASE(absurd_sizes_are_refused_and_change_nothing),
	KUNIT_CASE(shared_memory_is_counted_to_the_last_page),
	KUNIT_CASE(a_device_without_memory_says_so),
	KUNIT_CASE(all_of_a_block_is_cleared_in_parts_of_bounded_size),
	{}
};

static struct kunit_suite atom_vram_suite = {
	.name = "atom_vram",
	.init = atom_vram_test_init,
	.exit = atom_vram_test_exit,
	.test_cases = atom_vram_cases,
};

kunit_test_suite(atom_vram_suite);
