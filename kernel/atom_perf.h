/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_PERF_H
#define ATOM_PERF_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct atom_device;
struct drm_device;
struct drm_file;

/**
 * struct atom_perf - streams of counters of a device
 */
struct atom_perf {
	/** @lock: Protects @streams and @count; leaf. */
	struct mutex lock;
	/** @streams: Open ones: struct atom_perf_stream.link. */
	struct list_head streams;
	/** @count: How many. */
	u32 count;
};

int atom_perf_init(struct atom_device *adev);
void atom_perf_unplug(struct atom_device *adev);
int atom_ioctl_perf_open(struct drm_device *drm, void *data, struct drm_file *file);

#endif
