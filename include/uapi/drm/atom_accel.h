/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/**
 * DOC: Rules
 *
 * Interface between the atom_npu DRM/accel driver and userspace. What holds for
 * every ioctl:
 *
 * - Structures are the same for 32-bit and 64-bit callers, have no implicit
 *   padding and are multiples of 8 bytes. Fields named pad or reserved, and
 *   flags that are not defined, must be zero: -EINVAL otherwise.
 * - Growth: structures only grow at their end. A caller that passes a shorter
 *   one means zero for the rest; one that passes a longer one must have zeros
 *   there. Arrays carry the size of their elements (struct drm_atom_obj_array)
 *   and grow likewise. What a kernel can do is told by capability bits
 *   (DRM_ATOM_DEV_QUERY_INFO), never by comparing versions.
 * - Sizes and addresses are 64-bit; pointers are __u64; times are nanoseconds of
 *   CLOCK_MONOTONIC.
 * - Waiting is done with DRM syncobjs (DRM_IOCTL_SYNCOBJ_*).
 * - Memory of the program itself is bound by DRM_ATOM_VM_BIND_OP_MAP_USERPTR.
 * - Sharing is done with DRM_IOCTL_PRIME_* (DRM_ATOM_CAP_PRIME). Any buffer that
 *   is not private to a VM becomes a dma-buf. In the same device it is the same
 *   buffer again; another device reaches SYSTEM memory only (-EOPNOTSUPP), and
 *   mmap() of the dma-buf works where that of the buffer does. A dma-buf of
 *   others becomes a SYSTEM buffer with DRM_ATOM_BO_NO_MMAP (map the dma-buf
 *   itself); its memory is pinned until the buffer is closed and unbound.
 *   Fences are not implied: DMA_BUF_IOCTL_EXPORT_SYNC_FILE gives those of a
 *   dma-buf to a syncobj for SUBMIT to wait for, _IMPORT_SYNC_FILE takes a job's.
 * - Errors: EINVAL bad argument; ENOENT unknown handle or id; EFAULT bad
 *   pointer; ENOMEM out of system memory; ENOSPC out of LOCAL or SHM memory, of
 *   queues or of address spaces; E2BIG array or size over a limit; EACCES
 *   privilege needed; ENODEV device gone; EIO device dead; ECANCELED queue
 *   banned; EOPNOTSUPP feature not there; EINTR restart unchanged.
 *   An ioctl that fails has changed nothing.
 * - Each user (uid) may hold a part of all this only, set by the administrator in
 *   sysfs (quota/): the same ENOSPC, ENOMEM for system memory, page tables included.
 *   CAP_SYS_RESOURCE may hold more. Nobody gets the last 1/16 of the machine's memory:
 *   VM_BIND, and mmap() of a SYSTEM buffer, say ENOMEM.
 */
#ifndef _UAPI_DRM_ATOM_ACCEL_H_
#define _UAPI_DRM_ATOM_ACCEL_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/** enum drm_atom_ioctl_id - driver-private ioctl numbers */
enum drm_atom_ioctl_id {
	/** @DRM_ATOM_DEV_QUERY: Read properties of the device. */
	DRM_ATOM_DEV_QUERY = 0,
	/** @DRM_ATOM_BO_CREATE: Create a buffer object. */
	DRM_ATOM_BO_CREATE,
	/** @DRM_ATOM_BO_MMAP_OFFSET: Get the offset to pass to mmap(). */
	DRM_ATOM_BO_MMAP_OFFSET,
	/** @DRM_ATOM_BO_INFO: Read properties of a buffer object. */
	DRM_ATOM_BO_INFO,
	/** @DRM_ATOM_BO_SET_LABEL: Name a buffer object for debugging. */
	DRM_ATOM_BO_SET_LABEL,
	/** @DRM_ATOM_VM_CREATE: Create an address space (a context). */
	DRM_ATOM_VM_CREATE,
	/** @DRM_ATOM_VM_DESTROY: Destroy an address space. */
	DRM_ATOM_VM_DESTROY,
	/** @DRM_ATOM_VM_BIND: Map and unmap buffer objects. */
	DRM_ATOM_VM_BIND,
	/** @DRM_ATOM_QUEUE_CREATE: Create a queue. */
	DRM_ATOM_QUEUE_CREATE,
	/** @DRM_ATOM_QUEUE_DESTROY: Destroy a queue. */
	DRM_ATOM_QUEUE_DESTROY,
	/** @DRM_ATOM_QUEUE_GET_STATE: Read state and last fault of a queue. */
	DRM_ATOM_QUEUE_GET_STATE,
	/** @DRM_ATOM_SUBMIT: Submit jobs to a queue. */
	DRM_ATOM_SUBMIT,
	/** @DRM_ATOM_PERF_OPEN: Open a stream of counters (DRM_ATOM_CAP_PERF). */
	DRM_ATOM_PERF_OPEN,
};

/**
 * struct drm_atom_obj_array - array argument
 */
struct drm_atom_obj_array {
	/** @stride: Bytes of one element: sizeof() of what the caller was compiled with. */
	__u32 stride;
	/** @count: Elements; 0 means that @array is not read. */
	__u32 count;
	/** @array: User pointer to the elements. */
	__u64 array;
};

#define DRM_ATOM_OBJ_ARRAY(cnt, ptr) \
	{ .stride = sizeof((ptr)[0]), .count = (cnt), .array = (__u64)(uintptr_t)(ptr) }

/** enum drm_atom_sync_flags - what a struct drm_atom_sync does */
enum drm_atom_sync_flags {
	/** @DRM_ATOM_SYNC_SIGNAL: Signal the point when done; else wait for it before. */
	DRM_ATOM_SYNC_SIGNAL = 1 << 0,
	/** @DRM_ATOM_SYNC_TIMELINE: The syncobj is a timeline, @point counts; else @point is 0. */
	DRM_ATOM_SYNC_TIMELINE = 1 << 1,
};

/** struct drm_atom_sync - one synchronisation point */
struct drm_atom_sync {
	/** @flags: enum drm_atom_sync_flags. */
	__u32 flags;
	/** @handle: Syncobj handle. */
	__u32 handle;
	/** @point: Timeline point, not 0 with DRM_ATOM_SYNC_TIMELINE. */
	__u64 point;
};

/** enum drm_atom_dev_query_type - kinds of DRM_IOCTL_ATOM_DEV_QUERY */
enum drm_atom_dev_query_type {
	/** @DRM_ATOM_DEV_QUERY_INFO: struct drm_atom_dev_info. */
	DRM_ATOM_DEV_QUERY_INFO = 0,
	/** @DRM_ATOM_DEV_QUERY_MEMORY: struct drm_atom_dev_memory. */
	DRM_ATOM_DEV_QUERY_MEMORY,
	/** @DRM_ATOM_DEV_QUERY_TIMESTAMP: struct drm_atom_dev_timestamp. */
	DRM_ATOM_DEV_QUERY_TIMESTAMP,
	/** @DRM_ATOM_DEV_QUERY_TELEMETRY: struct drm_atom_dev_telemetry. */
	DRM_ATOM_DEV_QUERY_TELEMETRY,
};

/**
 * struct drm_atom_dev_query - DRM_IOCTL_ATOM_DEV_QUERY
 */
struct drm_atom_dev_query {
	/** @type: enum drm_atom_dev_query_type. */
	__u32 type;
	/**
	 * @size: Bytes at @pointer. The kernel writes at most so many, zeroes
	 * what it does not know, and sets @size to the bytes it has. With
	 * @pointer 0 nothing but @size is written.
	 */
	__u32 size;
	/** @pointer: User pointer. */
	__u64 pointer;
};

/* Capabilities of the kernel driver: struct drm_atom_dev_info.kernel_caps. */
#define DRM_ATOM_CAP_SHM		(1ull << 0)	/* DRM_ATOM_BO_SHM works */
#define DRM_ATOM_CAP_BIND_ASYNC		(1ull << 1)	/* DRM_ATOM_VM_BIND_ASYNC works */
#define DRM_ATOM_CAP_EVENTS		(1ull << 2)	/* struct drm_atom_event_* are sent */
#define DRM_ATOM_CAP_USERPTR		(1ull << 3)	/* DRM_ATOM_VM_BIND_OP_MAP_USERPTR works */
#define DRM_ATOM_CAP_PERF		(1ull << 4)	/* PERF_OPEN works */
#define DRM_ATOM_CAP_PRIME		(1ull << 5)	/* dma-buf export and import */

/** struct drm_atom_dev_info - what the device is */
struct drm_atom_dev_info {
	/** @interface_version: Of the device: major << 16 | minor. */
	__u32 interface_version;
	/** @fw_version: Build of the device, for people. */
	__u32 fw_version;
	/** @device_caps: ATOM_CAP_* of atom/hw/regs.h. */
	__u64 device_caps;
	/** @kernel_caps: DRM_ATOM_CAP_*. */
	__u64 kernel_caps;
	/** @opcodes: Bit n of the 256 = command n of enum atom_opcode works. */
	__u64 opcodes[4];
	/** @dtypes: Bit n = enum atom_dtype n works. */
	__u64 dtypes;
	/** @serial: Serial number. */
	__u64 serial;
	/** @uuid: Unique id of the card. */
	__u8 uuid[16];
	/** @platform: 0 silicon, 1 emulator: for information only. */
	__u32 platform;
	/** @generation: Counts resets of the device. */
	__u32 generation;
	/** @va_start: First VA that may be bound. */
	__u64 va_start;
	/** @va_end: First VA behind. */
	__u64 va_end;
	/** @page_sizes: Bit n = pages of 2^n bytes. */
	__u64 page_sizes;
	/** @queues_max: Queues of the device, for all its users. */
	__u32 queues_max;
	/** @vms_max: Address spaces of the device, for all its users. */
	__u32 vms_max;
	/** @ring_entries: Jobs that a queue takes before SUBMIT waits in the kernel. */
	__u32 ring_entries;
	/** @submit_jobs_max: Jobs in one SUBMIT. */
	__u32 submit_jobs_max;
	/** @syncs_max: Syncs of one job. */
	__u32 syncs_max;
	/** @binds_max: Operations in one VM_BIND. */
	__u32 binds_max;
	/** @cmd_bytes_max: Bytes of a command buffer. */
	__u32 cmd_bytes_max;
	/** @args_max: Entries of an argument table. */
	__u32 args_max;
	/** @job_timeout_ms: Time without progress after which a job is given up. */
	__u32 job_timeout_ms;
	/** @job_timeout_max_ms: Largest time-out a queue may ask for. */
	__u32 job_timeout_max_ms;
	/** @engines: Neural engines. */
	__u32 engines;
	/** @macs_log2_max: Multiply-accumulates of one command, log2. */
	__u32 macs_log2_max;
};

/** struct drm_atom_dev_memory - memory of the device */
struct drm_atom_dev_memory {
	/** @local_size: Bytes of device memory that buffers can have. */
	__u64 local_size;
	/** @local_used: Bytes in use by all clients. */
	__u64 local_used;
	/** @local_visible_size: Bytes of it that mmap() can reach. */
	__u64 local_visible_size;
	/** @local_visible_used: Bytes of these in use. */
	__u64 local_visible_used;
	/** @shm_size: Bytes of shared on-chip memory. */
	__u64 shm_size;
	/** @shm_used: Bytes of it in use. */
	__u64 shm_used;
};

/** struct drm_atom_dev_timestamp - the device's clock and the kernel's at one moment */
struct drm_atom_dev_timestamp {
	/** @device_ns: Device time, the clock of completion records. */
	__u64 device_ns;
	/** @monotonic_ns: CLOCK_MONOTONIC, mean of before and after the read. */
	__u64 monotonic_ns;
	/** @uncertainty_ns: Half the time between before and after. */
	__u64 uncertainty_ns;
};

/** struct drm_atom_dev_telemetry - readings of the moment; see the registers of the same name */
struct drm_atom_dev_telemetry {
	/** @temperature_mc: Milli-degrees Celsius, signed. */
	__s32 temperature_mc;
	/** @temp_throttle_mc: Limit above which clocks drop. */
	__s32 temp_throttle_mc;
	/** @temp_abort_mc: Limit above which jobs are aborted. */
	__s32 temp_abort_mc;
	/** @temp_shutdown_mc: Limit above which the device turns off. */
	__s32 temp_shutdown_mc;
	/** @power_mw: Milliwatts. */
	__u32 power_mw;
	/** @pstate: P-state number. */
	__u32 pstate;
	/** @throttle: ATOM_THROTTLE_*. */
	__u32 throttle;
	/** @utilisation_permille: Compute busy share of the last second. */
	__u32 utilisation_permille;
	/** @energy_uj: Microjoules since the cold reset before the driver was bound. */
	__u64 energy_uj;
	/** @clocks_khz: Command processor, NE cluster 0, NE cluster 1, bus, SHM. */
	__u32 clocks_khz[5];
	/** @ecc_ce: Corrected errors. */
	__u32 ecc_ce;
	/** @ecc_ue: Uncorrected errors. */
	__u32 ecc_ue;
	/** @pad: Zero. */
	__u32 pad;
	/** @busy_compute_ns: Wall time with a compute command running. */
	__u64 busy_compute_ns;
	/** @busy_dma_ns: Wall time with a copy command running. */
	__u64 busy_dma_ns;
	/** @modelled_ns: Modelled device time spent. */
	__u64 modelled_ns;
	/** @dram_read: Bytes. */
	__u64 dram_read;
	/** @dram_write: Bytes. */
	__u64 dram_write;
	/** @dma_read: Bytes from host to device. */
	__u64 dma_read;
	/** @dma_write: Bytes from device to host. */
	__u64 dma_write;
	/** @jobs_done: Jobs retired. */
	__u64 jobs_done;
	/** @macs: Multiply-accumulates executed. */
	__u64 macs;
};

/** enum drm_atom_bo_placement - where a buffer object lives, for all its life */
enum drm_atom_bo_placement {
	/** @DRM_ATOM_BO_SYSTEM: Host memory, reached by DMA, cached for the CPU. */
	DRM_ATOM_BO_SYSTEM = 0,
	/** @DRM_ATOM_BO_LOCAL: Device memory. */
	DRM_ATOM_BO_LOCAL = 1,
	/** @DRM_ATOM_BO_SHM: Shared on-chip memory; cannot be mapped by the CPU. */
	DRM_ATOM_BO_SHM = 2,
};

/** enum drm_atom_bo_flags - flags of DRM_IOCTL_ATOM_BO_CREATE */
enum drm_atom_bo_flags {
	/** @DRM_ATOM_BO_NO_MMAP: mmap() is refused; LOCAL then may lie outside the window. */
	DRM_ATOM_BO_NO_MMAP = 1 << 0,
	/** @DRM_ATOM_BO_IMPORTED: Told by BO_INFO only: memory of a dma-buf of others. */
	DRM_ATOM_BO_IMPORTED = 1 << 1,
};

/**
 * struct drm_atom_bo_create - DRM_IOCTL_ATOM_BO_CREATE
 *
 * The memory is zero when the call returns.
 */
struct drm_atom_bo_create {
	/** @size: Bytes, rounded up to pages; the kernel returns the real size. */
	__u64 size;
	/** @placement: enum drm_atom_bo_placement. */
	__u32 placement;
	/** @flags: enum drm_atom_bo_flags. */
	__u32 flags;
	/** @vm_id: 0, or the only VM that may bind it (cheaper to submit; export is -EINVAL). */
	__u32 vm_id;
	/** @handle: Returned GEM handle. */
	__u32 handle;
};

/** struct drm_atom_bo_mmap_offset - DRM_IOCTL_ATOM_BO_MMAP_OFFSET */
struct drm_atom_bo_mmap_offset {
	/** @handle: GEM handle. */
	__u32 handle;
	/** @pad: Zero. */
	__u32 pad;
	/** @offset: Returned offset for mmap() of the device file. */
	__u64 offset;
};

/** struct drm_atom_bo_info - DRM_IOCTL_ATOM_BO_INFO */
struct drm_atom_bo_info {
	/** @handle: GEM handle. */
	__u32 handle;
	/** @placement: Returned enum drm_atom_bo_placement. */
	__u32 placement;
	/** @flags: Returned enum drm_atom_bo_flags. */
	__u32 flags;
	/** @vm_id: Returned id of the VM it is private to, or 0. */
	__u32 vm_id;
	/** @size: Returned bytes. */
	__u64 size;
};

/** struct drm_atom_bo_set_label - DRM_IOCTL_ATOM_BO_SET_LABEL */
struct drm_atom_bo_set_label {
	/** @handle: GEM handle. */
	__u32 handle;
	/** @bytes: Length without a terminator, at most 63; 0 removes the label. */
	__u32 bytes;
	/** @label: User pointer. */
	__u64 label;
};

/** struct drm_atom_vm_create - DRM_IOCTL_ATOM_VM_CREATE */
struct drm_atom_vm_create {
	/** @flags: Must be zero. */
	__u32 flags;
	/** @vm_id: Returned id, never 0. */
	__u32 vm_id;
};

/**
 * struct drm_atom_vm_destroy - DRM_IOCTL_ATOM_VM_DESTROY
 *
 * Queues of the VM are killed first; their jobs' fences signal -ECANCELED.
 */
struct drm_atom_vm_destroy {
	/** @vm_id: Id. */
	__u32 vm_id;
	/** @pad: Zero. */
	__u32 pad;
};

/** enum drm_atom_vm_bind_op_type - operations of VM_BIND */
enum drm_atom_vm_bind_op_type {
	/** @DRM_ATOM_VM_BIND_OP_MAP: Map a range of a buffer, replacing what is there. */
	DRM_ATOM_VM_BIND_OP_MAP = 0,
	/** @DRM_ATOM_VM_BIND_OP_UNMAP: Unmap a range; holes are no error. */
	DRM_ATOM_VM_BIND_OP_UNMAP = 1,
	/**
	 * @DRM_ATOM_VM_BIND_OP_MAP_USERPTR: Map memory of the calling program, which is
	 * pinned until nothing of it is bound any more (DRM_ATOM_CAP_USERPTR). When the
	 * program unmaps or moves a part of it, or ends, the device loses all of it; a
	 * job that uses it then faults. It counts against RLIMIT_MEMLOCK (-ENOMEM), and
	 * must be memory that the program could write, or else be bound read-only
	 * (-EFAULT). MADV_DONTNEED and the like leave the device with the old pages.
	 */
	DRM_ATOM_VM_BIND_OP_MAP_USERPTR = 2,
};

/** enum drm_atom_vm_bind_op_flags - flags of a bind operation */
enum drm_atom_vm_bind_op_flags {
	/** @DRM_ATOM_VM_BIND_READONLY: MAP, MAP_USERPTR: the device cannot write. */
	DRM_ATOM_VM_BIND_READONLY = 1 << 0,
};

/** struct drm_atom_vm_bind_op - one operation of VM_BIND */
struct drm_atom_vm_bind_op {
	/** @op: enum drm_atom_vm_bind_op_type. */
	__u32 op;
	/** @flags: enum drm_atom_vm_bind_op_flags. */
	__u32 flags;
	/** @bo_handle: MAP: GEM handle, else 0. */
	__u32 bo_handle;
	/** @pad: Zero. */
	__u32 pad;
	/**
	 * @bo_offset: MAP: bytes into the buffer, multiple of the page size (4 KiB);
	 * MAP_USERPTR: address in the program, multiple of its page size; else 0.
	 */
	__u64 bo_offset;
	/** @va: First address, multiple of 4 KiB, in [va_start, va_end). */
	__u64 va;
	/** @bytes: Multiple of 4 KiB, not 0. */
	__u64 bytes;
};

/** enum drm_atom_vm_bind_flags - flags of VM_BIND */
enum drm_atom_vm_bind_flags {
	/** @DRM_ATOM_VM_BIND_ASYNC: Reserved (DRM_ATOM_CAP_BIND_ASYNC). */
	DRM_ATOM_VM_BIND_ASYNC = 1 << 0,
};

/**
 * struct drm_atom_vm_bind - DRM_IOCTL_ATOM_VM_BIND
 *
 * Operations are done in order, all or none. When the call returns, the device
 * uses the new mappings and no job can reach what was unmapped or replaced.
 */
struct drm_atom_vm_bind {
	/** @vm_id: VM. */
	__u32 vm_id;
	/** @flags: enum drm_atom_vm_bind_flags. */
	__u32 flags;
	/** @ops: Array of struct drm_atom_vm_bind_op, at most binds_max. */
	struct drm_atom_obj_array ops;
	/** @syncs: Array of struct drm_atom_sync, only with DRM_ATOM_VM_BIND_ASYNC. */
	struct drm_atom_obj_array syncs;
};

/** enum drm_atom_queue_priority - priority of a queue */
enum drm_atom_queue_priority {
	/** @DRM_ATOM_QUEUE_PRIORITY_LOW: Yields to all others. */
	DRM_ATOM_QUEUE_PRIORITY_LOW = 0,
	/** @DRM_ATOM_QUEUE_PRIORITY_NORMAL: Usual. */
	DRM_ATOM_QUEUE_PRIORITY_NORMAL,
	/** @DRM_ATOM_QUEUE_PRIORITY_HIGH: Needs CAP_SYS_NICE: -EACCES. */
	DRM_ATOM_QUEUE_PRIORITY_HIGH,
	/** @DRM_ATOM_QUEUE_PRIORITY_REALTIME: As HIGH. */
	DRM_ATOM_QUEUE_PRIORITY_REALTIME,
};

/** enum drm_atom_queue_flags - flags of QUEUE_CREATE */
enum drm_atom_queue_flags {
	/** @DRM_ATOM_QUEUE_USER: Reserved for user-mode submission: -EOPNOTSUPP. */
	DRM_ATOM_QUEUE_USER = 1 << 0,
};

/** struct drm_atom_queue_create - DRM_IOCTL_ATOM_QUEUE_CREATE */
struct drm_atom_queue_create {
	/** @vm_id: Address space of its jobs. */
	__u32 vm_id;
	/** @flags: enum drm_atom_queue_flags. */
	__u32 flags;
	/** @priority: enum drm_atom_queue_priority. */
	__u32 priority;
	/** @job_timeout_ms: 0 = the default; at most job_timeout_max_ms. */
	__u32 job_timeout_ms;
	/** @name: For debugging; printable ASCII, terminated by a NUL. */
	__u8 name[16];
	/** @ring_va: Reserved for DRM_ATOM_QUEUE_USER, zero. */
	__u64 ring_va;
	/** @ring_bytes: Reserved for DRM_ATOM_QUEUE_USER, zero. */
	__u64 ring_bytes;
	/** @queue_id: Returned id, never 0. */
	__u32 queue_id;
	/** @ring_entries: Returned slots of the ring, a power of two. */
	__u32 ring_entries;
	/**
	 * @completion_offset: Returned offset for a read-only, shared mmap() of
	 * the completion area (struct atom_cpl_header and ring_entries times
	 * struct atom_cpl_record of atom/hw/queue.h). The record of job n is in
	 * slot (n - 1) & (ring_entries - 1).
	 */
	__u64 completion_offset;
	/** @completion_bytes: Returned size of that mapping. */
	__u64 completion_bytes;
	/** @doorbell_offset: Reserved for DRM_ATOM_QUEUE_USER, returned zero. */
	__u64 doorbell_offset;
};

/**
 * struct drm_atom_queue_destroy - DRM_IOCTL_ATOM_QUEUE_DESTROY
 *
 * Jobs that are not done are aborted; their fences signal -ECANCELED.
 */
struct drm_atom_queue_destroy {
	/** @queue_id: Id. */
	__u32 queue_id;
	/** @pad: Zero. */
	__u32 pad;
};

/** enum drm_atom_queue_state_flags - what befell a queue */
enum drm_atom_queue_state_flags {
	/** @DRM_ATOM_QUEUE_STATE_FAULT: A job of it faulted. */
	DRM_ATOM_QUEUE_STATE_FAULT = 1 << 0,
	/** @DRM_ATOM_QUEUE_STATE_TIMEDOUT: A job of it made no progress in time. */
	DRM_ATOM_QUEUE_STATE_TIMEDOUT = 1 << 1,
	/**
	 * @DRM_ATOM_QUEUE_STATE_INNOCENT: Lost jobs to a reset of the device that it did
	 * not cause: those that were submitted and not retired, up to lost_seqno. Without
	 * DRM_ATOM_QUEUE_STATE_BANNED it takes new jobs.
	 */
	DRM_ATOM_QUEUE_STATE_INNOCENT = 1 << 2,
	/** @DRM_ATOM_QUEUE_STATE_BANNED: Takes no more jobs: SUBMIT fails with -ECANCELED. */
	DRM_ATOM_QUEUE_STATE_BANNED = 1 << 3,
	/** @DRM_ATOM_QUEUE_STATE_DEVICE_LOST: The device is gone or dead. */
	DRM_ATOM_QUEUE_STATE_DEVICE_LOST = 1 << 4,
};

/**
 * struct drm_atom_queue_get_state - DRM_IOCTL_ATOM_QUEUE_GET_STATE
 *
 * The authority on what became of jobs: timelines lose the error of a fence.
 * It works also after the device is lost, when every other ioctl, those of
 * syncobjs included, fails with -ENODEV.
 */
struct drm_atom_queue_get_state {
	/** @queue_id: Id. */
	__u32 queue_id;
	/** @flags: Returned enum drm_atom_queue_state_flags. */
	__u32 flags;
	/** @generation: Returned; counts resets that hit the queue. */
	__u32 generation;
	/** @error: Returned errno (positive) of the first failed job, or 0. */
	__u32 error;
	/** @submitted: Returned sequence number of the last job submitted. */
	__u64 submitted;
	/** @completed: Returned sequence number of the last job retired. */
	__u64 completed;
	/**
	 * @failed_seqno: Returned number of the first failed job, or 0: jobs before it are
	 * good, back to @lost_before. After a reset of the device the queue starts over:
	 * it is the first job that the last reset took, or that failed since.
	 */
	__u64 failed_seqno;
	/** @fault_va: Returned address of the fault, or 0. */
	__u64 fault_va;
	/** @fault_code: Returned enum atom_fault_code of that job. */
	__u16 fault_code;
	/** @fault_where: Returned enum atom_fault_where. */
	__u16 fault_where;
	/** @fault_command: Returned index of the command, or ATOM_COMMAND_NONE. */
	__u32 fault_command;
	/** @fault_field: Returned byte offset of the field. */
	__u32 fault_field;
	/** @fault_opcode: Returned enum atom_opcode. */
	__u16 fault_opcode;
	/** @fault_access: Returned ATOM_ACCESS_*, 0 = none. */
	__u16 fault_access;
	/** @busy_ns: Returned wall time that the device worked for the queue. */
	__u64 busy_ns;
	/**
	 * @lost_seqno: Returned number of the last job that a reset of the device took
	 * (DRM_ATOM_QUEUE_STATE_INNOCENT), or 0. Until a job fails by itself,
	 * @failed_seqno to this one are lost; jobs behind it are not touched.
	 */
	__u64 lost_seqno;
	/**
	 * @lost_before: Returned number of the last job that was lost to a reset which
	 * @failed_seqno tells no more of, because something failed since; or 0. Jobs up
	 * to this one are lost if their completion record, as long as there is one, or
	 * their fence says so; those between it and @failed_seqno are good.
	 */
	__u64 lost_before;
};

/** struct drm_atom_job - one job of a SUBMIT */
struct drm_atom_job {
	/** @flags: Must be zero. */
	__u32 flags;
	/** @cmd_bytes: Bytes of the command buffer, multiple of 8; 0 = no operation. */
	__u32 cmd_bytes;
	/** @cmd_va: VA of the command buffer, multiple of 8; 0 if @cmd_bytes is 0. */
	__u64 cmd_va;
	/** @args_va: VA of an array of struct atom_arg, multiple of 8; 0 if @arg_count is 0. */
	__u64 args_va;
	/** @arg_count: Entries, at most args_max. */
	__u32 arg_count;
	/** @pad: Zero. */
	__u32 pad;
	/** @result_va: VA where the device writes a struct atom_cpl_record, multiple of 8, or 0. */
	__u64 result_va;
	/** @cookie: Echoed in the completion record. */
	__u64 cookie;
	/** @syncs: Array of struct drm_atom_sync, at most syncs_max. */
	struct drm_atom_obj_array syncs;
};

/**
 * struct drm_atom_submit - DRM_IOCTL_ATOM_SUBMIT
 *
 * Jobs of a queue run in the order of their submission. All are taken or none.
 * A job can wait only for a point that somebody has already given a fence
 * (submitted or signalled): -EINVAL otherwise.
 */
struct drm_atom_submit {
	/** @queue_id: Queue. */
	__u32 queue_id;
	/** @flags: Must be zero. */
	__u32 flags;
	/** @jobs: Array of struct drm_atom_job, 1 to submit_jobs_max. */
	struct drm_atom_obj_array jobs;
	/** @seqno: Returned sequence number of the last job; the others stand before it. */
	__u64 seqno;
};

/* Limits of struct drm_atom_perf_open.period_ns. */
#define DRM_ATOM_PERF_PERIOD_MIN_NS	10000000ull
#define DRM_ATOM_PERF_PERIOD_MAX_NS	60000000000ull

/**
 * struct drm_atom_perf_open - DRM_IOCTL_ATOM_PERF_OPEN
 *
 * Opens a stream of struct drm_atom_perf_record: a file to read() and to poll(). It
 * needs no privilege, but of the 64 streams of a device half are for those with
 * CAP_PERFMON, and others may have 16 each (-ENOSPC). read() gives whole records, at
 * least one: it waits, or fails with -EAGAIN if O_NONBLOCK is set by fcntl(), and with
 * -EINVAL if the buffer is too small for one. A stream keeps the last 256. When the
 * device is gone or dead poll() tells POLLHUP and read(), once it is empty, -ENODEV or
 * -EIO.
 */
struct drm_atom_perf_open {
	/** @flags: Zero. */
	__u32 flags;
	/** @fd: Returned file descriptor, to be closed by the caller. */
	__s32 fd;
	/** @period_ns: Time between two samples; the kernel rounds it to its clock tick. */
	__u64 period_ns;
	/** @counters: Zero: every record has all of them. */
	__u64 counters;
	/** @reserved: Zero. */
	__u64 reserved[4];
};

/**
 * struct drm_atom_perf_record - one sample of a stream
 *
 * Readings of the device as in struct drm_atom_dev_telemetry; counters only grow.
 */
struct drm_atom_perf_record {
	/** @sequence: Counts the samples of the stream from 1 on, dropped ones too. */
	__u64 sequence;
	/** @dropped: Samples that the stream has dropped so far since nobody read them. */
	__u64 dropped;
	/** @timestamp_ns: CLOCK_MONOTONIC. */
	__u64 timestamp_ns;
	/** @busy_compute_ns: Wall time with a compute command running. */
	__u64 busy_compute_ns;
	/** @busy_dma_ns: Wall time with a copy command running. */
	__u64 busy_dma_ns;
	/** @modelled_ns: Modelled device time spent. */
	__u64 modelled_ns;
	/** @dram_read: Bytes. */
	__u64 dram_read;
	/** @dram_write: Bytes. */
	__u64 dram_write;
	/** @dma_read: Bytes from host to device. */
	__u64 dma_read;
	/** @dma_write: Bytes from device to host. */
	__u64 dma_write;
	/** @jobs_done: Jobs retired. */
	__u64 jobs_done;
	/** @macs: Multiply-accumulates executed. */
	__u64 macs;
	/** @energy_uj: Microjoules since the cold reset before the driver was bound. */
	__u64 energy_uj;
	/** @power_mw: Milliwatts. */
	__u32 power_mw;
	/** @temperature_mc: Milli-degrees Celsius, signed. */
	__s32 temperature_mc;
	/** @throttle: ATOM_THROTTLE_*. */
	__u32 throttle;
	/** @pstate: P-state number. */
	__u32 pstate;
};

/*
 * Events, read from the device file (DRM_ATOM_CAP_EVENTS); 48 bytes each at most, which may grow
 * at their end. read() gives whole ones, as many as fit: 0 if the buffer is too small for the
 * first. Each goes to one reader of the file. They are hints, DRM_IOCTL_ATOM_QUEUE_GET_STATE is
 * the authority: a file keeps 4 KiB of them, what comes then is dropped (atom-events-dropped in
 * its fdinfo).
 */
#define DRM_ATOM_EVENT_QUEUE_FAULT	0x80000001
#define DRM_ATOM_EVENT_DEVICE_RESET	0x80000002

/**
 * struct drm_atom_event_queue_fault - a queue of this file faulted or timed out
 *
 * Sent when the queue has been reset and all its jobs have ended.
 */
struct drm_atom_event_queue_fault {
	/** @base: type DRM_ATOM_EVENT_QUEUE_FAULT. */
	struct drm_event base;
	/** @queue_id: Queue. */
	__u32 queue_id;
	/** @flags: enum drm_atom_queue_state_flags. */
	__u32 flags;
	/** @failed_seqno: First failed job. */
	__u64 failed_seqno;
	/** @fault_va: As in struct drm_atom_queue_get_state. */
	__u64 fault_va;
	/** @fault_code: As in struct drm_atom_queue_get_state. */
	__u32 fault_code;
	/** @fault_command: As in struct drm_atom_queue_get_state. */
	__u32 fault_command;
};

/**
 * struct drm_atom_event_device_reset - the device was reset
 *
 * Sent to every file when the device takes jobs again. A device that does not come back sends
 * none, but ends the queues (DRM_ATOM_QUEUE_STATE_DEVICE_LOST).
 */
struct drm_atom_event_device_reset {
	/** @base: type DRM_ATOM_EVENT_DEVICE_RESET. */
	struct drm_event base;
	/** @generation: Of the device, after. */
	__u32 generation;
	/** @pad: Zero. */
	__u32 pad;
};

/*
 * DRM_IOCTL_ATOM() - build the number of an ioctl
 * @access: R, W or WR, as seen from userspace.
 * @id: part of the name behind DRM_ATOM_.
 * @type: part of the structure's name behind drm_atom_.
 */
#define DRM_IOCTL_ATOM(access, id, type) \
	DRM_IO ## access(DRM_COMMAND_BASE + DRM_ATOM_ ## id, struct drm_atom_ ## type)

enum {
	DRM_IOCTL_ATOM_DEV_QUERY = DRM_IOCTL_ATOM(WR, DEV_QUERY, dev_query),
	DRM_IOCTL_ATOM_BO_CREATE = DRM_IOCTL_ATOM(WR, BO_CREATE, bo_create),
	DRM_IOCTL_ATOM_BO_MMAP_OFFSET = DRM_IOCTL_ATOM(WR, BO_MMAP_OFFSET, bo_mmap_offset),
	DRM_IOCTL_ATOM_BO_INFO = DRM_IOCTL_ATOM(WR, BO_INFO, bo_info),
	DRM_IOCTL_ATOM_BO_SET_LABEL = DRM_IOCTL_ATOM(W, BO_SET_LABEL, bo_set_label),
	DRM_IOCTL_ATOM_VM_CREATE = DRM_IOCTL_ATOM(WR, VM_CREATE, vm_create),
	DRM_IOCTL_ATOM_VM_DESTROY = DRM_IOCTL_ATOM(W, VM_DESTROY, vm_destroy),
	DRM_IOCTL_ATOM_VM_BIND = DRM_IOCTL_ATOM(W, VM_BIND, vm_bind),
	DRM_IOCTL_ATOM_QUEUE_CREATE = DRM_IOCTL_ATOM(WR, QUEUE_CREATE, queue_create),
	DRM_IOCTL_ATOM_QUEUE_DESTROY = DRM_IOCTL_ATOM(W, QUEUE_DESTROY, queue_destroy),
	DRM_IOCTL_ATOM_QUEUE_GET_STATE = DRM_IOCTL_ATOM(WR, QUEUE_GET_STATE, queue_get_state),
	DRM_IOCTL_ATOM_SUBMIT = DRM_IOCTL_ATOM(WR, SUBMIT, submit),
	DRM_IOCTL_ATOM_PERF_OPEN = DRM_IOCTL_ATOM(WR, PERF_OPEN, perf_open),
};

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_DRM_ATOM_ACCEL_H_ */
