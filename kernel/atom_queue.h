/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_QUEUE_H
#define ATOM_QUEUE_H

#include <linux/dma-fence.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <drm/drm_gem.h>
#include <drm/gpu_scheduler.h>

#include <drm/atom_accel.h>

#include <atom/hw/queue.h>

#include "atom_seqno.h"

struct atom_admin_desc;
struct atom_device;
struct atom_fault_record;
struct atom_file;
struct atom_job;
struct atom_vector;
struct atom_vm;
struct drm_file;

/**
 * struct atom_area - completion area of a queue, which programs may map
 *
 * A GEM object without a handle, so that the mapping keeps it and only the file
 * that created the queue may map it.
 */
struct atom_area {
	/** @base: Gives it a mmap offset and a reference count. */
	struct drm_gem_object base;
	/** @adev: Device. */
	struct atom_device *adev;
	/** @cpu: Pages that the device writes; NULL after it has gone. */
	void *cpu;
	/** @dma: Its bus address. */
	dma_addr_t dma;
	/** @link: Entry of struct atom_device.areas. */
	struct list_head link;
};

struct atom_area *atom_area_create(struct atom_device *adev, size_t bytes);
void atom_area_unplug_all(struct atom_device *adev);

/**
 * struct atom_queue_fault - what QUEUE_GET_STATE tells of the first failed job
 */
struct atom_queue_fault {
	/** @seqno: Its number. */
	u64 seqno;
	/** @va: Address of the fault. */
	u64 va;
	/** @code: enum atom_fault_code. */
	u16 code;
	/** @where: enum atom_fault_where. */
	u16 where;
	/** @opcode: enum atom_opcode. */
	u16 opcode;
	/** @access: ATOM_ACCESS_*. */
	u16 access;
	/** @command: Index of the command. */
	u32 command;
	/** @field: Byte offset of the field. */
	u32 field;
	/** @error: errno, positive; 0 = no job failed. */
	u32 error;
};

/**
 * struct atom_queue_seen - progress of a queue when it was looked at
 */
struct atom_queue_seen {
	/** @taken: It was looked at before. */
	bool taken;
	/** @stalls: Looks in a row without progress. */
	u32 stalls;
	/** @progress: Tiles of work finished. */
	u64 progress;
	/** @completed: Last job retired. */
	u64 completed;
	/** @others: Time that the device worked for other queues. */
	u64 others;
};

/**
 * struct atom_queue - queue of jobs
 *
 * References: the file's table, each job, and whoever looks it up.
 */
struct atom_queue {
	/** @ref: References. */
	struct kref ref;
	/** @adev: Device; a reference is held. */
	struct atom_device *adev;
	/** @afile: File that owns it, while it is not killed. */
	struct atom_file *afile;
	/** @id: What that file calls it; 0 before it knows. */
	u32 id;
	/** @vm: Address space of its jobs; a reference is held. */
	struct atom_vm *vm;
	/** @vm_link: Entry of struct atom_vm.queues, under its lock. */
	struct list_head vm_link;
	/** @vector_link: Entry of struct atom_vector.queues, under its lock. */
	struct list_head vector_link;
	/** @vector: Interrupt vector. */
	struct atom_vector *vector;
	/** @name: For debugging. */
	char name[16];
	/** @hw_id: Hardware id. */
	u32 hw_id;
	/** @priority: enum drm_atom_queue_priority. */
	u32 priority;
	/** @entries: Slots of the ring. */
	u32 entries;

	/** @sched: Scheduler, one of struct atom_device.scheds. */
	struct drm_gpu_scheduler *sched;
	/** @entity: Its only entity. */
	struct drm_sched_entity entity;

	/** @submit_lock: Held while jobs are armed and pushed, so that they stay in order. */
	struct mutex submit_lock;
	/** @submitted: Number of the last job; under @submit_lock. */
	u64 submitted;
	/** @outstanding: Jobs submitted and not freed. */
	atomic_t outstanding;
	/** @space: Woken when @outstanding sinks, or the queue is killed. */
	wait_queue_head_t space;
	/** @pushed: Jobs that the scheduler has. */
	atomic_t pushed;
	/** @idle: Woken when @pushed is 0. */
	wait_queue_head_t idle;

	/** @hw_lock: Held while the hardware queue is reset or destroyed, and by nobody else. */
	struct mutex hw_lock;
	/** @alive: The hardware may know the queue; under @hw_lock. */
	bool alive;
	/** @reset_done: It was reset, and takes nothing more; under @hw_lock. */
	bool reset_done;
	/** @reset_work: Resets the queue after a fault. */
	struct work_struct reset_work;

	/** @ring: Descriptors, coherent memory. */
	struct atom_ring_desc *ring;
	/** @ring_dma: Its bus address. */
	dma_addr_t ring_dma;
	/** @tail: Descriptors ever written; behind the ring. */
	__le64 *tail;
	/** @area: Completion area. */
	struct atom_area *area;

	/** @fence_context: Of the hardware fences. */
	u64 fence_context;
	/** @fence_lock: Protects all below; taken in interrupts. */
	spinlock_t fence_lock;
	/** @waiting: Jobs that wait for fences: struct atom_job.waiting_link. */
	struct list_head waiting;
	/** @fences: Hardware fences of jobs on the ring, in order. */
	struct list_head fences;
	/** @emitted: Number of the last job on the ring. */
	u64 emitted;
	/** @completed: Number of the last job retired. */
	u64 completed;
	/** @generation: As told to the hardware. */
	u32 generation;
	/** @resets: Resets that hit the queue. */
	u32 resets;
	/** @flags: enum drm_atom_queue_state_flags. */
	u32 flags;
	/** @banned: No job may go on the ring any more. */
	bool banned;
	/** @killed: The queue is being destroyed: no more resets. */
	bool killed;
	/** @alive_irq: The completion area and the queue's registers may be read. */
	bool alive_irq;
	/** @fault: First failure. */
	struct atom_queue_fault fault;
	/** @busy_ns: Last reading of the hardware's counter, with all its lives. */
	u64 busy_ns;
	/** @busy_base: Of these, what lives before this one had. */
	u64 busy_base;
	/** @lost_seqno: Last job that a reset of the device took; 0 = none. */
	u64 lost_seqno;
	/** @lost_before: Last job that was lost before @fault; 0 = none. */
	u64 lost_before;

	/** @seen: What the last look saw; only the time-out handler touches it. */
	struct atom_queue_seen seen;
};

static inline struct atom_cpl_header *atom_queue_header(struct atom_queue *queue)
{
	return queue->area->cpu;
}

static inline struct atom_cpl_record *atom_queue_record(struct atom_queue *queue, u64 seqno)
{
	struct atom_cpl_record *records = queue->area->cpu + sizeof(struct atom_cpl_header);

	return &records[atom_seqno_slot(seqno, queue->entries)];
}

static inline struct atom_queue *atom_queue_get(struct atom_queue *queue)
{
	kref_get(&queue->ref);
	return queue;
}

void atom_queue_init_locks(struct atom_queue *queue);
void atom_queue_put(struct atom_queue *queue);
struct atom_queue *atom_queue_lookup(struct drm_file *file, u32 id);
struct atom_queue *atom_queue_get_by_hw_id(struct atom_device *adev, u32 hw_id);
struct atom_queue *atom_queue_next(struct atom_device *adev, u32 *hw_id);

u64 atom_queue_busy_ns(struct atom_queue *queue);
u32 atom_queue_next_generation(struct atom_device *adev);

/* Creation: atom_queue_create.c. */
void atom_queue_free_hw(struct atom_queue *queue);

/* Completion and failure of jobs: atom_queue_complete.c. */
void atom_queue_complete(struct atom_queue *queue);
bool atom_queue_fault(struct atom_queue *queue, const struct atom_fault_record *record);
void atom_queue_ban(struct atom_queue *queue, u32 flags, int error);
void atom_queue_signal_next(struct atom_queue *queue, int error);
void atom_queue_cancel(struct atom_queue *queue);

/* Reset and end of queues: atom_queue_end.c. */
bool atom_queue_reset(struct atom_queue *queue);
void atom_queue_reset_work(struct work_struct *work);
void atom_queue_hide(struct atom_queue *queue);
void atom_queue_kill(struct atom_queue *queue);
void atom_queue_fail_all(struct atom_device *adev);
void atom_queue_wake_all(struct atom_device *adev);
void atom_queue_kill_all(struct atom_device *adev);
void atom_queue_destroy(struct atom_file *afile, struct atom_queue *queue);

/* A reset of the device: atom_queue_lost.c. */
void atom_queue_device_reset_all(struct atom_device *adev, bool cold);
bool atom_queue_recreate(struct atom_device *adev, u32 id, struct atom_admin_desc *desc);
void atom_queue_ring_all(struct atom_device *adev);

/* Sleep of the system: atom_queue_pm.c. */
void atom_queue_pause_all(struct atom_device *adev);
void atom_queue_go_on_all(struct atom_device *adev);
bool atom_queue_all_quiet(struct atom_device *adev);
void atom_queue_wake_up_all(struct atom_device *adev);

int atom_ioctl_queue_create(struct drm_device *drm, void *data, struct drm_file *file);
int atom_ioctl_queue_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int atom_ioctl_queue_get_state(struct drm_device *drm, void *data, struct drm_file *file);

#endif
