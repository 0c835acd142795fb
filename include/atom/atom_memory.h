/* SPDX-License-Identifier: MIT */
/**
 * @file atom_memory.h
 * @brief Address spaces and memory of a device, in C. Included by atom.h, whose rules hold.
 */
#ifndef ATOM_ATOM_MEMORY_H
#define ATOM_ATOM_MEMORY_H

#include "atom/atom_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An address space: what isolates one user from another. For many threads. */
typedef struct atom_context atom_context;

/** A new address space. */
ATOM_C_API int atom_context_create(const atom_device *device, atom_context **out);

/** How a context is made: what holds for its queues unless their options say otherwise. */
struct atom_context_options {
	uint32_t size;           /**< of the structure */
	uint32_t priority;       /**< as of atom_queue_options; 0: normal */
	uint32_t job_timeout_ms; /**< without progress, at most the administrator's limit; 0: the device's */
	uint32_t reserved;       /**< 0 */
	const char *name;        /**< for debugging, at most 15 bytes of printable ASCII; null: none */
};

/** As atom_context_create(); @p options may be null. */
ATOM_C_API int atom_context_create_with(const atom_device *device,
					const struct atom_context_options *options,
					atom_context **out);
/** Lets go of it. */
ATOM_C_API void atom_context_destroy(atom_context *context);

/** Memory of a context, zero at first. For many threads. */
typedef struct atom_buffer atom_buffer;

/** Where a buffer lives. */
enum atom_placement {
	ATOM_PLACEMENT_SYSTEM = 0, /**< host memory, reached by DMA */
	ATOM_PLACEMENT_LOCAL = 1,  /**< memory of the device */
	ATOM_PLACEMENT_SHM = 2,    /**< on chip; the CPU cannot map it */
};

/** How a buffer is made. */
struct atom_buffer_options {
	uint32_t size;          /**< of the structure */
	uint32_t placement;     /**< enum atom_placement */
	uint32_t no_cpu_access; /**< 1: it will not be mapped */
	uint32_t shareable;     /**< 1: it can be exported; jobs cost a little more to submit */
	const char *label;      /**< for debugging; null: none */
};

/** How the device uses memory of the program. */
struct atom_user_memory_options {
	uint32_t size;      /**< of the structure */
	uint32_t read_only; /**< 1: a job that writes it faults */
};

/** What the CPU is about to do, or has done, with the memory of a buffer. */
enum atom_cpu_use {
	ATOM_CPU_READ = 1,       /**< it reads */
	ATOM_CPU_WRITE = 2,      /**< it writes */
	ATOM_CPU_READ_WRITE = 3, /**< both */
};

/** A range of a buffer. */
struct atom_view {
	const atom_buffer *buffer; /**< null: the empty view */
	uint64_t offset;           /**< bytes */
	uint64_t bytes;            /**< 0: all behind the offset */
};

/** @p options may be null. */
ATOM_C_API int atom_buffer_create(const atom_context *context, uint64_t bytes,
				  const struct atom_buffer_options *options, atom_buffer **out);
/** Also ends its mapping. Jobs and command buffers keep the memory. */
ATOM_C_API void atom_buffer_destroy(atom_buffer *buffer);
/** Bytes, as asked for; 0 of null. */
ATOM_C_API uint64_t atom_buffer_size(const atom_buffer *buffer);
/** Address in the context; 0 of null. */
ATOM_C_API uint64_t atom_buffer_address(const atom_buffer *buffer);
/** The memory for the CPU, until the buffer is destroyed; the same each time. */
ATOM_C_API int atom_buffer_map(atom_buffer *buffer, void **address);
/** Where it lives, as enum atom_placement; or an error. */
ATOM_C_API int atom_buffer_placement(const atom_buffer *buffer);

/**
 * Memory of the program, which the device reaches in place and which stays the program's. It must stay
 * mapped as long as the buffer, or a job that uses it, lives, and is pinned in that time. @p options may
 * be null. ATOM_ERROR_UNSUPPORTED, ATOM_ERROR_OUT_OF_HOST_MEMORY (also: more than RLIMIT_MEMLOCK),
 * ATOM_ERROR_SYSTEM - EFAULT (the program may not write it).
 */
ATOM_C_API int atom_buffer_from_user(const atom_context *context, void *memory, uint64_t bytes,
				     const struct atom_user_memory_options *options,
				     atom_buffer **out);
/**
 * The memory behind a dma-buf, whole: of this device, of another one, or of another driver. @p fd stays
 * the caller's and may be closed then. ATOM_ERROR_INVALID_ARGUMENT: it is no dma-buf;
 * ATOM_ERROR_UNSUPPORTED: the device cannot reach that memory.
 */
ATOM_C_API int atom_buffer_import(const atom_context *context, int fd, atom_buffer **out);
/**
 * @p fd becomes a new dma-buf file, close-on-exec, which the caller closes; the memory lives as long as
 * anybody has it. ATOM_ERROR_INVALID_ARGUMENT: the buffer is not shareable.
 */
ATOM_C_API int atom_buffer_export(const atom_buffer *buffer, int *fd);
/**
 * Before the CPU uses what atom_buffer_map() gave; @p use is an enum atom_cpu_use. Memory that another
 * driver shares needs it, all other memory is coherent, and nothing happens. May wait for that driver.
 */
ATOM_C_API int atom_buffer_begin_cpu(atom_buffer *buffer, uint32_t use);
/** After the CPU has used it. */
ATOM_C_API int atom_buffer_end_cpu(atom_buffer *buffer, uint32_t use);

#ifdef __cplusplus
}
#endif

#endif
