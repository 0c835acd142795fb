/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_SCHED_H
#define ATOM_SCHED_H

#include <linux/dma-fence.h>
#include <linux/list.h>
#include <linux/spinlock.h>

#include <drm/gpu_scheduler.h>

#include <atom/hw/queue.h>

struct atom_queue;

/**
 * struct atom_fence - signals when the device has retired a job
 */
struct atom_fence {
	/** @base: First, because it is freed by it. */
	struct dma_fence base;
	/** @lock: Its lock, which lives as long as it. */
	spinlock_t lock;
	/** @link: Entry of struct atom_queue.fences. */
	struct list_head link;
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
	/** @started: The scheduler has given it to us. */
	bool started;
};

int atom_sched_init(struct atom_queue *queue, u32 timeout_ms);
struct atom_job *atom_job_create(struct atom_queue *queue, u64 client_id);
void atom_job_free(struct atom_job *job);
void atom_sched_wait_for_jobs(void);

#endif
