/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: events and messages of the device model become QEMU's trace events
 * and log. Called from any thread, often: a disabled event costs one test.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "trace/trace-hw_misc.h"

#include "atom_npu.h"

/* Two 32-bit values that share an argument. */
#define HIGH(a)     ((uint32_t)((a) >> 32))
#define LOW(a)      ((uint32_t)(a))

void atom_trace(void *opaque, uint32_t event, const uint64_t a[4])
{
    AtomNPUState *s = opaque;
    const char *name = s->name;

    /* The log backend reads its file under RCU. */
    atom_host_enter_thread();

    switch ((enum atom_trace_event)event) {
    case ATOM_TRACE_MMIO_READ:
        trace_atom_mmio_read(name, a[0], a[1], a[2], a[3]);
        break;
    case ATOM_TRACE_MMIO_WRITE:
        trace_atom_mmio_write(name, a[0], a[1], a[2], a[3]);
        break;
    case ATOM_TRACE_DOORBELL:
        trace_atom_doorbell(name, a[0]);
        break;
    case ATOM_TRACE_FETCH:
        trace_atom_fetch(name, a[0], a[1], a[2], a[3]);
        break;
    case ATOM_TRACE_COMMAND_START:
        trace_atom_command_start(name, a[0], a[1], HIGH(a[2]), LOW(a[2]), a[3]);
        break;
    case ATOM_TRACE_COMMAND_END:
        trace_atom_command_end(name, a[0], a[1], HIGH(a[2]), LOW(a[2]), a[3]);
        break;
    case ATOM_TRACE_COMPLETE:
        trace_atom_complete(name, a[0], a[1], a[2], a[3]);
        break;
    case ATOM_TRACE_FAULT:
        trace_atom_fault(name, a[0], a[1], a[2], HIGH(a[3]), LOW(a[3]));
        break;
    case ATOM_TRACE_ADMIN:
        trace_atom_admin(name, a[0], a[1], a[2], a[3]);
        break;
    case ATOM_TRACE_TLB_INVALIDATE:
        trace_atom_tlb_invalidate(name, a[0], a[1], a[2]);
        break;
    case ATOM_TRACE_TLB_MISS:
        trace_atom_tlb_miss(name, a[0], a[1], a[2], a[3]);
        break;
    case ATOM_TRACE_IRQ:
        trace_atom_irq(name, a[0]);
        break;
    case ATOM_TRACE_QUEUE_STATE:
        trace_atom_queue_state(name, a[0], a[1], a[2]);
        break;
    case ATOM_TRACE_RESET:
        trace_atom_reset(name, a[0], a[1]);
        break;
    case ATOM_TRACE_INJECT:
        trace_atom_inject(name, a[0], a[1], a[2]);
        break;
    case ATOM_TRACE_GUEST_ERROR:
        trace_atom_guest_error(name, a[0], a[1]);
        break;
    case ATOM_TRACE_COUNT:
        break;
    }
}

/* Two events: one has at most ten arguments. */
void atom_command_time(void *opaque, const struct atom_model_command_time *t)
{
    static const char *const limits[ATOM_LIMIT_COUNT] = {
        [ATOM_LIMIT_OVERHEAD] = "overhead",
        [ATOM_LIMIT_MATRIX] = "matrix",
        [ATOM_LIMIT_VECTOR] = "vector",
        [ATOM_LIMIT_DRAM] = "dram",
        [ATOM_LIMIT_SHM] = "shm",
        [ATOM_LIMIT_PCIE] = "pcie",
    };
    AtomNPUState *s = opaque;

    atom_host_enter_thread();
    trace_atom_command_time(s->name, t->queue, t->seq, t->index, t->opcode,
                            t->tag, t->start_ns, t->ns,
                            t->limit < ATOM_LIMIT_COUNT ? limits[t->limit] : "?");
    trace_atom_command_parts(s->name, t->matrix_ns, t->vector_ns, t->dram_ns,
                             t->dram_ahead_ns, t->shm_ns, t->pcie_ns,
                             t->overhead_ns, t->macs, t->dram_bytes);
}

void atom_log(void *opaque, int level, const char *message)
{
    AtomNPUState *s = opaque;

    atom_host_enter_thread();
    trace_atom_log(s->name, level, message);
    if (level == ATOM_LOG_ERROR) {
        error_report("%s: %s", s->name, message);
    } else if (level == ATOM_LOG_GUEST) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: %s\n", s->name, message);
    }
}
