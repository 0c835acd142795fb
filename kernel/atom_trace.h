/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Trace events
 *
 * The group atom_npu in tracefs tells the life of a job, and what disturbs it. A
 * job is known by its device, queue (hardware id) and number:
 *
 * - atom_job_submit: SUBMIT has taken it
 * - atom_job_run: it is on the ring; what it had to wait for is over
 * - atom_job_done: its fence signals, with 0 or an error
 * - atom_queue_reset, atom_device_reset: what ended jobs that did not end by themselves
 * - atom_fault: a record of the fault FIFO that was believed
 * - atom_vm_bind, atom_vm_unbind: a range in the page tables has changed; VM_DESTROY
 *   ends all ranges of its address space without an event for each
 * - atom_irq: an interrupt; cause is that of the device's own vector, 0 for queues
 *
 * Events of a queue are in order. The scheduler's own (group gpu_scheduler) show the
 * same jobs on rings named atom_npu, or by the name of the device.
 */
#if !defined(ATOM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ATOM_TRACE_H

#include <linux/tracepoint.h>

#include "atom_device.h"
#include "atom_queue.h"
#include "atom_sched.h"
#include "atom_vm.h"

#undef TRACE_SYSTEM
#define TRACE_SYSTEM atom_npu
#define TRACE_INCLUDE_FILE atom_trace

DECLARE_EVENT_CLASS(atom_job,
		    TP_PROTO(const struct atom_job *job),
		    TP_ARGS(job),
		    TP_STRUCT__entry(__string(dev, dev_name(job->queue->adev->drm.dev))
				     __field(u32, queue)
				     __field(u64, seqno)
				     __field(u32, cmd_bytes)
				     __field(u64, cookie)),
		    TP_fast_assign(__assign_str(dev);
				   __entry->queue = job->queue->hw_id;
				   __entry->seqno = job->seqno;
				   __entry->cmd_bytes = le32_to_cpu(job->desc.cmd_bytes);
				   __entry->cookie = le64_to_cpu(job->desc.cookie);),
		    TP_printk("dev=%s queue=%u seqno=%llu cmd_bytes=%u cookie=%#llx",
			      __get_str(dev), __entry->queue, __entry->seqno, __entry->cmd_bytes,
			      __entry->cookie));

DEFINE_EVENT(atom_job, atom_job_submit,
	     TP_PROTO(const struct atom_job *job),
	     TP_ARGS(job));

DEFINE_EVENT(atom_job, atom_job_run,
	     TP_PROTO(const struct atom_job *job),
	     TP_ARGS(job));

TRACE_EVENT(atom_job_done,
	    TP_PROTO(const struct atom_queue *queue, u64 seqno, int error),
	    TP_ARGS(queue, seqno, error),
	    TP_STRUCT__entry(__string(dev, dev_name(queue->adev->drm.dev))
			     __field(u32, queue)
			     __field(u64, seqno)
			     __field(int, error)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->queue = queue->hw_id;
			   __entry->seqno = seqno;
			   __entry->error = error;),
	    TP_printk("dev=%s queue=%u seqno=%llu error=%d", __get_str(dev), __entry->queue,
		      __entry->seqno, __entry->error));

TRACE_EVENT(atom_queue_reset,
	    TP_PROTO(const struct atom_queue *queue),
	    TP_ARGS(queue),
	    TP_STRUCT__entry(__string(dev, dev_name(queue->adev->drm.dev))
			     __field(u32, queue)
			     __field(u32, flags)
			     __field(u32, resets)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->queue = queue->hw_id;
			   __entry->flags = queue->flags;
			   __entry->resets = queue->resets;),
	    TP_printk("dev=%s queue=%u flags=%#x resets=%u", __get_str(dev), __entry->queue,
		      __entry->flags, __entry->resets));

TRACE_EVENT(atom_device_reset,
	    TP_PROTO(struct atom_device *adev, const char *reason),
	    TP_ARGS(adev, reason),
	    TP_STRUCT__entry(__string(dev, dev_name(adev->drm.dev))
			     __string(reason, reason)
			     __field(u32, generation)),
	    TP_fast_assign(__assign_str(dev);
			   __assign_str(reason);
			   __entry->generation = adev->reset.count;),
	    TP_printk("dev=%s generation=%u reason=\"%s\"", __get_str(dev), __entry->generation,
		      __get_str(reason)));

TRACE_EVENT(atom_fault,
	    TP_PROTO(const struct atom_queue *queue, u64 seqno,
		     const struct atom_fault_record *record),
	    TP_ARGS(queue, seqno, record),
	    TP_STRUCT__entry(__string(dev, dev_name(queue->adev->drm.dev))
			     __field(u32, queue)
			     __field(u64, seqno)
			     __field(u64, va)
			     __field(u32, command)
			     __field(u32, access)
			     __field(u16, code)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->queue = queue->hw_id;
			   __entry->seqno = seqno;
			   __entry->va = le64_to_cpu(record->va);
			   __entry->command = le32_to_cpu(record->command);
			   __entry->access = le32_to_cpu(record->access);
			   __entry->code = le16_to_cpu(record->code);),
	    TP_printk("dev=%s queue=%u seqno=%llu code=%u va=%#llx command=%u access=%#x",
		      __get_str(dev), __entry->queue, __entry->seqno, __entry->code, __entry->va,
		      __entry->command, __entry->access));

DECLARE_EVENT_CLASS(atom_vm_range,
		    TP_PROTO(const struct atom_vm *vm, u64 va, u64 bytes),
		    TP_ARGS(vm, va, bytes),
		    TP_STRUCT__entry(__string(dev, dev_name(vm->adev->drm.dev))
				     __field(u32, asid)
				     __field(u64, va)
				     __field(u64, bytes)),
		    TP_fast_assign(__assign_str(dev);
				   __entry->asid = vm->mmu.asid;
				   __entry->va = va;
				   __entry->bytes = bytes;),
		    TP_printk("dev=%s asid=%u va=%#llx bytes=%#llx", __get_str(dev), __entry->asid,
			      __entry->va, __entry->bytes));

DEFINE_EVENT(atom_vm_range, atom_vm_bind,
	     TP_PROTO(const struct atom_vm *vm, u64 va, u64 bytes),
	     TP_ARGS(vm, va, bytes));

DEFINE_EVENT(atom_vm_range, atom_vm_unbind,
	     TP_PROTO(const struct atom_vm *vm, u64 va, u64 bytes),
	     TP_ARGS(vm, va, bytes));

TRACE_EVENT(atom_irq,
	    TP_PROTO(const struct atom_vector *vector, u32 cause),
	    TP_ARGS(vector, cause),
	    TP_STRUCT__entry(__string(dev, dev_name(vector->adev->drm.dev))
			     __field(u32, vector)
			     __field(u32, cause)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->vector = vector - vector->adev->irq.vectors;
			   __entry->cause = cause;),
	    TP_printk("dev=%s vector=%u cause=%#x", __get_str(dev), __entry->vector,
		      __entry->cause));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#include <trace/define_trace.h>
