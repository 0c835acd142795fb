/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_DRV_H
#define ATOM_DRV_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/xarray.h>

struct atom_device;
struct atom_quota;
struct drm_device;
struct drm_file;

/**
 * struct atom_file - an open file
 */
struct atom_file {
	/** @adev: Device. */
	struct atom_device *adev;
	/** @file: The same to DRM. */
	struct drm_file *file;
	/** @vms: struct atom_vm by id. */
	struct xarray vms;
	/** @queues: struct atom_queue by id. */
	struct xarray queues;
	/** @quota: Account of the user who opened it. */
	struct atom_quota *quota;
	/** @vm_count: Address spaces held. */
	atomic_t vm_count;
	/** @queue_count: Queues held. */
	atomic_t queue_count;
	/** @busy_ns: Time that the device worked for queues that are gone. */
	atomic64_t busy_ns;
	/** @event_link: Entry of struct atom_events.files, until it is being closed. */
	struct list_head event_link;
	/** @events_dropped: Events that there was no room for. */
	atomic_t events_dropped;
};

int atom_file_take_context(struct atom_file *afile);
void atom_file_give_context(struct atom_file *afile);
int atom_file_take_queue(struct atom_file *afile);
void atom_file_give_queue(struct atom_file *afile);
int atom_ioctl_enter(struct drm_device *drm, int *idx);

#endif
