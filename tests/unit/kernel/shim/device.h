/* SPDX-License-Identifier: MIT */
/* As much of the driver's device as the sources under test need, in place of kernel/atom_device.h and atom_bo.h. */
#ifndef SHIM_DEVICE_H
#define SHIM_DEVICE_H

#define ATOM_DEVICE_H
#define ATOM_BO_H

#include "cred.h"
#include "device_memory.h"
#include "kernel.h"

#include <atom/hw/admin.h>
#include <atom/hw/pci.h>
#include <atom/hw/regs.h>

#include "../../../../kernel/atom_quota.h"
#include "../../../../kernel/atom_vram.h"

struct device {
	int unused;
};

struct pci_dev {
	int unused;
};

struct drm_device {
	struct device *dev;
};

struct drm_printer {
	int unused;
};

struct ida {
	u64 taken;
};

struct atom_device {
	struct drm_device drm;
	struct pci_dev *pdev;
	struct atom_limits {
		u32 num_asids;
		u32 num_queues;
		u32 page_sizes;
		u64 caps;
		u64 dram_size;
		u64 dram_window;
		u64 shm_size;
	} limits;
	struct atom_quotas quotas;
	struct atom_vram vram;
	struct {
		atomic_t tables;
		atomic_t asids;
	} counters;
	struct ida asids;
};

struct atom_extent {
	u64 offset;
	u64 address;
	u64 bytes;
};

int atom_admin_exec(struct atom_device *adev, struct atom_admin_desc *desc);
int atom_admin_set_root(struct atom_device *adev, u32 asid, dma_addr_t root);
void atom_admin_take_back(struct atom_device *adev, struct atom_admin_desc *desc, const char *refused);
int atom_reset_force(struct atom_device *adev, const char *reason);
void atom_device_stop_hw(struct atom_device *adev);
void atom_extent_append(struct atom_extent *extents, u32 *count, u64 address, u64 bytes);

#define drm_printf(printer, ...) ((void)(printer))
#define drm_warn(drm, ...) ((void)(drm))
#define drmm_mutex_init(drm, lock) (mutex_init(lock), 0)
#define pci_resource_start(pdev, bar) 0
#define devm_arch_io_reserve_memtype_wc(dev, start, bytes) 0

#define DMA_BIT_MASK(bits) (~0ull >> (64 - (bits)))
#define dma_coerce_mask_and_coherent(dev, mask) 0
#define drm_dev_enter(drm, idx) (*(idx) = 0, true)
#define drm_dev_exit(idx) ((void)(idx))

static inline void *dma_alloc_coherent(struct device *dev, size_t bytes, dma_addr_t *dma, int flags)
{
	void *memory = aligned_alloc(4096, bytes);

	if (memory)
		memset(memory, 0, bytes);
	*dma = (dma_addr_t)(uintptr_t)memory;
	return memory;
}
#define dma_free_coherent(dev, bytes, cpu, dma) free(cpu)

static inline void ida_init(struct ida *ids) { ids->taken = 0; }
static inline void ida_destroy(struct ida *ids) { ids->taken = 0; }
static inline int ida_alloc_range(struct ida *ids, u32 first, u32 last, int flags)
{
	for (u32 id = first; id <= last; id++)
		if (!(ids->taken >> id & 1)) {
			ids->taken |= 1ull << id;
			return (int)id;
		}
	return -ENOSPC;
}
static inline void ida_free(struct ida *ids, u32 id) { ids->taken &= ~(1ull << id); }

#endif
