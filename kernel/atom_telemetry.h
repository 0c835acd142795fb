/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_TELEMETRY_H
#define ATOM_TELEMETRY_H

#include <linux/mutex.h>

#include <drm/atom_accel.h>

struct atom_device;

/**
 * struct atom_telemetry - readings of the device
 */
struct atom_telemetry {
	/** @lock: Protects what follows. */
	struct mutex lock;
	/** @last: The last readings. */
	struct drm_atom_dev_telemetry last;
	/** @before: What counters had when the device last lost its power. */
	struct drm_atom_dev_telemetry before;
};

int atom_telemetry_init(struct atom_device *adev);
int atom_telemetry_save(struct atom_device *adev);
void atom_telemetry_go_on(struct atom_device *adev);
int atom_telemetry_get(struct atom_device *adev, struct drm_atom_dev_telemetry *telemetry);

#endif
