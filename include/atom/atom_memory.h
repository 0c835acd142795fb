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
	uint32_t reserved;      /**< 0 */
	const char *label;      /**< for debugging; null: none */
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

#ifdef __cplusplus
}
#endif

#endif
