/* SPDX-License-Identifier: MIT */
/**
 * @file atom_queue.h
 * @brief Giving jobs to the device and waiting for them, in C. Included by atom.h, whose rules hold.
 */
#ifndef ATOM_ATOM_QUEUE_H
#define ATOM_ATOM_QUEUE_H

#include "atom/atom_commands.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Jobs that run in the order of their submission. For many threads. */
typedef struct atom_queue atom_queue;
/** A counter that jobs and the CPU move forward and wait for. For many threads. */
typedef struct atom_timeline atom_timeline;

/** A deadline that never comes. Deadlines are nanoseconds of CLOCK_MONOTONIC. */
#define ATOM_NO_DEADLINE INT64_MAX

/** A moment: job number @ref point of a queue, or a point of a timeline. Of queue and timeline one is null. */
struct atom_fence {
	const atom_queue *queue;       /**< null: of a timeline */
	const atom_timeline *timeline; /**< null: of a queue */
	uint64_t point;                /**< 1 or more */
};

/** How a queue is made. What is 0 or null the context's options say. */
struct atom_queue_options {
	uint32_t size;           /**< of the structure */
	uint32_t priority;       /**< 1: low, 2: normal, 3: high, 4: realtime */
	uint32_t job_timeout_ms; /**< without progress */
	uint32_t reserved;       /**< 0 */
	const char *name;        /**< for debugging, at most 15 bytes of printable ASCII */
};

/** One job. What it points to is looked at until the call returns; memory is kept until the job is done. */
struct atom_submission {
	uint32_t size;                    /**< of the structure */
	uint32_t argument_count;          /**< of arguments */
	const atom_commands *commands;    /**< null: it only waits and signals */
	const struct atom_view *arguments; /**< of slot 1 and up */
	const struct atom_fence *waits;   /**< the job starts after these */
	const struct atom_fence *signals; /**< of timelines: reached when it is done, also when it fails */
	uint32_t wait_count;              /**< of waits */
	uint32_t signal_count;            /**< of signals */
	uint64_t cookie;                  /**< told in the completion */
};

/** What became of a job. */
struct atom_completion {
	uint32_t size;           /**< of the structure */
	int32_t error;           /**< enum atom_error; 0: it ran to its end */
	uint64_t sequence;       /**< of the job in its queue; 0: a timeline's fence */
	uint64_t cookie;         /**< of the submission */
	uint64_t start_ns;       /**< device clock; 0 with end_ns: not known any more */
	uint64_t end_ns;         /**< device clock */
	uint64_t modelled_ns;    /**< that the modelled silicon takes */
	uint64_t first_failed;   /**< the first failed job of the queue; 0: none */
	struct atom_fault fault; /**< of the job, or of the one that stopped the queue */
};

/** What a queue has been through. */
struct atom_queue_status {
	uint32_t size;           /**< of the structure */
	uint32_t faulted;        /**< 1: a job faulted */
	uint32_t timed_out;      /**< 1: a job made no progress in time */
	uint32_t innocent;       /**< 1: lost jobs to a reset that another queue caused */
	uint32_t banned;         /**< 1: takes no more jobs */
	uint32_t device_lost;    /**< 1: the device is gone or dead */
	uint32_t generation;     /**< resets that hit it */
	int32_t error;           /**< errno of the first failed job; 0: none */
	uint64_t submitted;      /**< last job submitted */
	uint64_t completed;      /**< last job retired; it may lag behind the fences of jobs that have just ended */
	uint64_t first_failed;   /**< first failed job; 0: none */
	uint64_t busy_ns;        /**< wall time that the device worked for it */
	struct atom_fault fault; /**< of the first failed job */
	uint64_t last_lost;      /**< last job that a reset of the device took; 0: none */
};

/** @p options may be null. */
ATOM_C_API int atom_queue_create(const atom_context *context,
				 const struct atom_queue_options *options, atom_queue **out);
/** Does not wait: jobs that are not done are aborted. Nobody may use the queue, or a fence of it, any more. */
ATOM_C_API void atom_queue_destroy(atom_queue *queue);
/**
 * Gives @p count jobs, all or none; each structure is of the size that the first one has. Waits only
 * while the queue is full. @p sequence, which may be null, becomes the number of the last job.
 */
ATOM_C_API int atom_queue_submit(atom_queue *queue, const struct atom_submission *jobs,
				 uint32_t count, uint64_t *sequence);
/** Takes completions in order, each once; @p count becomes how many. Does not block. */
ATOM_C_API int atom_queue_reap(atom_queue *queue, struct atom_completion *out, uint32_t room,
			       uint32_t *count);
/** Gives one job and waits for it, as atom_queue_submit() and atom_fence_wait(). */
ATOM_C_API int atom_queue_run(atom_queue *queue, const struct atom_submission *job,
			      int64_t deadline_ns, struct atom_completion *out);
/**
 * @p sequence becomes the job whose end makes room for @p jobs more, so that submit does not wait
 * as far as no other thread submits; 0: there is room now.
 */
ATOM_C_API int atom_queue_room_for(const atom_queue *queue, uint32_t jobs, uint64_t *sequence);
/** What struct atom_device_event calls it; 0 of null. */
ATOM_C_API uint32_t atom_queue_id(const atom_queue *queue);
/** Also after the device is lost. */
ATOM_C_API int atom_queue_get_status(const atom_queue *queue, struct atom_queue_status *out);

/** At 0. */
ATOM_C_API int atom_timeline_create(const atom_device *device, atom_timeline **out);
/** Nobody may use a fence of it any more. */
ATOM_C_API void atom_timeline_destroy(atom_timeline *timeline);
/** The last point reached. */
ATOM_C_API int atom_timeline_get_value(const atom_timeline *timeline, uint64_t *value);
/** Moves it to @p point, which must be beyond its value. */
ATOM_C_API int atom_timeline_signal(atom_timeline *timeline, uint64_t point);
/**
 * @p fd becomes the timeline as a new file, close-on-exec, which the caller closes, for another process or
 * device: all who have it see and move the same points.
 */
ATOM_C_API int atom_timeline_export(const atom_timeline *timeline, int *fd);
/** The timeline behind such a file, which stays the caller's and may be closed then. */
ATOM_C_API int atom_timeline_import(const atom_device *device, int fd, atom_timeline **out);
/**
 * @p point becomes the moment of a sync_file of whatever driver, so that jobs can wait for it. @p fd stays
 * the caller's and may be closed then. ATOM_ERROR_INVALID_ARGUMENT: it is no sync_file, or the point is 0.
 */
ATOM_C_API int atom_timeline_import_sync_file(atom_timeline *timeline, uint64_t point, int fd);

/**
 * Blocks until the moment has come. Returns the error of the job, if it has one, ATOM_ERROR_TIMED_OUT,
 * or why it cannot wait. @p out, which may be null, is filled in any case.
 */
ATOM_C_API int atom_fence_wait(const struct atom_fence *fence, int64_t deadline_ns,
			       struct atom_completion *out);
/** 1 or 0, or an error. Does not block. */
ATOM_C_API int atom_fence_ready(const struct atom_fence *fence);
/**
 * @p fd becomes the moment as a sync_file, for other drivers and for poll(): a new file, close-on-exec, which
 * the caller closes. It tells that the job has ended, not whether well. ATOM_ERROR_INVALID_ARGUMENT also if no
 * job was given the point yet.
 */
ATOM_C_API int atom_fence_export_sync_file(const struct atom_fence *fence, int *fd);
/** Blocks until one is ready; @p index, which may be null, tells which. */
ATOM_C_API int atom_wait_any(const struct atom_fence *fences, uint32_t count, int64_t deadline_ns,
			     uint32_t *index);
/** Blocks until all are ready. Returns the error of the first job that has one. */
ATOM_C_API int atom_wait_all(const struct atom_fence *fences, uint32_t count, int64_t deadline_ns);
/** A completion in words, at most @p room bytes with the 0 at their end; returns the length of the whole. */
ATOM_C_API int atom_completion_text(const struct atom_completion *completion, char *text,
				    size_t room);

/** A file that becomes readable when fences are ready. For many threads. */
typedef struct atom_notifier atom_notifier;

/** Watches nothing yet. */
ATOM_C_API int atom_notifier_create(const atom_device *device, atom_notifier **out);
/** Ends it. */
ATOM_C_API void atom_notifier_destroy(atom_notifier *notifier);
/** For poll() and the like, and for nobody to close; or an error. */
ATOM_C_API int atom_notifier_fd(const atom_notifier *notifier);
/** Has the file become readable when the fence is ready. */
ATOM_C_API int atom_notifier_watch(atom_notifier *notifier, const struct atom_fence *fence);
/** Makes it unreadable until the next; clear before you look. */
ATOM_C_API int atom_notifier_clear(atom_notifier *notifier);

#ifdef __cplusplus
}
#endif

#endif
