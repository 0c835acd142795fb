/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM atom_npu

#if !defined(ATOM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ATOM_TRACE_H

#include <linux/tracepoint.h>

#include "atom_device.h"
#include "atom_queue.h"
#include "atom_vm.h"

/**
 * DOC: Trace events
 *
 * What happens inside, in /sys/kernel/tracing/events/atom_npu:
 *
 * - atom_job_submit: SUBMIT took a job; it may have to wait for others
 * - atom_job_run: it stands on the ring of its queue
 * - atom_job_done: its fence signals, with its error
 * - atom_queue_reset: a queue is reset for a job that failed or hangs
 * - atom_fault: the device tells of a fault
 * - atom_device_reset: the device is reset, and why
 * - atom_vm_bind: an operation of VM_BIND is about to change an address space
 * - atom_irq: an interrupt; cause is that of the device's own vector, 0 for queues
 *
 * A job is known by device, queue (its hardware id) and seqno. The scheduler's own
 * events (gpu_scheduler) tell what a job waits for.
 */

DECLARE_EVENT_CLASS(atom_job,
	TP_PROTO(const struct atom_queue *queue, u64 seqno, int error),
	TP_ARGS(queue, seqno, error),
	TP_STRUCT__entry(
		__string(dev, dev_name(queue->adev->drm.dev))
		__string(name, queue->name)
		__field(u32, queue)
		__field(int, error)
		__field(u64, seqno)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(name);
		__entry->queue = queue->hw_id;
		__entry->error = error;
		__entry->seqno = seqno;
	),
	TP_printk("dev=%s queue=%u name=%s seqno=%llu error=%d", __get_str(dev),
		  __entry->queue, __get_str(name), __entry->seqno, __entry->error)
);

DEFINE_EVENT(atom_job, atom_job_submit,
	TP_PROTO(const struct atom_queue *queue, u64 seqno, int error),
	TP_ARGS(queue, seqno, error)
);

DEFINE_EVENT(atom_job, atom_job_run,
	TP_PROTO(const struct atom_queue *queue, u64 seqno, int error),
	TP_ARGS(queue, seqno, error)
);

DEFINE_EVENT(atom_job, atom_job_done,
	TP_PROTO(const struct atom_queue *queue, u64 seqno, int error),
	TP_ARGS(queue, seqno, error)
);

DEFINE_EVENT(atom_job, atom_queue_reset,
	TP_PROTO(const struct atom_queue *queue, u64 seqno, int error),
	TP_ARGS(queue, seqno, error)
);

TRACE_EVENT(atom_fault,
	TP_PROTO(const struct atom_queue *queue, const struct atom_fault_record *record),
	TP_ARGS(queue, record),
	TP_STRUCT__entry(
		__string(dev, dev_name(queue->adev->drm.dev))
		__field(u32, queue)
		__field(u16, code)
		__field(u32, access)
		__field(u64, seqno)
		__field(u64, va)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->queue = queue->hw_id;
		__entry->code = le16_to_cpu(record->code);
		__entry->access = le32_to_cpu(record->access);
		__entry->seqno = le64_to_cpu(record->desc_seq);
		__entry->va = le64_to_cpu(record->va);
	),
	TP_printk("dev=%s queue=%u seqno=%llu code=%u access=%u va=0x%llx", __get_str(dev),
		  __entry->queue, __entry->seqno, __entry->code, __entry->access, __entry->va)
);

TRACE_EVENT(atom_device_reset,
	TP_PROTO(const struct atom_device *adev, const char *reason),
	TP_ARGS(adev, reason),
	TP_STRUCT__entry(
		__string(dev, dev_name(adev->drm.dev))
		__string(reason, reason)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(reason);
	),
	TP_printk("dev=%s reason=\"%s\"", __get_str(dev), __get_str(reason))
);

TRACE_EVENT(atom_vm_bind,
	TP_PROTO(const struct atom_vm *vm, const struct drm_atom_vm_bind_op *op),
	TP_ARGS(vm, op),
	TP_STRUCT__entry(
		__string(dev, dev_name(vm->adev->drm.dev))
		__field(u32, asid)
		__field(u32, op)
		__field(u64, va)
		__field(u64, bytes)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->asid = vm->mmu.asid;
		__entry->op = op->op;
		__entry->va = op->va;
		__entry->bytes = op->bytes;
	),
	TP_printk("dev=%s asid=%u op=%u va=0x%llx bytes=0x%llx", __get_str(dev),
		  __entry->asid, __entry->op, __entry->va, __entry->bytes)
);

TRACE_EVENT(atom_irq,
	TP_PROTO(const struct atom_vector *vector, u32 cause),
	TP_ARGS(vector, cause),
	TP_STRUCT__entry(
		__string(dev, dev_name(vector->adev->drm.dev))
		__field(u32, vector)
		__field(u32, cause)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->vector = vector - vector->adev->irq.vectors;
		__entry->cause = cause;
	),
	TP_printk("dev=%s vector=%u cause=0x%x", __get_str(dev), __entry->vector, __entry->cause)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE atom_trace
#include <trace/define_trace.h>
