// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Completion areas: written by the device, mapped read-only by programs. A
 * mapping may outlive its queue, and then shows the last records; it may outlive
 * the device, and then shows zeros.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>

#include "atom_device.h"
#include "atom_queue.h"

static void atom_area_release_memory(struct atom_area *area)
{
	if (area->cpu)
		dma_free_pages(area->adev->drm.dev, area->base.size, virt_to_page(area->cpu),
			       area->dma, DMA_BIDIRECTIONAL);
	area->cpu = NULL;
}

static void atom_area_free(struct drm_gem_object *obj)
{
	struct atom_area *area = container_of(obj, struct atom_area, base);
	struct atom_device *adev = area->adev;

	mutex_lock(&adev->lists_lock);
	list_del_init(&area->link);
	/* Under the lock, so that an unplug waits for it. */
	atom_area_release_memory(area);
	mutex_unlock(&adev->lists_lock);

	drm_gem_object_release(obj);
	atomic_dec(&adev->counters.areas);
	kfree(area);
}

static int atom_area_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	/* Only the device writes here: not now, and not after an mprotect() either. */
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EINVAL;

	/* Pages come with faults only: what is mapped here already an unplug would not find. */
	vm_flags_mod(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP,
		     VM_MAYWRITE | VM_MAYEXEC);
	return 0;
}

static vm_fault_t atom_area_fault(struct vm_fault *vmf)
{
	struct drm_gem_object *obj = vmf->vma->vm_private_data;
	struct atom_area *area = container_of(obj, struct atom_area, base);
	struct page *page = ZERO_PAGE(vmf->address);
	/* The offset of the fake file is not one into the area. */
	pgoff_t index = vmf->pgoff - drm_vma_node_start(&obj->vma_node);
	vm_fault_t ret;
	int idx;

	if (!drm_dev_enter(obj->dev, &idx))
		return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));

	ret = VM_FAULT_SIGBUS;
	if (index < obj->size >> PAGE_SHIFT)
		ret = vmf_insert_pfn(vmf->vma, vmf->address,
				     page_to_pfn(virt_to_page(area->cpu)) + index);
	drm_dev_exit(idx);
	return ret;
}

static const struct vm_operations_struct atom_area_vm_ops = {
	.fault = atom_area_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static const struct drm_gem_object_funcs atom_area_funcs = {
	.free = atom_area_free,
	.mmap = atom_area_mmap,
	.vm_ops = &atom_area_vm_ops,
};

/**
 * atom_area_create() - make a completion area
 * @adev: device, inside drm_dev_enter()
 * @bytes: size
 *
 * Return: area with one reference (of its GEM object), or an error pointer.
 */
struct atom_area *atom_area_create(struct atom_device *adev, size_t bytes)
{
	struct atom_area *area;
	struct page *pages;
	int ret;

	area = kzalloc_obj(*area, GFP_KERNEL);
	if (!area)
		return ERR_PTR(-ENOMEM);

	area->adev = adev;
	area->base.funcs = &atom_area_funcs;
	INIT_LIST_HEAD(&area->link);
	drm_gem_private_object_init(&adev->drm, &area->base, PAGE_ALIGN(bytes));
	atomic_inc(&adev->counters.areas);

	/* Zeroed by the allocator: what the device does not write leaks nothing. */
	pages = dma_alloc_pages(adev->drm.dev, area->base.size, &area->dma, DMA_BIDIRECTIONAL,
				GFP_KERNEL);
	area->cpu = pages ? page_address(pages) : NULL;
	ret = area->cpu ? drm_gem_create_mmap_offset(&area->base) : -ENOMEM;
	if (ret) {
		drm_gem_object_put(&area->base);
		return ERR_PTR(ret);
	}
	mutex_lock(&adev->lists_lock);
	list_add_tail(&area->link, &adev->areas);
	mutex_unlock(&adev->lists_lock);
	return area;
}

/**
 * atom_area_unplug_all() - free the memory of all areas
 * @adev: device, stopped, its queues killed and all mappings zapped
 */
void atom_area_unplug_all(struct atom_device *adev)
{
	struct atom_area *area, *next;

	mutex_lock(&adev->lists_lock);
	list_for_each_entry_safe(area, next, &adev->areas, link) {
		list_del_init(&area->link);
		atom_area_release_memory(area);
	}
	mutex_unlock(&adev->lists_lock);
}
