/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_HWMON_H
#define ATOM_HWMON_H

#include <linux/kconfig.h>

struct atom_device;

#if IS_ENABLED(CONFIG_HWMON)
int atom_hwmon_init(struct atom_device *adev);
#else
static inline int atom_hwmon_init(struct atom_device *adev)
{
	return 0;
}
#endif

#endif
