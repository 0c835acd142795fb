// SPDX-License-Identifier: GPL-2.0-only OR MIT
/**
 * DOC: Dumps
 *
 * When a job hangs, uses an address that it may not, or meets broken hardware, and
 * when the device is reset, the driver gives what it knew just before the reset to
 * the devcoredump core: /sys/class/devcoredump/devcdN/data, in the format of
 * atom/hw/coredump.h, which atom-decode prints. What a job merely says wrongly
 * (ATOM_FAULT_TAIL_RANGE to ATOM_FAULT_INDEX_RANGE) makes none: QUEUE_GET_STATE tells
 * all of it, and the core keeps only the first dump of a device until somebody writes
 * to that file, or five minutes have passed.
 *
 * Fences of jobs wait for the reset, so that nothing here allocates memory, or waits
 * for a lock inside of which others do: the buffer is there since the device was
 * started, an address space that is in use for longer than some milliseconds is left
 * out (ATOM_DUMP_BUSY), and a work of its own hands the dump over. While that one is
 * on its way, no other is made.
 *
 * A dump has the head of a program's command buffer: only root can read it.
 */
#include <linux/devcoredump.h>
#include <linux/timekeeping.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>

#include "atom_coredump.h"
#include "atom_device.h"
#include "atom_queue.h"

static const u16 atom_dump_registers32[] = {
	ATOM_REG_MAGIC, ATOM_REG_VERSION, ATOM_REG_DRIVER_VERSION, ATOM_REG_FW_VERSION,
	ATOM_REG_CTRL, ATOM_REG_STATUS, ATOM_REG_ERROR_CODE, ATOM_REG_GENERATION,
	ATOM_REG_INTR_CAUSE, ATOM_REG_INTR_MASK, ATOM_REG_ADMIN_LOG2, ATOM_REG_FAULT_LOG2,
	ATOM_REG_FAULT_LOST, ATOM_REG_TEMPERATURE, ATOM_REG_POWER, ATOM_REG_PSTATE,
	ATOM_REG_THROTTLE, ATOM_REG_UTILISATION, ATOM_REG_ECC_CE, ATOM_REG_ECC_UE,
};

static const u16 atom_dump_registers64[] = {
	ATOM_REG_CAPS, ATOM_REG_TIMESTAMP, ATOM_REG_ADMIN_RING, ATOM_REG_ADMIN_TAIL,
	ATOM_REG_ADMIN_COMPLETION, ATOM_REG_FAULT_BASE, ATOM_REG_FAULT_TAIL, ATOM_REG_FAULT_HEAD,
	ATOM_REG_BUSY_COMPUTE, ATOM_REG_BUSY_DMA, ATOM_REG_MODELLED_BUSY, ATOM_REG_JOBS_DONE,
	ATOM_REG_MACS,
};

static const u16 atom_dump_qregs32[] = {
	ATOM_QREG_STATE, ATOM_QREG_GENERATION, ATOM_QREG_COMMAND, ATOM_QREG_FAULT_CODE,
};

static const u16 atom_dump_qregs64[] = {
	ATOM_QREG_SEQNO, ATOM_QREG_HEAD, ATOM_QREG_PROGRESS, ATOM_QREG_BUSY_NS,
	ATOM_QREG_MODELLED_NS,
};

/* How much of the queue that failed, and of each queue of a device that did. */
static const struct atom_dump_limits atom_dump_of_queue = {
	.jobs = 32, .commands = SZ_64K, .mappings = 1024,
};

static const struct atom_dump_limits atom_dump_of_device = {
	.jobs = 8, .commands = SZ_4K, .mappings = 16,
};

/**
 * atom_dump_add() - begin a section
 * @dump: dump
 * @type: enum atom_dump_section_type
 * @queue: hardware id, 0 = the device
 * @start: see there
 * @bytes: of its content
 * @whole: bytes that there are
 *
 * Return: where the content goes, zeroed; NULL if there is no room.
 */
void *atom_dump_add(struct atom_dump *dump, u32 type, u32 queue, u64 start, u64 bytes, u64 whole)
{
	struct atom_dump_section *section = dump->data + dump->used;

	if (bytes > ATOM_DUMP_BYTES_MAX - dump->used ||
	    ALIGN(sizeof(*section) + bytes, 8) > ATOM_DUMP_BYTES_MAX - dump->used) {
		dump->flags |= ATOM_DUMP_TRUNCATED;
		return NULL;
	}
	*section = (struct atom_dump_section) {
		.type = cpu_to_le32(type),
		.queue = cpu_to_le32(queue),
		.bytes = cpu_to_le64(bytes),
		.whole = cpu_to_le64(whole),
		.start = cpu_to_le64(start),
	};
	dump->used += ALIGN(sizeof(*section) + bytes, 8);
	return memset(section + 1, 0, ALIGN(bytes, 8));
}

/**
 * atom_dump_shrink() - shorten the section that was begun last
 * @dump: dump
 * @content: what atom_dump_add() returned for it
 * @bytes: of its content
 */
void atom_dump_shrink(struct atom_dump *dump, void *content, u64 bytes)
{
	struct atom_dump_section *section = (struct atom_dump_section *)content - 1;

	section->bytes = cpu_to_le64(bytes);
	dump->used = content - dump->data + ALIGN(bytes, 8);
}

static struct atom_dump_register *atom_dump_read(struct atom_device *adev,
						 struct atom_dump_register *to, u32 base,
						 const u16 *offsets, u32 count, u32 bytes)
{
	u32 i;

	for (i = 0; i < count; i++, to++) {
		u32 offset = base + offsets[i];

		to->offset = cpu_to_le32(offset);
		to->bytes = cpu_to_le32(bytes);
		to->value = cpu_to_le64(bytes == 8 ? atom_read64(adev, offset) :
				       atom_read32(adev, offset));
	}
	return to;
}

static void atom_dump_device_registers(struct atom_dump *dump, struct atom_device *adev)
{
	u64 bytes = (ARRAY_SIZE(atom_dump_registers32) + ARRAY_SIZE(atom_dump_registers64)) *
		    sizeof(struct atom_dump_register);
	struct atom_dump_register *to;

	to = atom_dump_add(dump, ATOM_DUMP_REGISTERS, 0, 0, bytes, bytes);
	if (!to)
		return;
	to = atom_dump_read(adev, to, 0, atom_dump_registers32,
			    ARRAY_SIZE(atom_dump_registers32), 4);
	atom_dump_read(adev, to, 0, atom_dump_registers64, ARRAY_SIZE(atom_dump_registers64), 8);
}

/* Returns the index of the command that runs. */
static u32 atom_dump_queue_registers(struct atom_dump *dump, struct atom_device *adev, u32 id)
{
	u64 bytes = (ARRAY_SIZE(atom_dump_qregs32) + ARRAY_SIZE(atom_dump_qregs64)) *
		    sizeof(struct atom_dump_register);
	u32 base = ATOM_REG_QUEUE(id);
	struct atom_dump_register *to;

	to = atom_dump_add(dump, ATOM_DUMP_REGISTERS, id, 0, bytes, bytes);
	if (to) {
		to = atom_dump_read(adev, to, base, atom_dump_qregs32,
				    ARRAY_SIZE(atom_dump_qregs32), 4);
		atom_dump_read(adev, to, base, atom_dump_qregs64,
			       ARRAY_SIZE(atom_dump_qregs64), 8);
	}
	return atom_read32(adev, base + ATOM_QREG_COMMAND);
}

/* With the buffer, unless it is on its way; atom_dump_end() must follow. */
static struct atom_dump *atom_dump_begin(struct atom_device *adev)
{
	struct atom_dump *dump = &adev->coredump.dump;

	if (!mutex_trylock(&adev->coredump.lock))
		return NULL;
	if (!dump->data || dump->used) {
		mutex_unlock(&adev->coredump.lock);
		return NULL;
	}
	dump->used = sizeof(struct atom_dump_header);
	dump->flags = 0;
	return dump;
}

static void atom_dump_end(struct atom_dump *dump, struct atom_device *adev,
			  enum atom_dump_reason reason, const char *text, u32 queue)
{
	struct atom_dump_header *header = dump->data;
	const struct drm_driver *driver = adev->drm.driver;

	*header = (struct atom_dump_header) {
		.magic = cpu_to_le64(ATOM_DUMP_MAGIC),
		.major = cpu_to_le16(ATOM_DUMP_MAJOR),
		.minor = cpu_to_le16(ATOM_DUMP_MINOR),
		.header_bytes = cpu_to_le32(sizeof(*header)),
		.bytes = cpu_to_le64(dump->used),
		.reason = cpu_to_le32(reason),
		.flags = cpu_to_le32(dump->flags),
		.monotonic_ns = cpu_to_le64(ktime_get_ns()),
		.realtime_ns = cpu_to_le64(ktime_get_real_ns()),
		.serial = cpu_to_le64(adev->limits.serial),
		.interface_version = cpu_to_le32(adev->limits.version),
		.fw_version = cpu_to_le32(adev->limits.fw_version),
		.resets = cpu_to_le32(READ_ONCE(adev->reset.count)),
		.queue = cpu_to_le32(queue),
	};
	strscpy(header->text, text, sizeof(header->text));
	strscpy(header->kernel, init_utsname()->release, sizeof(header->kernel));
	snprintf(header->driver, sizeof(header->driver), "%d.%d", driver->major, driver->minor);
	strscpy(header->device, pci_name(adev->pdev), sizeof(header->device));
	mutex_unlock(&adev->coredump.lock);
	schedule_work(&adev->coredump.work);
}

static void atom_coredump_work(struct work_struct *work)
{
	struct atom_device *adev = container_of(work, struct atom_device, coredump.work);
	struct atom_dump *dump = &adev->coredump.dump;
	size_t bytes = dump->used;
	void *data = vmalloc(bytes);

	/* Nobody else touches it until it counts as unused. */
	if (data) {
		memcpy(data, dump->data, bytes);
		dev_coredumpv(adev->drm.dev, data, bytes, GFP_KERNEL);
	}
	mutex_lock(&adev->coredump.lock);
	dump->used = 0;
	mutex_unlock(&adev->coredump.lock);
}

/* What an operator or a developer of the driver cannot learn from the queue's state alone; or 0. */
static enum atom_dump_reason atom_dump_reason(struct atom_queue *queue, const char **text)
{
	enum atom_dump_reason reason = 0;
	u16 code;

	spin_lock_irq(&queue->fence_lock);
	code = queue->fault.code;
	if (queue->flags & DRM_ATOM_QUEUE_STATE_TIMEDOUT)
		reason = ATOM_DUMP_HANG;
	else if (code >= ATOM_FAULT_NOT_PRESENT && code <= ATOM_FAULT_NO_ASID)
		reason = ATOM_DUMP_MMU_FAULT;
	else if (code >= ATOM_FAULT_DMA_ERROR && code != ATOM_FAULT_ABORTED)
		reason = ATOM_DUMP_HARDWARE;
	spin_unlock_irq(&queue->fence_lock);
	*text = code ? atom_fault_name(code) : "no progress";
	return reason;
}

/**
 * atom_coredump_queue() - dump a queue that is about to be reset
 * @queue: banned queue, whose hardware has not been reset
 */
void atom_coredump_queue(struct atom_queue *queue)
{
	struct atom_device *adev = queue->adev;
	u32 running = ATOM_COMMAND_NONE;
	enum atom_dump_reason reason;
	struct atom_dump *dump;
	const char *text;
	int idx;

	reason = atom_dump_reason(queue, &text);
	if (!reason)
		return;
	dump = atom_dump_begin(adev);
	if (!dump)
		return;
	if (drm_dev_enter(&adev->drm, &idx)) {
		if (atom_hw_try_enter(adev)) {
			atom_dump_device_registers(dump, adev);
			running = atom_dump_queue_registers(dump, adev, queue->hw_id);
			atom_hw_exit(adev);
		}
		drm_dev_exit(idx);
	}
	atom_dump_queue(dump, queue, running, &atom_dump_of_queue);
	atom_dump_end(dump, adev, reason, text, queue->hw_id);
}

/**
 * atom_coredump_device() - dump a device that is about to be reset
 * @adev: device, out of service
 * @reason: for people
 */
void atom_coredump_device(struct atom_device *adev, const char *reason)
{
	struct atom_dump *dump = atom_dump_begin(adev);
	struct atom_queue *queue;
	u32 id = 0;

	if (!dump)
		return;
	atom_dump_device_registers(dump, adev);
	while ((queue = atom_queue_next(adev, &id))) {
		if (READ_ONCE(queue->emitted) != READ_ONCE(queue->completed))
			atom_dump_queue(dump, queue,
					atom_dump_queue_registers(dump, adev, id),
					&atom_dump_of_device);
		atom_queue_put(queue);
	}
	atom_dump_end(dump, adev, ATOM_DUMP_DEVICE_RESET, reason, 0);
}

/**
 * atom_coredump_init() - prepare for dumps
 * @adev: device
 *
 * Return: 0 or -ENOMEM.
 */
int atom_coredump_init(struct atom_device *adev)
{
	struct atom_coredump *coredump = &adev->coredump;
	int ret;

	INIT_WORK(&coredump->work, atom_coredump_work);
	ret = drmm_mutex_init(&adev->drm, &coredump->lock);
	if (ret)
		return ret;
	coredump->dump.data = vmalloc(ATOM_DUMP_BYTES_MAX);
	return coredump->dump.data ? 0 : -ENOMEM;
}

/**
 * atom_coredump_fini() - end dumps
 * @adev: device, whose queues and resets have ended
 */
void atom_coredump_fini(struct atom_device *adev)
{
	struct atom_coredump *coredump = &adev->coredump;

	if (!coredump->dump.data)
		return;
	/* What is on its way still gets there: the reason that the driver is detached, perhaps. */
	flush_work(&coredump->work);
	vfree(coredump->dump.data);
	coredump->dump.data = NULL;
}
