// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Queues while the system goes to sleep and wakes up.
 */
#include "atom_device.h"
#include "atom_queue.h"

/**
 * atom_queue_pause_all() - let no more jobs on the rings
 * @adev: device; userspace is frozen, so that no queue comes or goes
 */
void atom_queue_pause_all(struct atom_device *adev)
{
	struct atom_queue *queue;
	u32 id = 0;

	while ((queue = atom_queue_next(adev, &id))) {
		drm_sched_wqueue_stop(queue->sched);
		atom_queue_put(queue);
	}
}

/**
 * atom_queue_go_on_all() - undo atom_queue_pause_all()
 * @adev: device
 */
void atom_queue_go_on_all(struct atom_device *adev)
{
	struct atom_queue *queue;
	u32 id = 0;

	while ((queue = atom_queue_next(adev, &id))) {
		drm_sched_wqueue_start(queue->sched);
		atom_queue_put(queue);
	}
}

static bool atom_queue_is_quiet(struct atom_queue *queue)
{
	bool quiet;

	/* The interrupt may be lost. */
	atom_queue_complete(queue);
	spin_lock_irq(&queue->fence_lock);
	quiet = queue->completed == queue->emitted;
	spin_unlock_irq(&queue->fence_lock);
	return quiet;
}

/**
 * atom_queue_all_quiet() - have all jobs ended that are on rings
 * @adev: device, atom_queue_pause_all() called
 *
 * Return: whether they have.
 */
bool atom_queue_all_quiet(struct atom_device *adev)
{
	struct atom_queue *queue;
	bool quiet = true;
	u32 id = 0;

	while (quiet && (queue = atom_queue_next(adev, &id))) {
		quiet = atom_queue_is_quiet(queue);
		atom_queue_put(queue);
	}
	return quiet;
}

/**
 * atom_queue_wake_up_all() - the device has slept
 * @adev: device that has forgotten its queues; no job was on a ring
 */
void atom_queue_wake_up_all(struct atom_device *adev)
{
	struct atom_queue *queue;
	u32 id = 0;

	while ((queue = atom_queue_next(adev, &id))) {
		spin_lock_irq(&queue->fence_lock);
		/* The hardware counts from 0 again. */
		queue->busy_base = queue->busy_ns;
		if (adev->vram.shm_used)
			queue->resets++;
		spin_unlock_irq(&queue->fence_lock);
		atom_queue_put(queue);
	}
}
