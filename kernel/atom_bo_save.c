// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The content of LOCAL memory, kept in shmem while the device has no power. Copied
 * by the CPU, through the window: what lies outside of it cannot be kept.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "atom_bo.h"
#include "atom_device.h"

/* Copied at a time. */
#define ATOM_SAVE_CHUNK	SZ_64K

/* Between a buffer and its file, or an error. */
static int atom_bo_copy_chunk(struct file *file, u64 offset, void __iomem *device, size_t bytes,
			      void *bounce, bool save)
{
	loff_t pos = offset;
	ssize_t done;

	if (save) {
		memcpy_fromio(bounce, device, bytes);
		done = kernel_write(file, bounce, bytes, &pos);
	} else {
		done = kernel_read(file, bounce, bytes, &pos);
		if (done == bytes)
			memcpy_toio(device, bounce, bytes);
	}
	if (done < 0)
		return done;
	return done == bytes ? 0 : -EIO;
}

static int atom_bo_copy_extent(struct atom_device *adev, struct atom_bo *bo,
			       const struct atom_extent *extent, void *bounce, bool save)
{
	void __iomem *device;
	u64 done = 0;
	int ret = 0;

	device = ioremap_wc(pci_resource_start(adev->pdev, ATOM_BAR_DRAM) + extent->address,
			    extent->bytes);
	if (!device)
		return -ENOMEM;
	while (done < extent->bytes && !ret) {
		size_t bytes = min_t(u64, extent->bytes - done, ATOM_SAVE_CHUNK);

		ret = atom_bo_copy_chunk(bo->saved, extent->offset + done, device + done, bytes,
					 bounce, save);
		done += bytes;
	}
	/* Written data is on its way before the device is told to use it. */
	wmb();
	iounmap(device);
	return ret;
}

static int atom_bo_copy(struct atom_device *adev, struct atom_bo *bo, void *bounce, bool save)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < bo->extent_count && !ret; i++)
		ret = atom_bo_copy_extent(adev, bo, &bo->extents[i], bounce, save);
	return ret;
}

static int atom_bo_save(struct atom_device *adev, struct atom_bo *bo, void *bounce)
{
	if (bo->vram.visible < bo->vram.bytes) {
		drm_warn(&adev->drm,
			 "a buffer lies outside of the window on device memory and would be lost\n");
		return -EBUSY;
	}
	bo->saved = shmem_file_setup("atom-local", bo->shmem.base.size,
				     ATOM_SHMEM_NORESERVE);
	if (IS_ERR(bo->saved)) {
		int ret = PTR_ERR(bo->saved);

		bo->saved = NULL;
		return ret;
	}
	return atom_bo_copy(adev, bo, bounce, true);
}

/*
 * The LOCAL buffer behind @bo, or the first one if that is NULL, with a reference; that of @bo is
 * dropped. No lock is held in between: saving allocates memory.
 */
static struct atom_bo *atom_bo_next_local(struct atom_device *adev, struct atom_bo *bo)
{
	struct atom_bo *next = bo ?: list_entry(&adev->bos, struct atom_bo, link);
	bool found = false;

	mutex_lock(&adev->lists_lock);
	list_for_each_entry_continue(next, &adev->bos, link) {
		found = next->placement == DRM_ATOM_BO_LOCAL &&
			kref_get_unless_zero(&next->shmem.base.refcount);
		if (found)
			break;
	}
	mutex_unlock(&adev->lists_lock);
	if (bo)
		drm_gem_object_put(&bo->shmem.base);
	return found ? next : NULL;
}

static int atom_bo_copy_all(struct atom_device *adev, bool save)
{
	void *bounce = kvmalloc(ATOM_SAVE_CHUNK, GFP_KERNEL);
	struct atom_bo *bo = NULL;
	int ret = 0;

	if (!bounce)
		return -ENOMEM;
	while (!ret && (bo = atom_bo_next_local(adev, bo))) {
		if (save)
			ret = atom_bo_save(adev, bo, bounce);
		else if (bo->saved)
			ret = atom_bo_copy(adev, bo, bounce, false);
	}
	if (bo)
		drm_gem_object_put(&bo->shmem.base);
	kvfree(bounce);
	return ret;
}

/**
 * atom_bo_save_all() - keep the content of LOCAL memory
 * @adev: device, awake, without work
 *
 * Return: 0; -EBUSY if a buffer cannot be kept; another error. Also after an error
 * atom_bo_drop_saved() must follow.
 */
int atom_bo_save_all(struct atom_device *adev)
{
	return atom_bo_copy_all(adev, true);
}

/**
 * atom_bo_restore_all() - bring the content of LOCAL memory back
 * @adev: device, awake, without work; atom_bo_save_all() succeeded
 *
 * Return: 0 or an error.
 */
int atom_bo_restore_all(struct atom_device *adev)
{
	return atom_bo_copy_all(adev, false);
}

/**
 * atom_bo_drop_saved() - free what atom_bo_save_all() kept
 * @adev: device
 */
void atom_bo_drop_saved(struct atom_device *adev)
{
	struct atom_bo *bo;

	mutex_lock(&adev->lists_lock);
	list_for_each_entry(bo, &adev->bos, link) {
		if (bo->saved)
			fput(bo->saved);
		bo->saved = NULL;
	}
	mutex_unlock(&adev->lists_lock);
}
