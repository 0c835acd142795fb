/* SPDX-License-Identifier: MIT */
/*
 * As much of the kernel's allocators of ranges as kernel/atom_vram.c uses, page by page: slow, but short. Blocks of gpu_buddy are
 * powers of two, aligned to their size; nodes of drm_mm are one range each.
 */
#ifndef SHIM_DEVICE_MEMORY_H
#define SHIM_DEVICE_MEMORY_H

#include "kernel.h"

struct shim_pages {
	u8 *taken;
	u64 bytes;
};

static inline void shim_pages_init(struct shim_pages *pages, u64 bytes)
{
	pages->taken = calloc(1, bytes / SZ_4K);
	pages->bytes = bytes;
}

static inline void shim_pages_mark(struct shim_pages *pages, u64 start, u64 bytes, bool taken)
{
	memset(pages->taken + start / SZ_4K, taken, bytes / SZ_4K);
}

/* The first, or the last, free range of @bytes in [0, end); ~0 if there is none. */
static inline u64 shim_pages_find(struct shim_pages *pages, u64 end, u64 bytes, u64 align, bool last)
{
	u64 found = ~0ull;

	for (u64 at = 0; bytes <= end && at <= end - bytes; at += align) {
		if (memchr_inv(pages->taken + at / SZ_4K, 0, bytes / SZ_4K))
			continue;
		found = at;
		if (!last)
			break;
	}
	return found;
}

struct gpu_buddy {
	struct shim_pages pages;
};
struct gpu_buddy_block {
	struct list_head link;
	u64 offset;
	u64 bytes;
};
#define GPU_BUDDY_RANGE_ALLOCATION 1
#define GPU_BUDDY_TOPDOWN_ALLOCATION 2

static inline int gpu_buddy_init(struct gpu_buddy *mm, u64 bytes, u64 chunk)
{
	shim_pages_init(&mm->pages, bytes);
	return mm->pages.taken ? 0 : -ENOMEM;
}
#define gpu_buddy_fini(mm) free((mm)->pages.taken)
#define gpu_buddy_block_offset(block) ((block)->offset)
#define gpu_buddy_block_size(mm, block) ((void)(mm), (block)->bytes)

static inline void gpu_buddy_free_list(struct gpu_buddy *mm, struct list_head *blocks, unsigned int flags)
{
	struct gpu_buddy_block *block, *next;

	list_for_each_entry_safe(block, next, blocks, link) {
		shim_pages_mark(&mm->pages, block->offset, block->bytes, false);
		free(block);
	}
	INIT_LIST_HEAD(blocks);
}

static inline int gpu_buddy_alloc_blocks(struct gpu_buddy *mm, u64 start, u64 end, u64 bytes, u64 min_block,
					 struct list_head *blocks, unsigned long flags)
{
	u64 size = mm->pages.bytes;

	while (bytes) {
		struct gpu_buddy_block *block;
		u64 at;

		while (size > bytes)
			size /= 2;
		at = shim_pages_find(&mm->pages, end, size, size, flags & GPU_BUDDY_TOPDOWN_ALLOCATION);
		if (at == ~0ull && size == min_block) {
			gpu_buddy_free_list(mm, blocks, 0);
			return -ENOSPC;
		}
		if (at == ~0ull) {
			size /= 2;
			continue;
		}
		block = calloc(1, sizeof(*block));
		block->offset = at;
		block->bytes = size;
		list_add_tail(&block->link, blocks);
		shim_pages_mark(&mm->pages, at, size, true);
		bytes -= size;
	}
	return 0;
}

struct drm_mm {
	struct shim_pages pages;
};
struct drm_mm_node {
	u64 start;
	u64 size;
	struct drm_mm *mm;
};
#define DRM_MM_INSERT_BEST 0

#define drm_mm_init(of, start, bytes) shim_pages_init(&(of)->pages, bytes)
#define drm_mm_takedown(of) free((of)->pages.taken)
#define drm_mm_node_allocated(node) ((node)->mm != NULL)

static inline int drm_mm_insert_node_generic(struct drm_mm *mm, struct drm_mm_node *node, u64 bytes, u64 align,
					     unsigned long color, int mode)
{
	u64 at = shim_pages_find(&mm->pages, mm->pages.bytes, bytes, align, false);

	if (at == ~0ull)
		return -ENOSPC;
	shim_pages_mark(&mm->pages, at, bytes, true);
	*node = (struct drm_mm_node){ at, bytes, mm };
	return 0;
}

static inline void drm_mm_remove_node(struct drm_mm_node *node)
{
	shim_pages_mark(&node->mm->pages, node->start, node->size, false);
	node->mm = NULL;
}

#endif
