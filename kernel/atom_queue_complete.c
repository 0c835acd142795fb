// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * How jobs end: what the device says of them is checked, and their fences signal.
 */
#include "atom_device.h"
#include "atom_queue.h"
#include "atom_sched.h"
#include "atom_trace.h"

/* Remember the first failure; what a reset took is told apart (struct atom_queue.lost_seqno). */
static void atom_queue_note_failure(struct atom_queue *queue, u64 seqno, int error)
{
	lockdep_assert_held(&queue->fence_lock);

	if (queue->fault.error && queue->fault.seqno > queue->lost_seqno)
		return;
	queue->lost_before = queue->lost_seqno;
	memset(&queue->fault, 0, sizeof(queue->fault));
	queue->fault.seqno = seqno;
	queue->fault.error = error;
	queue->fault.command = ATOM_COMMAND_NONE;
}

static void atom_queue_note_record(struct atom_queue *queue, const struct atom_cpl_record *record)
{
	struct atom_queue_fault *fault = &queue->fault;

	fault->va = le64_to_cpu(record->fault_va);
	fault->code = le16_to_cpu(record->fault_code);
	fault->where = le16_to_cpu(record->fault_where);
	fault->opcode = le16_to_cpu(record->fault_opcode);
	fault->command = le32_to_cpu(record->fault_command);
	fault->field = le32_to_cpu(record->fault_field);
}

/* The (negative) errno of job @seqno, which the device has retired with @record. */
static int atom_queue_judge(struct atom_queue *queue, u64 seqno,
			    const struct atom_cpl_record *record)
{
	lockdep_assert_held(&queue->fence_lock);

	switch (le16_to_cpu(record->status)) {
	case ATOM_CPL_OK:
		if (READ_ONCE(queue->adev->reset.barren))
			WRITE_ONCE(queue->adev->reset.barren, 0);
		return 0;
	case ATOM_CPL_FAULT:
		if (!queue->fault.error || queue->fault.seqno <= queue->lost_seqno) {
			atom_queue_note_failure(queue, seqno, EIO);
			atom_queue_note_record(queue, record);
			atomic_inc(&queue->adev->counters.faults);
		}
		queue->flags |= DRM_ATOM_QUEUE_STATE_FAULT;
		return -EIO;
	default:
		/* A job that timed out is aborted as well, but has a better name. */
		atom_queue_note_failure(queue, seqno, ECANCELED);
		return queue->fault.seqno == seqno ? -(int)queue->fault.error : -ECANCELED;
	}
}

/* Nothing goes on the ring any more. */
static void atom_queue_ban_locked(struct atom_queue *queue, u32 flags)
{
	bool first = !queue->banned;

	lockdep_assert_held(&queue->fence_lock);

	queue->flags |= flags | DRM_ATOM_QUEUE_STATE_BANNED;
	queue->banned = true;
	if (first && !queue->killed)
		queue_work(queue->adev->reset_wq, &queue->reset_work);
}

/*
 * The device contradicts itself. It may work on any job yet, so that no fence signals before it
 * has been reset.
 */
static void atom_queue_distrust(struct atom_queue *queue, const char *reason)
{
	lockdep_assert_held(&queue->fence_lock);

	atom_queue_note_failure(queue, queue->completed + 1, EIO);
	atom_queue_ban_locked(queue, DRM_ATOM_QUEUE_STATE_FAULT);
	atom_reset_request(queue->adev, reason);
}

/* Can the record of job @seqno, which the device says to have retired, be true? */
static bool atom_queue_believes(struct atom_queue *queue, u64 seqno,
				const struct atom_cpl_record *record)
{
	u16 status = le16_to_cpu(record->status);

	if (le64_to_cpu(record->seq) == seqno &&
	    (status == ATOM_CPL_OK || status == ATOM_CPL_FAULT || status == ATOM_CPL_ABORTED))
		return true;
	if (!queue->banned) {
		drm_err(&queue->adev->drm,
			"queue %s: job %llu has the record of job %llu with status %u\n",
			queue->name, seqno, le64_to_cpu(record->seq), status);
		atom_queue_distrust(queue, "a completion record is impossible");
	}
	return false;
}

/**
 * atom_queue_signal_next() - signal the fence of the oldest job on the ring
 * @queue: queue with such a job; the caller holds its fence lock
 * @error: 0 or a negative errno
 */
void atom_queue_signal_next(struct atom_queue *queue, int error)
{
	struct atom_fence *fence = list_first_entry(&queue->fences, struct atom_fence, link);

	lockdep_assert_held(&queue->fence_lock);

	trace_atom_job_done(queue, fence->base.seqno, error);
	list_del_init(&fence->link);
	if (error)
		dma_fence_set_error(&fence->base, error);
	dma_fence_signal(&fence->base);
	dma_fence_put(&fence->base);
}

/**
 * atom_queue_complete() - signal what the device has retired
 * @queue: queue
 *
 * Called by the interrupt handler, and by whoever suspects a lost interrupt.
 */
void atom_queue_complete(struct atom_queue *queue)
{
	unsigned long flags;
	bool was_banned, banned;
	u64 seqno;

	spin_lock_irqsave(&queue->fence_lock, flags);
	was_banned = queue->banned;
	/* Without the area the device has gone, and the fences were signalled. */
	if (!queue->alive_irq)
		goto unlock;

	seqno = le64_to_cpu(READ_ONCE(atom_queue_header(queue)->seqno));
	if (!atom_seqno_is_credible(seqno, queue->completed, queue->emitted)) {
		if (!queue->banned) {
			drm_err(&queue->adev->drm,
				"queue %s: device says it retired job %llu, but %llu to %llu are out\n",
				queue->name, seqno, queue->completed + 1, queue->emitted);
			atom_queue_distrust(queue, "a sequence number is impossible");
		}
		goto unlock;
	}
	/* The records were written before the number. */
	dma_rmb();
	while (queue->completed < seqno) {
		u64 next = queue->completed + 1;
		struct atom_cpl_record record = *atom_queue_record(queue, next);
		int error;

		if (!atom_queue_believes(queue, next, &record))
			break;
		error = atom_queue_judge(queue, next, &record);
		if (error && !queue->banned)
			atom_queue_ban_locked(queue, 0);
		queue->completed++;
		atom_queue_signal_next(queue, error);
	}
unlock:
	banned = queue->banned;
	spin_unlock_irqrestore(&queue->fence_lock, flags);
	if (banned != was_banned)
		wake_up_all(&queue->space);
}

/**
 * atom_queue_cancel() - signal what is left after the hardware queue was reset or destroyed
 * @queue: queue, which the device does not work for any more
 */
void atom_queue_cancel(struct atom_queue *queue)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->fence_lock, flags);
	while (queue->completed < queue->emitted) {
		atom_queue_note_failure(queue, queue->completed + 1, ECANCELED);
		queue->completed++;
		atom_queue_signal_next(queue, queue->fault.seqno == queue->completed ?
				       -(int)queue->fault.error : -ECANCELED);
	}
	spin_unlock_irqrestore(&queue->fence_lock, flags);
}

/**
 * atom_queue_ban() - let nothing more on the ring, and reset the hardware queue
 * @queue: queue
 * @flags: enum drm_atom_queue_state_flags to set
 * @error: errno (positive) of the first job that is not retired, or 0
 */
void atom_queue_ban(struct atom_queue *queue, u32 flags, int error)
{
	unsigned long irq;

	spin_lock_irqsave(&queue->fence_lock, irq);
	if (error && queue->completed < queue->emitted)
		atom_queue_note_failure(queue, queue->completed + 1, error);
	atom_queue_ban_locked(queue, flags);
	spin_unlock_irqrestore(&queue->fence_lock, irq);
	wake_up_all(&queue->space);
}

/**
 * atom_queue_fault() - the fault FIFO speaks of a queue
 * @queue: queue
 * @record: copy of the record
 *
 * Runs on the ordered workqueue, inside atom_hw_try_enter().
 *
 * Return: false if the record cannot be true.
 */
bool atom_queue_fault(struct atom_queue *queue, const struct atom_fault_record *record)
{
	u64 seqno = le64_to_cpu(record->desc_seq);
	u16 code = le16_to_cpu(record->code);
	bool hang = code == ATOM_FAULT_HANG;
	unsigned long flags;
	u32 state;

	/* The completion record, if there is one, is the better witness. */
	atom_queue_complete(queue);

	spin_lock_irqsave(&queue->fence_lock, flags);
	if (le32_to_cpu(record->queue_generation) != queue->generation || queue->killed) {
		spin_unlock_irqrestore(&queue->fence_lock, flags);
		return true;
	}
	/* A queue stops at its fault, and stays so until its generation changes. */
	state = atom_read32(queue->adev, ATOM_REG_QUEUE(queue->hw_id) + ATOM_QREG_STATE);
	if (state != ATOM_QUEUE_FAULTED && state != ATOM_QUEUE_HUNG) {
		spin_unlock_irqrestore(&queue->fence_lock, flags);
		return false;
	}
	trace_atom_fault(queue, record);
	if (!queue->fault.error || queue->fault.seqno <= queue->lost_seqno) {
		/* A hang, or the ring itself: nothing was retired. */
		if (seqno <= queue->completed || seqno > queue->emitted)
			seqno = queue->completed + 1;
		atom_queue_note_failure(queue, seqno, hang ? ETIME : EIO);
		if (!hang)
			atomic_inc(&queue->adev->counters.faults);
		queue->fault.va = le64_to_cpu(record->va);
		queue->fault.code = code;
		queue->fault.where = le16_to_cpu(record->where);
		queue->fault.opcode = le16_to_cpu(record->opcode);
		queue->fault.command = le32_to_cpu(record->command);
		queue->fault.field = le32_to_cpu(record->field_offset);
	}
	if (queue->fault.seqno == seqno)
		queue->fault.access = le32_to_cpu(record->access);
	atom_queue_ban_locked(queue, hang ? DRM_ATOM_QUEUE_STATE_TIMEDOUT :
			      DRM_ATOM_QUEUE_STATE_FAULT);
	spin_unlock_irqrestore(&queue->fence_lock, flags);
	wake_up_all(&queue->space);

	drm_dbg(&queue->adev->drm, "queue %s: job %llu: %s at %#llx, command %u\n", queue->name,
		seqno, atom_fault_name(code), le64_to_cpu(record->va),
		le32_to_cpu(record->command));
	return true;
}
