// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Teaches lockdep the order of DOC: Locks, so that whoever breaks it is reported the first time,
 * and not only when somebody else happens to keep it.
 */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_lockdep.h"
#include "atom_queue.h"
#include "atom_vm.h"

/* Stand-ins: their locks are of the same classes as the real ones. */
struct atom_lockdep {
	struct atom_bo bo;
	struct atom_vm vm;
	struct atom_queue queue;
	struct dma_resv resv;
};

/* What a fence may wait for: neither allocates memory nor waits for fences. */
static void atom_lockdep_prime_inner(struct atom_device *adev, struct atom_lockdep *locks)
{
	struct atom_reset *reset = &adev->reset;

	mutex_lock(&locks->vm.tables_lock);
	lock_map_acquire(&reset->dep_map);
	down_write(&reset->hw);
	mutex_lock(&locks->queue.submit_lock);
	mutex_lock(&adev->lists_lock);
	mutex_lock(&adev->admin.lock);
	mutex_lock(&adev->stop_lock);
	mutex_lock(&adev->telemetry.lock);
	mutex_lock(&adev->events.lock);

	spin_lock_irq(&adev->queue_lock);
	spin_lock(&locks->queue.fence_lock);
	spin_unlock(&locks->queue.fence_lock);
	spin_unlock_irq(&adev->queue_lock);

	mutex_unlock(&adev->events.lock);
	mutex_unlock(&adev->telemetry.lock);
	mutex_unlock(&adev->stop_lock);
	mutex_unlock(&adev->admin.lock);
	mutex_unlock(&adev->lists_lock);
	mutex_unlock(&locks->queue.submit_lock);
	up_write(&reset->hw);
	lock_map_release(&reset->dep_map);
	mutex_unlock(&locks->vm.tables_lock);
}

static void atom_lockdep_prime_outer(struct atom_device *adev, struct atom_lockdep *locks)
{
	bool cookie;

	mutex_lock(&locks->queue.hw_lock);
	mutex_lock(&locks->vm.lock);
	mutex_lock(&locks->bo.lock);
	dma_resv_lock(&locks->resv, NULL);
	mutex_lock(&adev->vram.lock);

	/* Takes the MMU notifiers' part, too. */
	fs_reclaim_acquire(GFP_KERNEL);
	cookie = dma_fence_begin_signalling();
	atom_lockdep_prime_inner(adev, locks);
	dma_fence_end_signalling(cookie);
	fs_reclaim_release(GFP_KERNEL);

	mutex_unlock(&adev->vram.lock);
	dma_resv_unlock(&locks->resv);
	mutex_unlock(&locks->bo.lock);
	mutex_unlock(&locks->vm.lock);
	mutex_unlock(&locks->queue.hw_lock);
}

/**
 * atom_lockdep_prime() - take all locks once, in their order
 * @adev: device, started, which nobody uses yet
 */
void atom_lockdep_prime(struct atom_device *adev)
{
	struct atom_lockdep *locks = kzalloc_obj(*locks, GFP_KERNEL);
	struct mm_struct *mm = current->mm;

	if (!locks)
		return;
	atom_bo_init_lock(&locks->bo);
	atom_vm_init_locks(&locks->vm);
	atom_queue_init_locks(&locks->queue);
	dma_resv_init(&locks->resv);

	/* A worker has none. */
	if (mm)
		mmap_read_lock(mm);
	atom_lockdep_prime_outer(adev, locks);
	if (mm)
		mmap_read_unlock(mm);

	dma_resv_fini(&locks->resv);
	mutex_destroy(&locks->queue.submit_lock);
	mutex_destroy(&locks->queue.hw_lock);
	mutex_destroy(&locks->vm.tables_lock);
	mutex_destroy(&locks->vm.lock);
	mutex_destroy(&locks->bo.lock);
	kfree(locks);
}
