// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Address spaces: life. What is mapped in them: atom_vm_bind.c.
 *
 * Limits: the device has a fixed number of address spaces and queues for all its
 * users. One file may hold at most half of each (rounded up), so that one
 * program cannot shut out the others by accident; CAP_SYS_RESOURCE lifts that.
 * What a user may hold: atom_quota.c.
 */
#include <linux/slab.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_queue.h"
#include "atom_vm.h"

static void atom_vm_free(struct drm_gpuvm *gpuvm)
{
	struct atom_vm *vm = to_atom_vm(gpuvm);

	mutex_destroy(&vm->tables_lock);
	mutex_destroy(&vm->lock);
	atomic_dec(&vm->adev->counters.vms);
	kfree(vm);
}

static const struct drm_gpuvm_ops atom_gpuvm_ops = {
	.vm_free = atom_vm_free,
	.sm_step_map = atom_vm_step_map,
	.sm_step_remap = atom_vm_step_remap,
	.sm_step_unmap = atom_vm_step_unmap,
};

/**
 * atom_va_range_valid() - may this range be bound
 * @va: first address
 * @bytes: size
 *
 * Return: whether it is aligned, not empty, and inside of what may be bound.
 */
bool atom_va_range_valid(u64 va, u64 bytes)
{
	return bytes && IS_ALIGNED(va | bytes, SZ_4K) && va >= ATOM_VA_START &&
	       va < ATOM_VA_END && bytes <= ATOM_VA_END - va;
}

/**
 * atom_vm_lookup() - find an address space of a file
 * @file: file
 * @id: what VM_CREATE returned
 *
 * Return: address space with a reference for the caller, or NULL.
 */
struct atom_vm *atom_vm_lookup(struct drm_file *file, u32 id)
{
	struct atom_file *afile = file->driver_priv;
	struct atom_vm *vm;

	xa_lock(&afile->vms);
	vm = xa_load(&afile->vms, id);
	if (vm)
		drm_gpuvm_get(&vm->base);
	xa_unlock(&afile->vms);
	return vm;
}

/**
 * atom_va_free() - end a mapping that is out of the tree and out of the tables
 * @vm: address space
 * @va: mapping; the buffer is freed if this was its last user
 */
void atom_va_free(struct atom_vm *vm, struct atom_va *va)
{
	struct drm_gem_object *obj = va->base.gem.obj;

	/* The reservation, which may be the buffer's own, must outlive its lock. */
	drm_gem_object_get(obj);
	dma_resv_lock(obj->resv, NULL);
	if (va->base.vm_bo)
		drm_gpuva_unlink(&va->base);
	drm_gpuvm_bo_put(va->vm_bo);
	dma_resv_unlock(obj->resv);
	drm_gem_object_put(obj);

	atomic_dec(&vm->adev->counters.mappings);
	kfree(va);
}

static void atom_vm_unmap_all(struct atom_vm *vm)
{
	struct drm_gpuva *va, *next;

	drm_gpuvm_for_each_va_safe(va, next, &vm->base) {
		drm_gpuva_remove(va);
		atom_va_free(vm, to_atom_va(va));
	}
}

static void atom_vm_fini_tables(struct atom_vm *vm)
{
	lockdep_assert_held(&vm->lock);

	mutex_lock(&vm->tables_lock);
	atom_mmu_fini(&vm->mmu);
	mutex_unlock(&vm->tables_lock);
}

/**
 * atom_vm_destroy() - end an address space
 * @vm: address space, off its file's table; the reference of the table is dropped
 *
 * Its queues are killed first.
 */
void atom_vm_destroy(struct atom_vm *vm)
{
	struct atom_device *adev = vm->adev;
	struct atom_queue *queue;

	mutex_lock(&vm->lock);
	vm->destroyed = true;
	/* Killing takes the queue off the list, and must not hold the lock of bind. */
	while ((queue = list_first_entry_or_null(&vm->queues, struct atom_queue, vm_link))) {
		atom_queue_get(queue);
		mutex_unlock(&vm->lock);
		atom_queue_kill(queue);
		atom_queue_put(queue);
		mutex_lock(&vm->lock);
	}
	/* First the device forgets the tables, then what they named may go. */
	atom_vm_fini_tables(vm);
	atom_vm_unmap_all(vm);
	mutex_unlock(&vm->lock);

	mutex_lock(&adev->lists_lock);
	list_del_init(&vm->link);
	mutex_unlock(&adev->lists_lock);
	atom_vm_put(vm);
}

/**
 * atom_vm_unplug_all() - free the tables of all address spaces
 * @adev: device, stopped, its queues killed
 */
void atom_vm_unplug_all(struct atom_device *adev)
{
	struct atom_vm *vm;

	mutex_lock(&adev->lists_lock);
	while ((vm = list_first_entry_or_null(&adev->vms, struct atom_vm, link))) {
		list_del_init(&vm->link);
		/* On the list it has the reference of its file's table. */
		drm_gpuvm_get(&vm->base);
		mutex_unlock(&adev->lists_lock);

		mutex_lock(&vm->lock);
		atom_vm_fini_tables(vm);
		mutex_unlock(&vm->lock);
		atom_vm_put(vm);
		mutex_lock(&adev->lists_lock);
	}
	mutex_unlock(&adev->lists_lock);
}

/**
 * atom_vm_init_locks() - make the locks of an address space
 * @vm: address space, or a stand-in of atom_lockdep_prime()
 */
void atom_vm_init_locks(struct atom_vm *vm)
{
	mutex_init(&vm->lock);
	mutex_init(&vm->tables_lock);
}

static struct atom_vm *atom_vm_alloc(struct atom_device *adev)
{
	struct drm_gem_object *root;
	struct atom_vm *vm;

	vm = kzalloc_obj(*vm, GFP_KERNEL);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	root = drm_gpuvm_resv_object_alloc(&adev->drm);
	if (!root) {
		kfree(vm);
		return ERR_PTR(-ENOMEM);
	}
	vm->adev = adev;
	atom_vm_init_locks(vm);
	INIT_LIST_HEAD(&vm->queues);
	INIT_LIST_HEAD(&vm->link);
	atomic_inc(&adev->counters.vms);
	drm_gpuvm_init(&vm->base, ATOM_DRIVER_NAME, 0, &adev->drm, root, ATOM_VA_START,
		       ATOM_VA_END - ATOM_VA_START, 0, 0, &atom_gpuvm_ops);
	/* It holds the root object now. */
	drm_gem_object_put(root);
	return vm;
}

/**
 * atom_ioctl_vm_create() - DRM_IOCTL_ATOM_VM_CREATE
 * @drm: device
 * @data: struct drm_atom_vm_create
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_device *adev = to_atom_device(drm);
	struct atom_file *afile = file->driver_priv;
	struct drm_atom_vm_create *args = data;
	struct atom_vm *vm;
	int ret;
	u32 id;

	if (args->flags)
		return -EINVAL;

	ret = atom_file_take_context(afile);
	if (ret)
		return ret;

	vm = atom_vm_alloc(adev);
	if (IS_ERR(vm)) {
		ret = PTR_ERR(vm);
		goto give;
	}
	ret = atom_mmu_init(adev, &vm->mmu, afile->quota);
	if (ret) {
		atom_vm_put(vm);
		goto give;
	}
	mutex_lock(&adev->lists_lock);
	list_add_tail(&vm->link, &adev->vms);
	mutex_unlock(&adev->lists_lock);

	ret = xa_alloc(&afile->vms, &id, vm, xa_limit_31b, GFP_KERNEL);
	if (ret) {
		atom_vm_destroy(vm);
		goto give;
	}
	args->vm_id = id;
	return 0;
give:
	atom_file_give_context(afile);
	return ret;
}

/**
 * atom_ioctl_vm_destroy() - DRM_IOCTL_ATOM_VM_DESTROY
 * @drm: device
 * @data: struct drm_atom_vm_destroy
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_file *afile = file->driver_priv;
	struct drm_atom_vm_destroy *args = data;
	struct atom_vm *vm;

	if (args->pad)
		return -EINVAL;
	vm = xa_erase(&afile->vms, args->vm_id);
	if (!vm)
		return -ENOENT;
	atom_vm_destroy(vm);
	atom_file_give_context(afile);
	return 0;
}
