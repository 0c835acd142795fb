/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_SYSFS_H
#define ATOM_SYSFS_H

struct attribute_group;

extern const struct attribute_group *atom_sysfs_groups[];

#endif
