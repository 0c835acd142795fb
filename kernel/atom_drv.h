/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_DRV_H
#define ATOM_DRV_H

#include <linux/atomic.h>
#include <linux/xarray.h>

struct atom_device;
struct drm_device;

/**
 * struct atom_file - an open file
 */
struct atom_file {
	/** @adev: Device. */
	struct atom_device *adev;
	/** @vms: struct atom_vm by id. */
	struct xarray vms;
	/** @queues: struct atom_queue by id. */
	struct xarray queues;
	/** @vm_count: Address spaces held. */
	atomic_t vm_count;
	/** @queue_count: Queues held. */
	atomic_t queue_count;
	/** @busy_ns: Time that the device worked for queues that are gone. */
	atomic64_t busy_ns;
};

int atom_file_take(atomic_t *held, u32 total);
void atom_file_give(atomic_t *held);
int atom_ioctl_enter(struct drm_device *drm, int *idx);

#endif
