/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_PRIME_H
#define ATOM_PRIME_H

struct dma_buf;
struct drm_device;
struct drm_gem_object;

struct dma_buf *atom_prime_export(struct drm_gem_object *obj, int flags);
struct drm_gem_object *atom_prime_import(struct drm_device *drm, struct dma_buf *dma_buf);

#endif
