// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Usage statistics
 *
 * What /proc/PID/fdinfo tells of an open file, in the keys of
 * Documentation/gpu/drm-usage-stats.rst:
 *
 * - drm-engine-npu: wall time that the device worked for queues of the file. It
 *   works for one queue at a time, so that the engine's capacity is one
 * - drm-total-memory, drm-shared-memory, drm-resident-memory, drm-active-memory:
 *   its buffers in system memory; active are those bound in an address space whose
 *   jobs have not all ended
 * - drm-total-local and so on: those in the device's memory
 * - drm-total-shm and so on: those in the device's shared on-chip memory
 *
 * Keys of the driver's own, where the file has queues:
 *
 * - atom-priority: the highest of its queues: low, normal, high or realtime
 * - atom-state: lost (the device is gone or dead), banned (a queue is), busy (jobs
 *   are out) or idle; the first of these that is true
 *
 * And for every file:
 *
 * - atom-events-dropped: events that the file had no room for (DOC: Events)
 */
#include <drm/drm_file.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_fdinfo.h"
#include "atom_queue.h"
#include "atom_vm.h"

/* May a job that has not ended use the buffer? */
static bool atom_fdinfo_is_active(struct drm_gem_object *obj)
{
	struct drm_gpuvm_bo *vm_bo;
	bool active = false;

	dma_resv_lock(obj->resv, NULL);
	drm_gem_for_each_gpuvm_bo(vm_bo, obj)
		active |= !dma_resv_test_signaled(drm_gpuvm_resv(vm_bo->vm),
						  DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(obj->resv);
	return active;
}

static void atom_fdinfo_add(struct drm_memory_stats *stat, struct drm_gem_object *obj)
{
	if (obj->handle_count > 1 || obj->dma_buf)
		stat->shared += obj->size;
	else
		stat->private += obj->size;
	if (!(obj->funcs->status(obj) & DRM_GEM_OBJECT_RESIDENT))
		return;
	stat->resident += obj->size;
	if (atom_fdinfo_is_active(obj))
		stat->active += obj->size;
}

static void atom_fdinfo_memory(struct drm_printer *p, struct drm_file *file)
{
	static const char * const regions[] = {
		[DRM_ATOM_BO_SYSTEM] = "memory",
		[DRM_ATOM_BO_LOCAL] = "local",
		[DRM_ATOM_BO_SHM] = "shm",
	};
	struct drm_memory_stats stats[ARRAY_SIZE(regions)] = {};
	struct drm_gem_object *obj;
	int id = 0;

	while ((obj = atom_bo_next(file, &id))) {
		atom_fdinfo_add(&stats[to_atom_bo(obj)->placement], obj);
		drm_gem_object_put(obj);
		id++;
	}
	for (id = 0; id < ARRAY_SIZE(regions); id++)
		drm_print_memory_stats(p, &stats[id],
				       DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_ACTIVE,
				       regions[id]);
}

/**
 * struct atom_fdinfo_queues - what the queues of a file are, taken together
 */
struct atom_fdinfo_queues {
	/** @busy_ns: Wall time that the device worked for them. */
	u64 busy_ns;
	/** @count: How many. */
	u32 count;
	/** @priority: The highest. */
	u32 priority;
	/** @banned: One takes no more jobs. */
	bool banned;
	/** @busy: One has jobs that have not ended. */
	bool busy;
};

static void atom_fdinfo_take(struct atom_fdinfo_queues *all, struct atom_queue *queue)
{
	all->busy_ns += atom_queue_busy_ns(queue);
	all->count++;
	all->priority = max(all->priority, queue->priority);
	all->banned |= READ_ONCE(queue->banned);
	all->busy |= atomic_read(&queue->outstanding) > 0;
}

static void atom_fdinfo_queues(struct drm_printer *p, struct atom_file *afile)
{
	static const char * const priorities[] = {
		[DRM_ATOM_QUEUE_PRIORITY_LOW] = "low",
		[DRM_ATOM_QUEUE_PRIORITY_NORMAL] = "normal",
		[DRM_ATOM_QUEUE_PRIORITY_HIGH] = "high",
		[DRM_ATOM_QUEUE_PRIORITY_REALTIME] = "realtime",
	};
	struct atom_fdinfo_queues all = { .busy_ns = atomic64_read(&afile->busy_ns) };
	struct atom_queue *queue;
	unsigned long id = 0;

	xa_lock(&afile->queues);
	queue = xa_find(&afile->queues, &id, ULONG_MAX, XA_PRESENT);
	while (queue) {
		atom_queue_get(queue);
		xa_unlock(&afile->queues);
		atom_fdinfo_take(&all, queue);
		atom_queue_put(queue);
		xa_lock(&afile->queues);
		queue = xa_find_after(&afile->queues, &id, ULONG_MAX, XA_PRESENT);
	}
	xa_unlock(&afile->queues);

	drm_printf(p, "drm-engine-npu:\t%llu ns\n", all.busy_ns);
	if (!all.count)
		return;
	drm_printf(p, "atom-priority:\t%s\n", priorities[all.priority]);
	drm_printf(p, "atom-state:\t%s\n", atom_device_is_lost(afile->adev) ? "lost" :
		   all.banned ? "banned" : all.busy ? "busy" : "idle");
}

/**
 * atom_fdinfo_show() - tell what a file uses
 * @p: where to print
 * @file: file
 */
void atom_fdinfo_show(struct drm_printer *p, struct drm_file *file)
{
	struct atom_file *afile = file->driver_priv;

	atom_fdinfo_queues(p, afile);
	atom_fdinfo_memory(p, file);
	drm_printf(p, "atom-events-dropped:\t%d\n", atomic_read(&afile->events_dropped));
}
