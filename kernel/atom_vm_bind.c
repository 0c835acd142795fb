// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: VM_BIND
 *
 * The operations of one call are done in order, all or none:
 *
 * 1. Without locks: the operations are copied and checked, buffers looked up,
 *    their pages pinned (those of user pointers outside of drm_dev_enter()). Most
 *    errors end the call here.
 * 2. Under the VM's lock each operation changes the tree of mappings, and a list
 *    notes every step. Only memory can be missing now; the list is then walked
 *    backwards, and the tree is what it was. The page tables are not touched.
 * 3. Nothing can fail any more: spare page tables are there. The steps change
 *    the page tables, the device forgets what was replaced (TLB_INVALIDATE), and
 *    only then the buffers that lost their mapping are let go.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_trace.h"
#include "atom_uapi.h"
#include "atom_userptr.h"
#include "atom_vm.h"

enum atom_bind_step_kind {
	ATOM_STEP_INSERT,
	ATOM_STEP_REMOVE,
};

/**
 * struct atom_bind_step - one change of the tree
 */
struct atom_bind_step {
	/** @link: Entry of struct atom_bind.steps. */
	struct list_head link;
	/** @kind: What was done. */
	enum atom_bind_step_kind kind;
	/** @va: To what. */
	struct atom_va *va;
	/** @start: First address to change in the page tables. */
	u64 start;
	/** @bytes: Bytes to change there; 0 = none, the translation stays. */
	u64 bytes;
};

/**
 * struct atom_bind_op - one operation, checked
 */
struct atom_bind_op {
	/** @args: From the caller. */
	struct drm_atom_vm_bind_op args;
	/** @obj: MAP: buffer. */
	struct drm_gem_object *obj;
	/** @offset: MAP: bytes into it. */
	u64 offset;
	/** @tables: Page tables that it may take. */
	u32 tables;
};

/**
 * struct atom_bind - one call of VM_BIND
 */
struct atom_bind {
	/** @vm: Address space. */
	struct atom_vm *vm;
	/** @file: Caller. */
	struct drm_file *file;
	/** @ops: Operations. */
	struct atom_bind_op *ops;
	/** @count: How many. */
	u32 count;
	/** @op: The one being done. */
	struct atom_bind_op *op;
	/** @steps: What was done to the tree. */
	struct list_head steps;
};

static struct atom_mapping atom_bind_mapping(struct atom_bind *bind, u64 va, u64 bytes,
					     struct drm_gem_object *obj, u64 offset, bool readonly)
{
	struct atom_bo *bo = to_atom_bo(obj);

	return (struct atom_mapping) {
		.va = va,
		.bytes = bytes,
		.offset = offset,
		.extents = bo->extents,
		.extent_count = bo->extent_count,
		.aperture = atom_bo_aperture(bo),
		.page_sizes = bind->vm->adev->limits.page_sizes,
		.readonly = readonly,
	};
}

static int atom_bind_note(struct atom_bind *bind, enum atom_bind_step_kind kind,
			  struct atom_va *va, u64 start, u64 bytes)
{
	struct atom_bind_step *step = kmalloc_obj(*step, GFP_KERNEL);

	if (!step)
		return -ENOMEM;
	step->kind = kind;
	step->va = va;
	step->start = start;
	step->bytes = bytes;
	list_add_tail(&step->link, &bind->steps);
	return 0;
}

/* A mapping of @obj, with its own reference to it. */
static struct atom_va *atom_bind_new_va(struct atom_bind *bind, struct drm_gem_object *obj,
					bool readonly)
{
	struct atom_va *va = kzalloc_obj(*va, GFP_KERNEL_ACCOUNT);

	if (!va)
		return ERR_PTR(-ENOMEM);

	dma_resv_lock(obj->resv, NULL);
	va->vm_bo = drm_gpuvm_bo_obtain_locked(&bind->vm->base, obj);
	dma_resv_unlock(obj->resv);
	if (IS_ERR(va->vm_bo)) {
		int ret = PTR_ERR(va->vm_bo);

		kfree(va);
		return ERR_PTR(ret);
	}
	INIT_LIST_HEAD(&va->userptr_link);
	va->base.gem.obj = obj;
	va->readonly = readonly;
	atomic_inc(&bind->vm->adev->counters.mappings);
	return va;
}

/**
 * atom_vm_step_map() - drm_gpuvm: insert a mapping
 * @op: what to map
 * @priv: struct atom_bind
 *
 * Return: 0 or -ENOMEM.
 */
int atom_vm_step_map(struct drm_gpuva_op *op, void *priv)
{
	struct atom_bind *bind = priv;
	struct atom_va *va;
	int ret;

	va = atom_bind_new_va(bind, op->map.gem.obj,
			      bind->op->args.flags & DRM_ATOM_VM_BIND_READONLY);
	if (IS_ERR(va))
		return PTR_ERR(va);
	ret = atom_bind_note(bind, ATOM_STEP_INSERT, va, op->map.va.addr, op->map.va.range);
	if (ret) {
		atom_va_free(bind->vm, va);
		return ret;
	}
	drm_gpuva_map(&bind->vm->base, &va->base, &op->map);
	return 0;
}

/**
 * atom_vm_step_unmap() - drm_gpuvm: remove a mapping
 * @op: which
 * @priv: struct atom_bind
 *
 * Return: 0 or -ENOMEM.
 */
int atom_vm_step_unmap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva *va = op->unmap.va;
	struct atom_bind *bind = priv;
	int ret;

	ret = atom_bind_note(bind, ATOM_STEP_REMOVE, to_atom_va(va), va->va.addr, va->va.range);
	if (!ret)
		drm_gpuva_unmap(&op->unmap);
	return ret;
}

/**
 * atom_vm_step_remap() - drm_gpuvm: cut a part out of a mapping
 * @op: what is left of which
 * @priv: struct atom_bind
 *
 * Return: 0 or -ENOMEM.
 */
int atom_vm_step_remap(struct drm_gpuva_op *op, void *priv)
{
	struct drm_gpuva_op_remap *remap = &op->remap;
	struct atom_va *old = to_atom_va(remap->unmap->va);
	struct atom_va *prev = NULL, *next = NULL;
	struct atom_bind *bind = priv;
	u64 start, bytes;
	int ret;

	if (remap->prev) {
		prev = atom_bind_new_va(bind, remap->prev->gem.obj, old->readonly);
		if (IS_ERR(prev))
			return PTR_ERR(prev);
	}
	if (remap->next) {
		next = atom_bind_new_va(bind, remap->next->gem.obj, old->readonly);
		if (IS_ERR(next)) {
			ret = PTR_ERR(next);
			next = NULL;
			goto free;
		}
	}

	drm_gpuva_op_remap_to_unmap_range(remap, &start, &bytes);
	ret = atom_bind_note(bind, ATOM_STEP_REMOVE, old, start, bytes);
	if (ret)
		goto free;
	/* What is left keeps its translations: nothing to write for it. */
	if (prev)
		ret = atom_bind_note(bind, ATOM_STEP_INSERT, prev, 0, 0);
	if (!ret && next)
		ret = atom_bind_note(bind, ATOM_STEP_INSERT, next, 0, 0);
	if (ret)
		goto unnote;

	drm_gpuva_remap(prev ? &prev->base : NULL, next ? &next->base : NULL, remap);
	return 0;

unnote:
	/* The tree is untouched: the notes of this step must not be undone. */
	while (!list_empty(&bind->steps)) {
		struct atom_bind_step *step = list_last_entry(&bind->steps,
							      struct atom_bind_step, link);
		bool last = step->va == old;

		list_del(&step->link);
		kfree(step);
		if (last)
			break;
	}
free:
	if (prev)
		atom_va_free(bind->vm, prev);
	if (next)
		atom_va_free(bind->vm, next);
	return ret;
}

/* Make the tree what it was. */
static void atom_bind_undo(struct atom_bind *bind)
{
	struct atom_bind_step *step, *prior;

	list_for_each_entry_safe_reverse(step, prior, &bind->steps, link) {
		if (step->kind == ATOM_STEP_INSERT) {
			drm_gpuva_remove(&step->va->base);
			atom_va_free(bind->vm, step->va);
		} else {
			/* Its place is free again, so that it cannot fail. */
			WARN_ON(drm_gpuva_insert(&bind->vm->base, &step->va->base));
		}
		list_del(&step->link);
		kfree(step);
	}
}

static bool atom_va_is_userptr(const struct atom_va *va)
{
	return to_atom_bo(va->base.gem.obj)->userptr;
}

static void atom_bind_remove(struct atom_bind *bind, const struct atom_bind_step *step)
{
	if (atom_va_is_userptr(step->va))
		atom_userptr_remove(step->va);
	if (step->bytes)
		atom_mmu_unmap(&bind->vm->mmu, step->start, step->bytes);
}

static void atom_bind_insert(struct atom_bind *bind, const struct atom_bind_step *step)
{
	struct atom_va *va = step->va;
	struct atom_mapping mapping;

	if (atom_va_is_userptr(va) && !atom_userptr_insert(va))
		return;
	if (!step->bytes)
		return;
	mapping = atom_bind_mapping(bind, step->start, step->bytes, va->base.gem.obj,
				    va->base.gem.offset, va->readonly);
	atom_mmu_map(&bind->vm->mmu, &mapping);
}

/* The steps in order, and the device knows of all: whoever revokes a user pointer sees it so. */
static int atom_bind_write_tables(struct atom_bind *bind)
{
	struct atom_bind_step *step;
	int ret;

	mutex_lock(&bind->vm->tables_lock);
	list_for_each_entry(step, &bind->steps, link) {
		cond_resched();
		if (step->kind == ATOM_STEP_REMOVE)
			atom_bind_remove(bind, step);
		else
			atom_bind_insert(bind, step);
	}
	ret = atom_mmu_flush(&bind->vm->mmu);
	mutex_unlock(&bind->vm->tables_lock);
	return ret;
}

static void atom_bind_link(struct atom_va *va)
{
	struct drm_gem_object *obj = va->base.gem.obj;

	dma_resv_lock(obj->resv, NULL);
	drm_gpuva_link(&va->base, va->vm_bo);
	dma_resv_unlock(obj->resv);
}

static int atom_bind_commit(struct atom_bind *bind)
{
	struct atom_bind_step *step, *next;
	int ret = atom_bind_write_tables(bind);

	/* A step may remove what an earlier one inserted: in order. */
	list_for_each_entry_safe(step, next, &bind->steps, link) {
		if (step->kind == ATOM_STEP_INSERT)
			atom_bind_link(step->va);
		else
			atom_va_free(bind->vm, step->va);
		list_del(&step->link);
		kfree(step);
	}
	return ret;
}

static int atom_bind_change_tree(struct atom_bind *bind)
{
	struct drm_gpuvm *gpuvm = &bind->vm->base;
	u32 i;

	for (i = 0; i < bind->count; i++) {
		const struct drm_atom_vm_bind_op *args = &bind->ops[i].args;
		int ret;

		trace_atom_vm_bind(bind->vm, args);
		bind->op = &bind->ops[i];
		if (bind->op->obj) {
			struct drm_gpuvm_map_req req = {
				.map.va.addr = args->va,
				.map.va.range = args->bytes,
				.map.gem.obj = bind->op->obj,
				.map.gem.offset = bind->op->offset,
			};

			ret = drm_gpuvm_sm_map(gpuvm, bind, &req);
		} else {
			ret = drm_gpuvm_sm_unmap(gpuvm, bind, args->va, args->bytes);
		}
		if (ret)
			return ret;
	}
	return 0;
}

static int atom_bind_run(struct atom_bind *bind)
{
	struct atom_vm *vm = bind->vm;
	u64 tables = 0;
	int ret;
	u32 i;

	for (i = 0; i < bind->count; i++)
		tables += bind->ops[i].tables;
	if (tables > U32_MAX)
		return -ENOMEM;

	mutex_lock(&vm->lock);
	if (vm->destroyed) {
		ret = -ENOENT;
		goto unlock;
	}
	ret = atom_mmu_reserve(&vm->mmu, tables);
	if (!ret)
		ret = atom_bind_change_tree(bind);
	if (ret) {
		atom_bind_undo(bind);
		/* No step: gives surplus tables back. */
		atom_bind_write_tables(bind);
		goto unlock;
	}
	ret = atom_bind_commit(bind);
unlock:
	mutex_unlock(&vm->lock);
	return ret;
}

/* The buffer of @op is mapped for DMA, and the tables that its mapping may take are counted. */
static int atom_bind_plan_map(struct atom_bind *bind, struct atom_bind_op *op)
{
	struct atom_mapping mapping;
	int ret;

	ret = atom_bo_backing(to_atom_bo(op->obj));
	if (ret)
		return ret;
	mapping = atom_bind_mapping(bind, op->args.va, op->args.bytes, op->obj, op->offset, false);
	op->tables += atom_mmu_tables_for_map(&mapping);
	return 0;
}

static int atom_bind_check_map(struct atom_bind *bind, struct atom_bind_op *op)
{
	struct drm_atom_vm_bind_op *args = &op->args;
	struct atom_bo *bo;

	op->obj = drm_gem_object_lookup(bind->file, args->bo_handle);
	if (!op->obj)
		return -ENOENT;
	bo = to_atom_bo(op->obj);
	if (bo->vm_root && bo->vm_root != drm_gpuvm_resv_obj(&bind->vm->base))
		return -EINVAL;
	if (!IS_ALIGNED(args->bo_offset, SZ_4K) || args->bo_offset >= op->obj->size ||
	    args->bytes > op->obj->size - args->bo_offset)
		return -EINVAL;
	op->offset = args->bo_offset;
	return atom_bind_plan_map(bind, op);
}

static int atom_bind_check_op(struct atom_bind *bind, struct atom_bind_op *op)
{
	struct drm_atom_vm_bind_op *args = &op->args;

	if (args->pad || !atom_va_range_valid(args->va, args->bytes))
		return -EINVAL;

	op->tables = atom_mmu_tables_for_unmap();
	switch (args->op) {
	case DRM_ATOM_VM_BIND_OP_MAP:
		if (args->flags & ~DRM_ATOM_VM_BIND_READONLY)
			return -EINVAL;
		return atom_bind_check_map(bind, op);
	case DRM_ATOM_VM_BIND_OP_MAP_USERPTR:
		/* The rest was checked before it was pinned. */
		return atom_bind_plan_map(bind, op);
	case DRM_ATOM_VM_BIND_OP_UNMAP:
		if (args->flags || args->bo_handle || args->bo_offset)
			return -EINVAL;
		return 0;
	default:
		return -EINVAL;
	}
}

static int atom_bind_get_ops(struct atom_bind *bind, const struct drm_atom_obj_array *array)
{
	struct drm_atom_vm_bind_op *args;
	u32 i;

	args = ATOM_UOBJ_GET_ARRAY(array, ATOM_BINDS_MAX, struct drm_atom_vm_bind_op, bytes);
	if (IS_ERR(args))
		return PTR_ERR(args);

	bind->ops = kvcalloc(array->count, sizeof(*bind->ops), GFP_KERNEL);
	if (!bind->ops) {
		kvfree(args);
		return -ENOMEM;
	}
	bind->count = array->count;
	for (i = 0; i < bind->count; i++)
		bind->ops[i].args = args[i];
	kvfree(args);
	return 0;
}

/* Outside of drm_dev_enter(), because it waits for page faults. */
static int atom_bind_pin_userptrs(struct atom_bind *bind)
{
	u32 i;

	for (i = 0; i < bind->count; i++) {
		const struct drm_atom_vm_bind_op *args = &bind->ops[i].args;
		struct atom_bo *bo;

		if (args->op != DRM_ATOM_VM_BIND_OP_MAP_USERPTR)
			continue;
		if (args->pad || args->flags & ~DRM_ATOM_VM_BIND_READONLY || args->bo_handle ||
		    !atom_va_range_valid(args->va, args->bytes))
			return -EINVAL;
		bo = atom_userptr_create(bind->file->driver_priv, bind->vm, args->bo_offset,
					 args->bytes, args->flags & DRM_ATOM_VM_BIND_READONLY);
		if (IS_ERR(bo))
			return PTR_ERR(bo);
		bind->ops[i].obj = &bo->shmem.base;
	}
	return 0;
}

static int atom_bind_check_ops(struct atom_bind *bind)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < bind->count && !ret; i++) {
		/* Each one may be about all the memory of the machine. */
		cond_resched();
		ret = fatal_signal_pending(current) ? -EINTR :
		      atom_bind_check_op(bind, &bind->ops[i]);
	}
	return ret;
}

static void atom_bind_put_ops(struct atom_bind *bind)
{
	u32 i;

	for (i = 0; i < bind->count; i++)
		if (bind->ops[i].obj)
			drm_gem_object_put(bind->ops[i].obj);
	kvfree(bind->ops);
}

/**
 * atom_ioctl_vm_bind() - DRM_IOCTL_ATOM_VM_BIND
 * @drm: device
 * @data: struct drm_atom_vm_bind
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct drm_atom_vm_bind *args = data;
	struct atom_bind bind = { .file = file, .steps = LIST_HEAD_INIT(bind.steps) };
	int ret, idx;

	if (args->flags & ~DRM_ATOM_VM_BIND_ASYNC)
		return -EINVAL;
	if (args->flags & DRM_ATOM_VM_BIND_ASYNC)
		return -EOPNOTSUPP;
	if (args->syncs.count)
		return -EINVAL;

	bind.vm = atom_vm_lookup(file, args->vm_id);
	if (!bind.vm)
		return -ENOENT;
	ret = args->ops.count ? atom_bind_get_ops(&bind, &args->ops) : 0;
	if (!ret)
		ret = atom_bind_pin_userptrs(&bind);
	if (!ret)
		ret = atom_ioctl_enter(drm, &idx);
	if (!ret) {
		ret = atom_bind_check_ops(&bind);
		if (!ret && bind.count)
			ret = atom_bind_run(&bind);
		drm_dev_exit(idx);
	}
	atom_bind_put_ops(&bind);
	atom_vm_put(bind.vm);
	return ret;
}
