/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ATOM_UAPI_H
#define ATOM_UAPI_H

#include <linux/stddef.h>
#include <linux/types.h>

#include <drm/atom_accel.h>

void *atom_uobj_get_array(const struct drm_atom_obj_array *in, u32 count_max, u32 stride_min,
			  u32 size);
int atom_uobj_put(u64 pointer, u32 *size, const void *object, u32 object_size);

/**
 * ATOM_UOBJ_GET_ARRAY() - copy an array argument from the caller
 * @in: struct drm_atom_obj_array, its count not 0
 * @count_max: limit of its count
 * @type: type of the elements
 * @last: last field of the first version of @type
 *
 * Return: array to be freed with kvfree(), or an error pointer.
 */
#define ATOM_UOBJ_GET_ARRAY(in, count_max, type, last) \
	((type *)atom_uobj_get_array(in, count_max, offsetofend(type, last), sizeof(type)))

#endif
