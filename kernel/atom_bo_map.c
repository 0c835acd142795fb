// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Buffer objects: where their memory lies, and mappings for the CPU.
 *
 * SYSTEM pages are pinned and mapped for DMA when a buffer is bound first, and
 * stay so until it is freed. A mapping of LOCAL memory shows zeros in a page of
 * its own after the device has gone; it never raises SIGBUS.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>

#include <atom/hw/mmu.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_quota.h"

/* Pages mapped by one fault: the rest of the 2 MiB that the address is in. */
#define ATOM_FAULT_AROUND	SZ_2M

/**
 * atom_bo_aperture() - where the device finds the memory of a buffer
 * @bo: buffer
 *
 * Return: ATOM_APERTURE_*.
 */
u32 atom_bo_aperture(const struct atom_bo *bo)
{
	switch (bo->placement) {
	case DRM_ATOM_BO_LOCAL:
		return ATOM_APERTURE_LOCAL;
	case DRM_ATOM_BO_SHM:
		return ATOM_APERTURE_SHM;
	default:
		return ATOM_APERTURE_SYSTEM;
	}
}

/**
 * atom_extent_append() - add memory behind what is there
 * @extents: array with room
 * @count: extents in it
 * @address: address
 * @bytes: size
 *
 * Neighbours become one, so that they can use large pages.
 */
void atom_extent_append(struct atom_extent *extents, u32 *count, u64 address, u64 bytes)
{
	struct atom_extent *last = *count ? &extents[*count - 1] : NULL;

	if (last && last->address + last->bytes == address) {
		last->bytes += bytes;
		return;
	}
	extents[*count] = (struct atom_extent) {
		.offset = last ? last->offset + last->bytes : 0,
		.address = address,
		.bytes = bytes,
	};
	(*count)++;
}

/**
 * atom_bo_set_extents() - note where mapped memory lies
 * @bo: buffer
 * @sgt: all of its memory, mapped for DMA; @bo points to it from now on
 *
 * Return: 0, -ENOMEM, or -EINVAL if it is less than the buffer or not in pages.
 */
int atom_bo_set_extents(struct atom_bo *bo, struct sg_table *sgt)
{
	struct scatterlist *sg;
	u64 bytes = 0;
	unsigned int i;

	bo->extents = kvcalloc(sgt->nents, sizeof(*bo->extents), GFP_KERNEL);
	if (!bo->extents)
		return -ENOMEM;
	bo->extent_count = 0;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (!IS_ALIGNED(sg_dma_address(sg) | sg_dma_len(sg), SZ_4K))
			break;
		bytes += sg_dma_len(sg);
		atom_extent_append(bo->extents, &bo->extent_count, sg_dma_address(sg),
				   sg_dma_len(sg));
	}
	if (bytes < bo->shmem.base.size) {
		kvfree(bo->extents);
		bo->extents = NULL;
		return -EINVAL;
	}
	bo->sgt = sgt;
	return 0;
}

/* Pages of a buffer that its pinning would allocate. */
static unsigned long atom_bo_missing_pages(struct atom_bo *bo)
{
	return READ_ONCE(bo->shmem.pages) ? 0 : bo->shmem.base.size >> PAGE_SHIFT;
}

static int atom_bo_map_shmem(struct atom_bo *bo)
{
	unsigned long missing = atom_bo_missing_pages(bo);
	struct drm_gem_object *obj = &bo->shmem.base;
	struct sg_table *sgt;
	int ret;

	ret = atom_quota_begin_pinning(missing);
	if (ret)
		return ret;
	ret = drm_gem_shmem_pin(&bo->shmem);
	atom_quota_end_pinning(missing);
	if (ret)
		return ret;

	sgt = drm_gem_shmem_get_sg_table(&bo->shmem);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto unpin;
	}
	ret = dma_map_sgtable(obj->dev->dev, sgt, DMA_BIDIRECTIONAL, 0);
	if (ret)
		goto free;
	ret = atom_bo_set_extents(bo, sgt);
	if (ret)
		goto unmap;
	return 0;

unmap:
	dma_unmap_sgtable(obj->dev->dev, sgt, DMA_BIDIRECTIONAL, 0);
free:
	sg_free_table(sgt);
	kfree(sgt);
unpin:
	drm_gem_shmem_unpin(&bo->shmem);
	return ret;
}

static void atom_bo_unmap_shmem(struct atom_bo *bo)
{
	dma_unmap_sgtable(bo->shmem.base.dev->dev, bo->sgt, DMA_BIDIRECTIONAL, 0);
	sg_free_table(bo->sgt);
	kfree(bo->sgt);
	drm_gem_shmem_unpin(&bo->shmem);
}

static void atom_bo_free_shmem(struct atom_bo *bo)
{
	drm_gem_shmem_free(&bo->shmem);
}

const struct atom_memory_ops atom_bo_shmem_ops = {
	.map = atom_bo_map_shmem,
	.unmap = atom_bo_unmap_shmem,
	.free = atom_bo_free_shmem,
};

static int atom_bo_map_vram(struct atom_bo *bo)
{
	bo->extents = atom_vram_extents(to_atom_device(bo->shmem.base.dev), &bo->vram,
					&bo->extent_count);
	return bo->extents ? 0 : -ENOMEM;
}

static void atom_bo_unmap_vram(struct atom_bo *bo)
{
	atom_vram_free(to_atom_device(bo->shmem.base.dev), &bo->vram);
}

static void atom_bo_free_vram(struct atom_bo *bo)
{
	/* Allocated, but never mapped. */
	atom_bo_unmap_vram(bo);
	drm_gem_object_release(&bo->shmem.base);
	kfree(bo);
}

const struct atom_memory_ops atom_bo_vram_ops = {
	.map = atom_bo_map_vram,
	.unmap = atom_bo_unmap_vram,
	.free = atom_bo_free_vram,
};

/**
 * atom_bo_backing() - make the memory of a buffer reachable for the device
 * @bo: buffer
 *
 * Afterwards struct atom_bo.extents is set, and stays so as long as the device
 * is there. Inside drm_dev_enter().
 *
 * Return: 0 or an error.
 */
int atom_bo_backing(struct atom_bo *bo)
{
	struct atom_device *adev = to_atom_device(bo->shmem.base.dev);
	int ret = 0;

	mutex_lock(&bo->lock);
	if (bo->extents)
		goto unlock;

	ret = bo->memory->map(bo);
	if (!ret) {
		mutex_lock(&adev->lists_lock);
		list_add_tail(&bo->link, &adev->bos);
		mutex_unlock(&adev->lists_lock);
	}
unlock:
	mutex_unlock(&bo->lock);
	return ret;
}

/**
 * atom_bo_release_backing() - take the memory of a buffer from the device
 * @bo: buffer that no page table names; called when it is freed
 */
void atom_bo_release_backing(struct atom_bo *bo)
{
	struct atom_device *adev = to_atom_device(bo->shmem.base.dev);

	mutex_lock(&bo->lock);
	if (bo->extents) {
		bo->memory->unmap(bo);
		kvfree(bo->extents);
		bo->extents = NULL;
		bo->extent_count = 0;
		bo->sgt = NULL;
	}
	mutex_unlock(&bo->lock);

	/* Last, because atom_bo_unplug() waits until the list is empty. */
	mutex_lock(&adev->lists_lock);
	list_del_init(&bo->link);
	mutex_unlock(&adev->lists_lock);
}

/**
 * atom_bo_unplug() - take all buffers from a device that is going
 * @adev: device, stopped; no entry point is inside of drm_dev_enter()
 *
 * DMA mappings and device memory end with the device; the objects live on until
 * their handles and mappings are closed.
 */
void atom_bo_unplug(struct atom_device *adev)
{
	struct atom_bo *bo;

	mutex_lock(&adev->lists_lock);
	while ((bo = list_first_entry_or_null(&adev->bos, struct atom_bo, link))) {
		bool mine = kref_get_unless_zero(&bo->shmem.base.refcount);

		mutex_unlock(&adev->lists_lock);
		if (mine) {
			atom_bo_release_backing(bo);
			drm_gem_object_put(&bo->shmem.base);
		} else {
			/* Somebody is freeing it just now, and has to end first. */
			usleep_range(1000, 2000);
		}
		mutex_lock(&adev->lists_lock);
	}
	mutex_unlock(&adev->lists_lock);
}

static unsigned long atom_bo_pfn(struct atom_device *adev, struct atom_bo *bo, pgoff_t page)
{
	u64 offset = (u64)page << PAGE_SHIFT;
	u32 low = 0, high = bo->extent_count;

	if (bo->placement == DRM_ATOM_BO_SYSTEM)
		return page_to_pfn(bo->shmem.pages[page]);

	/* The last extent that does not begin behind the page. */
	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (bo->extents[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return PHYS_PFN(pci_resource_start(adev->pdev, ATOM_BAR_DRAM) +
			bo->extents[low].address + (offset - bo->extents[low].offset));
}

/* Map pages from the faulting one to the end of its 2 MiB, the VMA or the buffer. */
static vm_fault_t atom_bo_insert(struct vm_fault *vmf, struct atom_device *adev,
				 struct atom_bo *bo)
{
	struct vm_area_struct *vma = vmf->vma;
	struct drm_gem_object *obj = &bo->shmem.base;
	pgoff_t page = vmf->pgoff - drm_vma_node_start(&obj->vma_node);
	pgoff_t pages = obj->size >> PAGE_SHIFT;
	unsigned long end = min(ALIGN(vmf->address + 1, ATOM_FAULT_AROUND), vma->vm_end);
	unsigned long address;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	for (address = vmf->address & PAGE_MASK; address < end && page < pages;
	     address += PAGE_SIZE, page++) {
		vm_fault_t one = vmf_insert_pfn(vma, address, atom_bo_pfn(adev, bo, page));

		/* Only the page that was asked for must succeed. */
		if (address == (vmf->address & PAGE_MASK))
			ret = one;
		if (one != VM_FAULT_NOPAGE)
			break;
	}
	return ret;
}

static vm_fault_t atom_bo_system_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct atom_bo *bo = to_atom_bo(obj);
	vm_fault_t ret;

	/* The pages are there as long as the mapping, with or without a device. */
	dma_resv_lock(obj->resv, NULL);
	ret = atom_bo_insert(vmf, to_atom_device(obj->dev), bo);
	dma_resv_unlock(obj->resv);
	return ret;
}

static vm_fault_t atom_bo_dummy_fault(struct vm_fault *vmf, struct atom_bo *bo)
{
	struct page *page;

	mutex_lock(&bo->lock);
	if (!bo->dummy)
		bo->dummy = alloc_page(GFP_KERNEL | __GFP_ZERO);
	page = bo->dummy;
	mutex_unlock(&bo->lock);
	if (!page)
		return VM_FAULT_OOM;
	return vmf_insert_pfn_prot(vmf->vma, vmf->address, page_to_pfn(page),
				   vm_get_page_prot(vmf->vma->vm_flags));
}

static int atom_bo_keep_pte(pte_t *pte, unsigned long address, void *unused)
{
	return 0;
}

static vm_fault_t atom_bo_local_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct atom_device *adev = to_atom_device(obj->dev);
	struct atom_bo *bo = to_atom_bo(obj);
	vm_fault_t ret;
	int idx;

	if (!drm_dev_enter(obj->dev, &idx))
		return atom_bo_dummy_fault(vmf, bo);

	/*
	 * Makes the page table, which all of atom_bo_insert() lies in: a reset waits until nobody
	 * maps any more, so that no memory may be allocated in between.
	 */
	if (apply_to_page_range(vmf->vma->vm_mm, vmf->address & PAGE_MASK, PAGE_SIZE,
				atom_bo_keep_pte, NULL)) {
		drm_dev_exit(idx);
		return VM_FAULT_OOM;
	}
	if (atom_hw_enter(adev)) {
		/* The extents of LOCAL memory do not change while the device is there. */
		ret = atom_bo_insert(vmf, adev, bo);
		atom_hw_exit(adev);
	} else if (atom_device_is_lost(adev)) {
		ret = atom_bo_dummy_fault(vmf, bo);
	} else {
		ret = VM_FAULT_NOPAGE; /* Killed while it waited. */
	}
	drm_dev_exit(idx);
	return ret;
}

static void atom_bo_system_open(struct vm_area_struct *vma)
{
	drm_gem_shmem_vm_ops.open(vma);
}

static void atom_bo_system_close(struct vm_area_struct *vma)
{
	drm_gem_shmem_vm_ops.close(vma);
}

const struct vm_operations_struct atom_bo_system_vm_ops = {
	.fault = atom_bo_system_fault,
	.open = atom_bo_system_open,
	.close = atom_bo_system_close,
};

const struct vm_operations_struct atom_bo_local_vm_ops = {
	.fault = atom_bo_local_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static int atom_bo_mmap_system(struct atom_bo *bo, struct vm_area_struct *vma)
{
	unsigned long missing = atom_bo_missing_pages(bo);
	int ret;

	ret = atom_quota_begin_pinning(missing);
	if (ret)
		return ret;
	ret = drm_gem_shmem_mmap(&bo->shmem, vma);
	atom_quota_end_pinning(missing);
	return ret;
}

/**
 * atom_bo_mmap() - map a buffer for the CPU
 * @obj: buffer
 * @vma: where
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int atom_bo_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct atom_bo *bo = to_atom_bo(obj);

	if (bo->flags & DRM_ATOM_BO_NO_MMAP || bo->placement == DRM_ATOM_BO_SHM)
		return -EINVAL;
	/* A private copy would silently stop being the buffer. */
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (bo->placement == DRM_ATOM_BO_SYSTEM)
		return atom_bo_mmap_system(bo, vma);

	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = pgprot_writecombine(vm_get_page_prot(vma->vm_flags));
	return 0;
}
