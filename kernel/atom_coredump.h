/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_COREDUMP_H
#define ATOM_COREDUMP_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <atom/hw/coredump.h>

struct atom_device;
struct atom_queue;

/**
 * struct atom_dump - a dump in the making
 */
struct atom_dump {
	/** @data: ATOM_DUMP_BYTES_MAX bytes, the header first. */
	void *data;
	/** @used: Bytes written, a multiple of 8. */
	size_t used;
	/** @flags: ATOM_DUMP_*. */
	u32 flags;
};

/**
 * struct atom_coredump - dumps of a device, one at a time
 */
struct atom_coredump {
	/** @lock: Protects what follows. */
	struct mutex lock;
	/** @dump: Written where no memory can be allocated; allocated with the device. */
	struct atom_dump dump;
	/** @work: Hands it over to the devcoredump core, which needs memory. */
	struct work_struct work;
};

#ifdef CONFIG_DEV_COREDUMP
int atom_coredump_init(struct atom_device *adev);
void atom_coredump_fini(struct atom_device *adev);
void atom_coredump_queue(struct atom_queue *queue);
void atom_coredump_device(struct atom_device *adev, const char *reason);
#else
static inline int atom_coredump_init(struct atom_device *adev) { return 0; }
static inline void atom_coredump_fini(struct atom_device *adev) {}
static inline void atom_coredump_queue(struct atom_queue *queue) {}
static inline void atom_coredump_device(struct atom_device *adev, const char *reason) {}
#endif

/**
 * struct atom_dump_limits - how much of one queue goes into a dump
 */
struct atom_dump_limits {
	/** @jobs: Descriptors and completion records, around the job that failed. */
	u32 jobs;
	/** @commands: Bytes of its command buffer. */
	u32 commands;
	/** @mappings: Ranges of the address space. */
	u32 mappings;
};

void *atom_dump_add(struct atom_dump *dump, u32 type, u32 queue, u64 start, u64 bytes, u64 whole);
void atom_dump_shrink(struct atom_dump *dump, void *content, u64 bytes);
void atom_dump_queue(struct atom_dump *dump, struct atom_queue *queue, u32 running,
		     const struct atom_dump_limits *limits);

#endif
