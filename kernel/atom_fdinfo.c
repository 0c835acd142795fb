// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Usage statistics
 *
 * What /proc/PID/fdinfo tells of an open file, in the keys of
 * Documentation/gpu/drm-usage-stats.rst:
 *
 * - drm-engine-npu: wall time that the device worked for queues of the file
 * - drm-total-memory, drm-shared-memory, drm-resident-memory: its buffers in
 *   system memory
 * - drm-total-local and so on: those in the device's memory
 * - drm-total-shm and so on: those in the device's shared on-chip memory
 * - atom-priority: the highest of its queues: low, normal, high or realtime
 * - atom-state: of its queues: busy (one has jobs), else idle; banned if one is
 * - atom-events-dropped: events that the file had no room for (DOC: Events)
 */
#include <drm/drm_file.h>

#include "atom_bo.h"
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_fdinfo.h"
#include "atom_queue.h"

static void atom_fdinfo_memory(struct drm_printer *p, struct drm_file *file)
{
	static const char * const regions[] = {
		[DRM_ATOM_BO_SYSTEM] = "memory",
		[DRM_ATOM_BO_LOCAL] = "local",
		[DRM_ATOM_BO_SHM] = "shm",
	};
	struct drm_memory_stats stats[ARRAY_SIZE(regions)] = {};
	struct drm_gem_object *obj;
	int id;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, id) {
		struct drm_memory_stats *stat = &stats[to_atom_bo(obj)->placement];

		if (obj->handle_count > 1 || obj->dma_buf)
			stat->shared += obj->size;
		else
			stat->private += obj->size;
		if (obj->funcs->status(obj) & DRM_GEM_OBJECT_RESIDENT)
			stat->resident += obj->size;
	}
	spin_unlock(&file->table_lock);

	for (id = 0; id < ARRAY_SIZE(regions); id++)
		drm_print_memory_stats(p, &stats[id], DRM_GEM_OBJECT_RESIDENT, regions[id]);
}

/**
 * atom_fdinfo_show() - tell what a file uses
 * @p: where to print
 * @file: file
 */
void atom_fdinfo_show(struct drm_printer *p, struct drm_file *file)
{
	static const char * const priorities[] = {
		[DRM_ATOM_QUEUE_PRIORITY_LOW] = "low",
		[DRM_ATOM_QUEUE_PRIORITY_NORMAL] = "normal",
		[DRM_ATOM_QUEUE_PRIORITY_HIGH] = "high",
		[DRM_ATOM_QUEUE_PRIORITY_REALTIME] = "realtime",
	};
	struct atom_file *afile = file->driver_priv;
	u64 busy = atomic64_read(&afile->busy_ns);
	bool has_jobs = false, banned = false;
	int priority = -1;
	struct atom_queue *queue;
	unsigned long id = 0;

	xa_lock(&afile->queues);
	queue = xa_find(&afile->queues, &id, ULONG_MAX, XA_PRESENT);
	while (queue) {
		atom_queue_get(queue);
		xa_unlock(&afile->queues);
		busy += atom_queue_busy_ns(queue);
		priority = max_t(int, priority, queue->priority);
		has_jobs |= atomic_read(&queue->outstanding) != 0;
		banned |= READ_ONCE(queue->banned);
		atom_queue_put(queue);
		xa_lock(&afile->queues);
		queue = xa_find_after(&afile->queues, &id, ULONG_MAX, XA_PRESENT);
	}
	xa_unlock(&afile->queues);

	drm_printf(p, "drm-engine-npu:\t%llu ns\n", busy);
	atom_fdinfo_memory(p, file);
	if (priority >= 0)
		drm_printf(p, "atom-priority:\t%s\n", priorities[priority]);
	drm_printf(p, "atom-state:\t%s\n", banned ? "banned" : has_jobs ? "busy" : "idle");
	drm_printf(p, "atom-events-dropped:\t%d\n", atomic_read(&afile->events_dropped));
}
