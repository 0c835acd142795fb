// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Buffer objects: life and ioctls. Their memory and mappings: atom_bo_map.c.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_prime.h"
#include "atom_quota.h"
#include "atom_vm.h"

/* No buffer can be larger than what an address space could map of it. */
#define ATOM_BO_SIZE_MAX	BIT_ULL(47)

static atomic_t *atom_bo_counter(struct atom_bo *bo)
{
	struct atom_counters *counters = &to_atom_device(bo->shmem.base.dev)->counters;

	switch (bo->placement) {
	case DRM_ATOM_BO_LOCAL:
		return &counters->bos_local;
	case DRM_ATOM_BO_SHM:
		return &counters->bos_shm;
	default:
		return &counters->bos_system;
	}
}

static enum atom_quota_kind atom_bo_quota_kind(u32 placement)
{
	switch (placement) {
	case DRM_ATOM_BO_LOCAL:
		return ATOM_QUOTA_LOCAL;
	case DRM_ATOM_BO_SHM:
		return ATOM_QUOTA_SHM;
	default:
		return ATOM_QUOTA_SYSTEM;
	}
}

/**
 * atom_bo_charge() - put the memory of a buffer on an account, until it is freed
 * @bo: buffer that has none yet
 * @quota: account
 *
 * Return: 0, -ENOSPC or -ENOMEM.
 */
int atom_bo_charge(struct atom_bo *bo, struct atom_quota *quota)
{
	int ret = atom_quota_take(quota, atom_bo_quota_kind(bo->placement), bo->shmem.base.size);

	if (!ret)
		bo->quota = atom_quota_get(quota);
	return ret;
}

static void atom_bo_uncharge(struct atom_bo *bo)
{
	if (!bo->quota)
		return;
	atom_quota_give(bo->quota, atom_bo_quota_kind(bo->placement), bo->shmem.base.size);
	atom_quota_put(bo->quota);
}

static void atom_bo_free(struct drm_gem_object *obj)
{
	struct atom_bo *bo = to_atom_bo(obj);
	struct atom_device *adev = to_atom_device(obj->dev);
	struct drm_gem_object *vm_root = bo->vm_root;
	bool on_device = bo->placement != DRM_ATOM_BO_SYSTEM;

	atom_bo_release_backing(bo);
	if (bo->saved)
		fput(bo->saved);
	atomic_dec(atom_bo_counter(bo));
	atom_bo_uncharge(bo);
	if (bo->dummy)
		__free_page(bo->dummy);
	mutex_destroy(&bo->lock);
	bo->memory->free(bo);
	if (on_device)
		atom_pm_put(adev);
	/* The reservation lock was used until here. */
	if (vm_root)
		drm_gem_object_put(vm_root);
}

static enum drm_gem_object_status atom_bo_status(struct drm_gem_object *obj)
{
	struct atom_bo *bo = to_atom_bo(obj);

	if (READ_ONCE(bo->extents) || READ_ONCE(bo->shmem.pages))
		return DRM_GEM_OBJECT_RESIDENT;
	return 0;
}

static void atom_bo_print_info(struct drm_printer *p, unsigned int indent,
			       const struct drm_gem_object *obj)
{
	const struct atom_bo *bo = to_atom_bo((struct drm_gem_object *)obj);

	drm_printf_indent(p, indent, "placement=%u\n", bo->placement);
	/* No line that looks like another's. */
	drm_printf_indent(p, indent, "label=%*pE\n", (int)strlen(bo->label), bo->label);
}

static const struct drm_gem_object_funcs atom_bo_system_funcs = {
	.free = atom_bo_free,
	.print_info = atom_bo_print_info,
	.export = atom_prime_export,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = atom_bo_mmap,
	.status = atom_bo_status,
	.vm_ops = &atom_bo_system_vm_ops,
};

static const struct drm_gem_object_funcs atom_bo_local_funcs = {
	.free = atom_bo_free,
	.print_info = atom_bo_print_info,
	.export = atom_prime_export,
	.mmap = atom_bo_mmap,
	.status = atom_bo_status,
	.vm_ops = &atom_bo_local_vm_ops,
};

/* Memory of others: it is mapped, and shared, where it comes from. */
static const struct drm_gem_object_funcs atom_bo_foreign_funcs = {
	.free = atom_bo_free,
	.print_info = atom_bo_print_info,
	.status = atom_bo_status,
};

/**
 * atom_bo_init_lock() - make the lock of a buffer
 * @bo: buffer, or a stand-in of atom_lockdep_prime()
 */
void atom_bo_init_lock(struct atom_bo *bo)
{
	mutex_init(&bo->lock);
}

static struct atom_bo *atom_bo_alloc(void)
{
	struct atom_bo *bo = kzalloc_obj(*bo, GFP_KERNEL);

	if (!bo)
		return NULL;
	atom_bo_init_lock(bo);
	INIT_LIST_HEAD(&bo->link);
	INIT_LIST_HEAD(&bo->vram.local);
	return bo;
}

/**
 * atom_bo_gem_create_object() - allocate the object of a SYSTEM buffer
 * @drm: device
 * @size: unused
 *
 * Return: object for the shmem helper, or an error pointer.
 */
struct drm_gem_object *atom_bo_gem_create_object(struct drm_device *drm, size_t size)
{
	struct atom_bo *bo = atom_bo_alloc();

	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->memory = &atom_bo_shmem_ops;
	bo->shmem.base.funcs = &atom_bo_system_funcs;
	return &bo->shmem.base;
}

/**
 * atom_bo_create_foreign() - make a SYSTEM buffer of memory that is not ours
 * @adev: device
 * @size: bytes, multiple of pages
 * @memory: how it comes by its memory
 *
 * Return: buffer without a handle, or an error pointer.
 */
struct atom_bo *atom_bo_create_foreign(struct atom_device *adev, u64 size,
				       const struct atom_memory_ops *memory)
{
	struct atom_bo *bo = atom_bo_alloc();

	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->memory = memory;
	bo->shmem.base.funcs = &atom_bo_foreign_funcs;
	drm_gem_private_object_init(&adev->drm, &bo->shmem.base, size);
	atomic_inc(&adev->counters.bos_system);
	return bo;
}

static struct atom_bo *atom_bo_create_system(struct atom_device *adev, u64 size,
					     struct atom_quota *quota)
{
	struct drm_gem_shmem_object *shmem;
	struct atom_bo *bo;
	int ret;

	if (size >> PAGE_SHIFT > totalram_pages())
		return ERR_PTR(-ENOMEM);

	shmem = drm_gem_shmem_create(&adev->drm, size);
	/* shmem says so when it has no memory for an inode; ours is about device memory. */
	if (shmem == ERR_PTR(-ENOSPC))
		return ERR_PTR(-ENOMEM);
	if (IS_ERR(shmem))
		return ERR_CAST(shmem);
	atomic_inc(&adev->counters.bos_system);
	bo = container_of(shmem, struct atom_bo, shmem);
	ret = atom_bo_charge(bo, quota);
	if (ret) {
		drm_gem_object_put(&shmem->base);
		return ERR_PTR(ret);
	}
	return bo;
}

static struct atom_bo *atom_bo_create_vram(struct atom_device *adev, u64 size, u32 placement,
					   u32 flags, struct atom_quota *quota)
{
	struct drm_gem_object *obj;
	struct atom_bo *bo;
	int ret;

	bo = atom_bo_alloc();
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->memory = &atom_bo_vram_ops;
	bo->placement = placement;
	obj = &bo->shmem.base;
	obj->funcs = &atom_bo_local_funcs;
	drm_gem_private_object_init(&adev->drm, obj, size);
	atomic_inc(atom_bo_counter(bo));
	/* Its memory can be mapped when all files are closed: through a dma-buf. */
	atom_pm_get_awake(adev);

	ret = atom_bo_charge(bo, quota);
	if (ret)
		goto put;
	if (placement == DRM_ATOM_BO_SHM)
		ret = atom_vram_alloc_shm(adev, &bo->vram, size);
	else
		ret = atom_vram_alloc_local(adev, &bo->vram, size,
					    !(flags & DRM_ATOM_BO_NO_MMAP));
	if (!ret)
		ret = atom_bo_backing(bo);
	if (!ret)
		ret = atom_vram_clear(adev, atom_bo_aperture(bo), bo->extents, bo->extent_count);
	if (!ret && placement == DRM_ATOM_BO_LOCAL)
		ret = drm_gem_create_mmap_offset(obj);
	if (ret)
		goto put;
	return bo;
put:
	drm_gem_object_put(obj);
	return ERR_PTR(ret);
}

/**
 * atom_bo_make_private() - share the reservation of an address space
 * @bo: buffer that nobody else sees yet
 * @vm: the only address space that may bind it
 */
void atom_bo_make_private(struct atom_bo *bo, struct atom_vm *vm)
{
	bo->vm_root = drm_gpuvm_resv_obj(&vm->base);
	drm_gem_object_get(bo->vm_root);
	bo->shmem.base.resv = bo->vm_root->resv;
}

static int atom_bo_make_private_by_id(struct atom_bo *bo, struct drm_file *file, u32 vm_id)
{
	struct atom_vm *vm = atom_vm_lookup(file, vm_id);

	if (!vm)
		return -ENOENT;
	bo->vm_id = vm_id;
	atom_bo_make_private(bo, vm);
	atom_vm_put(vm);
	return 0;
}

/**
 * atom_ioctl_bo_create() - DRM_IOCTL_ATOM_BO_CREATE
 * @drm: device
 * @data: struct drm_atom_bo_create
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_device *adev = to_atom_device(drm);
	struct atom_file *afile = file->driver_priv;
	struct drm_atom_bo_create *args = data;
	struct atom_bo *bo;
	int ret = 0;
	u64 size;

	if (!args->size || args->placement > DRM_ATOM_BO_SHM ||
	    args->flags & ~DRM_ATOM_BO_NO_MMAP)
		return -EINVAL;
	if (args->size > ATOM_BO_SIZE_MAX)
		return -E2BIG;
	size = PAGE_ALIGN(args->size);

	if (args->placement == DRM_ATOM_BO_SYSTEM)
		bo = atom_bo_create_system(adev, size, afile->quota);
	else
		bo = atom_bo_create_vram(adev, size, args->placement, args->flags, afile->quota);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	bo->flags = args->flags;
	if (args->vm_id)
		ret = atom_bo_make_private_by_id(bo, file, args->vm_id);
	if (!ret)
		ret = drm_gem_handle_create(file, &bo->shmem.base, &args->handle);
	if (!ret)
		args->size = size;
	/* The handle holds the buffer from here on. */
	drm_gem_object_put(&bo->shmem.base);
	return ret;
}

/**
 * atom_ioctl_bo_mmap_offset() - DRM_IOCTL_ATOM_BO_MMAP_OFFSET
 * @drm: device
 * @data: struct drm_atom_bo_mmap_offset
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_atom_bo_mmap_offset *args = data;
	struct drm_gem_object *obj;
	struct atom_bo *bo;
	int ret = 0;

	if (args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	bo = to_atom_bo(obj);
	if (bo->flags & DRM_ATOM_BO_NO_MMAP || bo->placement == DRM_ATOM_BO_SHM)
		ret = -EINVAL;
	else
		args->offset = drm_vma_node_offset_addr(&obj->vma_node);
	drm_gem_object_put(obj);
	return ret;
}

/**
 * atom_ioctl_bo_info() - DRM_IOCTL_ATOM_BO_INFO
 * @drm: device
 * @data: struct drm_atom_bo_info
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_atom_bo_info *args = data;
	struct drm_gem_object *obj;
	struct atom_bo *bo;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	bo = to_atom_bo(obj);
	args->placement = bo->placement;
	args->flags = bo->flags;
	args->vm_id = bo->vm_id;
	args->size = obj->size;
	drm_gem_object_put(obj);
	return 0;
}

/**
 * atom_bo_next() - walk over the buffers of a file
 * @file: file
 * @handle: first handle to look at; set to the one found
 *
 * Return: buffer with a reference for the caller, or NULL at the end.
 */
struct drm_gem_object *atom_bo_next(struct drm_file *file, int *handle)
{
	struct drm_gem_object *obj;

	spin_lock(&file->table_lock);
	obj = idr_get_next(&file->object_idr, handle);
	if (obj)
		drm_gem_object_get(obj);
	spin_unlock(&file->table_lock);
	return obj;
}

/**
 * atom_ioctl_bo_set_label() - DRM_IOCTL_ATOM_BO_SET_LABEL
 * @drm: device
 * @data: struct drm_atom_bo_set_label
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_bo_set_label(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_atom_bo_set_label *args = data;
	char label[ATOM_BO_LABEL_MAX + 1] = {};
	struct drm_gem_object *obj;
	struct atom_bo *bo;

	if (args->bytes > ATOM_BO_LABEL_MAX)
		return -E2BIG;
	if (args->bytes && copy_from_user(label, u64_to_user_ptr(args->label), args->bytes))
		return -EFAULT;
	if (strnlen(label, sizeof(label)) != args->bytes)
		return -EINVAL;

	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	bo = to_atom_bo(obj);
	mutex_lock(&bo->lock);
	strscpy(bo->label, label, sizeof(bo->label));
	mutex_unlock(&bo->lock);
	drm_gem_object_put(obj);
	return 0;
}
