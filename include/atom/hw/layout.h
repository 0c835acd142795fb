/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ATOM programming interface: types and build-time layout checks.
 *
 * Every structure that crosses the PCIe link is little-endian, has no implicit
 * padding, and is a multiple of 8 bytes. ATOM_HW_LAYOUT() proves the size, and
 * ATOM_HW_OFFSET() a field, in whatever compiles the header: kernel C, QEMU's C
 * and C++ alike.
 */
#ifndef ATOM_HW_LAYOUT_H
#define ATOM_HW_LAYOUT_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

#ifdef __cplusplus
#define ATOM_HW_STATIC_ASSERT(expr, msg) static_assert(expr, msg)
#elif defined(__KERNEL__) || __STDC_VERSION__ >= 201112L
#define ATOM_HW_STATIC_ASSERT(expr, msg) _Static_assert(expr, msg)
#else /* C99: an array of negative size */
#define ATOM_HW_STATIC_ASSERT(expr, msg)                                       \
	int atom_hw_static_assert(char (*proof)[(expr) ? (int)!!sizeof(msg) : -1])
#endif

#define ATOM_HW_LAYOUT(type, bytes)                                            \
	ATOM_HW_STATIC_ASSERT(sizeof(type) == (bytes) && (bytes) % 8 == 0,     \
			      #type " is not " #bytes " bytes")
#define ATOM_HW_OFFSET(type, field, bytes)                                     \
	ATOM_HW_STATIC_ASSERT(offsetof(type, field) == (bytes),                \
			      #type "." #field " is not at " #bytes)

#endif
