/* SPDX-License-Identifier: MIT */
/**
 * @file atom_model.h
 * @brief The device model's C ABI: everything that a front end needs.
 *
 * A front end (QEMU's device, the in-process bus) owns the PCI side: config
 * space, BARs, MSI-X table, DMA. The model owns the device side: registers,
 * queues, MMU, commands, time.
 *
 * Threads. With ATOM_EXECUTOR_INLINE the model has no threads: work is done
 * inside atom_model_run(), which the front end calls when host.kick asks for
 * it. With ATOM_EXECUTOR_POOL it is done by threads that atom_model_create()
 * starts and atom_model_destroy() joins; every function here may be called from
 * any thread, and the upcalls dma_*, irq, now_ns, trace, log and command_time come from any
 * thread, never with a lock of the model held that a call back into the
 * functions marked "re-entrant" would need. A front end that holds a lock of its
 * own while it calls the model (QEMU's BQL) must not take that lock in dma_*,
 * now_ns, trace, log or command_time; in irq it must only leave a note for its own thread.
 *
 * Errors are values: nothing here exits, throws or aborts, whatever the guest
 * does. Functions return 0 or a negative errno value unless said otherwise.
 *
 * Growth: structs begin with struct_size, set by the caller to its sizeof; what
 * lies beyond it counts as zero. ATOM_MODEL_ABI changes when that is not enough.
 */
#ifndef ATOM_MODEL_H
#define ATOM_MODEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ATOM_MODEL_ABI 1u

typedef struct atom_model atom_model;

enum atom_executor {
	ATOM_EXECUTOR_INLINE = 0, /**< no threads, deterministic */
	ATOM_EXECUTOR_POOL = 1,   /**< worker threads */
};

enum atom_engine_kind {
	ATOM_ENGINE_FAST = 0,      /**< best that this CPU can run */
	ATOM_ENGINE_REFERENCE = 1, /**< scalar, fixed order, bit-exact */
};

enum atom_pace {
	ATOM_PACE_HOST = 0,   /**< completions as soon as the host has done the work */
	ATOM_PACE_DEVICE = 1, /**< not before the modelled time has passed */
};

enum atom_reset_kind {
	ATOM_RESET_COLD = 0, /**< power on: telemetry, DRAM content gone */
	ATOM_RESET_FLR = 1,  /**< function reset: queues, ASIDs, registers; counters and DRAM stay */
	ATOM_RESET_D3 = 2,   /**< D3hot left: as FLR */
};

enum atom_cfg_event {
	ATOM_CFG_BUS_MASTER = 0, /**< value 0 or 1 */
	ATOM_CFG_POWER = 1,      /**< value: D-state 0 or 3; in D3 nothing runs */
	ATOM_CFG_LINK = 2,       /**< value 0: surprise removal; reads give all ones, work stops */
	ATOM_CFG_VECTORS = 3,    /**< value: MSI-X vectors enabled by the guest (information) */
};

enum atom_log_level {
	ATOM_LOG_ERROR = 0, /**< the model or its host failed */
	ATOM_LOG_GUEST = 1, /**< the guest did something wrong */
	ATOM_LOG_INFO = 2,
};

/** One value per event that a front end can trace; names by atom_model_trace_name(). */
enum atom_trace_event {
	ATOM_TRACE_MMIO_READ = 0,   /**< bar, offset, size, value */
	ATOM_TRACE_MMIO_WRITE,      /**< bar, offset, size, value */
	ATOM_TRACE_DOORBELL,        /**< queue */
	ATOM_TRACE_FETCH,           /**< queue, seq, type, cmd_va */
	ATOM_TRACE_COMMAND_START,   /**< queue, seq, index << 32 | opcode, tag */
	ATOM_TRACE_COMMAND_END,     /**< queue, seq, index << 32 | opcode, modelled ns */
	ATOM_TRACE_COMPLETE,        /**< queue, seq, status, modelled ns */
	ATOM_TRACE_FAULT,           /**< queue, code, va, command << 32 | field offset */
	ATOM_TRACE_ADMIN,           /**< opcode, id, status, fault code */
	ATOM_TRACE_TLB_INVALIDATE,  /**< asid, va, bytes */
	ATOM_TRACE_TLB_MISS,        /**< asid, va, level, pte */
	ATOM_TRACE_IRQ,             /**< vector */
	ATOM_TRACE_QUEUE_STATE,     /**< queue, state, generation */
	ATOM_TRACE_RESET,           /**< kind, generation */
	ATOM_TRACE_INJECT,          /**< kind, queue, what is left to do */
	ATOM_TRACE_GUEST_ERROR,     /**< category, detail: a guest's misuse of a register */
	ATOM_TRACE_COUNT,
};

/** Which resource of the modelled chip a command's time is up to. */
enum atom_limit {
	ATOM_LIMIT_OVERHEAD = 0, /**< none: the command is short, or hidden by those it runs beside */
	ATOM_LIMIT_MATRIX,
	ATOM_LIMIT_VECTOR,
	ATOM_LIMIT_DRAM,
	ATOM_LIMIT_SHM,
	ATOM_LIMIT_PCIE,
	ATOM_LIMIT_COUNT,
};

/**
 * What a command takes on the modelled chip, in ns of modelled time (emulator/README.md, "Timing model").
 * Resources work at the same time: ns is no sum of them.
 */
struct atom_model_command_time {
	uint32_t struct_size;
	uint32_t queue;
	uint64_t seq;           /**< of the descriptor */
	uint32_t index;         /**< of the command in its buffer */
	uint32_t opcode;
	uint32_t tag;
	uint32_t limit;         /**< enum atom_limit */
	uint64_t start_ns;      /**< since the device fetched the descriptor */
	uint64_t ns;            /**< by which the command lengthens its job */
	uint64_t matrix_ns;     /**< from here on: each resource, were it alone */
	uint64_t vector_ns;
	uint64_t dram_ns;       /**< without what had been fetched ahead */
	uint64_t dram_ahead_ns; /**< what had been: while commands before this one ran */
	uint64_t shm_ns;
	uint64_t pcie_ns;
	uint64_t overhead_ns;
	uint64_t macs;
	uint64_t dram_bytes;
	uint64_t shm_bytes;
	uint64_t pcie_bytes;
};

/** What the model asks of its front end. All are mandatory unless said. */
struct atom_model_host {
	uint32_t struct_size;
	uint32_t abi; /**< ATOM_MODEL_ABI */

	/**
	 * Copies @p len bytes at bus address @p addr. Must fail (-EIO) for what
	 * is not RAM, and when bus mastering is off. @p fn is the function number
	 * (0 = PF), @p pasid is 0 in version 1.
	 */
	int (*dma_read)(void *opaque, uint32_t fn, uint32_t pasid, uint64_t addr, void *buf, uint64_t len);
	int (*dma_write)(void *opaque, uint32_t fn, uint32_t pasid, uint64_t addr, const void *buf,
			 uint64_t len);
	/**
	 * Optional. A pointer to guest RAM at @p addr; *len in: bytes wanted, out:
	 * bytes that the pointer covers. NULL: use dma_read/dma_write. The model
	 * unmaps before it reports the command's end.
	 */
	void *(*dma_map)(void *opaque, uint32_t fn, uint32_t pasid, uint64_t addr, uint64_t *len,
			 int is_write);
	void (*dma_unmap)(void *opaque, uint32_t fn, void *ptr, uint64_t len, int is_write);
	/** Raises MSI-X vector @p vector once. */
	void (*irq)(void *opaque, uint32_t fn, uint32_t vector);
	/** Nanoseconds of the clock that the guest sees, monotonic. */
	uint64_t (*now_ns)(void *opaque);
	/** Inline executor: asks that atom_model_run() be called soon (not from inside this call). */
	void (*kick)(void *opaque);
	/**
	 * Asks that atom_model_timer() be called at @p deadline_ns of now_ns (one
	 * timer a model; a new deadline replaces the old; UINT64_MAX disarms).
	 */
	void (*timer)(void *opaque, uint64_t deadline_ns);
	/** Optional. @p event: enum atom_trace_event. */
	void (*trace)(void *opaque, uint32_t event, const uint64_t args[4]);
	/** Optional. @p level: enum atom_log_level; @p message is valid during the call. */
	void (*log)(void *opaque, int level, const char *message);
	/** Optional. A command has ended; @p time is valid during the call. */
	void (*command_time)(void *opaque, const struct atom_model_command_time *time);
};

struct atom_model_config {
	uint32_t struct_size;
	uint32_t platform;      /**< ATOM_PLATFORM_* of atom/hw/regs.h */
	void *dram;             /**< device memory, owned by the front end, alive until destroy */
	uint64_t dram_size;     /**< bytes, multiple of 2 MiB */
	uint64_t dram_window;   /**< bytes that BAR4 shows, at most dram_size */
	uint64_t shm_size;      /**< bytes, multiple of 4 KiB; the model allocates it */
	uint32_t num_queues;    /**< job queues, 1..255 */
	uint32_t num_asids;     /**< 2..4096 */
	uint32_t num_vectors;   /**< 1..256 */
	uint32_t executor;      /**< enum atom_executor */
	uint32_t engine;        /**< enum atom_engine_kind */
	uint32_t threads;       /**< compute threads of the pool, 0 = as many as CPUs, at most 256 */
	uint32_t pace;          /**< enum atom_pace */
	uint32_t compute_off;   /**< 1: commands cost modelled time but write nothing */
	uint64_t serial;
	uint8_t uuid[16];
	/**
	 * Changes of the timing model's parameters, "name=value,name=value", or NULL; names
	 * and units are in emulator/README.md. Read during the call.
	 */
	const char *timing;
};

/** Newest ATOM_MODEL_ABI that this library implements. */
uint32_t atom_model_abi(void);

/**
 * Creates a device in the state after power on.
 * @param[out] error on failure: a malloc'ed sentence, to be freed with free(); may be NULL
 * @return NULL on failure
 */
atom_model *atom_model_create(const struct atom_model_host *host, void *opaque,
			      const struct atom_model_config *config, char **error);

/** Stops all work (within a tile), joins threads, frees. No upcall comes after it. */
void atom_model_destroy(atom_model *model);

/** Resets; returns when no access of the old life can happen any more. @p kind: enum atom_reset_kind. */
void atom_model_reset(atom_model *model, uint32_t fn, uint32_t kind);

/**
 * Register access to BAR0 (@p size 1, 2, 4 or 8; the contract says which work).
 * O(1): never waits for work. Re-entrant.
 */
uint64_t atom_model_mmio_read(atom_model *model, uint32_t fn, uint64_t offset, uint32_t size);
void atom_model_mmio_write(atom_model *model, uint32_t fn, uint64_t offset, uint64_t value,
			   uint32_t size);

/** Doorbell of @p queue: looks at the tail in memory. O(1). Re-entrant. Unknown queues are ignored. */
void atom_model_doorbell(atom_model *model, uint32_t fn, uint32_t queue);

/** Tells a change in config space. @p event: enum atom_cfg_event. */
void atom_model_cfg(atom_model *model, uint32_t fn, uint32_t event, uint64_t value);

/**
 * Inline executor: does work for about @p budget_ns of host time.
 * @return 1 if work is left, 0 if idle
 */
int atom_model_run(atom_model *model, uint64_t budget_ns);

/** To be called when the timer set by host.timer is due. */
void atom_model_timer(atom_model *model);

/** Stops work between tiles and waits for that; work may be asked for, but runs after resume only. */
void atom_model_quiesce(atom_model *model);
void atom_model_resume(atom_model *model);

/**
 * Arms a fault. The grammar is in emulator/README.md.
 * @param[out] error as in atom_model_create()
 * @return 0, or -EINVAL with @p error
 */
int atom_model_inject(atom_model *model, const char *spec, char **error);

/** State in words for people: queues, rings, MMU, counters. malloc'ed, free() it; NULL on lack of memory. */
char *atom_model_describe(atom_model *model);

/** Name of an enum atom_trace_event, or NULL beyond the last. */
const char *atom_model_trace_name(uint32_t event);

#ifdef __cplusplus
}
#endif

#endif
