/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_SCHED_H
#define ATOM_SCHED_H

#include <linux/dma-fence.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include <drm/gpu_scheduler.h>

#include <atom/hw/queue.h>

struct atom_device;
struct atom_queue;

/**
 * struct atom_scheds - the schedulers of a device
 *
 * A finished fence of the scheduler names its scheduler for as long as somebody
 * holds it, perhaps longer than the device is there. It holds the job's struct
 * atom_fence, and that one a reference to these and one to the module.
 */
struct atom_scheds {
	/** @ref: The device, and each struct atom_fence. */
	struct kref ref;
	/** @sched: By hardware queue id. */
	struct drm_gpu_scheduler sched[];
};

/**
 * struct atom_fence - signals when the device has retired a job
 */
struct atom_fence {
	/** @base: First, because it is freed by it. */
	struct dma_fence base;
	/** @scheds: A reference. */
	struct atom_scheds *scheds;
	/** @lock: Its lock, which lives as long as it. */
	spinlock_t lock;
	/** @link: Entry of struct atom_queue.fences. */
	struct list_head link;
};

/**
 * struct atom_wait - a fence that a job waits for
 */
struct atom_wait {
	/** @link: Entry of struct atom_job.waits. */
	struct list_head link;
	/** @cb: Callback of @fence. */
	struct dma_fence_cb cb;
	/** @fence: Fence. */
	struct dma_fence *fence;
	/** @job: Job. */
	struct atom_job *job;
};

/**
 * struct atom_job - a job
 */
struct atom_job {
	/** @base: Scheduler's part. */
	struct drm_sched_job base;
	/** @queue: Queue; a reference is held. */
	struct atom_queue *queue;
	/** @fence: Memory for its fence, until the job is on the ring. */
	struct atom_fence *fence;
	/** @desc: What goes on the ring. */
	struct atom_ring_desc desc;
	/** @seqno: Its number. */
	u64 seqno;
	/** @doorbell: Ring the doorbell; else the job behind it does at once. */
	bool doorbell;
	/** @pushed: The scheduler has it, and struct atom_queue.pushed counts it. */
	bool pushed;
	/** @waits: Fences that it waits for. */
	struct list_head waits;
	/** @unready: How many of them have not signalled. */
	atomic_t unready;
	/**
	 * @ready: Signals when none is left, or the queue is killed; the only
	 * fence that the scheduler sees. Killing a queue thus ends all its jobs
	 * at once, whatever they wait for.
	 */
	struct atom_fence *ready;
	/** @waiting_link: Entry of struct atom_queue.waiting, while @ready is set. */
	struct list_head waiting_link;
};

int atom_scheds_init(struct atom_device *adev);
int atom_sched_init(struct atom_queue *queue, u32 timeout_ms);
struct atom_job *atom_job_create(struct atom_queue *queue, u64 client_id);
int atom_job_add_wait(struct atom_job *job, struct dma_fence *fence);
int atom_job_start_waiting(struct atom_job *job);
void atom_job_push(struct atom_job *job);
void atom_sched_stop_waiting(struct atom_queue *queue);
void atom_job_free(struct atom_job *job);

#endif
