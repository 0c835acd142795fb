// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The device as a whole: identity, negotiation, start, stop and death.
 */
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/kobject.h>
#include <linux/unaligned.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>

#include <atom/hw/mmu.h>

#include "atom_device.h"
#include "atom_queue.h"
#include "atom_sched.h"

#define ATOM_RESET_TIMEOUT_US	(10 * USEC_PER_SEC)
#define ATOM_RESET_POLL_US	100

/* Addresses that a page table entry can hold. */
#define ATOM_PTE_ADDR_BITS	((u32)fls64(ATOM_PTE_ADDR_MASK))

/* The interface that this driver speaks. */
#define ATOM_DRIVER_VERSION	ATOM_VERSION(ATOM_INTERFACE_MAJOR, ATOM_INTERFACE_MINOR)

/**
 * atom_device_wait_ready() - wait for the end of a function reset
 * @adev: device
 *
 * Return: 0; -ENODEV if it left; -ETIMEDOUT.
 */
int atom_device_wait_ready(struct atom_device *adev)
{
	u32 status;
	int ret;

	ret = readl_poll_timeout(adev->regs + ATOM_REG_STATUS, status, status == U32_MAX ||
				 ((status & ATOM_STATUS_READY) &&
				  !(status & (ATOM_STATUS_ENABLED | ATOM_STATUS_QUIESCING))),
				 ATOM_RESET_POLL_US, ATOM_RESET_TIMEOUT_US);
	/* All ones: it left in the middle. */
	return status == U32_MAX ? -ENODEV : ret;
}

/**
 * atom_device_reset_function() - reset the function by its register
 * @adev: device
 *
 * Afterwards the device does no DMA and has forgotten all queues and tables.
 *
 * Return: as atom_device_wait_ready().
 */
int atom_device_reset_function(struct atom_device *adev)
{
	atom_write32(adev, ATOM_REG_CTRL, ATOM_CTRL_RESET);
	return atom_device_wait_ready(adev);
}

static int atom_device_check_identity(struct atom_device *adev)
{
	u32 magic = atom_read32(adev, ATOM_REG_MAGIC);

	if (magic == U32_MAX) {
		dev_err(&adev->pdev->dev, "device does not answer (registers read as all ones)\n");
		return -ENODEV;
	}
	if (magic != ATOM_MAGIC) {
		dev_err(&adev->pdev->dev, "not an ATOM device: magic %#x, expected %#x\n",
			magic, ATOM_MAGIC);
		return -ENODEV;
	}
	return 0;
}

static int atom_device_negotiate(struct atom_device *adev)
{
	u32 newest = atom_read32(adev, ATOM_REG_VERSION);
	u32 oldest = atom_read32(adev, ATOM_REG_VERSION_MIN);
	bool refused = ATOM_DRIVER_VERSION < oldest || ATOM_DRIVER_VERSION > newest;

	if (!refused) {
		atom_write32(adev, ATOM_REG_DRIVER_VERSION, ATOM_DRIVER_VERSION);
		refused = atom_read32(adev, ATOM_REG_STATUS) & ATOM_STATUS_VERSION_REFUSED;
	}
	if (refused) {
		dev_err(&adev->pdev->dev,
			"interface %u.%u of this driver is not offered by the device, which has %u.%u to %u.%u; update the older of the two\n",
			ATOM_INTERFACE_MAJOR, ATOM_INTERFACE_MINOR,
			ATOM_VERSION_MAJOR(oldest), ATOM_VERSION_MINOR(oldest),
			ATOM_VERSION_MAJOR(newest), ATOM_VERSION_MINOR(newest));
		return -EOPNOTSUPP;
	}
	return 0;
}

static void atom_device_read_limits(struct atom_device *adev)
{
	struct atom_limits *limits = &adev->limits;
	int i;

	limits->version = atom_read32(adev, ATOM_REG_VERSION);
	limits->fw_version = atom_read32(adev, ATOM_REG_FW_VERSION);
	limits->platform = atom_read32(adev, ATOM_REG_PLATFORM);
	limits->num_queues = atom_read32(adev, ATOM_REG_NUM_QUEUES);
	limits->num_asids = atom_read32(adev, ATOM_REG_NUM_ASIDS);
	limits->num_vectors = atom_read32(adev, ATOM_REG_NUM_VECTORS);
	limits->ring_log2 = min_t(u32, atom_read32(adev, ATOM_REG_RING_LOG2_MAX),
				  ATOM_QUEUE_RING_LOG2);
	limits->doorbell_log2 = atom_read32(adev, ATOM_REG_DOORBELL_LOG2);
	limits->dma_bits = atom_read32(adev, ATOM_REG_DMA_BITS);
	limits->page_sizes = atom_read32(adev, ATOM_REG_PAGE_SIZES);
	limits->cmd_bytes_max = atom_read32(adev, ATOM_REG_CMDBUF_BYTES_MAX);
	limits->args_max = atom_read32(adev, ATOM_REG_ARGS_MAX);
	limits->macs_log2_max = atom_read32(adev, ATOM_REG_MACS_LOG2_MAX);
	limits->engines = atom_read32(adev, ATOM_REG_NUM_ENGINES);
	limits->caps = atom_read64(adev, ATOM_REG_CAPS);
	for (i = 0; i < ARRAY_SIZE(limits->opcodes); i++)
		limits->opcodes[i] = atom_read64(adev, ATOM_REG_OPCODES + 8 * i);
	limits->dtypes = atom_read64(adev, ATOM_REG_DTYPES);
	limits->serial = atom_read64(adev, ATOM_REG_SERIAL);
	for (i = 0; i < 2; i++)
		put_unaligned_le64(atom_read64(adev, ATOM_REG_UUID + 8 * i),
				   &limits->uuid[8 * i]);
	limits->dram_size = atom_read64(adev, ATOM_REG_DRAM_SIZE);
	limits->dram_window = min3(atom_read64(adev, ATOM_REG_DRAM_WINDOW), limits->dram_size,
				   (u64)pci_resource_len(adev->pdev, ATOM_BAR_DRAM));
	limits->shm_size = limits->caps & ATOM_CAP_SHM ? atom_read64(adev, ATOM_REG_SHM_SIZE) : 0;
}

/* The driver's arithmetic relies on these; a device that breaks them is not ours. */
static int atom_device_check_limits(struct atom_device *adev)
{
	struct atom_limits *limits = &adev->limits;
	u64 doorbells = pci_resource_len(adev->pdev, ATOM_BAR_DOORBELL);
	u32 va_bits = atom_read32(adev, ATOM_REG_VA_BITS);
	const char *what = NULL;

	if (!limits->num_queues || limits->num_queues >= ATOM_REG_QUEUE_MAX)
		what = "number of queues";
	else if (limits->num_asids < 2 || limits->num_asids > U16_MAX)
		what = "number of address spaces";
	else if (!limits->num_vectors)
		what = "number of interrupt vectors";
	else if (limits->ring_log2 < 1)
		what = "ring size";
	else if (limits->doorbell_log2 < 12 || limits->doorbell_log2 > 24 ||
		 (u64)(limits->num_queues + 1) << limits->doorbell_log2 > doorbells)
		what = "doorbell size";
	else if (va_bits != ATOM_VA_BITS || !(limits->page_sizes & SZ_4K))
		what = "page table format";
	else if (limits->dma_bits < 32 || limits->dma_bits > 64)
		what = "bus address width";
	else if (!IS_ALIGNED(limits->dram_size | limits->dram_window | limits->shm_size, SZ_4K) ||
		 max(limits->dram_size, limits->shm_size) > BIT_ULL(ATOM_PTE_ADDR_BITS))
		what = "memory size";

	if (what) {
		dev_err(&adev->pdev->dev, "the device reports an impossible %s\n", what);
		return -ENODEV;
	}
	return 0;
}

static int atom_device_map(struct atom_device *adev)
{
	struct pci_dev *pdev = adev->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;

	if (pci_resource_len(pdev, ATOM_BAR_REGS) < ATOM_BAR_REGS_SIZE ||
	    !pci_resource_len(pdev, ATOM_BAR_DOORBELL)) {
		dev_err(&pdev->dev, "BAR %d or %d is missing or too small\n",
			ATOM_BAR_REGS, ATOM_BAR_DOORBELL);
		return -ENODEV;
	}

	adev->regs = pcim_iomap_region(pdev, ATOM_BAR_REGS, ATOM_DRIVER_NAME);
	if (IS_ERR(adev->regs))
		return PTR_ERR(adev->regs);
	adev->doorbells = pcim_iomap_region(pdev, ATOM_BAR_DOORBELL, ATOM_DRIVER_NAME);
	if (IS_ERR(adev->doorbells))
		return PTR_ERR(adev->doorbells);

	/* Mapped page by page, by those who use it, but nobody else's. */
	return pci_resource_len(pdev, ATOM_BAR_DRAM) ?
	       pcim_request_region(pdev, ATOM_BAR_DRAM, ATOM_DRIVER_NAME) : 0;
}

/* The device that comes back must be the one that went. */
static bool atom_device_is_same(struct atom_device *adev)
{
	const struct atom_limits *limits = &adev->limits;

	return atom_read64(adev, ATOM_REG_SERIAL) == limits->serial &&
	       atom_read32(adev, ATOM_REG_NUM_QUEUES) == limits->num_queues &&
	       atom_read32(adev, ATOM_REG_NUM_ASIDS) == limits->num_asids &&
	       atom_read32(adev, ATOM_REG_DOORBELL_LOG2) == limits->doorbell_log2 &&
	       atom_read64(adev, ATOM_REG_DRAM_SIZE) == limits->dram_size &&
	       atom_read64(adev, ATOM_REG_CAPS) == limits->caps;
}

/**
 * atom_device_start() - start a device that has been reset
 * @adev: device; the caller holds struct atom_admin.lock
 *
 * Return: 0, or an error that was logged with its reason.
 */
int atom_device_start(struct atom_device *adev)
{
	u32 status;
	int ret;

	ret = atom_device_check_identity(adev);
	if (!ret)
		ret = atom_device_negotiate(adev);
	if (ret)
		return ret;
	if (!atom_device_is_same(adev)) {
		dev_err(&adev->pdev->dev, "another device answers\n");
		return -EIO;
	}

	atom_admin_start(adev);
	atom_fault_start(adev);
	atom_write32(adev, ATOM_REG_CTRL, ATOM_CTRL_ENABLE);
	status = atom_read32(adev, ATOM_REG_STATUS);
	if (status & ATOM_STATUS_FATAL || !(status & ATOM_STATUS_ENABLED)) {
		dev_err(&adev->pdev->dev, "the device does not start: status %#x, error %u\n",
			status, atom_read32(adev, ATOM_REG_ERROR_CODE));
		return -EIO;
	}
	adev->reset.hw_generation = atom_read32(adev, ATOM_REG_GENERATION);
	ret = atom_admin_restore(adev);
	if (ret)
		dev_err(&adev->pdev->dev, "the device does not take its queues: %d\n", ret);
	return ret;
}

static int atom_device_init_software(struct atom_device *adev)
{
	struct drm_device *drm = &adev->drm;
	int ret;

	INIT_LIST_HEAD(&adev->vms);
	INIT_LIST_HEAD(&adev->bos);
	INIT_LIST_HEAD(&adev->areas);
	ida_init(&adev->queue_ids);
	ida_init(&adev->asids);
	spin_lock_init(&adev->queue_lock);
	init_waitqueue_head(&adev->admin.wait);
	adev->job_timeout_ms = atom_job_timeout_ms;
	adev->job_timeout_max_ms = atom_job_timeout_max_ms;

	ret = drmm_mutex_init(drm, &adev->lists_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &adev->stop_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &adev->admin.lock);
	if (!ret)
		ret = atom_event_init(adev);
	if (!ret)
		ret = atom_perf_init(adev);
	if (!ret)
		ret = atom_coredump_init(adev);
	if (ret)
		return ret;

	ret = atom_scheds_init(adev);
	if (ret)
		return ret;
	adev->queues = drmm_kcalloc(drm, adev->limits.num_queues + 1,
				    sizeof(*adev->queues), GFP_KERNEL);
	if (!adev->queues)
		return -ENOMEM;

	/*
	 * Bound to the CPU that submits: there the job is on the ring before its
	 * submitter goes to sleep, without waking another CPU.
	 */
	adev->submit_wq = alloc_workqueue("atom-submit",
					  WQ_HIGHPRI | WQ_MEM_RECLAIM | WQ_PERCPU, 0);
	adev->reset_wq = alloc_ordered_workqueue("atom-reset", WQ_MEM_RECLAIM);
	return adev->submit_wq && adev->reset_wq ? 0 : -ENOMEM;
}

/**
 * atom_device_init() - bring the device up
 * @adev: device, its PCI function known
 *
 * Return: 0, or an error that was logged with its reason; atom_device_fini()
 * undoes whatever was done, also after an error.
 */
int atom_device_init(struct atom_device *adev)
{
	struct pci_dev *pdev = adev->pdev;
	u32 dma_bits;
	int ret;

	ret = atom_device_map(adev);
	if (!ret)
		ret = atom_device_check_identity(adev);
	if (ret)
		return ret;

	/* Whoever drove it before (a crashed kernel, another driver) is forgotten. */
	ret = atom_device_reset_function(adev);
	if (ret) {
		dev_err(&pdev->dev, "function reset does not end\n");
		return ret;
	}
	ret = atom_device_negotiate(adev);
	if (ret)
		return ret;
	atom_device_read_limits(adev);
	ret = atom_device_check_limits(adev);
	if (ret)
		return ret;

	/* What the bus could carry beyond, no page table entry could name. */
	dma_bits = min(adev->limits.dma_bits, ATOM_PTE_ADDR_BITS);
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (ret) {
		dev_err(&pdev->dev, "no DMA with %u address bits\n", dma_bits);
		return ret;
	}
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);

	ret = atom_device_init_software(adev);
	if (!ret)
		ret = atom_reset_init(adev);
	if (!ret)
		ret = atom_telemetry_init(adev);
	if (!ret)
		ret = atom_vram_init(adev);
	if (!ret) {
		atom_quota_init(adev);
		ret = atom_fault_init(adev);
	}
	if (!ret)
		ret = atom_admin_init(adev);
	if (ret)
		return ret;

	pci_set_master(pdev);
	ret = atom_irq_init(adev);
	if (!ret)
		ret = atom_reset_save_config(adev);
	if (ret)
		return ret;
	mutex_lock(&adev->admin.lock);
	ret = atom_device_start(adev);
	mutex_unlock(&adev->admin.lock);
	return ret;
}

/**
 * atom_device_fini() - stop the device and free what it could reach
 * @adev: device; no entry point of the driver is inside of drm_dev_enter()
 */
void atom_device_fini(struct atom_device *adev)
{
	/* Made last of what the others need: without it there is nothing else. */
	if (adev->reset_wq) {
		atom_device_stop_hw(adev);
		atom_irq_fini(adev);
		atom_reset_fini(adev);
		atom_fault_fini(adev);
		atom_admin_fini(adev);
		atom_vram_fini(adev);
		destroy_workqueue(adev->reset_wq);
	}
	if (adev->submit_wq)
		destroy_workqueue(adev->submit_wq);
	atom_coredump_fini(adev);
}

/**
 * atom_device_stop_hw() - stop the device for good
 * @adev: device
 *
 * After the return the device does no DMA: either its reset ended, or it may not
 * master the bus any more. Memory that it could reach may be freed. May sleep.
 */
void atom_device_stop_hw(struct atom_device *adev)
{
	mutex_lock(&adev->stop_lock);
	if (!adev->stopped) {
		bool gone = atom_read32(adev, ATOM_REG_MAGIC) == U32_MAX;

		if (!gone && atom_device_reset_function(adev))
			dev_warn(&adev->pdev->dev,
				 "function reset does not end; bus mastering is taken away\n");
		pci_clear_master(adev->pdev);
		adev->stopped = true;
	}
	mutex_unlock(&adev->stop_lock);
}

/**
 * atom_device_die() - declare a device dead that resets do not bring back
 * @adev: device
 * @reason: for the log
 *
 * Ioctls say -EIO from now on, and all fences signal. Nothing brings a device
 * back but rebinding the driver. Runs where resets do, and sleeps.
 * atom_device_tell_death() is to follow.
 */
void atom_device_die(struct atom_device *adev, const char *reason)
{
	bool cookie;

	if (xchg(&adev->dead, true))
		return;
	if (!READ_ONCE(adev->removing))
		drm_err(&adev->drm, "device is dead: %s; rebind the driver to use it again\n",
			reason);
	wake_up_all(&adev->reset.wait);
	cookie = dma_fence_begin_signalling();
	atom_device_stop_hw(adev);
	atom_queue_fail_all(adev);
	dma_fence_end_signalling(cookie);
}

/**
 * atom_device_tell_death() - send the uevent of a device that is dead, once
 * @adev: device, dead or not
 *
 * Allocates memory: not where a reset is waited for.
 */
void atom_device_tell_death(struct atom_device *adev)
{
	char event[] = "WEDGED=rebind,bus-reset";
	char *env[2] = { event };

	if (!atom_device_is_dead(adev) || xchg(&adev->death_told, true))
		return;
	/*
	 * What drm_dev_wedged_event() sends; that one takes the primary minor,
	 * which accel devices do not have.
	 */
	if (adev->drm.accel && adev->drm.accel->kdev)
		kobject_uevent_env(&adev->drm.accel->kdev->kobj, KOBJ_CHANGE, env);
}
