/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ATOM programming interface: element types (spec: include/README.md, 7).
 */
#ifndef ATOM_HW_DTYPE_H
#define ATOM_HW_DTYPE_H

#include "layout.h"

enum atom_dtype {
	ATOM_DTYPE_NONE			= 0,	/* tensor is absent; all its other fields are 0 */
	ATOM_DTYPE_I8			= 1,
	ATOM_DTYPE_U8			= 2,	/* also truth values, 0 and 1 */
	ATOM_DTYPE_I16			= 3,
	ATOM_DTYPE_I32			= 4,
	ATOM_DTYPE_I64			= 5,	/* indices; COPY, SELECT, and CAST to or from I32 */
	ATOM_DTYPE_F16			= 6,	/* IEEE 754 binary16 */
	ATOM_DTYPE_BF16			= 7,
	ATOM_DTYPE_F32			= 8,	/* IEEE 754 binary32 */
	/* Blocks of 32 weights. */
	ATOM_DTYPE_Q8_0			= 16,	/* struct atom_block_q8_0 */
	ATOM_DTYPE_Q4_0			= 17,	/* struct atom_block_q4_0 */
	ATOM_DTYPE_Q4_1			= 18,	/* struct atom_block_q4_1 */
};

#define ATOM_BLOCK_ELEMENTS		32

/* value[i] = scale * q[i] */
struct atom_block_q8_0 {
	__le16 scale;		/* f16 */
	__s8 q[32];
};

/* value[i] = scale * ((q[i] & 15) - 8), value[i + 16] = scale * ((q[i] >> 4) - 8) */
struct atom_block_q4_0 {
	__le16 scale;		/* f16 */
	__u8 q[16];
};

/* value[i] = scale * (q[i] & 15) + min, value[i + 16] = scale * (q[i] >> 4) + min */
struct atom_block_q4_1 {
	__le16 scale;		/* f16 */
	__le16 min;		/* f16 */
	__u8 q[16];
};

ATOM_HW_STATIC_ASSERT(sizeof(struct atom_block_q8_0) == 34, "q8_0");
ATOM_HW_STATIC_ASSERT(sizeof(struct atom_block_q4_0) == 18, "q4_0");
ATOM_HW_STATIC_ASSERT(sizeof(struct atom_block_q4_1) == 20, "q4_1");

#endif
