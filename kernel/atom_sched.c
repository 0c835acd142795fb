// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Glue to drm_sched: putting jobs on the ring, and finding those that hang.
 *
 * A queue that is out of time is looked at before it is condemned: an interrupt
 * may be lost, a doorbell too, or the device works for others. Jobs are always
 * given back to the scheduler, which frees those that are done; resetting a
 * queue signals the fences of all its jobs, so that nothing needs to be restarted.
 */
#include <linux/dma-fence-unwrap.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_managed.h>

#include "atom_device.h"
#include "atom_queue.h"
#include "atom_sched.h"
#include "atom_trace.h"

/*
 * A queue is looked at more often than it may stand still: the first look at a
 * job only tells where it is, so that SUBMIT need not read registers for it. A
 * job that hangs is given up after one to 1 1/4 of its queue's time-out.
 */
#define ATOM_LOOKS	4

/*
 * Time-outs without progress that a queue is allowed while the device works for
 * others: the device promises each queue 1/32 of its time, but only between
 * commands.
 */
#define ATOM_STALLS_MAX	4

/* Less work for others than this is none: the counters are not read at one moment. */
#define ATOM_OTHERS_MIN_NS	NSEC_PER_MSEC

static struct atom_job *to_atom_job(struct drm_sched_job *base)
{
	return container_of(base, struct atom_job, base);
}

static const char *atom_fence_driver_name(struct dma_fence *fence)
{
	return ATOM_DRIVER_NAME;
}

static const char *atom_fence_timeline_name(struct dma_fence *fence)
{
	return "atom-queue";
}

static void atom_scheds_release(struct kref *ref)
{
	kfree(container_of(ref, struct atom_scheds, ref));
}

static void atom_fence_release(struct dma_fence *fence)
{
	kref_put(&container_of(fence, struct atom_fence, base)->scheds->ref, atom_scheds_release);
	dma_fence_free(fence);
	/* The fence called us through this module's memory; it may go now. */
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops atom_fence_ops = {
	.get_driver_name = atom_fence_driver_name,
	.get_timeline_name = atom_fence_timeline_name,
	.release = atom_fence_release,
};

/*
 * The caller has initialised the lock: lockdep must tell the two kinds of fences
 * apart, because the end of one job may make another one ready.
 */
static void atom_fence_init(struct atom_fence *fence, struct atom_queue *queue, u64 context,
			    u64 seqno)
{
	__module_get(THIS_MODULE);
	fence->scheds = queue->adev->scheds;
	kref_get(&fence->scheds->ref);
	dma_fence_init(&fence->base, &atom_fence_ops, &fence->lock, context, seqno);
}

/* Put a job on the ring; 0 or a negative error. */
static int atom_sched_emit(struct atom_queue *queue, struct atom_job *job)
{
	struct atom_fence *fence = job->fence;

	lockdep_assert_held(&queue->fence_lock);

	if (atom_device_is_dead(queue->adev))
		return -EIO;
	if (queue->banned || job->seqno <= queue->lost_seqno)
		return -ECANCELED;
	/* The scheduler keeps the order, and its credits leave room in the ring. */
	if (WARN_ON_ONCE(job->seqno != queue->emitted + 1 ||
			 job->seqno - queue->completed > queue->entries))
		return -EIO;

	job->fence = NULL;
	spin_lock_init(&fence->lock);
	atom_fence_init(fence, queue, queue->fence_context, job->seqno);
	/* One reference for the list, one for the scheduler. */
	dma_fence_get(&fence->base);
	list_add_tail(&fence->link, &queue->fences);

	queue->ring[atom_seqno_slot(job->seqno, queue->entries)] = job->desc;
	queue->emitted = job->seqno;
	trace_atom_job_run(queue, job->seqno, 0);
	/* The device reads the descriptor after it has seen the tail. */
	dma_wmb();
	WRITE_ONCE(*queue->tail, cpu_to_le64(job->seqno));
	return 0;
}

/*
 * The fence of a job that does not run. The scheduler would take an error pointer too, but then
 * nothing kept what the job's finished fence points to.
 */
static struct dma_fence *atom_sched_refuse(struct atom_job *job, int error)
{
	struct atom_fence *fence = job->fence;

	job->fence = NULL;
	spin_lock_init(&fence->lock);
	atom_fence_init(fence, job->queue, job->queue->fence_context, job->seqno);
	dma_fence_set_error(&fence->base, error);
	dma_fence_signal(&fence->base);
	return &fence->base;
}

static struct dma_fence *atom_sched_emit_or_refuse(struct atom_job *job)
{
	struct atom_queue *queue = job->queue;
	struct atom_device *adev = queue->adev;
	struct atom_fence *fence = job->fence;
	int ret, idx;

	if (!drm_dev_enter(&adev->drm, &idx))
		return atom_sched_refuse(job, -ENODEV);

	spin_lock_irq(&queue->fence_lock);
	ret = atom_sched_emit(queue, job);
	spin_unlock_irq(&queue->fence_lock);
	/* Back in service the device hears of all that is on the ring. */
	if (!ret && job->doorbell && !READ_ONCE(adev->reset.down))
		atom_ring_doorbell(adev, queue->hw_id, job->seqno);

	drm_dev_exit(idx);
	return ret ? atom_sched_refuse(job, ret) : &fence->base;
}

/* All that fences wait for is annotated so: it neither allocates memory nor waits for others. */
static struct dma_fence *atom_sched_run_job(struct drm_sched_job *base)
{
	bool cookie = dma_fence_begin_signalling();
	struct dma_fence *fence = atom_sched_emit_or_refuse(to_atom_job(base));

	dma_fence_end_signalling(cookie);
	return fence;
}

/*
 * Did the queue do anything within a time-out, or had it no chance to? Inside
 * drm_dev_enter().
 */
static bool atom_sched_has_moved(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;
	u32 block = ATOM_REG_QUEUE(queue->hw_id);
	struct atom_queue_seen *seen = &queue->seen;
	u32 state = atom_read32(adev, block + ATOM_QREG_STATE);
	u64 progress = atom_read64(adev, block + ATOM_QREG_PROGRESS);
	u64 completed = READ_ONCE(queue->completed);
	u64 others = atom_read64(adev, ATOM_REG_BUSY_COMPUTE) +
		     atom_read64(adev, ATOM_REG_BUSY_DMA);
	bool moved, others_moved;

	others -= atom_read64(adev, block + ATOM_QREG_BUSY_NS);

	if (state == ATOM_QUEUE_HUNG || state == ATOM_QUEUE_FAULTED)
		return false;

	moved = !seen->taken || progress != seen->progress || completed != seen->completed;
	if (moved) {
		*seen = (struct atom_queue_seen) {
			.taken = true,
			.progress = progress,
			.completed = completed,
			.others = others,
		};
	} else {
		seen->stalls++;
	}
	/* Work on the ring that the device has not seen: the doorbell was lost. */
	if (state == ATOM_QUEUE_IDLE)
		atom_ring_doorbell(adev, queue->hw_id, READ_ONCE(queue->emitted));
	if (moved || seen->stalls % ATOM_LOOKS)
		return true;

	others_moved = (s64)(others - seen->others) > (s64)ATOM_OTHERS_MIN_NS;
	seen->others = others;
	return others_moved && seen->stalls < ATOM_LOOKS * ATOM_STALLS_MAX;
}

static bool atom_sched_may_go_on(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;
	bool moved;
	int idx;

	/* Unplugged or dead: somebody is ending the queue already. */
	if (atom_device_is_lost(adev) || !drm_dev_enter(&adev->drm, &idx))
		return true;

	/* A reset of the device ends what hangs. */
	moved = true;
	if (atom_hw_try_enter(adev)) {
		if (atom_read32(adev, ATOM_REG_MAGIC) == ATOM_MAGIC)
			moved = atom_sched_has_moved(queue);
		else
			atom_reset_request(adev, "registers read as all ones");
		atom_hw_exit(adev);
	}
	drm_dev_exit(idx);
	return moved;
}

static void atom_sched_look(struct drm_sched_job *base)
{
	struct atom_queue *queue = to_atom_job(base)->queue;
	struct atom_device *adev = queue->adev;

	atom_queue_complete(queue);
	if (dma_fence_is_signaled(&base->s_fence->finished)) {
		atomic_inc(&adev->counters.lost_interrupts);
		return;
	}

	if (!READ_ONCE(queue->banned)) {
		if (atom_sched_may_go_on(queue))
			return;
		drm_warn(&adev->drm, "queue %s: job %llu makes no progress, the queue is reset\n",
			 queue->name, READ_ONCE(queue->completed) + 1);
		atomic_inc(&adev->counters.timeouts);
		atom_queue_ban(queue, DRM_ATOM_QUEUE_STATE_TIMEDOUT, ETIME);
	}
	atom_queue_reset(queue);
}

static enum drm_gpu_sched_stat atom_sched_timedout_job(struct drm_sched_job *base)
{
	bool cookie = dma_fence_begin_signalling();

	atom_sched_look(base);
	dma_fence_end_signalling(cookie);
	return atom_kcompat_sched_no_hang(base);
}

static void atom_sched_free_job(struct drm_sched_job *base)
{
	atom_job_free(to_atom_job(base));
}

static const struct drm_sched_backend_ops atom_sched_ops = {
	.run_job = atom_sched_run_job,
	.timedout_job = atom_sched_timedout_job,
	.free_job = atom_sched_free_job,
};

static void atom_scheds_put(struct drm_device *drm, void *scheds)
{
	kref_put(&((struct atom_scheds *)scheds)->ref, atom_scheds_release);
}

/**
 * atom_scheds_init() - allocate the schedulers of a device
 * @adev: device; they go with the last of it and of all fences
 *
 * Return: 0 or -ENOMEM.
 */
int atom_scheds_init(struct atom_device *adev)
{
	struct atom_scheds *scheds;

	scheds = kzalloc(struct_size(scheds, sched, adev->limits.num_queues + 1), GFP_KERNEL);
	if (!scheds)
		return -ENOMEM;
	kref_init(&scheds->ref);
	adev->scheds = scheds;
	return drmm_add_action_or_reset(&adev->drm, atom_scheds_put, scheds);
}

/**
 * atom_sched_init() - start the scheduler of a queue
 * @queue: queue with its hardware id
 * @timeout_ms: time without progress after which a job is given up
 *
 * Return: 0 or an error.
 */
int atom_sched_init(struct atom_queue *queue, u32 timeout_ms)
{
	struct atom_device *adev = queue->adev;
	const struct drm_sched_init_args args = {
		.ops = &atom_sched_ops,
		.submit_wq = adev->submit_wq,
		.timeout_wq = adev->reset_wq,
		.num_rqs = 1,
		.credit_limit = queue->entries,
		.timeout = DIV_ROUND_UP(msecs_to_jiffies(timeout_ms), ATOM_LOOKS),
		.name = ATOM_DRIVER_NAME,
		.dev = adev->drm.dev,
	};
	int ret;

	queue->sched = &adev->scheds->sched[queue->hw_id];
	/* Jobs on the ring, and jobs that wait. */
	queue->fence_context = dma_fence_context_alloc(2);
	ret = drm_sched_init(queue->sched, &args);
	if (ret)
		return ret;

	ret = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_KERNEL, &queue->sched, 1,
				    NULL);
	if (ret)
		drm_sched_fini(queue->sched);
	return ret;
}

/**
 * atom_job_create() - make a job
 * @queue: queue with room for it: struct atom_queue.outstanding counts it already
 * @client_id: of the file, for the scheduler's trace events
 *
 * Return: job for atom_job_free(), or an error pointer; then @queue counts it
 * still.
 */
struct atom_job *atom_job_create(struct atom_queue *queue, u64 client_id)
{
	struct atom_job *job;
	int ret;

	job = kzalloc_obj(*job, GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->fence = kzalloc_obj(*job->fence, GFP_KERNEL);
	if (!job->fence) {
		kfree(job);
		return ERR_PTR(-ENOMEM);
	}
	ret = drm_sched_job_init(&job->base, &queue->entity, 1, queue, client_id);
	if (ret) {
		kfree(job->fence);
		kfree(job);
		return ERR_PTR(ret);
	}
	job->queue = atom_queue_get(queue);
	INIT_LIST_HEAD(&job->waits);
	INIT_LIST_HEAD(&job->waiting_link);
	atomic_inc(&queue->adev->counters.jobs);
	return job;
}

/* Jobs of a queue run in order anyway; a timeline may hold fences of several. */
static bool atom_job_needs_wait(struct atom_job *job, struct dma_fence *head)
{
	u64 own = job->queue->entity.fence_context + 1;
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	bool needed = false;

	if (dma_fence_is_signaled(head))
		return false;
	/* To the end: the cursor holds references until then. */
	dma_fence_unwrap_for_each(fence, &cursor, head)
		needed |= fence->context != own && !dma_fence_is_signaled(fence);
	return needed;
}

/**
 * atom_job_add_wait() - let a job wait for a fence
 * @job: job, not pushed yet
 * @fence: fence; the reference is taken over, also after an error
 *
 * Return: 1 if it waits, 0 if there is nothing to wait for, or -ENOMEM.
 */
int atom_job_add_wait(struct atom_job *job, struct dma_fence *fence)
{
	struct atom_wait *wait;

	if (!atom_job_needs_wait(job, fence)) {
		dma_fence_put(fence);
		return 0;
	}
	wait = kzalloc_obj(*wait, GFP_KERNEL);
	if (!wait) {
		dma_fence_put(fence);
		return -ENOMEM;
	}
	wait->fence = fence;
	wait->job = job;
	list_add_tail(&wait->link, &job->waits);
	return 1;
}

static void atom_job_is_ready(struct atom_job *job)
{
	if (atomic_dec_and_test(&job->unready))
		dma_fence_signal(&job->ready->base);
}

static void atom_job_wait_done(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	atom_job_is_ready(container_of(cb, struct atom_wait, cb)->job);
}

/**
 * atom_job_start_waiting() - begin to wait for the fences of a job
 * @job: job, not pushed yet, with all its waits
 *
 * Return: 0 or -ENOMEM.
 */
int atom_job_start_waiting(struct atom_job *job)
{
	struct atom_queue *queue = job->queue;
	struct atom_fence *ready;
	struct atom_wait *wait;

	if (list_empty(&job->waits))
		return 0;
	ready = kzalloc_obj(*ready, GFP_KERNEL);
	if (!ready)
		return -ENOMEM;
	spin_lock_init(&ready->lock);
	atom_fence_init(ready, queue, queue->fence_context + 1, 0);

	job->ready = ready;
	atomic_set(&job->unready, 1);
	spin_lock_irq(&queue->fence_lock);
	list_add_tail(&job->waiting_link, &queue->waiting);
	spin_unlock_irq(&queue->fence_lock);

	list_for_each_entry(wait, &job->waits, link) {
		atomic_inc(&job->unready);
		if (dma_fence_add_callback(wait->fence, &wait->cb, atom_job_wait_done))
			atomic_dec(&job->unready);
	}
	atom_job_is_ready(job);
	return drm_sched_job_add_dependency(&job->base, dma_fence_get(&ready->base));
}

static void atom_job_stop_waiting(struct atom_job *job)
{
	struct atom_queue *queue = job->queue;
	struct atom_wait *wait, *next;

	list_for_each_entry_safe(wait, next, &job->waits, link) {
		/* Synchronises with a callback that is just running. */
		if (job->ready && wait->cb.func)
			dma_fence_remove_callback(wait->fence, &wait->cb);
		dma_fence_put(wait->fence);
		kfree(wait);
	}
	if (!job->ready)
		return;
	spin_lock_irq(&queue->fence_lock);
	list_del_init(&job->waiting_link);
	spin_unlock_irq(&queue->fence_lock);
	dma_fence_signal(&job->ready->base);
	dma_fence_put(&job->ready->base);
}

/**
 * atom_sched_stop_waiting() - let no job of a queue wait for anything
 * @queue: queue that is being killed: its jobs end instead of running
 */
void atom_sched_stop_waiting(struct atom_queue *queue)
{
	struct atom_job *job;

	spin_lock_irq(&queue->fence_lock);
	list_for_each_entry(job, &queue->waiting, waiting_link)
		dma_fence_signal(&job->ready->base);
	spin_unlock_irq(&queue->fence_lock);
}

/**
 * atom_job_push() - give an armed job to the scheduler
 * @job: job, which may be freed from here on
 */
void atom_job_push(struct atom_job *job)
{
	job->pushed = true;
	atomic_inc(&job->queue->pushed);
	drm_sched_entity_push_job(&job->base);
}

/**
 * atom_job_free() - end a job that is done, or never was pushed
 * @job: job
 */
void atom_job_free(struct atom_job *job)
{
	struct atom_queue *queue = job->queue;

	atom_job_stop_waiting(job);
	drm_sched_job_cleanup(&job->base);
	kfree(job->fence);
	atomic_dec(&queue->adev->counters.jobs);
	if (job->pushed && atomic_dec_and_test(&queue->pushed))
		wake_up_all(&queue->idle);
	atomic_dec(&queue->outstanding);
	if (wq_has_sleeper(&queue->space))
		wake_up_all(&queue->space);
	kfree(job);
	atom_queue_put(queue);
}
