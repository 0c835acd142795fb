// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Queues while the system goes to sleep and wakes up.
 */
#include "atom_device.h"
#include "atom_queue.h"

/* Call @what for each queue; false as soon as it is for one of them. */
static bool atom_queue_for_each(struct atom_device *adev, bool (*what)(struct atom_queue *queue))
{
	bool all = true;
	u32 id;

	for (id = 1; id <= adev->limits.num_queues && all; id++) {
		struct atom_queue *queue = atom_queue_get_by_hw_id(adev, id);

		if (!queue)
			continue;
		all = what(queue);
		atom_queue_put(queue);
	}
	return all;
}

static bool atom_queue_pause(struct atom_queue *queue)
{
	drm_sched_wqueue_stop(queue->sched);
	return true;
}

/**
 * atom_queue_pause_all() - let no more jobs on the rings
 * @adev: device; userspace is frozen, so that no queue comes or goes
 */
void atom_queue_pause_all(struct atom_device *adev)
{
	atom_queue_for_each(adev, atom_queue_pause);
}

static bool atom_queue_go_on(struct atom_queue *queue)
{
	drm_sched_wqueue_start(queue->sched);
	return true;
}

/**
 * atom_queue_go_on_all() - undo atom_queue_pause_all()
 * @adev: device
 */
void atom_queue_go_on_all(struct atom_device *adev)
{
	atom_queue_for_each(adev, atom_queue_go_on);
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
	return atom_queue_for_each(adev, atom_queue_is_quiet);
}

static bool atom_queue_wake(struct atom_queue *queue)
{
	spin_lock_irq(&queue->fence_lock);
	/* The hardware counts from 0 again. */
	queue->busy_base = queue->busy_ns;
	if (queue->adev->vram.shm_used)
		queue->resets++;
	spin_unlock_irq(&queue->fence_lock);
	return true;
}

/**
 * atom_queue_wake_up_all() - the device has slept
 * @adev: device that has forgotten its queues; no job was on a ring
 */
void atom_queue_wake_up_all(struct atom_device *adev)
{
	atom_queue_for_each(adev, atom_queue_wake);
}
