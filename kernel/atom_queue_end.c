// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * How queues end: a reset of their own after a failure, or given back by their
 * program, their address space or the device.
 */
#include "atom_device.h"
#include "atom_drv.h"
#include "atom_queue.h"
#include "atom_sched.h"
#include "atom_trace.h"
#include "atom_vm.h"

static void atom_queue_reset_hw(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;
	u32 generation = atom_queue_next_generation(adev);
	struct atom_admin_desc desc = {
		.opcode = cpu_to_le16(ATOM_ADMIN_QUEUE_RESET),
		.id = cpu_to_le32(queue->hw_id),
		.queue_reset.generation = cpu_to_le32(generation),
	};
	int ret, idx;

	if (!drm_dev_enter(&adev->drm, &idx))
		return;
	ret = atom_admin_exec(adev, &desc);
	/* Banned, the queue is not there any more after a reset of the device. */
	if (ret == -EREMOTEIO)
		atom_reset_force(adev, "queue reset refused");
	if (!ret) {
		spin_lock_irq(&queue->fence_lock);
		queue->generation = generation;
		spin_unlock_irq(&queue->fence_lock);
	}
	drm_dev_exit(idx);
}

/**
 * atom_queue_reset() - reset the hardware queue and end what was on it
 * @queue: banned queue
 *
 * Runs on the ordered workqueue only.
 *
 * Return: false if somebody else is killing the queue at this moment.
 */
bool atom_queue_reset(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;
	bool first;

	/* What the FIFO says of the queue, while its records still fit it. */
	atom_fault_drain(adev);
	/* Only a killer holds it besides us, and that one may wait for us: do not wait for it. */
	if (!mutex_trylock(&queue->hw_lock))
		return false;
	first = queue->alive && !queue->reset_done;
	if (first) {
		trace_atom_queue_reset(queue, queue->fault.seqno, -(int)queue->fault.error);
		atom_coredump_queue(queue);
		atom_queue_reset_hw(queue);
		atom_queue_complete(queue);
		atom_queue_cancel(queue);
		queue->reset_done = true;
		queue->resets++;
		atomic_inc(&adev->counters.queue_resets);
	}
	mutex_unlock(&queue->hw_lock);
	wake_up_all(&queue->space);
	/* A killer waits for us before it lets go of the file. */
	if (first && READ_ONCE(queue->id))
		atom_event_queue_fault(queue);
	return true;
}

/**
 * atom_queue_reset_work() - struct atom_queue.reset_work
 * @work: work
 */
void atom_queue_reset_work(struct work_struct *work)
{
	bool cookie = dma_fence_begin_signalling();

	atom_queue_reset(container_of(work, struct atom_queue, reset_work));
	dma_fence_end_signalling(cookie);
}

/**
 * atom_queue_hide() - interrupts look at the queue no more
 * @queue: queue
 */
void atom_queue_hide(struct atom_queue *queue)
{
	atom_irq_remove_queue(queue->adev, queue);
	spin_lock_irq(&queue->fence_lock);
	queue->alive_irq = false;
	spin_unlock_irq(&queue->fence_lock);
}

static void atom_queue_destroy_hw(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;
	struct atom_admin_desc desc = {
		.opcode = cpu_to_le16(ATOM_ADMIN_QUEUE_DESTROY),
		.id = cpu_to_le32(queue->hw_id),
	};
	int idx;

	if (drm_dev_enter(&adev->drm, &idx)) {
		/* The last reading. */
		atom_queue_busy_ns(queue);
		atom_admin_take_back(adev, &desc, "queue not given back");
		drm_dev_exit(idx);
	} else {
		atom_device_stop_hw(adev);
	}
	/* The device reaches neither ring nor completion area any more. */
	atom_queue_complete(queue);
	atom_queue_cancel(queue);

	atom_queue_hide(queue);
	queue->alive = false;
}

/**
 * atom_queue_kill() - end all jobs of a queue and give its hardware back
 * @queue: queue; calling it again does nothing
 *
 * All fences of its jobs have signalled at the return, also of those that waited
 * for something that has not happened.
 */
void atom_queue_kill(struct atom_queue *queue)
{
	/* Whoever holds the lock to submit sees it, or has pushed all its jobs. */
	mutex_lock(&queue->submit_lock);
	spin_lock_irq(&queue->fence_lock);
	queue->killed = true;
	queue->banned = true;
	queue->flags |= DRM_ATOM_QUEUE_STATE_BANNED;
	spin_unlock_irq(&queue->fence_lock);
	mutex_unlock(&queue->submit_lock);
	wake_up_all(&queue->space);

	mutex_lock(&queue->hw_lock);
	if (queue->alive) {
		/*
		 * Jobs on the ring end with it, and those that wait or have not
		 * got there fail when they would run: then all are freed.
		 */
		atom_queue_destroy_hw(queue);
		atom_sched_stop_waiting(queue);
		wait_event(queue->idle, !atomic_read(&queue->pushed));
		atom_queue_free_hw(queue);
	}
	mutex_unlock(&queue->hw_lock);
	cancel_work_sync(&queue->reset_work);

	mutex_lock(&queue->vm->lock);
	list_del_init(&queue->vm_link);
	mutex_unlock(&queue->vm->lock);
}

/**
 * atom_queue_fail_all() - end the jobs of all queues of a dead device
 * @adev: device, stopped
 *
 * The queues stay, so that their files can ask what became of them.
 */
void atom_queue_fail_all(struct atom_device *adev)
{
	struct atom_queue *queue;
	u32 id = 0;

	while ((queue = atom_queue_next(adev, &id))) {
		atom_queue_ban(queue, DRM_ATOM_QUEUE_STATE_DEVICE_LOST, EIO);
		atom_queue_complete(queue);
		atom_queue_cancel(queue);
		atom_queue_put(queue);
	}
}

/**
 * atom_queue_wake_all() - let those who wait for room look again
 * @adev: device
 */
void atom_queue_wake_all(struct atom_device *adev)
{
	struct atom_queue *queue;
	u32 id = 0;

	while ((queue = atom_queue_next(adev, &id))) {
		wake_up_all(&queue->space);
		atom_queue_put(queue);
	}
}

/**
 * atom_queue_kill_all() - take all queues from a device that is going
 * @adev: device, stopped
 */
void atom_queue_kill_all(struct atom_device *adev)
{
	struct atom_queue *queue;
	u32 id = 0;

	while ((queue = atom_queue_next(adev, &id))) {
		atom_queue_ban(queue, DRM_ATOM_QUEUE_STATE_DEVICE_LOST, EIO);
		atom_queue_kill(queue);
		atom_queue_put(queue);
	}
}

/**
 * atom_queue_destroy() - end a queue that is off its file's table
 * @afile: file
 * @queue: queue; the reference of the table is dropped
 */
void atom_queue_destroy(struct atom_file *afile, struct atom_queue *queue)
{
	atom_queue_kill(queue);
	atomic64_add(queue->busy_ns, &afile->busy_ns);
	atom_queue_put(queue);
	atom_file_give_queue(afile);
}

/**
 * atom_ioctl_queue_destroy() - DRM_IOCTL_ATOM_QUEUE_DESTROY
 * @drm: device
 * @data: struct drm_atom_queue_destroy
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_file *afile = file->driver_priv;
	struct drm_atom_queue_destroy *args = data;
	struct atom_queue *queue;

	if (args->pad)
		return -EINVAL;
	queue = xa_erase(&afile->queues, args->queue_id);
	if (!queue)
		return -ENOENT;
	drm_vma_node_revoke(&queue->area->base.vma_node, file);
	atom_queue_destroy(afile, queue);
	return 0;
}
