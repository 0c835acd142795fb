/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_SUBMIT_H
#define ATOM_SUBMIT_H

#include "atom_device.h"

struct drm_device;
struct drm_file;

/* Syncs of one job. */
#define ATOM_SYNCS_MAX		64

/* Jobs in one SUBMIT: they must fit on the ring together. */
static inline u32 atom_submit_jobs_max(const struct atom_limits *limits)
{
	return min(128u, 1u << limits->ring_log2);
}

int atom_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);

#endif
