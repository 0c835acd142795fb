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
#include <linux/ctype.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "atom_device.h"
#include "atom_drv.h"
#include "atom_queue.h"
#include "atom_sched.h"
#include "atom_trace.h"
#include "atom_vm.h"

static size_t atom_queue_ring_bytes(struct atom_queue *queue)
{
	return queue->entries * sizeof(struct atom_ring_desc) + sizeof(*queue->tail);
}

static void atom_queue_free_ring(struct atom_queue *queue)
{
	if (queue->ring)
		dma_free_coherent(queue->adev->drm.dev, atom_queue_ring_bytes(queue), queue->ring,
				  queue->ring_dma);
	queue->ring = NULL;
}

/*
 * Comes last: as long as the queue is in the table an unplug finds it, and waits for whoever is
 * killing it, before workqueues and DMA go.
 */
static void atom_queue_free_id(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;

	spin_lock_irq(&adev->queue_lock);
	adev->queues[queue->hw_id] = NULL;
	spin_unlock_irq(&adev->queue_lock);
	ida_free(&adev->queue_ids, queue->hw_id);
	atomic_dec(&adev->counters.hw_queues);
}

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

/* Remember the first failure; what a reset took is told apart (struct atom_queue.lost_seqno). */
static void atom_queue_note_failure(struct atom_queue *queue, u64 seqno, int error)
{
	lockdep_assert_held(&queue->fence_lock);

	if (queue->fault.error && queue->fault.seqno > queue->lost_seqno)
		return;
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

	list_del_init(&fence->link);
	if (error)
		dma_fence_set_error(&fence->base, error);
	trace_atom_job_done(queue, fence->base.seqno, error);
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

	trace_atom_fault(queue, seqno, record);
	drm_dbg(&queue->adev->drm, "queue %s: job %llu: %s at %#llx, command %u\n", queue->name,
		seqno, atom_fault_name(code), le64_to_cpu(record->va),
		le32_to_cpu(record->command));
	return true;
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
		atom_coredump_queue(queue);
		atom_queue_reset_hw(queue);
		atom_queue_complete(queue);
		atom_queue_cancel(queue);
		queue->reset_done = true;
		queue->resets++;
		atomic_inc(&adev->counters.queue_resets);
		trace_atom_queue_reset(queue);
	}
	mutex_unlock(&queue->hw_lock);
	wake_up_all(&queue->space);
	/* A killer waits for us before it lets go of the file. */
	if (first && READ_ONCE(queue->id))
		atom_event_queue_fault(queue);
	return true;
}

static void atom_queue_reset_work(struct work_struct *work)
{
	atom_queue_reset(container_of(work, struct atom_queue, reset_work));
}

/* Interrupts look at the queue no more. */
static void atom_queue_hide(struct atom_queue *queue)
{
	atom_irq_remove_queue(queue->adev, queue);
	spin_lock_irq(&queue->fence_lock);
	queue->alive_irq = false;
	spin_unlock_irq(&queue->fence_lock);
}

static int atom_queue_create_hw(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;
	struct atom_admin_desc desc = {
		.opcode = cpu_to_le16(ATOM_ADMIN_QUEUE_CREATE),
		.id = cpu_to_le32(queue->hw_id),
		.queue_create.ring_va = cpu_to_le64(queue->ring_dma),
		.queue_create.tail_va = cpu_to_le64(queue->ring_dma + queue->entries *
						    sizeof(struct atom_ring_desc)),
		.queue_create.completion_va = cpu_to_le64(queue->area->dma),
		.queue_create.job_asid = cpu_to_le16(queue->vm->mmu.asid),
		.queue_create.ring_asid = cpu_to_le16(ATOM_ASID_DRIVER),
		.queue_create.ring_log2 = ilog2(queue->entries),
		.queue_create.priority = queue->priority,
	};
	int ret;

	queue->generation = atom_queue_next_generation(adev);
	desc.queue_create.generation = cpu_to_le32(queue->generation);
	queue->alive_irq = true;
	spin_lock_irq(&adev->queue_lock);
	adev->queues[queue->hw_id] = queue;
	spin_unlock_irq(&adev->queue_lock);
	desc.queue_create.vector = cpu_to_le16(atom_irq_add_queue(adev, queue));

	ret = atom_admin_exec(adev, &desc);
	if (ret)
		atom_queue_hide(queue);
	else
		queue->alive = true;
	return ret == -EREMOTEIO ? -EIO : ret;
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
		drm_sched_entity_fini(&queue->entity);
		drm_sched_fini(queue->sched);
		atom_queue_free_ring(queue);
		atom_queue_free_id(queue);
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

static int atom_queue_alloc_hw(struct atom_queue *queue, u32 timeout_ms)
{
	struct atom_device *adev = queue->adev;
	int ret;

	queue->ring = dma_alloc_coherent(adev->drm.dev, atom_queue_ring_bytes(queue),
					 &queue->ring_dma, GFP_KERNEL);
	if (!queue->ring)
		return -ENOMEM;
	queue->tail = (void *)&queue->ring[queue->entries];

	queue->area = atom_area_create(adev, ATOM_CPL_AREA_BYTES(ilog2(queue->entries)));
	if (IS_ERR(queue->area)) {
		ret = PTR_ERR(queue->area);
		queue->area = NULL;
		return ret;
	}

	ret = ida_alloc_range(&adev->queue_ids, 1, adev->limits.num_queues, GFP_KERNEL);
	if (ret < 0)
		return ret;
	queue->hw_id = ret;
	atomic_inc(&adev->counters.hw_queues);

	ret = atom_sched_init(queue, timeout_ms);
	if (ret)
		atom_queue_free_id(queue);
	return ret;
}

static struct atom_queue *atom_queue_alloc(struct atom_device *adev, struct atom_vm *vm)
{
	struct atom_queue *queue = kzalloc_obj(*queue, GFP_KERNEL);

	if (!queue)
		return NULL;
	kref_init(&queue->ref);
	queue->adev = adev;
	drm_dev_get(&adev->drm);
	queue->vm = vm;
	drm_gpuvm_get(&vm->base);
	queue->entries = 1u << adev->limits.ring_log2;
	INIT_LIST_HEAD(&queue->vm_link);
	INIT_LIST_HEAD(&queue->vector_link);
	INIT_LIST_HEAD(&queue->fences);
	INIT_LIST_HEAD(&queue->waiting);
	mutex_init(&queue->submit_lock);
	mutex_init(&queue->hw_lock);
	spin_lock_init(&queue->fence_lock);
	init_waitqueue_head(&queue->space);
	init_waitqueue_head(&queue->idle);
	INIT_WORK(&queue->reset_work, atom_queue_reset_work);
	atomic_inc(&adev->counters.queues);
	return queue;
}

/* Create it for the hardware and in the VM, unless that was destroyed meanwhile. */
static int atom_queue_start(struct atom_queue *queue, const struct drm_atom_queue_create *args)
{
	struct atom_vm *vm = queue->vm;
	u32 timeout_ms = args->job_timeout_ms ?: READ_ONCE(vm->adev->job_timeout_ms);
	int ret;

	ret = atom_queue_alloc_hw(queue, timeout_ms);
	if (ret) {
		atom_queue_free_ring(queue);
		return ret;
	}

	mutex_lock(&vm->lock);
	ret = vm->destroyed ? -ENOENT : atom_queue_create_hw(queue);
	if (!ret)
		list_add_tail(&queue->vm_link, &vm->queues);
	mutex_unlock(&vm->lock);
	if (!ret)
		return 0;

	/* While the hardware was asked, somebody may have found the queue, and wanted a reset. */
	spin_lock_irq(&queue->fence_lock);
	queue->killed = true;
	queue->banned = true;
	spin_unlock_irq(&queue->fence_lock);
	cancel_work_sync(&queue->reset_work);
	drm_sched_entity_fini(&queue->entity);
	drm_sched_fini(queue->sched);
	atom_queue_free_ring(queue);
	atom_queue_free_id(queue);
	return ret;
}

/* It goes to the kernel's log: no line that looks like another's. */
static bool atom_queue_name_valid(const struct drm_atom_queue_create *args)
{
	u32 i;

	for (i = 0; i < sizeof(args->name) && args->name[i]; i++)
		if (!isascii(args->name[i]) || !isprint(args->name[i]))
			return false;
	return i < sizeof(args->name);
}

static int atom_queue_check_args(const struct atom_device *adev,
				 const struct drm_atom_queue_create *args)
{
	if (args->flags & ~DRM_ATOM_QUEUE_USER)
		return -EINVAL;
	if (args->flags & DRM_ATOM_QUEUE_USER)
		return -EOPNOTSUPP;
	if (args->priority > DRM_ATOM_QUEUE_PRIORITY_REALTIME ||
	    args->ring_va || args->ring_bytes ||
	    args->job_timeout_ms > READ_ONCE(adev->job_timeout_max_ms) ||
	    !atom_queue_name_valid(args))
		return -EINVAL;
	if (args->priority >= DRM_ATOM_QUEUE_PRIORITY_HIGH && !capable(CAP_SYS_NICE))
		return -EACCES;
	return 0;
}

/**
 * atom_ioctl_queue_create() - DRM_IOCTL_ATOM_QUEUE_CREATE
 * @drm: device
 * @data: struct drm_atom_queue_create
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_device *adev = to_atom_device(drm);
	struct atom_file *afile = file->driver_priv;
	struct drm_atom_queue_create *args = data;
	struct atom_queue *queue;
	struct atom_vm *vm;
	int ret;

	ret = atom_queue_check_args(adev, args);
	if (ret)
		return ret;
	ret = atom_file_take_queue(afile);
	if (ret)
		return ret;
	vm = atom_vm_lookup(file, args->vm_id);
	if (!vm) {
		ret = -ENOENT;
		goto give;
	}
	queue = atom_queue_alloc(adev, vm);
	atom_vm_put(vm);
	if (!queue) {
		ret = -ENOMEM;
		goto give;
	}
	strscpy(queue->name, (const char *)args->name, sizeof(queue->name));
	queue->afile = afile;
	queue->priority = args->priority;

	ret = atom_queue_start(queue, args);
	if (ret)
		goto put;
	ret = drm_vma_node_allow(&queue->area->base.vma_node, file);
	if (ret)
		goto kill;
	/* For us: the table's may be gone at once, if somebody guesses the id. */
	atom_queue_get(queue);
	ret = xa_alloc(&afile->queues, &queue->id, queue, xa_limit_31b, GFP_KERNEL);
	if (ret)
		goto revoke;

	args->queue_id = queue->id;
	args->ring_entries = 1u << adev->limits.ring_log2;
	args->completion_bytes = PAGE_ALIGN(ATOM_CPL_AREA_BYTES(adev->limits.ring_log2));
	args->doorbell_offset = 0;
	args->completion_offset = drm_vma_node_offset_addr(&queue->area->base.vma_node);
	atom_queue_put(queue);
	return 0;

revoke:
	atom_queue_put(queue);
	drm_vma_node_revoke(&queue->area->base.vma_node, file);
kill:
	atom_queue_kill(queue);
put:
	atom_queue_put(queue);
give:
	atom_file_give_queue(afile);
	return ret;
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
	};
	/* Until the reset is done a job on the ring may go on writing its results. */
	ended = queue->banned && queue->completed == queue->emitted;
	spin_unlock_irq(&queue->fence_lock);
	mutex_unlock(&queue->submit_lock);

	if (atom_device_is_lost(adev))
		args->flags |= DRM_ATOM_QUEUE_STATE_DEVICE_LOST;
	/* Jobs that never got on the ring will not run: they count as retired. */
	if (ended) {
		if (!args->error && args->completed < args->submitted) {
			args->failed_seqno = args->completed + 1;
			args->error = ECANCELED;
		}
		args->completed = args->submitted;
	}
	atom_queue_put(queue);
	return 0;
}
