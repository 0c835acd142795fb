/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ATOM programming interface: rings, completions and doorbells
 * (spec: include/README.md, 4).
 *
 * Counters are 64-bit and never wrap: slot = counter & (entries - 1). The n-th
 * descriptor ever put on a queue (n from 1, plus the queue's seq_start) has
 * sequence number n.
 */
#ifndef ATOM_HW_QUEUE_H
#define ATOM_HW_QUEUE_H

#include "layout.h"

enum atom_queue_state {
	ATOM_QUEUE_NONE			= 0,	/* not created */
	ATOM_QUEUE_IDLE			= 1,
	ATOM_QUEUE_RUNNING		= 2,
	/* device watchdog: no progress; needs QUEUE_RESET */
	ATOM_QUEUE_HUNG			= 3,
	ATOM_QUEUE_FAULTED		= 4,	/* stopped by a fault; needs QUEUE_RESET */
	ATOM_QUEUE_RESETTING		= 5,
};

enum atom_queue_priority {
	ATOM_PRIORITY_LOW		= 0,
	ATOM_PRIORITY_NORMAL		= 1,
	ATOM_PRIORITY_HIGH		= 2,
	ATOM_PRIORITY_REALTIME		= 3,
};

enum atom_desc_type {
	ATOM_DESC_NOP			= 1,	/* retires at once; addresses must be 0 */
	ATOM_DESC_EXECUTE		= 2,	/* runs a command buffer */
};

#define ATOM_DESC_IRQ			(1u << 0)	/* interrupt also when it went well */
#define ATOM_DESC_FLAGS			(ATOM_DESC_IRQ)

/**
 * struct atom_ring_desc - descriptor of a job, one ring slot
 *
 * Addresses are VAs of the queue's job ASID. Copied once by the device.
 */
struct atom_ring_desc {
	/** @type: enum atom_desc_type. */
	__le16 type;
	/** @flags: ATOM_DESC_*. */
	__le16 flags;
	/** @cmd_bytes: bytes of the command buffer, multiple of 8. */
	__le32 cmd_bytes;
	/** @cmd_va: command buffer, 8-byte aligned. */
	__le64 cmd_va;
	/** @args_va: array of struct atom_arg, 8-byte aligned; 0 if @arg_count is 0. */
	__le64 args_va;
	/** @arg_count: entries of the array, at most ARGS_MAX. */
	__le32 arg_count;
	__le32 reserved0;
	/** @result_va: where a copy of the completion record goes, 8-byte aligned, or 0. */
	__le64 result_va;
	/** @cookie: echoed in the completion record. */
	__le64 cookie;
	/** @seq: sequence number that the driver expects; the device checks it. */
	__le64 seq;
	__le64 reserved1;
};
ATOM_HW_LAYOUT(struct atom_ring_desc, 64);
ATOM_HW_OFFSET(struct atom_ring_desc, result_va, 32);

/**
 * struct atom_arg - one entry of an argument table
 *
 * Slot n of a command names entry n - 1 (slot 0 is an absolute VA).
 */
struct atom_arg {
	/** @va: base address. */
	__le64 va;
	/** @bytes: accesses beyond it fault with ATOM_FAULT_ARG_RANGE. */
	__le64 bytes;
};
ATOM_HW_LAYOUT(struct atom_arg, 16);

enum atom_cpl_status {
	ATOM_CPL_NONE			= 0,	/* never written */
	ATOM_CPL_OK			= 1,
	ATOM_CPL_FAULT			= 2,	/* @fault_code says why; the queue has stopped */
	ATOM_CPL_ABORTED		= 3,	/* retired by a reset; may have run in part */
};

/**
 * struct atom_cpl_record - how a descriptor ended
 *
 * The device writes 0 to @seq, then the fields, then @seq, each with release
 * order. A reader takes @seq, copies the record and takes @seq again: the copy
 * is good if both are the number it looks for.
 */
struct atom_cpl_record {
	/** @seq: sequence number of the descriptor. */
	__le64 seq;
	/** @status: enum atom_cpl_status. */
	__le16 status;
	/** @fault_code: enum atom_fault_code. */
	__le16 fault_code;
	/** @fault_command: index of the command, or ATOM_COMMAND_NONE. */
	__le32 fault_command;
	/** @start_ns: device time when the descriptor was started. */
	__le64 start_ns;
	/** @end_ns: device time when it was done. */
	__le64 end_ns;
	/** @modelled_ns: time that the modelled silicon takes, launch included. */
	__le64 modelled_ns;
	/** @fault_va: address of a faulting access; admin queue: result value. */
	__le64 fault_va;
	/** @fault_where: enum atom_fault_where. */
	__le16 fault_where;
	/** @fault_opcode: enum atom_opcode. */
	__le16 fault_opcode;
	/** @fault_field: byte offset of the offending field. */
	__le32 fault_field;
	/** @cookie: from the descriptor. */
	__le64 cookie;
};
ATOM_HW_LAYOUT(struct atom_cpl_record, 64);
ATOM_HW_OFFSET(struct atom_cpl_record, fault_where, 48);

/**
 * struct atom_cpl_header - first 64 bytes of a completion area
 *
 * A completion area is this header and one struct atom_cpl_record a ring slot.
 * The order of writes is: record, then @seqno, then the interrupt.
 */
struct atom_cpl_header {
	/** @seqno: last retired sequence number. */
	__le64 seqno;
	/** @generation: of the queue. */
	__le32 generation;
	/** @state: enum atom_queue_state when @seqno was written. */
	__le32 state;
	__le64 reserved[6];
};
ATOM_HW_LAYOUT(struct atom_cpl_header, 64);

#define ATOM_CPL_AREA_BYTES(log2)						\
	(sizeof(struct atom_cpl_header) +					\
	 ((size_t)1 << (log2)) * sizeof(struct atom_cpl_record))

/* Doorbell of queue q: 32-bit write at q << DOORBELL_LOG2 in BAR2. The value is
 * a hint that the device may ignore; reads return 0.
 */
#define ATOM_DOORBELL(q, log2)		((__u64)(q) << (log2))

#endif
