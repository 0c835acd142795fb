// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Queues
 *
 * A queue has one scheduler with one entity, one hardware ring, and one fence a
 * job on the ring. Completion needs no register: the device writes the number of
 * the last job it retired and raises the queue's vector; the handler signals the
 * fences up to that number, which must lie between what was completed and what
 * was put on the ring.
 *
 * The first job that fails bans the queue: nothing more goes on the ring, the
 * hardware queue is reset, and what was outstanding signals -ECANCELED. Errors of
 * fences: -EIO the job faulted, -ETIME it made no progress in time, -ECANCELED it
 * was behind such a job, or the queue was destroyed.
 */
#include <linux/slab.h>

#include "atom_device.h"
#include "atom_drv.h"
#include "atom_queue.h"
#include "atom_vm.h"

static void atom_queue_release(struct kref *ref)
{
	struct atom_queue *queue = container_of(ref, struct atom_queue, ref);
	struct atom_device *adev = queue->adev;

	if (queue->area)
		drm_gem_object_put(&queue->area->base);
	atom_vm_put(queue->vm);
	mutex_destroy(&queue->submit_lock);
	mutex_destroy(&queue->hw_lock);
	kfree(queue);
	atomic_dec(&adev->counters.queues);
	drm_dev_put(&adev->drm);
}

/**
 * atom_queue_put() - drop a reference
 * @queue: queue
 */
void atom_queue_put(struct atom_queue *queue)
{
	kref_put(&queue->ref, atom_queue_release);
}

/**
 * atom_queue_lookup() - find a queue of a file
 * @file: file
 * @id: what QUEUE_CREATE returned
 *
 * Return: queue with a reference for the caller, or NULL.
 */
struct atom_queue *atom_queue_lookup(struct drm_file *file, u32 id)
{
	struct atom_file *afile = file->driver_priv;
	struct atom_queue *queue;

	xa_lock(&afile->queues);
	queue = xa_load(&afile->queues, id);
	if (queue)
		atom_queue_get(queue);
	xa_unlock(&afile->queues);
	return queue;
}

/**
 * atom_queue_get_by_hw_id() - find the queue that the hardware speaks of
 * @adev: device
 * @hw_id: hardware id, not checked yet
 *
 * Return: queue with a reference for the caller, or NULL.
 */
struct atom_queue *atom_queue_get_by_hw_id(struct atom_device *adev, u32 hw_id)
{
	struct atom_queue *queue = NULL;
	unsigned long flags;

	if (!hw_id || hw_id > adev->limits.num_queues)
		return NULL;
	spin_lock_irqsave(&adev->queue_lock, flags);
	queue = adev->queues[hw_id];
	if (queue && !kref_get_unless_zero(&queue->ref))
		queue = NULL;
	spin_unlock_irqrestore(&adev->queue_lock, flags);
	return queue;
}

/**
 * atom_queue_next() - walk over the queues that the hardware has
 * @adev: device
 * @hw_id: hardware id of the last one, 0 to begin with; set to the next one's
 *
 * Return: queue with a reference for the caller, or NULL at the end.
 */
struct atom_queue *atom_queue_next(struct atom_device *adev, u32 *hw_id)
{
	struct atom_queue *queue = NULL;

	while (!queue && *hw_id < adev->limits.num_queues)
		queue = atom_queue_get_by_hw_id(adev, ++*hw_id);
	return queue;
}

/**
 * atom_queue_busy_ns() - how long the device worked for a queue
 * @queue: queue
 *
 * Return: nanoseconds of wall time.
 */
u64 atom_queue_busy_ns(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;
	bool there, readable;
	u64 busy;
	int idx;

	there = drm_dev_enter(&adev->drm, &idx);
	readable = there && atom_hw_try_enter(adev);
	/* Not hw_lock: a reset takes that one for the sign of a killer. */
	spin_lock_irq(&queue->fence_lock);
	if (readable && queue->alive_irq) {
		busy = atom_read64(adev, ATOM_REG_QUEUE(queue->hw_id) + ATOM_QREG_BUSY_NS);
		/* All ones: gone. A clock never goes back. */
		if (busy != U64_MAX && queue->busy_base + busy > queue->busy_ns)
			queue->busy_ns = queue->busy_base + busy;
	}
	busy = queue->busy_ns;
	spin_unlock_irq(&queue->fence_lock);
	if (readable)
		atom_hw_exit(adev);
	if (there)
		drm_dev_exit(idx);
	return busy;
}

/**
 * atom_queue_next_generation() - number for a life of a hardware queue
 * @adev: device
 *
 * Return: a number that none had before.
 */
u32 atom_queue_next_generation(struct atom_device *adev)
{
	u32 generation;

	spin_lock_irq(&adev->queue_lock);
	generation = ++adev->queue_generation;
	spin_unlock_irq(&adev->queue_lock);
	return generation;
}

/**
 * atom_ioctl_queue_get_state() - DRM_IOCTL_ATOM_QUEUE_GET_STATE
 * @drm: device, perhaps dead or unplugged
 * @data: struct drm_atom_queue_get_state
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_queue_get_state(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_device *adev = to_atom_device(drm);
	struct drm_atom_queue_get_state *args = data;
	struct atom_queue *queue;
	bool ended;
	u64 busy;

	queue = atom_queue_lookup(file, args->queue_id);
	if (!queue)
		return -ENOENT;
	busy = atom_queue_busy_ns(queue);
	/* The kind of access comes through the FIFO, which the reset reads first of all. */
	if (READ_ONCE(queue->banned) && !atom_device_is_lost(adev))
		flush_work(&queue->reset_work);

	mutex_lock(&queue->submit_lock);
	spin_lock_irq(&queue->fence_lock);
	*args = (struct drm_atom_queue_get_state) {
		.queue_id = args->queue_id,
		.flags = queue->flags,
		.generation = queue->resets,
		.error = queue->fault.error,
		.submitted = queue->submitted,
		.completed = queue->completed,
		.failed_seqno = queue->fault.seqno,
		.fault_va = queue->fault.va,
		.fault_code = queue->fault.code,
		.fault_where = queue->fault.where,
		.fault_command = queue->fault.error ? queue->fault.command : ATOM_COMMAND_NONE,
		.fault_field = queue->fault.field,
		.fault_opcode = queue->fault.opcode,
		.fault_access = queue->fault.access,
		.busy_ns = busy,
		.lost_seqno = queue->lost_seqno,
		.lost_before = queue->lost_before,
	};
	/* Until the reset is done a job on the ring may go on writing its results. */
	ended = queue->banned && queue->completed == queue->emitted;
	spin_unlock_irq(&queue->fence_lock);
	mutex_unlock(&queue->submit_lock);

	if (atom_device_is_lost(adev))
		args->flags |= DRM_ATOM_QUEUE_STATE_DEVICE_LOST;
	/* Jobs that never got on the ring will not run: they count as retired. */
	if (ended) {
		if (args->failed_seqno <= args->lost_seqno && args->completed < args->submitted) {
			args->failed_seqno = args->completed + 1;
			args->error = ECANCELED;
			args->lost_before = args->lost_seqno;
		}
		args->completed = args->submitted;
	}
	atom_queue_put(queue);
	return 0;
}
