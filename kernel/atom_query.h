/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_QUERY_H
#define ATOM_QUERY_H

struct drm_device;
struct drm_file;

int atom_ioctl_dev_query(struct drm_device *drm, void *data, struct drm_file *file);

#endif
