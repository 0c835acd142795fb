// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: User pointers
 *
 * VM_BIND can map memory of the calling program. It becomes a SYSTEM buffer without
 * a handle, known only to the mappings that the operation makes, and those that are
 * cut out of them later.
 *
 * *Pinned, and watched.* The device cannot resume a job that faulted, so that its
 * memory must not move: the pages are pinned (FOLL_LONGTERM) as long as anything
 * of the range is bound. A pin alone would let jobs go on in memory that the program
 * has unmapped, and that is perhaps another object's by then in the eyes of its
 * allocator. So an MMU notifier watches the range: when a part of it is unmapped
 * (munmap, mremap, the end of the program, or a mapping over it), the device loses
 * all of it before that call returns; a job that uses it then faults. The pages
 * stay pinned, and charged, until they are unbound.
 *
 * Nothing else that the kernel tells a notifier takes memory away from a pinned
 * range. Reclaim, migration and deduplication leave pinned pages alone; fork()
 * copies them for the child at once. What replaces pages by the program's own wish
 * (MADV_DONTNEED, MADV_REMOVE) leaves the device with the old ones, and mprotect()
 * does not bind the device.
 *
 * *Charged.* To RLIMIT_MEMLOCK of the program (pinned_vm, VmPin in its status), which
 * CAP_IPC_LOCK lifts; and to the user's quota of system memory. Both are -ENOMEM.
 *
 * *Permissions.* Pages are pinned as the program itself could touch them. What it
 * can only read must be bound read-only; -EFAULT otherwise, as for holes, for
 * mappings of devices, and for writable files whose system needs to know of writes.
 *
 * *Locks.* Pinning waits for page faults, that is for file systems, so it is done
 * before drm_dev_enter() and without a lock. The notifier is called under mmap_lock
 * and, as far as lockdep knows, in the middle of any allocation: it takes struct
 * atom_vm.tables_lock only, inside of which nothing allocates memory.
 */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_userptr.h"
#include "atom_vm.h"

/* Pages to pin between two looks at whether others want the CPU. */
#define ATOM_PIN_CHUNK	4096

/* The device is coherent; and a program may bind the same memory as often as it likes. */
#define ATOM_USERPTR_DMA_ATTRS	(DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_NO_WARN)

/**
 * struct atom_userptr - memory of a program that an address space maps
 */
struct atom_userptr {
	/** @notifier: Tells when the program's mapping of it ends. */
	struct mmu_interval_notifier notifier;
	/** @vm: Address space; a reference is held. */
	struct atom_vm *vm;
	/** @pages: Pinned pages. */
	struct page **pages;
	/** @count: How many are pinned. */
	unsigned long count;
	/** @total: How many there shall be, and the program is charged for. */
	unsigned long total;
	/** @readonly: The device cannot write. */
	bool readonly;
	/** @revoked: The program's mapping has ended; under struct atom_vm.tables_lock. */
	bool revoked;
	/** @vas: struct atom_va.userptr_link of what is in page tables; as @revoked. */
	struct list_head vas;
};

/**
 * atom_userptr_insert() - a mapping of a user pointer comes into the page tables
 * @va: mapping; the caller holds struct atom_vm.tables_lock
 *
 * Return: false if the program's memory has gone: nothing may be mapped.
 */
bool atom_userptr_insert(struct atom_va *va)
{
	struct atom_userptr *userptr = to_atom_bo(va->base.gem.obj)->userptr;

	lockdep_assert_held(&userptr->vm->tables_lock);

	if (userptr->revoked)
		return false;
	list_add_tail(&va->userptr_link, &userptr->vas);
	return true;
}

/**
 * atom_userptr_remove() - a mapping of a user pointer leaves the page tables
 * @va: mapping; the caller holds struct atom_vm.tables_lock
 */
void atom_userptr_remove(struct atom_va *va)
{
	list_del_init(&va->userptr_link);
}

/* After the return the device reaches nothing of it. */
static void atom_userptr_revoke(struct atom_userptr *userptr)
{
	struct atom_vm *vm = userptr->vm;
	struct atom_va *va, *next;
	bool there;
	int idx;

	/* Without the device, nobody reaches anything; nor is there a table to change. */
	there = drm_dev_enter(&vm->adev->drm, &idx);
	mutex_lock(&vm->tables_lock);
	userptr->revoked = true;
	list_for_each_entry_safe(va, next, &userptr->vas, userptr_link) {
		/* Whole mappings: no page reaches beyond, and no spare table is needed. */
		if (there)
			atom_mmu_unmap(&vm->mmu, va->base.va.addr, va->base.va.range);
		atom_userptr_remove(va);
	}
	if (there)
		atom_mmu_invalidate(&vm->mmu);
	mutex_unlock(&vm->tables_lock);
	if (there)
		drm_dev_exit(idx);
}

static bool atom_userptr_invalidate(struct mmu_interval_notifier *notifier,
				    const struct mmu_notifier_range *range, unsigned long seq)
{
	/* Pages are pinned, not looked up anew: only the end of the range matters. */
	mmu_interval_set_seq(notifier, seq);
	if (range->event != MMU_NOTIFY_UNMAP && range->event != MMU_NOTIFY_RELEASE)
		return true;
	if (!mmu_notifier_range_blockable(range))
		return false;
	atom_userptr_revoke(container_of(notifier, struct atom_userptr, notifier));
	return true;
}

static const struct mmu_interval_notifier_ops atom_userptr_notifier_ops = {
	.invalidate = atom_userptr_invalidate,
};

static int atom_userptr_charge(struct atom_userptr *userptr, struct mm_struct *mm)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic64_add_return(userptr->total, &mm->pinned_vm) <= limit ||
	    capable(CAP_IPC_LOCK))
		return 0;
	atomic64_sub(userptr->total, &mm->pinned_vm);
	return -ENOMEM;
}

static int atom_userptr_pin(struct atom_userptr *userptr, u64 address)
{
	unsigned int flags = FOLL_LONGTERM | (userptr->readonly ? 0 : FOLL_WRITE);

	while (userptr->count < userptr->total) {
		int pages = min_t(unsigned long, userptr->total - userptr->count, ATOM_PIN_CHUNK);
		int ret;

		if (fatal_signal_pending(current))
			return -EINTR;
		ret = pin_user_pages_fast(address + ((u64)userptr->count << PAGE_SHIFT), pages,
					  flags, userptr->pages + userptr->count);
		if (ret <= 0)
			return ret ?: -EFAULT;
		userptr->count += ret;
		cond_resched();
	}
	return 0;
}

static void atom_userptr_unpin(struct atom_userptr *userptr)
{
	unpin_user_pages_dirty_lock(userptr->pages, userptr->count, !userptr->readonly);
}

/* No error of it leaves anything behind. */
static int atom_userptr_init(struct atom_userptr *userptr, u64 address)
{
	u64 bytes = (u64)userptr->total << PAGE_SHIFT;
	struct mm_struct *mm = current->mm;
	int ret;

	ret = atom_userptr_charge(userptr, mm);
	if (ret)
		return ret;
	/* Watched first, so that no end of the range is missed. */
	ret = mmu_interval_notifier_insert(&userptr->notifier, mm, address, bytes,
					   &atom_userptr_notifier_ops);
	if (ret)
		goto uncharge;
	ret = atom_userptr_pin(userptr, address);
	if (!ret)
		return 0;

	mmu_interval_notifier_remove(&userptr->notifier);
	atom_userptr_unpin(userptr);
uncharge:
	atomic64_sub(userptr->total, &mm->pinned_vm);
	return ret;
}

static void atom_userptr_fini(struct atom_userptr *userptr)
{
	atomic64_sub(userptr->total, &userptr->notifier.mm->pinned_vm);
	mmu_interval_notifier_remove(&userptr->notifier);
	atom_userptr_unpin(userptr);
}

static enum dma_data_direction atom_userptr_direction(const struct atom_userptr *userptr)
{
	return userptr->readonly ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL;
}

static int atom_userptr_map(struct atom_bo *bo)
{
	struct atom_userptr *userptr = bo->userptr;
	struct device *dev = bo->shmem.base.dev->dev;
	struct sg_table *sgt;
	int ret;

	sgt = kzalloc_obj(*sgt, GFP_KERNEL);
	if (!sgt)
		return -ENOMEM;
	ret = sg_alloc_table_from_pages(sgt, userptr->pages, userptr->total, 0,
					bo->shmem.base.size, GFP_KERNEL);
	if (ret)
		goto free;
	ret = dma_map_sgtable(dev, sgt, atom_userptr_direction(userptr),
			      ATOM_USERPTR_DMA_ATTRS);
	if (ret)
		goto free_table;
	ret = atom_bo_set_extents(bo, sgt);
	if (ret)
		goto unmap;
	return 0;

unmap:
	dma_unmap_sgtable(dev, sgt, atom_userptr_direction(userptr),
			  ATOM_USERPTR_DMA_ATTRS);
free_table:
	sg_free_table(sgt);
free:
	kfree(sgt);
	return ret;
}

static void atom_userptr_unmap(struct atom_bo *bo)
{
	dma_unmap_sgtable(bo->shmem.base.dev->dev, bo->sgt, atom_userptr_direction(bo->userptr),
			  ATOM_USERPTR_DMA_ATTRS);
	sg_free_table(bo->sgt);
	kfree(bo->sgt);
}

static void atom_userptr_free(struct atom_bo *bo)
{
	struct atom_userptr *userptr = bo->userptr;

	drm_gem_object_release(&bo->shmem.base);
	kfree(bo);
	if (!userptr)
		return;
	atom_userptr_fini(userptr);
	atom_vm_put(userptr->vm);
	kvfree(userptr->pages);
	kfree(userptr);
}

static const struct atom_memory_ops atom_userptr_ops = {
	.map = atom_userptr_map,
	.unmap = atom_userptr_unmap,
	.free = atom_userptr_free,
};

static struct atom_userptr *atom_userptr_alloc(struct atom_vm *vm, u64 address, u64 bytes,
					       bool readonly)
{
	struct atom_userptr *userptr;
	int ret = -ENOMEM;

	userptr = kzalloc_obj(*userptr, GFP_KERNEL_ACCOUNT);
	if (!userptr)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&userptr->vas);
	userptr->vm = vm;
	userptr->readonly = readonly;
	userptr->total = bytes >> PAGE_SHIFT;
	userptr->pages = kvcalloc(userptr->total, sizeof(*userptr->pages), GFP_KERNEL_ACCOUNT);
	if (userptr->pages)
		ret = atom_userptr_init(userptr, address);
	if (ret) {
		kvfree(userptr->pages);
		kfree(userptr);
		return ERR_PTR(ret);
	}
	drm_gpuvm_get(&vm->base);
	return userptr;
}

/**
 * atom_userptr_create() - make a buffer of the calling program's memory
 * @afile: file, whose user is charged
 * @vm: address space that it is for
 * @address: of the memory
 * @bytes: its size
 * @readonly: the device will not write
 *
 * Sleeps as long as page faults do: neither inside of drm_dev_enter() nor with a lock.
 *
 * Return: buffer without a handle, or an error pointer.
 */
struct atom_bo *atom_userptr_create(struct atom_file *afile, struct atom_vm *vm, u64 address,
				    u64 bytes, bool readonly)
{
	struct atom_userptr *userptr;
	struct atom_bo *bo;
	int ret;

	if (!bytes || !PAGE_ALIGNED(address | bytes) || address + bytes < address)
		return ERR_PTR(-EINVAL);
	if (bytes >> PAGE_SHIFT > totalram_pages())
		return ERR_PTR(-ENOMEM);

	bo = atom_bo_create_foreign(afile->adev, bytes, &atom_userptr_ops);
	if (IS_ERR(bo))
		return bo;
	atom_bo_make_private(bo, vm);
	/* What is over the quota is not even pinned for a moment. */
	ret = atom_bo_charge(bo, afile->quota);
	if (!ret) {
		userptr = atom_userptr_alloc(vm, address, bytes, readonly);
		ret = PTR_ERR_OR_ZERO(userptr);
	}
	if (ret) {
		drm_gem_object_put(&bo->shmem.base);
		return ERR_PTR(ret);
	}
	bo->userptr = userptr;
	return bo;
}
