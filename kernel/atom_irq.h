/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_IRQ_H
#define ATOM_IRQ_H

#include <linux/list.h>
#include <linux/spinlock.h>

struct atom_device;
struct atom_queue;

/**
 * struct atom_vector - one MSI-X vector
 */
struct atom_vector {
	/** @adev: Device. */
	struct atom_device *adev;
	/** @lock: Protects @queues against the handler; outside of a queue's fence lock. */
	spinlock_t lock;
	/** @queues: Queues whose completions it carries. */
	struct list_head queues;
	/** @requested: It has a handler. */
	bool requested;
};

/**
 * struct atom_irq - interrupts
 *
 * Vector 0 carries the device's own causes. With more vectors the queues share
 * the others in turn, and a completion costs no register access; with only one
 * they share vector 0.
 */
struct atom_irq {
	/** @count: Vectors that the system gave. */
	unsigned int count;
	/** @vectors: They. */
	struct atom_vector *vectors;
};

int atom_irq_init(struct atom_device *adev);
void atom_irq_fini(struct atom_device *adev);
unsigned int atom_irq_add_queue(struct atom_device *adev, struct atom_queue *queue);
void atom_irq_remove_queue(struct atom_device *adev, struct atom_queue *queue);

#endif
