/* SPDX-License-Identifier: MIT */
/**
 * @file atom_device.h
 * @brief Errors, and finding, opening and asking devices, in C. Included by atom.h, whose rules hold.
 */
#ifndef ATOM_ATOM_DEVICE_H
#define ATOM_ATOM_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ATOM_C_API __attribute__((visibility("default")))
#else
#define ATOM_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** What went wrong; the C++ interface's errc, below 0. */
enum atom_error {
	ATOM_OK = 0,                          /**< nothing */
	ATOM_ERROR_NO_DEVICE = -1,            /**< no such device: load the module, check the address */
	ATOM_ERROR_PERMISSION_DENIED = -2,    /**< the user may not do this */
	ATOM_ERROR_INCOMPATIBLE_KERNEL = -3,  /**< driver or device speak another interface */
	ATOM_ERROR_UNSUPPORTED = -4,          /**< this device, driver or placement cannot do it */
	ATOM_ERROR_INVALID_ARGUMENT = -5,     /**< the caller's mistake */
	ATOM_ERROR_OUT_OF_RANGE = -6,         /**< outside of a buffer, or a tensor outside of its view */
	ATOM_ERROR_WRONG_CONTEXT = -7,        /**< objects of two contexts or devices were mixed */
	ATOM_ERROR_TOO_LARGE = -8,            /**< more than a limit of struct atom_device_info */
	ATOM_ERROR_OUT_OF_HOST_MEMORY = -9,   /**< system memory is exhausted */
	ATOM_ERROR_OUT_OF_DEVICE_MEMORY = -10, /**< LOCAL or SHM memory is exhausted */
	ATOM_ERROR_LIMIT_REACHED = -11,       /**< no queue or address space is left */
	ATOM_ERROR_TIMED_OUT = -12,           /**< the deadline of a wait passed; the job goes on */
	ATOM_ERROR_CANCELED = -13,            /**< the job did not run to its end: its queue ended */
	ATOM_ERROR_JOB_FAULT = -14,           /**< the job did something wrong */
	ATOM_ERROR_JOB_TIMED_OUT = -15,       /**< the job made no progress in time */
	ATOM_ERROR_QUEUE_BANNED = -16,        /**< a job of this queue failed: make a new queue */
	ATOM_ERROR_DEVICE_RESET = -17,        /**< lost to a reset that another caused: submit again */
	ATOM_ERROR_DEVICE_LOST = -18,         /**< the device is gone or dead: open it again */
	ATOM_ERROR_FORKED_CHILD = -19,        /**< the object belongs to the parent process */
	ATOM_ERROR_SYSTEM = -1000,            /**< this minus an errno value: of the system */
};

/** The sentence of the last call of this thread that failed, until its next one does; never null. */
ATOM_C_API const char *atom_last_error(void);
/** A few words for an enum atom_error; never null. */
ATOM_C_API const char *atom_error_text(int error);
/** Version of the library: major << 16 | minor << 8 | patch. */
ATOM_C_API uint32_t atom_runtime_version(void);

/** An open device. All calls may be made by several threads at once. */
typedef struct atom_device atom_device;

/** A device of this machine, found but not opened. */
struct atom_device_node {
	uint32_t size;     /**< of the structure */
	int32_t numa_node; /**< -1 if unknown */
	char path[64];     /**< "/dev/accel/accel0" */
	char bdf[32];      /**< PCI address "0000:01:00.0" */
};

/** What a device is. */
struct atom_device_info {
	uint32_t size;                    /**< of the structure */
	int32_t numa_node;                /**< -1 if unknown */
	char path[64];                    /**< "/dev/accel/accel0" */
	char bdf[32];                     /**< PCI address "0000:01:00.0" */
	char driver_version[32];          /**< "1.0.0" */
	uint32_t interface_major;         /**< of the device */
	uint32_t interface_minor;         /**< of the device */
	uint32_t firmware_version;        /**< for people */
	uint32_t emulated;                /**< 1: no silicon */
	uint64_t device_caps;             /**< ATOM_CAP_* */
	uint64_t kernel_caps;             /**< DRM_ATOM_CAP_* */
	uint64_t opcodes[4];              /**< bit n = command n works */
	uint64_t dtypes;                  /**< bit n = dtype n works */
	uint64_t serial;                  /**< serial number */
	uint8_t uuid[16];                 /**< RFC 4122 order */
	uint32_t generation;              /**< resets when it was opened */
	uint32_t engines;                 /**< neural engines */
	uint32_t queues_max;              /**< for all users */
	uint32_t contexts_max;            /**< for all users */
	uint32_t ring_entries;            /**< jobs that a queue holds before submit waits */
	uint32_t submit_jobs_max;         /**< jobs in one submit */
	uint32_t syncs_max;               /**< waits and signals of one job */
	uint32_t command_bytes_max;       /**< of a command buffer */
	uint32_t arguments_max;           /**< of a job */
	uint32_t macs_log2_max;           /**< multiply-accumulates of one command, log2 */
	uint32_t job_timeout_ms;          /**< of queues that ask for none */
	uint32_t job_timeout_max_ms;      /**< largest that a queue may ask for */
};

/** Memory of the device in bytes, of the moment, for all its users. */
struct atom_memory_info {
	uint32_t size;               /**< of the structure */
	uint32_t reserved;           /**< 0 */
	uint64_t local_size;         /**< device memory that buffers can have */
	uint64_t local_used;         /**< in use */
	uint64_t local_visible_size; /**< part that the CPU can map */
	uint64_t local_visible_used; /**< of that, in use */
	uint64_t shm_size;           /**< shared on-chip memory */
	uint64_t shm_used;           /**< in use */
};

/** Readings of the moment; counters run from power on. */
struct atom_telemetry {
	uint32_t size;                             /**< of the structure */
	int32_t temperature_millidegrees;          /**< Celsius */
	int32_t throttle_temperature_millidegrees; /**< above it clocks drop */
	int32_t abort_temperature_millidegrees;    /**< above it jobs are aborted */
	int32_t shutdown_temperature_millidegrees; /**< above it the device turns off */
	uint32_t power_milliwatts;                 /**< of the card */
	uint32_t pstate;                           /**< 2, 4, 6, 10, 12 or 14 */
	uint32_t throttle;                         /**< ATOM_THROTTLE_* */
	uint32_t utilisation_permille;             /**< of the last second */
	uint32_t clocks_khz[5];                    /**< command processor, NE 0, NE 1, bus, SHM */
	uint32_t ecc_corrected;                    /**< errors */
	uint32_t ecc_uncorrected;                  /**< errors */
	uint64_t energy_microjoules;               /**< since power on */
	uint64_t busy_compute_ns;                  /**< wall time with compute running */
	uint64_t busy_dma_ns;                      /**< wall time with a copy running */
	uint64_t modelled_ns;                      /**< of the modelled silicon */
	uint64_t dram_read_bytes;                  /**< device memory */
	uint64_t dram_written_bytes;               /**< device memory */
	uint64_t dma_read_bytes;                   /**< host to device */
	uint64_t dma_written_bytes;                /**< device to host */
	uint64_t jobs_done;                        /**< jobs retired */
	uint64_t macs;                             /**< multiply-accumulates */
};

/** The device's clock and CLOCK_MONOTONIC at one moment. */
struct atom_clock_sample {
	uint32_t size;           /**< of the structure */
	uint32_t uncertainty_ns; /**< the moments differ by at most this */
	uint64_t device_ns;      /**< clock of completions and timestamps */
	uint64_t host_ns;        /**< the same moment */
};

/** What a job did wrong. */
struct atom_fault {
	uint16_t code;    /**< enum atom_fault_code; 0: no fault */
	uint16_t where;   /**< what field is an offset in */
	uint16_t opcode;  /**< of the command */
	uint16_t access;  /**< 1 read, 2 write, 0 none or unknown */
	uint32_t command; /**< index in its buffer, 0xffffffff: none */
	uint32_t field;   /**< byte offset of the offending field */
	uint64_t address; /**< of the access, 0: none */
};

/** What an event of a device tells. */
enum atom_device_event_kind {
	ATOM_DEVICE_EVENT_QUEUE_FAULT = 1, /**< a queue is banned, and all its jobs have ended */
	ATOM_DEVICE_EVENT_RESET = 2,       /**< the device was reset, and takes jobs again */
};

/** What has befallen an open device or a queue on it: a hint, atom_queue_get_status() is the authority. */
struct atom_device_event {
	uint32_t size;           /**< of the structure */
	uint32_t what;           /**< enum atom_device_event_kind; there may be others */
	uint32_t generation;     /**< of a reset: resets of the device, this one included */
	uint32_t queue_id;       /**< of a queue: atom_queue_id() */
	uint32_t faulted;        /**< of a queue, as in struct atom_queue_status */
	uint32_t timed_out;      /**< of a queue, as in struct atom_queue_status */
	uint32_t device_lost;    /**< of a queue, as in struct atom_queue_status */
	uint32_t reserved;       /**< 0 */
	uint64_t first_failed;   /**< of a queue: its first failed job; 0: none */
	struct atom_fault fault; /**< of a queue: code, command and address; the rest is 0 */
};

/** How many devices there are; opens none. */
ATOM_C_API int atom_device_count(uint32_t *count);
/** Device number @p index, from 0. ATOM_ERROR_NO_DEVICE beyond the last. */
ATOM_C_API int atom_device_find(uint32_t index, struct atom_device_node *out);
/** Opens by path, PCI address or index in digits; null: the first. */
ATOM_C_API int atom_device_open(const char *which, atom_device **out);
/** Closes it, as soon as nothing that was made from it is left. */
ATOM_C_API void atom_device_destroy(atom_device *device);
/** What it is. */
ATOM_C_API int atom_device_get_info(const atom_device *device, struct atom_device_info *out);
/** How full it is. */
ATOM_C_API int atom_device_get_memory(const atom_device *device, struct atom_memory_info *out);
/** How it is. */
ATOM_C_API int atom_device_get_telemetry(const atom_device *device, struct atom_telemetry *out);
/** What time it is. */
ATOM_C_API int atom_device_get_clock(const atom_device *device, struct atom_clock_sample *out);
/** 1 and the next event, which nobody gets again; 0 if there is none yet; or an error. Does not block. */
ATOM_C_API int atom_device_next_event(const atom_device *device, struct atom_device_event *out);
/** How much a sentence of the log matters. */
enum atom_log_level {
	ATOM_LOG_ERROR = 1,   /**< work is lost: a queue takes no more jobs, a device is gone */
	ATOM_LOG_WARNING = 2, /**< a reset that another queue caused took jobs */
	ATOM_LOG_INFO = 3,    /**< none of calls in C: atom_last_error() has their sentences */
	ATOM_LOG_DEBUG = 4,   /**< contexts, queues and buffers that are made, queues that end */
};

/**
 * Who is told. @ref function runs on the thread whose call had something to tell, on several at once if
 * several call; the text is valid during the call. It may call anything of the library, which tells
 * nothing of these calls.
 */
struct atom_log_sink {
	uint32_t size;  /**< of the structure */
	uint32_t level; /**< enum atom_log_level, up to which; 0: ATOM_LOG_WARNING */
	void (*function)(void *user, uint32_t level, const char *text); /**< null: nobody */
	void *user;                  /**< for the functions */
	void (*release)(void *user); /**< when nothing uses the sink any more; null: nothing to do */
};

/**
 * Names who is told what happens on the device and what is made from it, in place of whom was named
 * before; @p sink or its function null: nobody, and nothing is released. A sink is released once, after
 * its last call and at the latest with the device; not if this call fails, which changes nothing.
 */
ATOM_C_API int atom_device_set_log_sink(const atom_device *device, const struct atom_log_sink *sink);
/** The open file, which stays the device's, readable when there is an event; or an error. */
ATOM_C_API int atom_device_fd(const atom_device *device);

/** Devices that come and go. For one thread at a time. */
typedef struct atom_device_monitor atom_device_monitor;

/** What has happened to a device. */
enum atom_device_change_kind {
	ATOM_DEVICE_ADDED = 0,   /**< it can be opened */
	ATOM_DEVICE_REMOVED = 1, /**< what was made on it fails with ATOM_ERROR_DEVICE_LOST */
	ATOM_DEVICE_CHANGED = 2, /**< ask it */
	ATOM_DEVICE_WEDGED = 3,  /**< dead, until somebody mends it */
};

/** A change of a device. */
struct atom_device_change {
	uint32_t size;     /**< of the structure */
	uint32_t what;     /**< enum atom_device_change_kind */
	int32_t numa_node; /**< of the device */
	char path[64];     /**< of the device */
	char bdf[32];      /**< of the device */
	char remedies[64]; /**< of a wedged one: "rebind,bus-reset" */
};

/** Follows changes from now on. */
ATOM_C_API int atom_device_monitor_create(atom_device_monitor **out);
/** Ends it. */
ATOM_C_API void atom_device_monitor_destroy(atom_device_monitor *monitor);
/** Readable when there is a change; or an error. */
ATOM_C_API int atom_device_monitor_fd(const atom_device_monitor *monitor);
/** 1 and the next change, 0 if there is none yet, or an error. */
ATOM_C_API int atom_device_monitor_next(atom_device_monitor *monitor, struct atom_device_change *out);

#ifdef __cplusplus
}
#endif

#endif
