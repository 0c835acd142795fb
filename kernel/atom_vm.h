/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_VM_H
#define ATOM_VM_H

#include <linux/mutex.h>

#include <drm/drm_gpuvm.h>

#include <drm/atom_accel.h>

#include "atom_mmu.h"

struct atom_device;
struct atom_file;
struct drm_file;

/* Page 0 and what follows is never mapped, so that a null pointer faults. */
#define ATOM_VA_START	((u64)SZ_2M)
#define ATOM_VA_END	BIT_ULL(ATOM_VA_BITS)

/* Operations in one VM_BIND. */
#define ATOM_BINDS_MAX	1024

/**
 * struct atom_vm - address space
 */
struct atom_vm {
	/** @base: Tracks the mappings; its reference count is ours. */
	struct drm_gpuvm base;
	/** @adev: Device. */
	struct atom_device *adev;
	/** @lock: Protects the mappings, @mmu, @queues and @destroyed. */
	struct mutex lock;
	/**
	 * @tables_lock: Protects what @mmu's tables say, inside of @lock, because that
	 * one is held while memory is allocated; see DOC: User pointers.
	 */
	struct mutex tables_lock;
	/** @mmu: Page tables. */
	struct atom_mmu mmu;
	/** @queues: Its queues. */
	struct list_head queues;
	/** @destroyed: VM_DESTROY was called, or its file closed. */
	bool destroyed;
	/** @link: Entry of struct atom_device.vms. */
	struct list_head link;
};

static inline struct atom_vm *to_atom_vm(struct drm_gpuvm *gpuvm)
{
	return container_of(gpuvm, struct atom_vm, base);
}

static inline void atom_vm_put(struct atom_vm *vm)
{
	drm_gpuvm_put(&vm->base);
}

/**
 * struct atom_va - one mapping
 */
struct atom_va {
	/** @base: Range and buffer. */
	struct drm_gpuva base;
	/** @vm_bo: Reference to the buffer in the VM. */
	struct drm_gpuvm_bo *vm_bo;
	/** @userptr_link: Entry of struct atom_userptr.vas. */
	struct list_head userptr_link;
	/** @readonly: The device cannot write. */
	bool readonly;
};

static inline struct atom_va *to_atom_va(struct drm_gpuva *va)
{
	return container_of(va, struct atom_va, base);
}

struct atom_vm *atom_vm_lookup(struct drm_file *file, u32 id);
void atom_vm_init_locks(struct atom_vm *vm);
void atom_vm_destroy(struct atom_vm *vm);
void atom_vm_unplug_all(struct atom_device *adev);
void atom_va_free(struct atom_vm *vm, struct atom_va *va);
bool atom_va_range_valid(u64 va, u64 bytes);

/* Callbacks of drm_gpuvm: atom_vm_bind.c. */
int atom_vm_step_map(struct drm_gpuva_op *op, void *priv);
int atom_vm_step_remap(struct drm_gpuva_op *op, void *priv);
int atom_vm_step_unmap(struct drm_gpuva_op *op, void *priv);

int atom_ioctl_vm_create(struct drm_device *drm, void *data, struct drm_file *file);
int atom_ioctl_vm_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int atom_ioctl_vm_bind(struct drm_device *drm, void *data, struct drm_file *file);

#endif
