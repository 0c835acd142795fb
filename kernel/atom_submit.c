// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: SUBMIT
 *
 * All jobs of a call are taken or none. Everything that can fail is done first:
 * arguments, syncobjs, memory, and room in the queue. Then, under the queue's
 * submit lock, jobs get their numbers and are pushed, and their points signal
 * them; none of that can fail.
 *
 * A queue takes as many jobs as its ring has slots; the call then sleeps until
 * there is room, without holding a lock, and a signal makes it restart.
 */
#include <linux/dma-fence-chain.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <drm/drm_syncobj.h>

#include "atom_device.h"
#include "atom_drv.h"
#include "atom_queue.h"
#include "atom_sched.h"
#include "atom_submit.h"
#include "atom_trace.h"
#include "atom_uapi.h"
#include "atom_vm.h"

/* Jobs that share a doorbell. */
#define ATOM_DOORBELL_JOBS	8

/**
 * struct atom_signal - a point that a job signals
 */
struct atom_signal {
	/** @link: Entry of struct atom_submit_job.signals. */
	struct list_head link;
	/** @syncobj: What to signal. */
	struct drm_syncobj *syncobj;
	/** @chain: Node for its timeline, or NULL if it is none. */
	struct dma_fence_chain *chain;
	/** @point: Point of the timeline. */
	u64 point;
};

/**
 * struct atom_submit_job - one job of a call
 */
struct atom_submit_job {
	/** @job: Job. */
	struct atom_job *job;
	/** @signals: Points that it signals. */
	struct list_head signals;
	/** @syncs: What it waits for and signals, as the caller says; or NULL. */
	struct drm_atom_sync *syncs;
	/** @waits: It depends on a fence. */
	bool waits;
};

/**
 * struct atom_submit - one call of SUBMIT
 */
struct atom_submit {
	/** @file: Caller. */
	struct drm_file *file;
	/** @queue: Queue. */
	struct atom_queue *queue;
	/** @args: Jobs as the caller gave them. */
	struct drm_atom_job *args;
	/** @jobs: Jobs. */
	struct atom_submit_job *jobs;
	/** @count: How many. */
	u32 count;
	/** @room: Jobs that the queue counts for this call. */
	u32 room;
	/**
	 * @signalled: struct atom_signal by syncobj handle: the last one of an
	 * earlier job of this call. Jobs of a queue run in order, so that waiting
	 * for an earlier one is no dependency; it also has no fence yet.
	 */
	struct xarray signalled;
};

static bool atom_submit_range_valid(u64 va, u64 bytes)
{
	return IS_ALIGNED(va, 8) && va >= ATOM_VA_START && va < ATOM_VA_END &&
	       bytes <= ATOM_VA_END - va;
}

static int atom_submit_check_job(const struct atom_limits *limits, const struct drm_atom_job *args)
{
	if (args->flags || args->pad)
		return -EINVAL;
	/* The device does nothing for these, so that it reads and writes nothing. */
	if (!args->cmd_bytes)
		return args->cmd_va || args->args_va || args->arg_count || args->result_va ?
		       -EINVAL : 0;

	if (args->cmd_bytes > limits->cmd_bytes_max || args->arg_count > limits->args_max)
		return -E2BIG;
	if (!IS_ALIGNED(args->cmd_bytes, 8) ||
	    !atom_submit_range_valid(args->cmd_va, args->cmd_bytes))
		return -EINVAL;
	if (!args->arg_count != !args->args_va ||
	    (args->args_va && !atom_submit_range_valid(args->args_va, (u64)args->arg_count *
						       sizeof(struct atom_arg))))
		return -EINVAL;
	if (args->result_va &&
	    !atom_submit_range_valid(args->result_va, sizeof(struct atom_cpl_record)))
		return -EINVAL;
	return 0;
}

static void atom_submit_fill_desc(const struct drm_atom_job *args, struct atom_ring_desc *desc)
{
	desc->type = cpu_to_le16(args->cmd_bytes ? ATOM_DESC_EXECUTE : ATOM_DESC_NOP);
	desc->cmd_bytes = cpu_to_le32(args->cmd_bytes);
	desc->cmd_va = cpu_to_le64(args->cmd_va);
	desc->args_va = cpu_to_le64(args->args_va);
	desc->arg_count = cpu_to_le32(args->arg_count);
	desc->result_va = cpu_to_le64(args->result_va);
	desc->cookie = cpu_to_le64(args->cookie);
}

static int atom_submit_check_sync(const struct drm_atom_sync *sync)
{
	bool timeline = sync->flags & DRM_ATOM_SYNC_TIMELINE;

	if (sync->flags & ~(DRM_ATOM_SYNC_SIGNAL | DRM_ATOM_SYNC_TIMELINE))
		return -EINVAL;
	return timeline == !!sync->point ? 0 : -EINVAL;
}

static int atom_submit_add_wait(struct atom_submit *submit, struct atom_submit_job *sjob,
				const struct drm_atom_sync *sync)
{
	struct atom_signal *earlier = xa_load(&submit->signalled, sync->handle);
	bool timeline = sync->flags & DRM_ATOM_SYNC_TIMELINE;
	struct dma_fence *fence;
	int ret;

	/* The earlier job's fence will be all that is in it. */
	if (earlier && !timeline && !earlier->chain)
		return 0;

	ret = drm_syncobj_find_fence(submit->file, sync->handle, sync->point, 0, &fence);
	if (ret == -EINVAL && timeline && earlier && earlier->chain &&
	    earlier->point >= sync->point) {
		/*
		 * An earlier job makes the point, but a timeline reaches it only
		 * behind all that is on it already, perhaps from other queues.
		 */
		ret = drm_syncobj_find_fence(submit->file, sync->handle, 0, 0, &fence);
		if (ret == -EINVAL)
			return 0;
	}
	if (ret)
		return ret;
	ret = atom_job_add_wait(sjob->job, fence);
	if (ret > 0)
		sjob->waits = true;
	return min(ret, 0);
}

static int atom_submit_add_signal(struct atom_submit *submit, struct atom_submit_job *sjob,
				  const struct drm_atom_sync *sync)
{
	struct atom_signal *signal = kzalloc_obj(*signal, GFP_KERNEL);

	if (!signal)
		return -ENOMEM;
	list_add_tail(&signal->link, &sjob->signals);
	signal->point = sync->point;
	if (sync->flags & DRM_ATOM_SYNC_TIMELINE) {
		signal->chain = dma_fence_chain_alloc();
		if (!signal->chain)
			return -ENOMEM;
	}
	signal->syncobj = drm_syncobj_find(submit->file, sync->handle);
	return signal->syncobj ? 0 : -ENOENT;
}

/* Later jobs of this call need not wait for what this one signals. */
static int atom_submit_remember_signals(struct atom_submit *submit, struct atom_submit_job *sjob,
					const struct drm_atom_sync *syncs, u32 count)
{
	struct atom_signal *signal = list_first_entry(&sjob->signals, struct atom_signal, link);
	u32 i;

	for (i = 0; i < count; i++) {
		int ret;

		if (!(syncs[i].flags & DRM_ATOM_SYNC_SIGNAL))
			continue;
		ret = xa_err(xa_store(&submit->signalled, syncs[i].handle, signal, GFP_KERNEL));
		if (ret)
			return ret;
		signal = list_next_entry(signal, link);
	}
	return 0;
}

static int atom_submit_add_syncs(struct atom_submit *submit, u32 index)
{
	const struct drm_atom_obj_array *array = &submit->args[index].syncs;
	struct atom_submit_job *sjob = &submit->jobs[index];
	struct drm_atom_sync *syncs = sjob->syncs;
	int ret = 0;
	u32 i;

	for (i = 0; i < array->count && !ret; i++) {
		ret = atom_submit_check_sync(&syncs[i]);
		if (ret)
			break;
		ret = syncs[i].flags & DRM_ATOM_SYNC_SIGNAL ?
		      atom_submit_add_signal(submit, sjob, &syncs[i]) :
		      atom_submit_add_wait(submit, sjob, &syncs[i]);
	}
	if (!ret && index + 1 < submit->count)
		ret = atom_submit_remember_signals(submit, sjob, syncs, array->count);
	return ret;
}

/* Why the queue takes no job, or 0. */
static int atom_submit_refused(struct atom_queue *queue)
{
	if (READ_ONCE(queue->adev->removing))
		return -ENODEV;
	if (atom_device_is_dead(queue->adev))
		return -EIO;
	return READ_ONCE(queue->banned) ? -ECANCELED : 0;
}

static bool atom_submit_take_room(struct atom_submit *submit)
{
	struct atom_queue *queue = submit->queue;
	int held = atomic_read(&queue->outstanding);

	do {
		if (held + submit->count > queue->entries)
			return false;
	} while (!atomic_try_cmpxchg(&queue->outstanding, &held, held + submit->count));
	submit->room = submit->count;
	return true;
}

static int atom_submit_wait_for_room(struct atom_submit *submit)
{
	struct atom_queue *queue = submit->queue;
	int ret;

	ret = wait_event_interruptible(queue->space, atom_submit_refused(queue) ||
				       atom_submit_take_room(submit));
	return ret ?: atom_submit_refused(queue);
}

static int atom_submit_get_args(struct atom_submit *submit, const struct drm_atom_obj_array *array)
{
	const struct atom_limits *limits = &submit->queue->adev->limits;
	int ret = 0;
	u32 i;

	submit->args = ATOM_UOBJ_GET_ARRAY(array, atom_submit_jobs_max(limits),
					   struct drm_atom_job, syncs);
	if (IS_ERR(submit->args)) {
		ret = PTR_ERR(submit->args);
		submit->args = NULL;
		return ret;
	}
	for (i = 0; i < array->count && !ret; i++)
		ret = atom_submit_check_job(limits, &submit->args[i]);
	if (ret)
		return ret;

	submit->jobs = kvcalloc(array->count, sizeof(*submit->jobs), GFP_KERNEL);
	if (!submit->jobs)
		return -ENOMEM;
	submit->count = array->count;

	for (i = 0; i < submit->count; i++) {
		const struct drm_atom_obj_array *syncs = &submit->args[i].syncs;
		struct drm_atom_sync *copy;

		if (!syncs->count)
			continue;
		copy = ATOM_UOBJ_GET_ARRAY(syncs, ATOM_SYNCS_MAX, struct drm_atom_sync, point);
		if (IS_ERR(copy))
			return PTR_ERR(copy);
		submit->jobs[i].syncs = copy;
	}
	return 0;
}

static int atom_submit_make_jobs(struct atom_submit *submit)
{
	u32 i;
	int ret;

	for (i = 0; i < submit->count; i++)
		INIT_LIST_HEAD(&submit->jobs[i].signals);

	for (i = 0; i < submit->count; i++) {
		struct atom_submit_job *sjob = &submit->jobs[i];
		struct atom_job *job;

		job = atom_job_create(submit->queue, submit->file->client_id);
		if (IS_ERR(job))
			return PTR_ERR(job);
		sjob->job = job;
		atom_submit_fill_desc(&submit->args[i], &job->desc);
		ret = atom_submit_add_syncs(submit, i);
		if (!ret)
			ret = atom_job_start_waiting(job);
		if (ret)
			return ret;
	}

	/*
	 * One doorbell for some jobs that follow each other at once: no fence
	 * to wait for in between, and few enough that the device begins while
	 * the others are put on the ring. One interrupt for jobs that nobody
	 * waits for singly; faults interrupt in any case.
	 */
	for (i = 0; i < submit->count; i++) {
		struct atom_submit_job *sjob = &submit->jobs[i];
		bool last = i + 1 == submit->count || submit->jobs[i + 1].waits;

		sjob->job->doorbell = last || i % ATOM_DOORBELL_JOBS == ATOM_DOORBELL_JOBS - 1;
		if (last || !list_empty(&sjob->signals))
			sjob->job->desc.flags |= cpu_to_le16(ATOM_DESC_IRQ);
	}
	return 0;
}

static void atom_submit_signal(struct atom_submit_job *sjob, struct dma_fence *fence)
{
	struct atom_signal *signal;

	list_for_each_entry(signal, &sjob->signals, link) {
		if (signal->chain) {
			drm_syncobj_add_point(signal->syncobj, signal->chain, fence,
					      signal->point);
			signal->chain = NULL;
		} else {
			drm_syncobj_replace_fence(signal->syncobj, fence);
		}
	}
}

/* Nothing fails, and nothing allocates memory, between the first job and the last. */
static int atom_submit_push(struct atom_submit *submit, u64 *seqno)
{
	struct atom_queue *queue = submit->queue;
	struct dma_resv *resv = drm_gpuvm_resv(&queue->vm->base);
	int ret;
	u32 i;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;
	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		goto unlock_resv;

	mutex_lock(&queue->submit_lock);
	ret = atom_submit_refused(queue);
	if (ret)
		goto unlock;

	for (i = 0; i < submit->count; i++) {
		struct atom_submit_job *sjob = &submit->jobs[i];
		struct atom_job *job = sjob->job;

		job->seqno = ++queue->submitted;
		job->desc.seq = cpu_to_le64(job->seqno);
		drm_sched_job_arm(&job->base);
		atom_submit_signal(sjob, &job->base.s_fence->finished);
		/* Jobs of a queue end in order: the last one stands for all. */
		if (i + 1 == submit->count)
			dma_resv_add_fence(resv, &job->base.s_fence->finished,
					   DMA_RESV_USAGE_BOOKKEEP);
		trace_atom_job_submit(queue, job->seqno, 0);
		sjob->job = NULL;
		submit->room--;
		atom_job_push(job);
	}
	*seqno = queue->submitted;
unlock:
	mutex_unlock(&queue->submit_lock);
unlock_resv:
	dma_resv_unlock(resv);
	return ret;
}

static void atom_submit_fini(struct atom_submit *submit)
{
	struct atom_signal *signal, *next;
	u32 i;

	for (i = 0; i < submit->count; i++) {
		struct atom_submit_job *sjob = &submit->jobs[i];

		/* Jobs are made in order: behind the first that is not, none is. */
		if (!sjob->signals.next)
			break;
		list_for_each_entry_safe(signal, next, &sjob->signals, link) {
			if (signal->syncobj)
				drm_syncobj_put(signal->syncobj);
			dma_fence_chain_free(signal->chain);
			kfree(signal);
		}
		if (sjob->job) {
			submit->room--;
			atom_job_free(sjob->job);
		}
	}
	if (submit->room) {
		atomic_sub(submit->room, &submit->queue->outstanding);
		wake_up_all(&submit->queue->space);
	}
	for (i = 0; i < submit->count; i++)
		kvfree(submit->jobs[i].syncs);
	xa_destroy(&submit->signalled);
	kvfree(submit->jobs);
	kvfree(submit->args);
}

/**
 * atom_ioctl_submit() - DRM_IOCTL_ATOM_SUBMIT
 * @drm: device
 * @data: struct drm_atom_submit
 * @file: caller
 *
 * Return: 0 or an error of the uapi.
 */
int atom_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct atom_submit submit = { .file = file };
	struct drm_atom_submit *args = data;
	int ret, idx;

	if (args->flags || !args->jobs.count)
		return -EINVAL;

	submit.queue = atom_queue_lookup(file, args->queue_id);
	if (!submit.queue)
		return -ENOENT;
	xa_init(&submit.signalled);

	ret = atom_submit_get_args(&submit, &args->jobs);
	if (!ret)
		ret = atom_ioctl_enter(drm, &idx);
	if (ret) {
		atom_submit_fini(&submit);
		goto put;
	}

	ret = atom_submit_wait_for_room(&submit);
	if (!ret)
		ret = atom_submit_make_jobs(&submit);
	if (!ret)
		ret = atom_submit_push(&submit, &args->seqno);
	/* Inside: what jobs wait for must not wake them when their workqueue is gone. */
	atom_submit_fini(&submit);
	drm_dev_exit(idx);
put:
	atom_queue_put(submit.queue);
	return ret;
}
