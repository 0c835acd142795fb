// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Arrays and structures that cross the ioctl border and may grow: shorter ones
 * are filled with zeros, longer ones must end in zeros.
 */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "atom_uapi.h"

/* After the uapi header: a layout that drifted does not compile. */
#include <atom/uapi_layout.h>

/* No structure of the interface comes near; a stride above is nonsense. */
#define ATOM_STRIDE_MAX	1024
/* Nor does an answer; what is above it would be filled with zeros. */
#define ATOM_ANSWER_MAX	SZ_64K

static int atom_uobj_get(void *object, u32 size, const void __user *user, u32 stride)
{
	if (copy_from_user(object, user, min(size, stride)))
		return -EFAULT;
	if (stride > size) {
		int zero = check_zeroed_user(user + size, stride - size);

		if (zero <= 0)
			return zero ? zero : -EINVAL;
	}
	return 0;
}

/**
 * atom_uobj_get_array() - copy an array from the caller
 * @in: array; its count is not 0
 * @count_max: limit of its count
 * @stride_min: smallest element ever defined
 * @size: element as this kernel knows it
 *
 * Return: array of elements of @size to be freed with kvfree(), or an error
 * pointer: -E2BIG, -EINVAL, -EFAULT, -ENOMEM.
 */
void *atom_uobj_get_array(const struct drm_atom_obj_array *in, u32 count_max, u32 stride_min,
			  u32 size)
{
	void __user *user = u64_to_user_ptr(in->array);
	void *array;
	int ret = 0;
	u32 i;

	if (in->count > count_max || in->stride > ATOM_STRIDE_MAX)
		return ERR_PTR(-E2BIG);
	if (in->stride < stride_min)
		return ERR_PTR(-EINVAL);

	array = kvcalloc(in->count, size, GFP_KERNEL);
	if (!array)
		return ERR_PTR(-ENOMEM);

	if (in->stride == size) {
		if (copy_from_user(array, user, (size_t)in->count * size))
			ret = -EFAULT;
	} else {
		for (i = 0; i < in->count && !ret; i++)
			ret = atom_uobj_get(array + (size_t)i * size, size,
					    user + (size_t)i * in->stride, in->stride);
	}
	if (ret) {
		kvfree(array);
		return ERR_PTR(ret);
	}
	return array;
}

/**
 * atom_uobj_put() - give a structure to the caller
 * @pointer: user pointer; 0 = only tell the size
 * @size: in: bytes at @pointer; out: bytes of the structure
 * @object: structure
 * @object_size: its size
 *
 * Return: 0, -E2BIG or -EFAULT.
 */
int atom_uobj_put(u64 pointer, u32 *size, const void *object, u32 object_size)
{
	void __user *user = u64_to_user_ptr(pointer);
	u32 room = *size;

	if (pointer) {
		if (room > ATOM_ANSWER_MAX)
			return -E2BIG;
		if (copy_to_user(user, object, min(room, object_size)))
			return -EFAULT;
		if (room > object_size && clear_user(user + object_size, room - object_size))
			return -EFAULT;
	}
	*size = object_size;
	return 0;
}
