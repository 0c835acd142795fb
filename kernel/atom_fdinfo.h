/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_FDINFO_H
#define ATOM_FDINFO_H

struct drm_file;
struct drm_printer;

void atom_fdinfo_show(struct drm_printer *p, struct drm_file *file);

#endif
