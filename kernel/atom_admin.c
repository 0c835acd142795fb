// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The admin queue. Commands are few and short, so they are done one by one: the
 * caller sleeps until its command is retired. A lost interrupt costs a few
 * milliseconds, because the sleeper looks for itself now and then; a device that
 * does not answer at all is reset, since nobody can tell any more what it does, and
 * then the command is given again.
 *
 * What the device has been told of address spaces and queues is kept, so that it
 * can be told again after a reset.
 */
#include <linux/dma-mapping.h>

#include <atom/hw/mmu.h>

#include "atom_device.h"
#include "atom_queue.h"

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
 * atom_admin_init() - allocate the admin queue
 * @adev: device
 *
 * Return: 0 or -ENOMEM.
 */
int atom_admin_init(struct atom_device *adev)
{
	const struct atom_limits *limits = &adev->limits;
	struct atom_admin *admin = &adev->admin;

	admin->roots = kvcalloc(limits->num_asids, sizeof(*admin->roots), GFP_KERNEL);
	admin->queues = kvcalloc(limits->num_queues + 1, sizeof(*admin->queues), GFP_KERNEL);
	admin->base = dma_alloc_coherent(adev->drm.dev, ATOM_ADMIN_BYTES,
					 &admin->dma, GFP_KERNEL);
	if (!admin->roots || !admin->queues || !admin->base)
		return -ENOMEM;

	admin->ring = admin->base;
	admin->tail = admin->base + ATOM_ADMIN_TAIL;
	admin->header = admin->base + ATOM_ADMIN_CPL;
	admin->records = admin->base + ATOM_ADMIN_CPL + sizeof(*admin->header);
	return 0;
}

/**
 * atom_admin_start() - tell the device of the admin queue
 * @adev: device, disabled
 */
void atom_admin_start(struct atom_device *adev)
{
	struct atom_admin *admin = &adev->admin;

	/* What another life of the device has answered is none to ours. */
	memset(admin->base, 0, ATOM_ADMIN_BYTES);
	admin->seq = 0;
	atom_write64(adev, ATOM_REG_ADMIN_RING, admin->dma);
	atom_write64(adev, ATOM_REG_ADMIN_TAIL, admin->dma + ATOM_ADMIN_TAIL);
	atom_write64(adev, ATOM_REG_ADMIN_COMPLETION, admin->dma + ATOM_ADMIN_CPL);
	atom_write32(adev, ATOM_REG_ADMIN_LOG2, ATOM_ADMIN_LOG2);
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
	kvfree(admin->roots);
	kvfree(admin->queues);
	admin->roots = NULL;
	admin->queues = NULL;
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

/* Somebody else knows already that the device will not answer. */
static bool atom_admin_is_hopeless(struct atom_device *adev)
{
	const struct atom_reset *reset = &adev->reset;

	if (atom_device_is_dead(adev) || pci_dev_is_disconnected(adev->pdev))
		return true;
	return reset->restarting ? READ_ONCE(adev->removing) : READ_ONCE(reset->needed);
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
		if (atom_admin_is_hopeless(adev) || time_after(jiffies, deadline) ||
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

/*
 * Do one command: 0; -EIO without an answer that can be true, with the reason;
 * -EREMOTEIO if the device refused.
 */
static int atom_admin_do(struct atom_device *adev, struct atom_admin_desc *desc,
			 const char **reason)
{
	struct atom_admin *admin = &adev->admin;
	struct atom_cpl_record record;
	u64 seq;

	lockdep_assert_held(&admin->lock);

	seq = atom_admin_push(adev, desc);
	if (!atom_admin_wait(adev, seq)) {
		*reason = "no answer to an admin command";
		return -EIO;
	}
	/* The record was written before the sequence number. */
	dma_rmb();
	record = admin->records[(seq - 1) & (ATOM_ADMIN_ENTRIES - 1)];
	if (atom_admin_retired(admin) != seq || le64_to_cpu(record.seq) != seq) {
		*reason = "impossible answer to an admin command";
		return -EIO;
	}
	if (le16_to_cpu(record.status) == ATOM_CPL_OK)
		return 0;
	drm_err(&adev->drm, "admin command %u (id %u) refused: fault %u at field %u\n",
		le16_to_cpu(desc->opcode), le32_to_cpu(desc->id),
		le16_to_cpu(record.fault_code), le32_to_cpu(record.fault_field));
	return -EREMOTEIO;
}

/* A reset of the device has done it already. */
static bool atom_admin_is_moot(struct atom_admin *admin, const struct atom_admin_desc *desc)
{
	u32 id = le32_to_cpu(desc->id);

	switch (le16_to_cpu(desc->opcode)) {
	case ATOM_ADMIN_ASID_CLEAR:
		return !admin->roots[id];
	case ATOM_ADMIN_QUEUE_RESET:
	case ATOM_ADMIN_QUEUE_DESTROY:
		return !admin->queues[id].opcode;
	default:
		return false;
	}
}

/* Remember what the device has been told. */
static void atom_admin_note(struct atom_admin *admin, const struct atom_admin_desc *desc)
{
	u32 id = le32_to_cpu(desc->id);

	switch (le16_to_cpu(desc->opcode)) {
	case ATOM_ADMIN_ASID_SET:
		/* Address space 0 has no table, and is set at each start. */
		admin->roots[id] = le64_to_cpu(desc->asid_set.root);
		break;
	case ATOM_ADMIN_ASID_CLEAR:
		admin->roots[id] = 0;
		break;
	case ATOM_ADMIN_QUEUE_CREATE:
		admin->queues[id] = *desc;
		break;
	case ATOM_ADMIN_QUEUE_DESTROY:
		admin->queues[id].opcode = 0;
		break;
	}
}

/**
 * atom_admin_knows_queue() - has the device been told of a queue
 * @adev: device, out of service
 * @id: hardware id
 *
 * Return: whether the hardware queue is to be made again after a reset.
 */
bool atom_admin_knows_queue(struct atom_device *adev, u32 id)
{
	return adev->admin.queues[id].opcode;
}

static void atom_admin_fill_root(struct atom_admin_desc *desc, u32 asid, dma_addr_t root)
{
	*desc = (struct atom_admin_desc) {
		.opcode = cpu_to_le16(ATOM_ADMIN_ASID_SET),
		.id = cpu_to_le32(asid),
		.asid_set.root = cpu_to_le64(root),
		.asid_set.aperture = cpu_to_le32(ATOM_APERTURE_SYSTEM),
		.asid_set.generation = cpu_to_le32(asid),
	};
}

/**
 * atom_admin_restore() - tell the device what it knew before its reset
 * @adev: device, just enabled; the caller holds struct atom_admin.lock
 *
 * Address space 0 is the driver's own: rings and completion areas by bus address.
 *
 * Return: 0 or a negative error.
 */
int atom_admin_restore(struct atom_device *adev)
{
	struct atom_admin_desc desc = {
		.opcode = cpu_to_le16(ATOM_ADMIN_ASID_SET),
		.id = cpu_to_le32(ATOM_ASID_DRIVER),
		.asid_set.flags = cpu_to_le32(ATOM_ASID_IDENTITY),
	};
	struct atom_admin *admin = &adev->admin;
	const char *reason;
	u32 id;
	int ret;

	ret = atom_admin_do(adev, &desc, &reason);
	for (id = 1; id < adev->limits.num_asids && !ret; id++) {
		if (!admin->roots[id])
			continue;
		atom_admin_fill_root(&desc, id, admin->roots[id]);
		ret = atom_admin_do(adev, &desc, &reason);
	}
	for (id = 1; id <= adev->limits.num_queues && !ret; id++) {
		if (!admin->queues[id].opcode)
			continue;
		if (atom_queue_recreate(adev, id, &admin->queues[id]))
			ret = atom_admin_do(adev, &admin->queues[id], &reason);
		else
			admin->queues[id].opcode = 0;
	}
	return ret;
}

/**
 * atom_admin_exec() - do one admin command
 * @adev: device, inside drm_dev_enter()
 * @desc: command; flags and seq are filled in
 *
 * Sleeps until the device has done it. When the device does not answer, or
 * answers with something impossible, it is reset, and the command given again,
 * unless the reset itself has done what it says. After any return the device
 * either obeys the command's promise (say, that of TLB_INVALIDATE) or can do no
 * DMA at all.
 *
 * Return: 0; -EIO if the device is dead or became so; -EREMOTEIO if it refused.
 */
int atom_admin_exec(struct atom_device *adev, struct atom_admin_desc *desc)
{
	struct atom_admin *admin = &adev->admin;
	const char *reason = NULL;
	int ret;

	do {
		ret = atom_reset_wait(adev);
		if (ret)
			return ret;
		mutex_lock(&admin->lock);
		/* It went out of service since: look again. */
		ret = -EIO;
		if (!READ_ONCE(adev->reset.down) && !atom_device_is_dead(adev) && admin->base) {
			ret = atom_admin_is_moot(admin, desc) ? 0 :
			      atom_admin_do(adev, desc, &reason);
			if (!ret)
				atom_admin_note(admin, desc);
			else if (ret == -EIO)
				atom_reset_request(adev, reason);
		}
		mutex_unlock(&admin->lock);
	} while (ret == -EIO && !atom_device_is_lost(adev));
	/* Nobody resets a device that leaves, and the caller frees what its DMA may reach. */
	if (ret == -EIO)
		atom_device_stop_hw(adev);
	return ret;
}

/**
 * atom_admin_take_back() - take from the device what it has been told of
 * @adev: device, inside drm_dev_enter()
 * @desc: ASID_CLEAR, QUEUE_RESET or QUEUE_DESTROY
 * @refused: reason for a reset if the device refuses
 *
 * After the return the device obeys, or a reset has made it forget, or it does no
 * DMA any more.
 */
void atom_admin_take_back(struct atom_device *adev, struct atom_admin_desc *desc,
			  const char *refused)
{
	struct atom_admin *admin = &adev->admin;

	if (atom_admin_exec(adev, desc) != -EREMOTEIO)
		return;
	mutex_lock(&admin->lock);
	atom_admin_note(admin, desc);
	mutex_unlock(&admin->lock);
	atom_reset_force(adev, refused);
}

/**
 * atom_admin_set_root() - tell the device of an address space
 * @adev: device, inside drm_dev_enter()
 * @asid: which
 * @root: bus address of its root table
 *
 * Return: as atom_admin_exec().
 */
int atom_admin_set_root(struct atom_device *adev, u32 asid, dma_addr_t root)
{
	struct atom_admin_desc desc;

	atom_admin_fill_root(&desc, asid, root);
	return atom_admin_exec(adev, &desc);
}
