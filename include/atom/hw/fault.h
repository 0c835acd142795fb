/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ATOM programming interface: faults (spec: include/README.md, 6).
 *
 * A fault stops only the queue that caused it. It is told three times: in the
 * completion record of the descriptor, in the fault FIFO, and in the queue's
 * register block.
 */
#ifndef ATOM_HW_FAULT_H
#define ATOM_HW_FAULT_H

#include "layout.h"

enum atom_fault_code {
	ATOM_FAULT_NONE			= 0,
	/* Address translation. */
	ATOM_FAULT_NOT_PRESENT		= 1,	/* VA is not mapped */
	ATOM_FAULT_PERMISSION		= 2,	/* read or write not allowed by the entry */
	ATOM_FAULT_RESERVED_BIT		= 3,	/* entry has a reserved bit or a bad combination */
	/* entry points beyond LOCAL or SHM, or to a bad aperture */
	ATOM_FAULT_APERTURE_RANGE	= 4,
	ATOM_FAULT_TABLE_WALK		= 5,	/* a table could not be read */
	ATOM_FAULT_VA_RANGE		= 6,	/* VA has bits above VA_BITS, or the range wraps */
	ATOM_FAULT_NO_ASID		= 7,	/* ASID has no root */
	/* What a job or a descriptor says. */
	ATOM_FAULT_TAIL_RANGE		= 16,	/* tail behind the head or more than a ring ahead */
	/* type, flags, alignment or reserved field of a descriptor */
	ATOM_FAULT_BAD_DESCRIPTOR	= 17,
	ATOM_FAULT_BAD_HEADER		= 18,	/* header of a command buffer */
	ATOM_FAULT_BAD_OPCODE		= 19,	/* opcode unknown or not implemented */
	ATOM_FAULT_BAD_SIZE		= 20,	/* bytes of a command or buffer do not fit */
	/* value out of range, or a reserved field is not zero */
	ATOM_FAULT_BAD_FIELD		= 21,
	ATOM_FAULT_BAD_DTYPE		= 22,	/* dtype unknown, or not allowed here */
	ATOM_FAULT_BAD_SHAPE		= 23,	/* rank or dimensions do not fit together */
	/* stride not a multiple of the element, or overflows */
	ATOM_FAULT_BAD_STRIDE		= 24,
	ATOM_FAULT_BAD_QUANT		= 25,	/* quantisation parameters */
	ATOM_FAULT_BAD_SLOT		= 26,	/* argument slot beyond the table */
	ATOM_FAULT_ARG_RANGE		= 27,	/* access outside the argument's bytes */
	ATOM_FAULT_MISALIGNED		= 28,	/* address not aligned to the element */
	/* output overlaps an input in a way the command forbids */
	ATOM_FAULT_OVERLAP		= 29,
	ATOM_FAULT_TOO_LARGE		= 30,	/* work over the limit of one command */
	/* index of GATHER, SCATTER, ROPE outside its range */
	ATOM_FAULT_INDEX_RANGE		= 31,
	/* What happens to the hardware. */
	/* PCIe completion with UR or CA, bus mastering off */
	ATOM_FAULT_DMA_ERROR		= 48,
	ATOM_FAULT_POISON		= 49,	/* poisoned data */
	ATOM_FAULT_ECC_UE		= 50,	/* uncorrectable memory error */
	/* engine stopped making progress (watchdog of the device) */
	ATOM_FAULT_HANG			= 51,
	ATOM_FAULT_ABORTED		= 52,	/* retired by a queue or function reset */
	ATOM_FAULT_THERMAL		= 53,	/* over the abort temperature */
	ATOM_FAULT_POWER		= 54,	/* function not in D0 */
	/* Admin queue. */
	ATOM_FAULT_ADMIN_OPCODE		= 64,
	ATOM_FAULT_ADMIN_FIELD		= 65,
	ATOM_FAULT_ADMIN_ID		= 66,	/* queue, ASID or vector id out of range */
	/* id already in use, still in use, or not created */
	ATOM_FAULT_ADMIN_STATE		= 67,
	ATOM_FAULT_INTERNAL		= 127,	/* the device found itself inconsistent */
};

/* Where the field that a fault names stands. */
enum atom_fault_where {
	ATOM_WHERE_NONE			= 0,
	ATOM_WHERE_RING			= 1,	/* ring, tail or completion area */
	/* field_offset: in struct atom_ring_desc or atom_admin_desc */
	ATOM_WHERE_DESCRIPTOR		= 2,
	ATOM_WHERE_ARGS			= 3,	/* field_offset: in the argument table */
	ATOM_WHERE_HEADER		= 4,	/* field_offset: in struct atom_cmdbuf_header */
	ATOM_WHERE_COMMAND		= 5,	/* field_offset: in the command */
	/* access to data; field_offset: the tensor's in the command */
	ATOM_WHERE_DATA			= 6,
};

#define ATOM_ACCESS_READ		1
#define ATOM_ACCESS_WRITE		2

/* No command is concerned. */
#define ATOM_COMMAND_NONE		0xffffffffu

/**
 * struct atom_fault_record - one entry of the fault FIFO
 *
 * Written whole by the device, @seq last with release order.
 */
struct atom_fault_record {
	/** @seq: 1 + the count of records before this one; 0 = never written. */
	__le64 seq;
	/** @code: enum atom_fault_code. */
	__le16 code;
	/** @where: enum atom_fault_where. */
	__le16 where;
	/** @queue: queue id, 0 = admin queue. */
	__le32 queue;
	/** @queue_generation: as given when the queue was created or reset. */
	__le32 queue_generation;
	/** @asid: address space of the access. */
	__le32 asid;
	/** @asid_generation: as given to ASID_SET. */
	__le32 asid_generation;
	/** @access: ATOM_ACCESS_*, 0 = no memory access. */
	__le32 access;
	/** @va: address of the access, else 0. */
	__le64 va;
	/** @desc_seq: sequence number of the descriptor. */
	__le64 desc_seq;
	/** @command: index of the command in its buffer, or ATOM_COMMAND_NONE. */
	__le32 command;
	/** @field_offset: byte offset of the offending field, see enum atom_fault_where. */
	__le32 field_offset;
	/** @opcode: enum atom_opcode of the command. */
	__le16 opcode;
	__le16 reserved0;
	/** @tag: tag of the command (struct atom_cmd_header). */
	__le32 tag;
};
ATOM_HW_LAYOUT(struct atom_fault_record, 64);
ATOM_HW_OFFSET(struct atom_fault_record, va, 32);
ATOM_HW_OFFSET(struct atom_fault_record, opcode, 56);

#endif
