// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What a reset of the device does to queues.
 */
#include "atom_device.h"
#include "atom_queue.h"

/*
 * Say in the completion area what became of a job that the device did not retire: programs find
 * there what they would find after a reset of the queue.
 */
static void atom_queue_write_lost_record(struct atom_queue *queue, u64 seqno)
{
	struct atom_cpl_record *record = atom_queue_record(queue, seqno);
	__le64 cookie = queue->ring[(seqno - 1) & (queue->entries - 1)].cookie;

	WRITE_ONCE(record->seq, 0);
	/* Who reads it meanwhile finds a number that fits neither before nor after. */
	smp_wmb();
	*record = (struct atom_cpl_record) {
		.status = cpu_to_le16(ATOM_CPL_ABORTED),
		.fault_code = cpu_to_le16(ATOM_FAULT_ABORTED),
		.fault_command = cpu_to_le32(ATOM_COMMAND_NONE),
		.cookie = cookie,
	};
	/* The number comes last, as the device writes it. */
	smp_wmb();
	WRITE_ONCE(record->seq, cpu_to_le64(seqno));
}

/*
 * The queue did nothing wrong. Jobs that are on the ring are lost, and with them all that were
 * submitted behind: they may use what the lost ones have not written.
 */
static void atom_queue_lose(struct atom_queue *queue)
{
	lockdep_assert_held(&queue->submit_lock);
	lockdep_assert_held(&queue->fence_lock);

	if (queue->completed == queue->emitted)
		return;
	queue->flags |= DRM_ATOM_QUEUE_STATE_INNOCENT;
	queue->lost_before = queue->lost_seqno;
	queue->lost_seqno = queue->submitted;
	queue->fault = (struct atom_queue_fault) {
		.seqno = queue->completed + 1,
		.error = ECANCELED,
		.command = ATOM_COMMAND_NONE,
	};
	while (queue->completed < queue->emitted) {
		queue->completed++;
		atom_queue_write_lost_record(queue, queue->completed);
		atom_queue_signal_next(queue, -ECANCELED);
	}
	/* Those behind never get on the ring: the device counts on from here. */
	queue->completed = queue->submitted;
	queue->emitted = queue->submitted;
	WRITE_ONCE(atom_queue_header(queue)->seqno, cpu_to_le64(queue->completed));
	WRITE_ONCE(*queue->tail, cpu_to_le64(queue->emitted));
}

static void atom_queue_device_reset(struct atom_queue *queue, bool cold)
{
	/* What was retired before is good. */
	atom_queue_complete(queue);

	mutex_lock(&queue->submit_lock);
	spin_lock_irq(&queue->fence_lock);
	queue->resets++;
	queue->busy_base = queue->busy_ns;
	if (!queue->banned)
		atom_queue_lose(queue);
	if (cold) {
		/* What its jobs use of device memory is gone. */
		queue->flags |= DRM_ATOM_QUEUE_STATE_INNOCENT | DRM_ATOM_QUEUE_STATE_BANNED;
		queue->banned = true;
	}
	spin_unlock_irq(&queue->fence_lock);
	mutex_unlock(&queue->submit_lock);

	/* A banned one has nothing left but what ends with an error. */
	if (READ_ONCE(queue->banned))
		atom_queue_cancel(queue);
	wake_up_all(&queue->space);
}

/**
 * atom_queue_device_reset_all() - end what was on the rings when the device was reset
 * @adev: device, which does no DMA and has forgotten its queues
 * @cold: device memory has lost its content
 */
void atom_queue_device_reset_all(struct atom_device *adev, bool cold)
{
	struct atom_queue *queue;
	u32 id = 0;

	while ((queue = atom_queue_next(adev, &id))) {
		if (atom_admin_knows_queue(adev, id))
			atom_queue_device_reset(queue, cold);
		atom_queue_put(queue);
	}
}

/**
 * atom_queue_recreate() - prepare the hardware queue of a queue that goes on
 * @adev: device, just started
 * @id: hardware id
 * @desc: QUEUE_CREATE of its last life, to be given again
 *
 * Return: false if the queue is banned, or on its way out: it needs none.
 */
bool atom_queue_recreate(struct atom_device *adev, u32 id, struct atom_admin_desc *desc)
{
	struct atom_queue *queue = atom_queue_get_by_hw_id(adev, id);
	u32 generation;
	bool goes_on;

	if (!queue)
		return false;
	generation = atom_queue_next_generation(adev);
	spin_lock_irq(&queue->fence_lock);
	goes_on = !queue->banned;
	if (goes_on) {
		queue->generation = generation;
		/* It counts on from the last job that is retired or lost. */
		desc->queue_create.generation = cpu_to_le32(generation);
		desc->queue_create.seq_start = cpu_to_le64(queue->completed);
	}
	spin_unlock_irq(&queue->fence_lock);
	atom_queue_put(queue);
	return goes_on;
}

/**
 * atom_queue_ring_all() - tell the device of what is on the rings
 * @adev: device, in service again
 */
void atom_queue_ring_all(struct atom_device *adev)
{
	struct atom_queue *queue;
	u32 id = 0;

	while ((queue = atom_queue_next(adev, &id))) {
		u64 emitted, completed;

		spin_lock_irq(&queue->fence_lock);
		emitted = queue->emitted;
		completed = queue->completed;
		spin_unlock_irq(&queue->fence_lock);
		if (emitted != completed)
			atom_ring_doorbell(adev, id, emitted);
		atom_queue_put(queue);
	}
}
