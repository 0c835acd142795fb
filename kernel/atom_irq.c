// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Interrupt vectors and their handlers.
 */
#include <linux/interrupt.h>

#include "atom_device.h"
#include "atom_queue.h"
#include "atom_trace.h"

static void atom_irq_complete_queues(struct atom_vector *vector)
{
	struct atom_queue *queue;

	spin_lock(&vector->lock);
	list_for_each_entry(queue, &vector->queues, vector_link)
		atom_queue_complete(queue);
	spin_unlock(&vector->lock);
}

static irqreturn_t atom_irq_queues(int irq, void *data)
{
	trace_atom_irq(data, 0);
	atom_irq_complete_queues(data);
	return IRQ_HANDLED;
}

static irqreturn_t atom_irq_device(int irq, void *data)
{
	struct atom_vector *vector = data;
	struct atom_device *adev = vector->adev;
	u32 cause = atom_read32(adev, ATOM_REG_INTR_CAUSE);

	trace_atom_irq(vector, cause);
	/* All ones: the device is gone, and whoever waits finds out. */
	if (cause != U32_MAX && cause) {
		atom_write32(adev, ATOM_REG_INTR_CAUSE, cause);
		if (cause & ATOM_INTR_ADMIN)
			atom_admin_interrupt(adev);
		if (cause & ATOM_INTR_FATAL)
			atom_reset_request(adev, "it reports a fatal error");
		if (cause & ATOM_INTR_FAULT)
			atom_fault_interrupt(adev);
	}
	atom_irq_complete_queues(vector);
	return IRQ_HANDLED;
}

/**
 * atom_irq_init() - get vectors and request them
 * @adev: device
 *
 * Asks for one vector a queue and one for the device, and lives with any number.
 *
 * Return: 0 or an error.
 */
int atom_irq_init(struct atom_device *adev)
{
	struct atom_irq *irq = &adev->irq;
	struct pci_dev *pdev = adev->pdev;
	unsigned int want = min(adev->limits.num_queues + 1, adev->limits.num_vectors);
	int count, i, ret;

	if (atom_vectors)
		want = min(want, atom_vectors);

	count = pci_alloc_irq_vectors(pdev, 1, max(want, 1u), PCI_IRQ_MSIX);
	if (count < 0) {
		dev_err(&pdev->dev, "no MSI-X vector: %d\n", count);
		return count;
	}

	irq->vectors = drmm_kcalloc(&adev->drm, count, sizeof(*irq->vectors), GFP_KERNEL);
	if (!irq->vectors) {
		pci_free_irq_vectors(pdev);
		return -ENOMEM;
	}
	irq->count = count;

	for (i = 0; i < count; i++) {
		struct atom_vector *vector = &irq->vectors[i];

		vector->adev = adev;
		spin_lock_init(&vector->lock);
		INIT_LIST_HEAD(&vector->queues);
		ret = request_irq(pci_irq_vector(pdev, i), i ? atom_irq_queues : atom_irq_device,
				  0, ATOM_DRIVER_NAME, vector);
		if (ret) {
			dev_err(&pdev->dev, "cannot use MSI-X vector %d: %d\n", i, ret);
			atom_irq_fini(adev);
			return ret;
		}
		vector->requested = true;
	}
	return 0;
}

/**
 * atom_irq_fini() - give the vectors back; no handler runs afterwards
 * @adev: device
 */
void atom_irq_fini(struct atom_device *adev)
{
	struct atom_irq *irq = &adev->irq;
	unsigned int i;

	for (i = 0; i < irq->count; i++) {
		if (irq->vectors[i].requested)
			free_irq(pci_irq_vector(adev->pdev, i), &irq->vectors[i]);
		irq->vectors[i].requested = false;
	}
	if (irq->count)
		pci_free_irq_vectors(adev->pdev);
	irq->count = 0;
}

/**
 * atom_irq_add_queue() - choose a vector for a queue
 * @adev: device
 * @queue: queue, which its handler sees from now on
 *
 * Return: number of the vector.
 */
unsigned int atom_irq_add_queue(struct atom_device *adev, struct atom_queue *queue)
{
	struct atom_irq *irq = &adev->irq;
	unsigned int index = irq->count > 1 ? 1 + (queue->hw_id - 1) % (irq->count - 1) : 0;
	struct atom_vector *vector = &irq->vectors[index];

	queue->vector = vector;
	spin_lock_irq(&vector->lock);
	list_add_tail(&queue->vector_link, &vector->queues);
	spin_unlock_irq(&vector->lock);
	return index;
}

/**
 * atom_irq_remove_queue() - hide a queue from the handlers
 * @adev: device
 * @queue: queue that atom_irq_add_queue() was called for
 *
 * No handler looks at it after the return.
 */
void atom_irq_remove_queue(struct atom_device *adev, struct atom_queue *queue)
{
	struct atom_vector *vector = queue->vector;

	spin_lock_irq(&vector->lock);
	list_del_init(&queue->vector_link);
	spin_unlock_irq(&vector->lock);
}
