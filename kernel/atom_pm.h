/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_PM_H
#define ATOM_PM_H

#include <linux/pm.h>
#include <linux/types.h>

struct atom_device;

/**
 * struct atom_pm - sleep of the device; userspace is frozen while it changes
 */
struct atom_pm {
	/** @paused: No job goes on a ring, and none is on one. */
	bool paused;
	/** @saved: LOCAL memory was saved. */
	bool saved;
	/** @lost: LOCAL memory has lost its content meanwhile. */
	bool lost;
};

int atom_pm_get(struct atom_device *adev);
void atom_pm_get_awake(struct atom_device *adev);
void atom_pm_put(struct atom_device *adev);
void atom_pm_init(struct atom_device *adev);
void atom_pm_fini(struct atom_device *adev);
bool atom_pm_keeps_memory(struct atom_device *adev, bool cold);

extern const struct dev_pm_ops atom_pm_ops;

#endif
