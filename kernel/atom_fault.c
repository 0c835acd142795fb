// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The fault FIFO. The completion record of a job already tells most of a fault;
 * the FIFO adds the kind of access, and it reaches us also when the completion
 * does not. Nothing in a record is believed: ids, generations and sequence
 * numbers must fit what the driver has put on the queue.
 */
#include <linux/dma-mapping.h>
#include <linux/log2.h>

#include "atom_device.h"
#include "atom_queue.h"

static size_t atom_fault_bytes(struct atom_fault_fifo *fifo)
{
	return sizeof(*fifo->records) << fifo->log2;
}

/**
 * atom_fault_name() - a fault code in words
 * @code: enum atom_fault_code
 *
 * Return: static string.
 */
const char *atom_fault_name(u16 code)
{
	switch (code) {
	case ATOM_FAULT_NOT_PRESENT: return "address not mapped";
	case ATOM_FAULT_PERMISSION: return "access not allowed";
	case ATOM_FAULT_RESERVED_BIT: return "bad page table entry";
	case ATOM_FAULT_APERTURE_RANGE: return "page outside its memory";
	case ATOM_FAULT_TABLE_WALK: return "page table not readable";
	case ATOM_FAULT_VA_RANGE: return "address out of range";
	case ATOM_FAULT_NO_ASID: return "no address space";
	case ATOM_FAULT_TAIL_RANGE: return "bad ring tail";
	case ATOM_FAULT_BAD_DESCRIPTOR: return "bad descriptor";
	case ATOM_FAULT_BAD_HEADER: return "bad command buffer header";
	case ATOM_FAULT_BAD_OPCODE: return "bad command";
	case ATOM_FAULT_BAD_SIZE ... ATOM_FAULT_INDEX_RANGE: return "bad command field";
	case ATOM_FAULT_DMA_ERROR: return "DMA error";
	case ATOM_FAULT_POISON: return "poisoned data";
	case ATOM_FAULT_ECC_UE: return "memory error";
	case ATOM_FAULT_HANG: return "hang";
	case ATOM_FAULT_ABORTED: return "aborted";
	case ATOM_FAULT_THERMAL: return "too hot";
	case ATOM_FAULT_POWER: return "not powered";
	default: return "unknown";
	}
}

/* False if the record cannot be true. */
static bool atom_fault_handle(struct atom_device *adev, const struct atom_fault_record *record)
{
	u32 id = le32_to_cpu(record->queue);
	struct atom_queue *queue;
	bool credible = true;

	/* Faults of the admin queue are not told here. */
	if (!id || id > adev->limits.num_queues)
		return false;
	queue = atom_queue_get_by_hw_id(adev, id);
	if (queue) {
		credible = atom_queue_fault(queue, record);
		atom_queue_put(queue);
	}
	return credible;
}

/**
 * atom_fault_drain() - read the FIFO and tell the queues
 * @adev: device
 *
 * Runs on the ordered workqueue only. The reset of a queue calls it before the
 * queue's generation changes, since the records speak of the old one: to queue
 * the work first is not enough, because an interrupt on another CPU may have
 * marked it as pending and not yet have put it into the workqueue.
 */
void atom_fault_drain(struct atom_device *adev)
{
	struct atom_fault_fifo *fifo = &adev->fault;
	u64 entries = 1ull << fifo->log2;
	int idx;
	u64 tail;

	if (!drm_dev_enter(&adev->drm, &idx))
		return;
	/* Its reset takes the tail back; what queues must know, they are told by it. */
	if (!atom_hw_try_enter(adev))
		goto exit;
	if (atom_device_is_dead(adev))
		goto leave;

	tail = atom_read64(adev, ATOM_REG_FAULT_TAIL);
	if (tail - fifo->head > entries) {
		if (tail != U64_MAX)
			atom_reset_request(adev, "the fault FIFO's tail is impossible");
		goto leave;
	}

	while (fifo->head != tail) {
		struct atom_fault_record *slot = &fifo->records[fifo->head & (entries - 1)];
		struct atom_fault_record record;

		/* Written before the tail that announces it. */
		dma_rmb();
		record = *slot;
		if (le64_to_cpu(record.seq) != fifo->head + 1 ||
		    !atom_fault_handle(adev, &record)) {
			drm_err(&adev->drm, "record %llu of the fault FIFO cannot be true\n",
				fifo->head + 1);
			atom_reset_request(adev, "a fault record is impossible");
			goto leave;
		}
		fifo->head++;
	}
	atom_write64(adev, ATOM_REG_FAULT_HEAD, fifo->head);
leave:
	atom_hw_exit(adev);
exit:
	drm_dev_exit(idx);
}

static void atom_fault_work(struct work_struct *work)
{
	bool cookie = dma_fence_begin_signalling();

	/* Resets of queues wait for it. */
	atom_fault_drain(container_of(work, struct atom_device, fault.work));
	dma_fence_end_signalling(cookie);
}

/**
 * atom_fault_interrupt() - the FIFO is not empty
 * @adev: device
 */
void atom_fault_interrupt(struct atom_device *adev)
{
	queue_work(adev->reset_wq, &adev->fault.work);
}

/**
 * atom_fault_init() - allocate the FIFO
 * @adev: device
 *
 * Return: 0 or -ENOMEM.
 */
int atom_fault_init(struct atom_device *adev)
{
	struct atom_fault_fifo *fifo = &adev->fault;

	INIT_WORK(&fifo->work, atom_fault_work);
	/* Room for one record a queue, so that none can be lost. */
	fifo->log2 = order_base_2(max(adev->limits.num_queues + 1, 64u));
	fifo->records = dma_alloc_coherent(adev->drm.dev, atom_fault_bytes(fifo),
					   &fifo->dma, GFP_KERNEL);
	return fifo->records ? 0 : -ENOMEM;
}

/**
 * atom_fault_start() - tell the device of the FIFO
 * @adev: device, disabled
 */
void atom_fault_start(struct atom_device *adev)
{
	struct atom_fault_fifo *fifo = &adev->fault;

	/* Records of another life must not look like new ones. */
	memset(fifo->records, 0, atom_fault_bytes(fifo));
	fifo->head = 0;
	atom_write64(adev, ATOM_REG_FAULT_BASE, fifo->dma);
	atom_write32(adev, ATOM_REG_FAULT_LOG2, fifo->log2);
	atom_write64(adev, ATOM_REG_FAULT_HEAD, 0);
}

/**
 * atom_fault_fini() - free the FIFO
 * @adev: device, stopped, without interrupts
 */
void atom_fault_fini(struct atom_device *adev)
{
	struct atom_fault_fifo *fifo = &adev->fault;

	if (!fifo->records)
		return;
	cancel_work_sync(&fifo->work);
	dma_free_coherent(adev->drm.dev, atom_fault_bytes(fifo), fifo->records, fifo->dma);
	fifo->records = NULL;
}
