/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_FAULT_H
#define ATOM_FAULT_H

#include <linux/types.h>
#include <linux/workqueue.h>

#include <atom/hw/fault.h>

struct atom_device;

/**
 * struct atom_fault_fifo - ring of fault records, written by the device
 */
struct atom_fault_fifo {
	/** @records: Coherent memory. */
	struct atom_fault_record *records;
	/** @dma: Its bus address. */
	dma_addr_t dma;
	/** @log2: log2 of the records. */
	u32 log2;
	/** @head: Records consumed; only the ordered workqueue touches it. */
	u64 head;
	/** @work: Reads the FIFO, where sleeping is allowed. */
	struct work_struct work;
};

int atom_fault_init(struct atom_device *adev);
void atom_fault_start(struct atom_device *adev);
void atom_fault_fini(struct atom_device *adev);
void atom_fault_interrupt(struct atom_device *adev);
void atom_fault_drain(struct atom_device *adev);
const char *atom_fault_name(u16 code);

#endif
