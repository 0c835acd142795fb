/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the driver dumps when a queue or the device fails: the content of
 * /sys/class/devcoredump/devcdN/data (spec: include/README.md, 9).
 *
 * A header, then sections behind one another, each with a header of its own that
 * says how long it is: a reader skips those it does not know. All is little-endian
 * and aligned to 8 bytes. What a dump holds of programs' memory and of the device
 * may be wrong in every way; the lengths and the order are the driver's.
 */
#ifndef ATOM_HW_COREDUMP_H
#define ATOM_HW_COREDUMP_H

#include "layout.h"

#define ATOM_DUMP_MAGIC			0x504d55444d4f5441ull /* "ATOMDUMP" in memory order */
#define ATOM_DUMP_MAJOR			1	/* another one cannot be read */
#define ATOM_DUMP_MINOR			0	/* counts sections and fields that were added */

/* No dump is longer. */
#define ATOM_DUMP_BYTES_MAX		0x40000u

enum atom_dump_reason {
	ATOM_DUMP_HANG			= 1,	/* a job made no progress */
	ATOM_DUMP_MMU_FAULT		= 2,	/* a job used an address that it may not */
	ATOM_DUMP_HARDWARE		= 3,	/* DMA, memory or power failed under a job */
	ATOM_DUMP_DEVICE_RESET		= 4,	/* the device was reset */
};

/* Sections did not fit, and are missing. */
#define ATOM_DUMP_TRUNCATED		(1u << 0)
/* An address space was in use by others: its memory and mappings are missing. */
#define ATOM_DUMP_BUSY			(1u << 1)

/**
 * struct atom_dump_header - start of a dump
 *
 * Texts end with a NUL.
 */
struct atom_dump_header {
	/** @magic: ATOM_DUMP_MAGIC. */
	__le64 magic;
	/** @major: ATOM_DUMP_MAJOR. */
	__le16 major;
	/** @minor: ATOM_DUMP_MINOR. */
	__le16 minor;
	/** @header_bytes: of this structure: the first section is behind. */
	__le32 header_bytes;
	/** @bytes: of the whole dump. */
	__le64 bytes;
	/** @reason: enum atom_dump_reason. */
	__le32 reason;
	/** @flags: ATOM_DUMP_*. */
	__le32 flags;
	/** @monotonic_ns: CLOCK_MONOTONIC at that moment. */
	__le64 monotonic_ns;
	/** @realtime_ns: CLOCK_REALTIME. */
	__le64 realtime_ns;
	/** @serial: serial number of the device. */
	__le64 serial;
	/** @interface_version: of the device: major << 16 | minor. */
	__le32 interface_version;
	/** @fw_version: build of the device. */
	__le32 fw_version;
	/** @resets: of the device, since the driver was bound. */
	__le32 resets;
	/** @queue: hardware id of the queue that failed; 0 = the device did. */
	__le32 queue;
	/** @text: the reason in words. */
	char text[64];
	/** @kernel: release of the kernel. */
	char kernel[64];
	/** @driver: version of the driver. */
	char driver[32];
	/** @device: address on the bus. */
	char device[32];
};
ATOM_HW_LAYOUT(struct atom_dump_header, 264);
ATOM_HW_OFFSET(struct atom_dump_header, text, 72);

enum atom_dump_section_type {
	ATOM_DUMP_REGISTERS		= 1,	/* struct atom_dump_register [] */
	ATOM_DUMP_QUEUE			= 2,	/* struct atom_dump_queue */
	/* struct atom_ring_desc []; start: sequence number of the first */
	ATOM_DUMP_RING			= 3,
	/* struct atom_cpl_record []; start: sequence number that belongs to the first slot */
	ATOM_DUMP_COMPLETIONS		= 4,
	/* head of the failed job's command buffer; start: its VA */
	ATOM_DUMP_COMMANDS		= 5,
	/* struct atom_arg []: the failed job's; start: their VA */
	ATOM_DUMP_ARGUMENTS		= 6,
	/* struct atom_dump_mapping [] of the queue's address space */
	ATOM_DUMP_MAPPINGS		= 7,
};

/**
 * struct atom_dump_section - what a section is
 *
 * The next one begins at the next multiple of 8 behind its content.
 */
struct atom_dump_section {
	/** @type: enum atom_dump_section_type. */
	__le32 type;
	/** @queue: hardware id of the queue that it is about; 0 = the device. */
	__le32 queue;
	/** @bytes: of the content, which follows. */
	__le64 bytes;
	/** @whole: bytes that there are; more than @bytes: the rest is left out. */
	__le64 whole;
	/** @start: see enum atom_dump_section_type, else 0. */
	__le64 start;
};
ATOM_HW_LAYOUT(struct atom_dump_section, 32);

/** struct atom_dump_register - a register of BAR0 */
struct atom_dump_register {
	/** @offset: ATOM_REG_*. */
	__le32 offset;
	/** @bytes: 4 or 8. */
	__le32 bytes;
	/** @value: what it read as. */
	__le64 value;
};
ATOM_HW_LAYOUT(struct atom_dump_register, 16);

/** struct atom_dump_queue - a queue as the driver knew it before the reset */
struct atom_dump_queue {
	/** @name: given by its program, ends with a NUL. */
	char name[16];
	/** @asid: its address space. */
	__le32 asid;
	/** @entries: slots of its ring. */
	__le32 entries;
	/** @generation: as told to the hardware. */
	__le32 generation;
	/** @resets: that hit it before. */
	__le32 resets;
	/** @flags: enum drm_atom_queue_state_flags. */
	__le32 flags;
	/** @error: errno, positive, of the first failed job, or 0. */
	__le32 error;
	/** @submitted: number of the last job that a program gave. */
	__le64 submitted;
	/** @emitted: number of the last job on the ring. */
	__le64 emitted;
	/** @completed: number of the last job retired. */
	__le64 completed;
	/** @job: number of the job that failed, or that runs. */
	__le64 job;
	/** @fault_va: as in struct atom_cpl_record; this and what follows if @error. */
	__le64 fault_va;
	/** @fault_code: enum atom_fault_code. */
	__le16 fault_code;
	/** @fault_where: enum atom_fault_where. */
	__le16 fault_where;
	/** @fault_opcode: enum atom_opcode. */
	__le16 fault_opcode;
	/** @fault_access: ATOM_ACCESS_*. */
	__le16 fault_access;
	/** @command: index of the command that failed, or runs, or ATOM_COMMAND_NONE. */
	__le32 command;
	/** @fault_field: byte offset of the field. */
	__le32 fault_field;
};
ATOM_HW_LAYOUT(struct atom_dump_queue, 96);

#define ATOM_DUMP_MAPPING_READONLY	(1u << 0)	/* the device cannot write */
#define ATOM_DUMP_MAPPING_USERPTR	(1u << 1)	/* memory of a program */
#define ATOM_DUMP_MAPPING_IMPORTED	(1u << 2)	/* a dma-buf of others */

/** struct atom_dump_mapping - a range of an address space */
struct atom_dump_mapping {
	/** @va: first address. */
	__le64 va;
	/** @bytes: size. */
	__le64 bytes;
	/** @offset: bytes of the buffer before it. */
	__le64 offset;
	/** @placement: enum drm_atom_bo_placement. */
	__le32 placement;
	/** @flags: ATOM_DUMP_MAPPING_*. */
	__le32 flags;
	/** @label: name of the buffer, ends with a NUL. */
	char label[64];
};
ATOM_HW_LAYOUT(struct atom_dump_mapping, 96);

#endif
