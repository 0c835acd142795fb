/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_VRAM_H
#define ATOM_VRAM_H

#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_mm.h>

#include "atom_kcompat.h"

struct atom_device;
struct atom_extent;

/**
 * struct atom_vram - memory of the device
 */
struct atom_vram {
	/** @lock: Protects all below. */
	struct mutex lock;
	/** @local: Allocator of LOCAL memory. */
	struct gpu_buddy local;
	/** @local_size: Bytes that it manages; 0 = no LOCAL memory. */
	u64 local_size;
	/** @local_visible: Bytes of it, from 0, that BAR4 shows. */
	u64 local_visible;
	/** @local_used: Bytes allocated. */
	u64 local_used;
	/** @local_visible_used: Of these, bytes that BAR4 shows. */
	u64 local_visible_used;
	/** @shm: Allocator of SHM memory. */
	struct drm_mm shm;
	/** @shm_size: Bytes that it manages; 0 = no SHM. */
	u64 shm_size;
	/** @shm_used: Bytes allocated. */
	u64 shm_used;
};

/**
 * struct atom_vram_block - memory of one buffer
 */
struct atom_vram_block {
	/** @local: List of struct gpu_buddy_block. */
	struct list_head local;
	/** @shm: Node in SHM. */
	struct drm_mm_node shm;
	/** @bytes: Size of all. */
	u64 bytes;
	/** @visible: Of these, bytes that BAR4 shows. */
	u64 visible;
};

int atom_vram_init(struct atom_device *adev);
void atom_vram_fini(struct atom_device *adev);
int atom_vram_alloc_local(struct atom_device *adev, struct atom_vram_block *block, u64 bytes,
			  bool visible);
int atom_vram_alloc_shm(struct atom_device *adev, struct atom_vram_block *block, u64 bytes);
void atom_vram_free(struct atom_device *adev, struct atom_vram_block *block);
struct atom_extent *atom_vram_extents(struct atom_device *adev,
				      const struct atom_vram_block *block, u32 *count);
int atom_vram_clear(struct atom_device *adev, u32 aperture, const struct atom_extent *extents,
		    u32 count);

#endif
