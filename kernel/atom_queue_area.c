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
		dma_free_coherent(area->adev->drm.dev, area->base.size, area->cpu, area->dma);
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
	struct atom_area *area = container_of(obj, struct atom_area, base);
	unsigned long pgoff = vma->vm_pgoff;
	int idx, ret;

	/* Only the device writes here: not now, and not after an mprotect() either. */
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EINVAL;

	if (!drm_dev_enter(obj->dev, &idx))
		return -ENODEV;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	/* The offset of the fake file is not one into the area. */
	vma->vm_pgoff = 0;
	ret = dma_mmap_coherent(obj->dev->dev, vma, area->cpu, area->dma,
				vma->vm_end - vma->vm_start);
	vma->vm_pgoff = pgoff;
	drm_dev_exit(idx);
	return ret;
}

/* All pages are mapped at once; one is missing only after an unplug. */
static vm_fault_t atom_area_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(ZERO_PAGE(vmf->address)));
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
	int ret;

	area = kzalloc(sizeof(*area), GFP_KERNEL);
	if (!area)
		return ERR_PTR(-ENOMEM);

	area->adev = adev;
	area->base.funcs = &atom_area_funcs;
	INIT_LIST_HEAD(&area->link);
	drm_gem_private_object_init(&adev->drm, &area->base, PAGE_ALIGN(bytes));
	atomic_inc(&adev->counters.areas);

	/* Zeroed by the allocator: what the device does not write leaks nothing. */
	area->cpu = dma_alloc_coherent(adev->drm.dev, area->base.size, &area->dma, GFP_KERNEL);
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
