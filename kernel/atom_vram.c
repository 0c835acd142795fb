// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Memory of the device. LOCAL is a buddy allocator: large, naturally aligned
 * blocks become 2 MiB and 64 KiB pages by themselves. SHM is small, so any free
 * range will do. There is no eviction: a full device says so (-ENOSPC), and the
 * program decides.
 *
 * The device zeroes memory before a buffer is handed out, so that nobody reads
 * what another client left.
 */
#include <linux/io.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include <atom/hw/mmu.h>

#include "atom_bo.h"
#include "atom_device.h"

/* One MEM_CLEAR must not keep other admin commands waiting for long. */
#define ATOM_CLEAR_CHUNK	SZ_64M

/**
 * atom_vram_init() - start the allocators
 * @adev: device, its limits read
 *
 * Return: 0 or an error.
 */
int atom_vram_init(struct atom_device *adev)
{
	struct atom_vram *vram = &adev->vram;
	const struct atom_limits *limits = &adev->limits;
	int ret;

	ret = drmm_mutex_init(&adev->drm, &vram->lock);
	if (ret)
		return ret;

	if (!(limits->caps & ATOM_CAP_MEM_CLEAR)) {
		drm_warn(&adev->drm, "no MEM_CLEAR: LOCAL and SHM memory are not used\n");
		return 0;
	}

	if (limits->dram_window) {
		/* Without it the CPU's mappings would not be write-combined. */
		ret = devm_arch_io_reserve_memtype_wc(adev->drm.dev,
						      pci_resource_start(adev->pdev, ATOM_BAR_DRAM),
						      limits->dram_window);
		if (ret)
			drm_warn(&adev->drm, "LOCAL memory is mapped uncached: %d\n", ret);
	}
	if (limits->dram_size) {
		ret = gpu_buddy_init(&vram->local, limits->dram_size, SZ_4K);
		if (ret)
			return ret;
		vram->local_size = limits->dram_size;
		vram->local_visible = limits->dram_window;
	}
	if (limits->shm_size) {
		drm_mm_init(&vram->shm, 0, limits->shm_size);
		vram->shm_size = limits->shm_size;
	}
	return 0;
}

/**
 * atom_vram_fini() - end the use of device memory
 * @adev: device
 *
 * Buffers may live on after an unplug, but atom_bo_unplug() has taken what they
 * had.
 */
void atom_vram_fini(struct atom_device *adev)
{
	struct atom_vram *vram = &adev->vram;

	if (!vram->local_size && !vram->shm_size)
		return;

	mutex_lock(&vram->lock);
	if (vram->local_size)
		gpu_buddy_fini(&vram->local);
	if (vram->shm_size)
		drm_mm_takedown(&vram->shm);
	vram->local_size = 0;
	vram->shm_size = 0;
	mutex_unlock(&vram->lock);
}

static u64 atom_vram_visible_part(const struct atom_vram *vram, u64 start, u64 bytes)
{
	if (start >= vram->local_visible)
		return 0;
	return min(bytes, vram->local_visible - start);
}

/**
 * atom_vram_alloc_local() - allocate LOCAL memory
 * @adev: device
 * @block: where to note it
 * @bytes: multiple of 4 KiB
 * @visible: the CPU must reach all of it
 *
 * Return: 0, -EOPNOTSUPP without LOCAL memory, -ENOSPC, or -ENOMEM.
 */
int atom_vram_alloc_local(struct atom_device *adev, struct atom_vram_block *block, u64 bytes,
			  bool visible)
{
	struct atom_vram *vram = &adev->vram;
	struct gpu_buddy_block *part;
	unsigned long flags;
	u64 end;
	int ret;

	INIT_LIST_HEAD(&block->local);
	mutex_lock(&vram->lock);
	if (!vram->local_size) {
		ret = -EOPNOTSUPP;
		goto unlock;
	}

	end = visible ? vram->local_visible : vram->local_size;
	/* What nobody maps goes to the top and leaves the window to others. */
	flags = end < vram->local_size ? GPU_BUDDY_RANGE_ALLOCATION : 0;
	if (!visible)
		flags |= GPU_BUDDY_TOPDOWN_ALLOCATION;
	if (bytes > end - (visible ? vram->local_visible_used : vram->local_used)) {
		ret = -ENOSPC;
		goto unlock;
	}

	ret = gpu_buddy_alloc_blocks(&vram->local, 0, end, bytes, SZ_4K, &block->local, flags);
	if (ret)
		goto unlock;

	block->bytes = 0;
	block->visible = 0;
	list_for_each_entry(part, &block->local, link) {
		u64 size = gpu_buddy_block_size(&vram->local, part);

		block->bytes += size;
		block->visible += atom_vram_visible_part(vram, gpu_buddy_block_offset(part), size);
	}
	vram->local_used += block->bytes;
	vram->local_visible_used += block->visible;
unlock:
	mutex_unlock(&vram->lock);
	return ret;
}

/**
 * atom_vram_alloc_shm() - allocate shared on-chip memory
 * @adev: device
 * @block: where to note it
 * @bytes: multiple of 4 KiB
 *
 * Return: 0, -EOPNOTSUPP without SHM, -ENOSPC, or -ENOMEM.
 */
int atom_vram_alloc_shm(struct atom_device *adev, struct atom_vram_block *block, u64 bytes)
{
	struct atom_vram *vram = &adev->vram;
	int ret = -EOPNOTSUPP;

	INIT_LIST_HEAD(&block->local);
	mutex_lock(&vram->lock);
	if (vram->shm_size) {
		u64 align = bytes >= SZ_64K ? SZ_64K : SZ_4K;

		ret = drm_mm_insert_node_generic(&vram->shm, &block->shm, bytes, align, 0,
						 DRM_MM_INSERT_BEST);
		if (ret == -ENOSPC && align > SZ_4K)
			ret = drm_mm_insert_node_generic(&vram->shm, &block->shm, bytes, SZ_4K, 0,
							 DRM_MM_INSERT_BEST);
	}
	if (!ret) {
		block->bytes = bytes;
		vram->shm_used += bytes;
	}
	mutex_unlock(&vram->lock);
	return ret;
}

/**
 * atom_vram_free() - give memory back
 * @adev: device
 * @block: memory that no page table names any more; may be empty
 */
void atom_vram_free(struct atom_device *adev, struct atom_vram_block *block)
{
	struct atom_vram *vram = &adev->vram;

	mutex_lock(&vram->lock);
	if (!list_empty(&block->local)) {
		gpu_buddy_free_list(&vram->local, &block->local, 0);
		vram->local_used -= block->bytes;
		vram->local_visible_used -= block->visible;
	}
	if (drm_mm_node_allocated(&block->shm)) {
		drm_mm_remove_node(&block->shm);
		vram->shm_used -= block->bytes;
	}
	block->bytes = 0;
	block->visible = 0;
	mutex_unlock(&vram->lock);
}

/**
 * atom_vram_extents() - where the memory of a block lies
 * @adev: device
 * @block: allocated
 * @count: returned number of extents
 *
 * Return: array to be freed with kvfree(), or NULL without memory.
 */
struct atom_extent *atom_vram_extents(struct atom_device *adev,
				      const struct atom_vram_block *block, u32 *count)
{
	struct atom_vram *vram = &adev->vram;
	struct gpu_buddy_block *part;
	struct atom_extent *extents;
	u32 n = 0;

	if (drm_mm_node_allocated(&block->shm))
		n = 1;
	else
		n = list_count_nodes((struct list_head *)&block->local);

	extents = kvcalloc(n, sizeof(*extents), GFP_KERNEL);
	if (!extents)
		return NULL;

	*count = 0;
	if (drm_mm_node_allocated(&block->shm)) {
		atom_extent_append(extents, count, block->shm.start, block->shm.size);
	} else {
		list_for_each_entry(part, &block->local, link)
			atom_extent_append(extents, count, gpu_buddy_block_offset(part),
					   gpu_buddy_block_size(&vram->local, part));
	}
	return extents;
}

/**
 * atom_vram_clear() - zero device memory
 * @adev: device, inside drm_dev_enter()
 * @aperture: ATOM_APERTURE_LOCAL or _SHM
 * @extents: where
 * @count: how many of them
 *
 * Return: 0, -EIO, or -EINTR when the caller is being killed.
 */
int atom_vram_clear(struct atom_device *adev, u32 aperture, const struct atom_extent *extents,
		    u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		u64 pos = 0;

		while (pos < extents[i].bytes) {
			u64 chunk = min_t(u64, extents[i].bytes - pos, ATOM_CLEAR_CHUNK);
			struct atom_admin_desc desc = {
				.opcode = cpu_to_le16(ATOM_ADMIN_MEM_CLEAR),
				.mem_clear.address = cpu_to_le64(extents[i].address + pos),
				.mem_clear.bytes = cpu_to_le64(chunk),
				.mem_clear.aperture = cpu_to_le32(aperture),
			};
			int ret;

			if (fatal_signal_pending(current))
				return -EINTR;
			ret = atom_admin_exec(adev, &desc);
			if (ret)
				return ret == -EREMOTEIO ? -EIO : ret;
			pos += chunk;
		}
	}
	return 0;
}
