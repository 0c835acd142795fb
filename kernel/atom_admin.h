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
};

int atom_admin_init(struct atom_device *adev);
void atom_admin_fini(struct atom_device *adev);
void atom_admin_interrupt(struct atom_device *adev);
int atom_admin_exec(struct atom_device *adev, struct atom_admin_desc *desc);

#endif
