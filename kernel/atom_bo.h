/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_BO_H
#define ATOM_BO_H

#include <linux/mutex.h>

#include <drm/drm_gem_shmem_helper.h>

#include <drm/atom_accel.h>

#include "atom_vram.h"

struct atom_bo;
struct atom_device;
struct atom_quota;
struct atom_userptr;
struct atom_vm;
struct dma_buf;
struct dma_buf_attachment;
struct drm_file;
struct file;

#define ATOM_BO_LABEL_MAX	63

/**
 * struct atom_extent - contiguous part of a buffer
 */
struct atom_extent {
	/** @offset: Bytes of the buffer before it. */
	u64 offset;
	/** @address: In the aperture of the buffer's placement. */
	u64 address;
	/** @bytes: Size. */
	u64 bytes;
};

/**
 * struct atom_memory_ops - how a buffer comes by its memory
 */
struct atom_memory_ops {
	/**
	 * @map: Make it reachable for the device and set struct atom_bo.extents;
	 * under struct atom_bo.lock, inside drm_dev_enter().
	 */
	int (*map)(struct atom_bo *bo);
	/** @unmap: Undo that; under struct atom_bo.lock, extents are still there. */
	void (*unmap)(struct atom_bo *bo);
	/** @free: Free the object, which is not mapped any more. */
	void (*free)(struct atom_bo *bo);
};

/**
 * struct atom_bo - buffer object
 *
 * Only those of our own SYSTEM memory are drm_gem_shmem objects; the others just
 * use the GEM object in it.
 */
struct atom_bo {
	/** @shmem: Base; first, because the helper frees it. */
	struct drm_gem_shmem_object shmem;
	/** @memory: Where its memory comes from. */
	const struct atom_memory_ops *memory;
	/** @quota: Account that its memory is on, or NULL. */
	struct atom_quota *quota;
	/** @dma_buf: Imported: where from. */
	struct dma_buf *dma_buf;
	/** @userptr: Memory of a program: which. */
	struct atom_userptr *userptr;
	/** @placement: enum drm_atom_bo_placement. */
	u32 placement;
	/** @flags: enum drm_atom_bo_flags. */
	u32 flags;
	/** @vm_id: VM that it is private to, by the id that its creator knows; 0 = none. */
	u32 vm_id;
	/** @vm_root: Owner of the reservation that it shares with that VM, or NULL. */
	struct drm_gem_object *vm_root;
	/** @lock: Protects all below. */
	struct mutex lock;
	/** @sgt: SYSTEM: pages mapped for DMA, once it was bound. */
	struct sg_table *sgt;
	/** @attach: Imported: attachment, while @extents is set. */
	struct dma_buf_attachment *attach;
	/** @extents: Where the memory lies; NULL while unknown. */
	struct atom_extent *extents;
	/** @extent_count: Entries of @extents. */
	u32 extent_count;
	/** @vram: LOCAL, SHM: the memory. */
	struct atom_vram_block vram;
	/** @saved: LOCAL: content while the device may have no power, or NULL. */
	struct file *saved;
	/** @link: Entry of struct atom_device.bos while @extents is set. */
	struct list_head link;
	/** @dummy: Stands in for LOCAL memory after an unplug. */
	struct page *dummy;
	/** @label: Name for debugging. */
	char label[ATOM_BO_LABEL_MAX + 1];
};

static inline struct atom_bo *to_atom_bo(struct drm_gem_object *obj)
{
	return container_of(to_drm_gem_shmem_obj(obj), struct atom_bo, shmem);
}

void atom_extent_append(struct atom_extent *extents, u32 *count, u64 address, u64 bytes);

struct drm_gem_object *atom_bo_gem_create_object(struct drm_device *drm, size_t size);
struct atom_bo *atom_bo_create_foreign(struct atom_device *adev, u64 size,
				       const struct atom_memory_ops *memory);
int atom_bo_set_extents(struct atom_bo *bo, struct sg_table *sgt);
int atom_bo_backing(struct atom_bo *bo);
void atom_bo_release_backing(struct atom_bo *bo);
void atom_bo_init_lock(struct atom_bo *bo);
void atom_bo_unplug(struct atom_device *adev);
int atom_bo_save_all(struct atom_device *adev);
int atom_bo_restore_all(struct atom_device *adev);
void atom_bo_drop_saved(struct atom_device *adev);
struct drm_gem_object *atom_bo_next(struct drm_file *file, int *handle);
u32 atom_bo_aperture(const struct atom_bo *bo);
void atom_bo_make_private(struct atom_bo *bo, struct atom_vm *vm);
int atom_bo_charge(struct atom_bo *bo, struct atom_quota *quota);

extern const struct atom_memory_ops atom_bo_shmem_ops;
extern const struct atom_memory_ops atom_bo_vram_ops;
extern const struct vm_operations_struct atom_bo_system_vm_ops;
extern const struct vm_operations_struct atom_bo_local_vm_ops;
int atom_bo_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma);

int atom_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int atom_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file);
int atom_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file);
int atom_ioctl_bo_set_label(struct drm_device *drm, void *data, struct drm_file *file);

#endif
