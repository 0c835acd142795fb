/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ATOM programming interface: the admin queue (spec: include/README.md, 5).
 *
 * Queue 0 takes struct atom_admin_desc instead of struct atom_ring_desc. It is
 * handled in order; a bad descriptor retires with ATOM_CPL_FAULT and changes
 * nothing, and the queue goes on (it is never FAULTED).
 */
#ifndef ATOM_HW_ADMIN_H
#define ATOM_HW_ADMIN_H

#include "layout.h"

enum atom_admin_opcode {
	ATOM_ADMIN_NOP			= 1,
	ATOM_ADMIN_ASID_SET		= 2,	/* give an ASID its root table */
	ATOM_ADMIN_ASID_CLEAR		= 3,	/* take it; implies TLB_INVALIDATE of all */
	ATOM_ADMIN_TLB_INVALIDATE	= 4,
	ATOM_ADMIN_QUEUE_CREATE		= 5,
	ATOM_ADMIN_QUEUE_DESTROY	= 6,	/* implies QUEUE_RESET */
	ATOM_ADMIN_QUEUE_RESET		= 7,
	ATOM_ADMIN_QUEUE_PRIORITY	= 8,
	ATOM_ADMIN_MEM_CLEAR		= 9,	/* zero LOCAL or SHM */
	ATOM_ADMIN_VF_CONFIG		= 32,	/* reserved for SR-IOV */
};

/* ASID_SET: the ASID translates to bus addresses unchanged. ASID 0 only. */
#define ATOM_ASID_IDENTITY		(1u << 0)

/* QUEUE_CREATE: ring in the job's own ASID, reserved (ATOM_CAP_USER_QUEUE). */
#define ATOM_QUEUE_USER			(1u << 0)

/**
 * struct atom_admin_desc - descriptor of the admin queue
 *
 * Fields that an opcode does not name must be zero.
 */
struct atom_admin_desc {
	/** @opcode: enum atom_admin_opcode. */
	__le16 opcode;
	/** @flags: ATOM_DESC_IRQ, always allowed. */
	__le16 flags;
	/** @id: queue id (QUEUE_*) or ASID (ASID_*, TLB_*). */
	__le32 id;
	union {
		/** @asid_set: ASID_SET. */
		struct {
			__le64 root;		/* table of level 3, 4 KiB aligned */
			__le32 aperture;	/* SYSTEM or LOCAL */
			__le32 flags;		/* ATOM_ASID_* */
			__le32 generation;	/* told in fault records */
			__le32 reserved[7];
		} asid_set;
		/** @tlb: TLB_INVALIDATE; when it is retired no access by an
		 * older translation of the range happens any more.
		 */
		struct {
			__le64 va;		/* multiple of 4 KiB */
			__le64 bytes;		/* multiple of 4 KiB; 0 = the whole ASID */
			__le64 reserved[4];
		} tlb;
		/** @queue_create: QUEUE_CREATE. */
		struct {
			__le64 ring_va;		/* of ASID @ring_asid, 64-byte aligned */
			__le64 tail_va;		/* of ASID @ring_asid, 8-byte aligned */
			__le64 completion_va;	/* of ASID @ring_asid, 64-byte aligned */
			__le64 seq_start;	/* first descriptor gets seq_start + 1 */
			__le16 job_asid;	/* never 0 */
			__le16 ring_asid;	/* 0 for the driver's queues */
			__le16 vector;		/* MSI-X vector of completions */
			__u8 ring_log2;		/* entries, 1..RING_LOG2_MAX */
			__u8 priority;		/* enum atom_queue_priority */
			__le32 generation;
			__le32 flags;		/* ATOM_QUEUE_* */
		} queue_create;
		/** @queue_reset: QUEUE_RESET. Descriptors up to the tail are
		 * retired as ABORTED, then the queue is IDLE again.
		 */
		struct {
			__le32 generation;	/* new generation */
			__le32 reserved[11];
		} queue_reset;
		/** @queue_priority: QUEUE_PRIORITY. */
		struct {
			__le32 priority;
			__le32 reserved[11];
		} queue_priority;
		/** @mem_clear: MEM_CLEAR. */
		struct {
			__le64 address;		/* in the aperture, multiple of 4 KiB */
			__le64 bytes;		/* multiple of 4 KiB, not 0 */
			__le32 aperture;	/* LOCAL or SHM */
			__le32 reserved[7];
		} mem_clear;
		__le64 raw[6];
	};
	/** @seq: as in struct atom_ring_desc. */
	__le64 seq;
};
ATOM_HW_LAYOUT(struct atom_admin_desc, 64);
ATOM_HW_OFFSET(struct atom_admin_desc, seq, 56);

#endif
