/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_DEVICE_H
#define ATOM_DEVICE_H

#include <linux/idr.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include <atom/hw/pci.h>
#include <atom/hw/regs.h>

#include "atom_admin.h"
#include "atom_coredump.h"
#include "atom_event.h"
#include "atom_fault.h"
#include "atom_irq.h"
#include "atom_kcompat.h"
#include "atom_perf.h"
#include "atom_pm.h"
#include "atom_quota.h"
#include "atom_reset.h"
#include "atom_telemetry.h"
#include "atom_vram.h"

#define ATOM_DRIVER_NAME	"atom_npu"

/* log2 of the slots of a job queue's ring. */
#define ATOM_QUEUE_RING_LOG2	8

struct atom_queue;

/**
 * struct atom_limits - what the device says of itself, read once and checked
 */
struct atom_limits {
	/** @version: Newest interface that the device offers. */
	u32 version;
	/** @fw_version: Its build. */
	u32 fw_version;
	/** @platform: ATOM_PLATFORM_*. */
	u32 platform;
	/** @num_queues: Job queues, ids 1..n. */
	u32 num_queues;
	/** @num_asids: Address spaces, 0 included. */
	u32 num_asids;
	/** @num_vectors: MSI-X vectors. */
	u32 num_vectors;
	/** @ring_log2: log2 of the ring entries that job queues get. */
	u32 ring_log2;
	/** @doorbell_log2: log2 of the bytes between doorbells. */
	u32 doorbell_log2;
	/** @dma_bits: Bits of a bus address. */
	u32 dma_bits;
	/** @page_sizes: Bit n = pages of 2^n bytes. */
	u32 page_sizes;
	/** @cmd_bytes_max: Bytes of a command buffer. */
	u32 cmd_bytes_max;
	/** @args_max: Entries of an argument table. */
	u32 args_max;
	/** @macs_log2_max: log2 of the work of a command. */
	u32 macs_log2_max;
	/** @engines: Neural engines. */
	u32 engines;
	/** @caps: ATOM_CAP_*. */
	u64 caps;
	/** @opcodes: Commands implemented. */
	u64 opcodes[4];
	/** @dtypes: Types implemented. */
	u64 dtypes;
	/** @serial: Serial number. */
	u64 serial;
	/** @dram_size: Bytes of device memory. */
	u64 dram_size;
	/** @dram_window: Bytes of it that BAR4 shows. */
	u64 dram_window;
	/** @shm_size: Bytes of shared on-chip memory. */
	u64 shm_size;
	/** @uuid: Id of the card. */
	u8 uuid[16];
};

/**
 * struct atom_counters - objects alive, told in debugfs; leak tests read them
 */
struct atom_counters {
	/** @clients: Open files. */
	atomic_t clients;
	/** @vms: Address spaces, until their last user is gone. */
	atomic_t vms;
	/** @queues: Queues, until their last job is gone. */
	atomic_t queues;
	/** @asids: Hardware address spaces taken. */
	atomic_t asids;
	/** @hw_queues: Hardware queues taken. */
	atomic_t hw_queues;
	/** @areas: Completion areas, until their last mapping is gone. */
	atomic_t areas;
	/** @jobs: Jobs. */
	atomic_t jobs;
	/** @bos_system: Buffers in system memory. */
	atomic_t bos_system;
	/** @bos_local: Buffers in device memory. */
	atomic_t bos_local;
	/** @bos_shm: Buffers in shared memory. */
	atomic_t bos_shm;
	/** @mappings: Ranges mapped in all address spaces. */
	atomic_t mappings;
	/** @tables: Page tables. */
	atomic_t tables;
	/** @queue_resets: Resets of queues, ever. */
	atomic_t queue_resets;
	/** @device_resets: Resets of the device, ever. */
	atomic_t device_resets;
	/** @faults: Queues that a fault ended, ever. */
	atomic_t faults;
	/** @timeouts: Jobs given up, ever. */
	atomic_t timeouts;
	/** @lost_interrupts: Completions found by looking, ever. */
	atomic_t lost_interrupts;
};

/**
 * struct atom_device - one ATOM function
 */
struct atom_device {
	/** @drm: DRM device; the struct lives as long as it. */
	struct drm_device drm;
	/** @pdev: PCI function. */
	struct pci_dev *pdev;
	/** @regs: BAR0; only between drm_dev_enter() and _exit(). */
	void __iomem *regs;
	/** @doorbells: BAR2; as @regs. */
	void __iomem *doorbells;
	/** @limits: What the device can do. */
	struct atom_limits limits;
	/** @admin: Admin queue. */
	struct atom_admin admin;
	/** @irq: Interrupt vectors. */
	struct atom_irq irq;
	/** @fault: Fault FIFO. */
	struct atom_fault_fifo fault;
	/** @reset: Resets of the device. */
	struct atom_reset reset;
	/** @pm: Sleep. */
	struct atom_pm pm;
	/** @vram: LOCAL and SHM memory. */
	struct atom_vram vram;
	/** @telemetry: Readings. */
	struct atom_telemetry telemetry;
	/** @quotas: What each user holds, and may hold. */
	struct atom_quotas quotas;
	/** @coredump: Dumps of what failed. */
	struct atom_coredump coredump;
	/** @events: Who is told of faults and resets. */
	struct atom_events events;
	/** @perf: Streams of counters. */
	struct atom_perf perf;
	/** @counters: Objects alive. */
	struct atom_counters counters;
	/** @job_timeout_ms: For queues that ask for nothing else; the administrator changes it. */
	u32 job_timeout_ms;
	/** @job_timeout_max_ms: The longest that a queue may ask for; as @job_timeout_ms. */
	u32 job_timeout_max_ms;

	/** @submit_wq: Runs the schedulers of all queues. */
	struct workqueue_struct *submit_wq;
	/** @reset_wq: Ordered: job timeouts, queue resets, the fault FIFO. */
	struct workqueue_struct *reset_wq;

	/** @scheds: A scheduler a hardware queue, used again and again. */
	struct atom_scheds *scheds;
	/** @queue_ids: Hardware queue ids in use. */
	struct ida queue_ids;
	/** @queue_lock: Protects @queues and @queue_generation; leaf, used in interrupts. */
	spinlock_t queue_lock;
	/** @queues: Queues by hardware id, until all that they have of the hardware is freed. */
	struct atom_queue **queues;
	/** @queue_generation: Counts creations and resets of queues. */
	u32 queue_generation;

	/** @asids: ASIDs in use. */
	struct ida asids;
	/** @lists_lock: Protects @vms, @bos and @areas. */
	struct mutex lists_lock;
	/** @vms: All address spaces. */
	struct list_head vms;
	/** @bos: Buffers that are mapped for DMA. */
	struct list_head bos;
	/** @areas: Completion areas. */
	struct list_head areas;

	/** @stop_lock: Serialises stopping the hardware. */
	struct mutex stop_lock;
	/** @stopped: The hardware can do no DMA any more; under @stop_lock. */
	bool stopped;
	/** @dead: The device failed: ioctls say -EIO. */
	bool dead;
	/** @death_told: The uevent was sent. */
	bool death_told;
	/** @removing: The driver is being detached: waiters go home. */
	bool removing;
};

#define to_atom_device(ptr) container_of(ptr, struct atom_device, drm)

static inline u32 atom_read32(struct atom_device *adev, u32 reg)
{
	return readl(adev->regs + reg);
}

static inline u64 atom_read64(struct atom_device *adev, u32 reg)
{
	return readq(adev->regs + reg);
}

static inline void atom_write32(struct atom_device *adev, u32 reg, u32 value)
{
	writel(value, adev->regs + reg);
}

static inline void atom_write64(struct atom_device *adev, u32 reg, u64 value)
{
	writeq(value, adev->regs + reg);
}

static inline void atom_ring_doorbell(struct atom_device *adev, u32 queue, u64 tail)
{
	writel((u32)tail, adev->doorbells + ((size_t)queue << adev->limits.doorbell_log2));
}

static inline bool atom_device_is_dead(struct atom_device *adev)
{
	return READ_ONCE(adev->dead);
}

/* Nothing that waits for the device gets an answer any more. */
static inline bool atom_device_is_lost(struct atom_device *adev)
{
	return READ_ONCE(adev->dead) || READ_ONCE(adev->removing);
}

int atom_device_init(struct atom_device *adev);
void atom_device_fini(struct atom_device *adev);
void atom_device_stop_hw(struct atom_device *adev);
int atom_device_wait_ready(struct atom_device *adev);
int atom_device_reset_function(struct atom_device *adev);
int atom_device_start(struct atom_device *adev);
void atom_device_die(struct atom_device *adev, const char *reason);
void atom_device_tell_death(struct atom_device *adev);

extern uint atom_vectors;
extern uint atom_job_timeout_ms;
extern uint atom_job_timeout_max_ms;

/** ATOM_JOB_TIMEOUT_LIMIT_MS - no administrator may set a longer time-out: an hour. */
#define ATOM_JOB_TIMEOUT_LIMIT_MS	3600000u

#endif
