/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_ADMIN_H
#define ATOM_ADMIN_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <atom/hw/admin.h>
#include <atom/hw/queue.h>

struct atom_device;

/**
 * struct atom_admin - the admin queue, one command at a time
 */
struct atom_admin {
	/** @lock: Held from a command's descriptor to its completion. */
	struct mutex lock;
	/** @wait: Woken by the interrupt ATOM_INTR_ADMIN. */
	wait_queue_head_t wait;
	/** @base: Coherent memory: ring, tail, completion area. */
	void *base;
	/** @dma: Bus address of @base. */
	dma_addr_t dma;
	/** @ring: Descriptors. */
	struct atom_admin_desc *ring;
	/** @tail: Descriptors ever written, read by the device. */
	__le64 *tail;
	/** @header: Head of the completion area. */
	struct atom_cpl_header *header;
	/** @records: One a slot. */
	struct atom_cpl_record *records;
	/** @seq: Sequence number of the last command; under @lock. */
	u64 seq;
	/** @roots: Root tables that the device knows, by ASID; 0 = none; under @lock. */
	dma_addr_t *roots;
	/** @queues: QUEUE_CREATE of the queues that the device knows, by id; under @lock. */
	struct atom_admin_desc *queues;
};

int atom_admin_init(struct atom_device *adev);
void atom_admin_start(struct atom_device *adev);
void atom_admin_fini(struct atom_device *adev);
void atom_admin_interrupt(struct atom_device *adev);
int atom_admin_exec(struct atom_device *adev, struct atom_admin_desc *desc);
void atom_admin_take_back(struct atom_device *adev, struct atom_admin_desc *desc,
			  const char *refused);
int atom_admin_set_root(struct atom_device *adev, u32 asid, dma_addr_t root);
int atom_admin_restore(struct atom_device *adev);
bool atom_admin_knows_queue(struct atom_device *adev, u32 id);

#endif
