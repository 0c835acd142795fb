// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The admin queue. Commands are few and short, so they are done one by one: the
 * caller sleeps until its command is retired. A lost interrupt costs a few
 * milliseconds, because the sleeper looks for itself now and then; a device that
 * does not answer at all is stopped and declared dead, since nobody can tell any
 * more what it does.
 */
#include <linux/dma-mapping.h>

#include "atom_device.h"

#define ATOM_ADMIN_LOG2		5
#define ATOM_ADMIN_ENTRIES	BIT(ATOM_ADMIN_LOG2)
/* The longest command clears 64 MiB of memory, under emulation perhaps. */
#define ATOM_ADMIN_TIMEOUT_MS	10000
#define ATOM_ADMIN_LOOK_MS	10

/* Layout of the one coherent block. */
#define ATOM_ADMIN_RING_BYTES	(ATOM_ADMIN_ENTRIES * sizeof(struct atom_admin_desc))
#define ATOM_ADMIN_TAIL		ATOM_ADMIN_RING_BYTES
#define ATOM_ADMIN_CPL		(ATOM_ADMIN_TAIL + 64)
#define ATOM_ADMIN_BYTES	(ATOM_ADMIN_CPL + ATOM_CPL_AREA_BYTES(ATOM_ADMIN_LOG2))

/**
 * atom_admin_init() - allocate the admin queue and tell the device of it
 * @adev: device, disabled
 *
 * Return: 0 or -ENOMEM.
 */
int atom_admin_init(struct atom_device *adev)
{
	struct atom_admin *admin = &adev->admin;

	admin->base = dma_alloc_coherent(adev->drm.dev, ATOM_ADMIN_BYTES,
					 &admin->dma, GFP_KERNEL);
	if (!admin->base)
		return -ENOMEM;

	admin->ring = admin->base;
	admin->tail = admin->base + ATOM_ADMIN_TAIL;
	admin->header = admin->base + ATOM_ADMIN_CPL;
	admin->records = admin->base + ATOM_ADMIN_CPL + sizeof(*admin->header);
	admin->seq = 0;

	atom_write64(adev, ATOM_REG_ADMIN_RING, admin->dma);
	atom_write64(adev, ATOM_REG_ADMIN_TAIL, admin->dma + ATOM_ADMIN_TAIL);
	atom_write64(adev, ATOM_REG_ADMIN_COMPLETION, admin->dma + ATOM_ADMIN_CPL);
	atom_write32(adev, ATOM_REG_ADMIN_LOG2, ATOM_ADMIN_LOG2);
	return 0;
}

/**
 * atom_admin_fini() - free the admin queue
 * @adev: device, stopped
 */
void atom_admin_fini(struct atom_device *adev)
{
	struct atom_admin *admin = &adev->admin;

	mutex_lock(&admin->lock);
	if (admin->base)
		dma_free_coherent(adev->drm.dev, ATOM_ADMIN_BYTES, admin->base, admin->dma);
	admin->base = NULL;
	mutex_unlock(&admin->lock);
}

/**
 * atom_admin_interrupt() - the device retired admin commands
 * @adev: device
 */
void atom_admin_interrupt(struct atom_device *adev)
{
	wake_up(&adev->admin.wait);
}

static u64 atom_admin_retired(struct atom_admin *admin)
{
	return le64_to_cpu(READ_ONCE(admin->header->seqno));
}

/* Wait for command @seq; false if the device does not answer. */
static bool atom_admin_wait(struct atom_device *adev, u64 seq)
{
	struct atom_admin *admin = &adev->admin;
	unsigned long deadline = jiffies + msecs_to_jiffies(ATOM_ADMIN_TIMEOUT_MS);
	unsigned long look = msecs_to_jiffies(ATOM_ADMIN_LOOK_MS);

	for (;;) {
		if (wait_event_timeout(admin->wait, atom_admin_retired(admin) >= seq, look) > 1)
			return true;
		if (atom_admin_retired(admin) >= seq) {
			atomic_inc(&adev->counters.lost_interrupts);
			return true;
		}
		if (atom_device_is_dead(adev) || time_after(jiffies, deadline) ||
		    pci_dev_is_disconnected(adev->pdev) ||
		    atom_read32(adev, ATOM_REG_MAGIC) != ATOM_MAGIC)
			return false;
		look = min(look * 2, (unsigned long)HZ / 4);
	}
}

/* Put @desc on the ring and return its sequence number. */
static u64 atom_admin_push(struct atom_device *adev, struct atom_admin_desc *desc)
{
	struct atom_admin *admin = &adev->admin;
	u64 seq = ++admin->seq;

	desc->flags = cpu_to_le16(ATOM_DESC_IRQ);
	desc->seq = cpu_to_le64(seq);
	admin->ring[(seq - 1) & (ATOM_ADMIN_ENTRIES - 1)] = *desc;
	/* The device reads the descriptor after it has seen the tail. */
	dma_wmb();
	WRITE_ONCE(*admin->tail, cpu_to_le64(seq));
	atom_ring_doorbell(adev, 0, seq);
	return seq;
}

/**
 * atom_admin_exec() - do one admin command
 * @adev: device, inside drm_dev_enter()
 * @desc: command; flags and seq are filled in
 *
 * Sleeps until the device has done it. When the device does not answer, or
 * answers with something impossible, it is stopped first: after any return the
 * device either obeys the command's promise (say, that of TLB_INVALIDATE) or can
 * do no DMA at all.
 *
 * Return: 0; -EIO if the device is dead or became so; -EREMOTEIO if it refused.
 */
int atom_admin_exec(struct atom_device *adev, struct atom_admin_desc *desc)
{
	struct atom_admin *admin = &adev->admin;
	struct atom_cpl_record record;
	int ret = 0;
	u64 seq;

	mutex_lock(&admin->lock);
	if (atom_device_is_dead(adev) || !admin->base) {
		/* Dead is said before it is true, and the caller frees what DMA may reach. */
		atom_device_stop_hw(adev);
		ret = -EIO;
		goto unlock;
	}

	seq = atom_admin_push(adev, desc);
	if (!atom_admin_wait(adev, seq)) {
		atom_device_kill(adev, "no answer to an admin command");
		ret = -EIO;
		goto unlock;
	}
	/* The record was written before the sequence number. */
	dma_rmb();
	record = admin->records[(seq - 1) & (ATOM_ADMIN_ENTRIES - 1)];
	if (atom_admin_retired(admin) != seq || le64_to_cpu(record.seq) != seq) {
		atom_device_kill(adev, "impossible answer to an admin command");
		ret = -EIO;
	} else if (le16_to_cpu(record.status) != ATOM_CPL_OK) {
		drm_err(&adev->drm, "admin command %u (id %u) refused: fault %u at field %u\n",
			le16_to_cpu(desc->opcode), le32_to_cpu(desc->id),
			le16_to_cpu(record.fault_code), le32_to_cpu(record.fault_field));
		ret = -EREMOTEIO;
	}
unlock:
	mutex_unlock(&admin->lock);
	return ret;
}
