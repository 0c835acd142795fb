/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ATOM programming interface: device page tables (spec: include/README.md, 3).
 *
 * Four levels of 512 eight-byte entries translate 48 bits of VA. Level 3 is the
 * root (512 GiB an entry), then 1 GiB, 2 MiB, 4 KiB. An entry of level 1 may be
 * a leaf (2 MiB page). 16 aligned level-0 entries that map 64 KiB of aligned,
 * contiguous memory with equal attributes may each carry ATOM_PTE_CONT64K.
 * Tables are 4 KiB, aligned, in SYSTEM or LOCAL memory.
 */
#ifndef ATOM_HW_MMU_H
#define ATOM_HW_MMU_H

#include "layout.h"

#define ATOM_VA_BITS			48
#define ATOM_PT_LEVELS			4
#define ATOM_PT_ENTRIES			512
#define ATOM_PT_BYTES			4096
#define ATOM_PT_SHIFT(level)		(12 + 9 * (level))

#define ATOM_PTE_VALID			(1ull << 0)	/* all others ignored when 0 */
#define ATOM_PTE_READ			(1ull << 1)	/* leaf: reads allowed */
#define ATOM_PTE_WRITE			(1ull << 2)	/* leaf: writes allowed */
#define ATOM_PTE_LEAF			(1ull << 3)	/* page: 1 on level 0, 0 on levels 2, 3 */
#define ATOM_PTE_APERTURE_SHIFT		4
#define ATOM_PTE_APERTURE_MASK		(3ull << ATOM_PTE_APERTURE_SHIFT)
#define   ATOM_APERTURE_SYSTEM		0	/* bus address */
#define   ATOM_APERTURE_LOCAL		1	/* device DRAM, from 0 */
#define   ATOM_APERTURE_SHM		2	/* shared on-chip memory, from 0; leaves only */
#define ATOM_PTE_APERTURE(a)		((unsigned long long)(a) << ATOM_PTE_APERTURE_SHIFT)
#define ATOM_PTE_CONT64K		(1ull << 6)	/* hint on level-0 leaves */
#define ATOM_PTE_ADDR_MASK		0x000ffffffffff000ull	/* bits 51..12 */
#define ATOM_PTE_RESERVED		0xfff0000000000f80ull	/* must be zero */

/* The driver's own address space: see ATOM_ASID_IDENTITY in admin.h. */
#define ATOM_ASID_DRIVER		0

#endif
