/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: doorbells (BAR2), one page for each queue.
 *
 * A doorbell says "look at the tail in memory" and its value means nothing, so
 * it can be an ioeventfd: under KVM the vCPU then does not leave the kernel.
 * Under TCG there is no exit to save, and the way through the eventfd costs a
 * system call and a wake-up, so that a plain write is faster there
 * (README.md, "Doorbells").
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "block/aio-wait.h"
#include "qapi/error.h"
#include "qemu/host-utils.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "system/kvm.h"

#include "atom_npu.h"

#define DOORBELL_STRIDE     ((hwaddr)1 << ATOM_NPU_DOORBELL_LOG2)

/* Small jobs are done on the way: their interrupts follow at once. */
static void ring(AtomNPUState *s, uint32_t queue)
{
    /* A CPU that waited for the BQL while the device left: as with registers. */
    if (!s->model) {
        return;
    }
    atom_irq_hold(s);
    atom_model_doorbell(s->model, 0, queue);
    atom_irq_send(s);
}

static uint64_t atom_doorbell_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void atom_doorbell_write(void *opaque, hwaddr addr, uint64_t value,
                                unsigned size)
{
    AtomNPUState *s = opaque;

    if (size != 4 || addr % DOORBELL_STRIDE) {
        qemu_log_mask(LOG_GUEST_ERROR,
                      "%s: write of %u bytes at 0x%" HWADDR_PRIx " of the "
                      "doorbells ignored: a doorbell is 4 bytes at the start "
                      "of a page\n", s->name, size, addr);
        return;
    }
    ring(s, addr >> ATOM_NPU_DOORBELL_LOG2);
}

static const MemoryRegionOps atom_doorbell_ops = {
    .read = atom_doorbell_read,
    .write = atom_doorbell_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

void atom_doorbell_init_region(AtomNPUState *s)
{
    uint64_t size = pow2ceil((s->queues + 1) * DOORBELL_STRIDE);

    memory_region_init(&s->bar_doorbells, OBJECT(s), "atom-bar2", size);
    memory_region_init_io(&s->doorbells, OBJECT(s), &atom_doorbell_ops, s,
                          "atom-doorbells", size);
    memory_region_add_subregion(&s->bar_doorbells, 0, &s->doorbells);
}

static void atom_doorbell_ring(EventNotifier *notifier)
{
    AtomDoorbell *bell = container_of(notifier, AtomDoorbell, notifier);

    if (event_notifier_test_and_clear(notifier)) {
        ring(bell->npu, bell->queue);
    }
}

static void attach_handlers(AtomNPUState *s, EventNotifierHandler *handler)
{
    for (unsigned q = 0; q <= s->queues; q++) {
        if (s->iothread) {
            aio_set_event_notifier(iothread_get_aio_context(s->iothread),
                                   &s->bells[q].notifier, handler, NULL, NULL);
        } else {
            event_notifier_set_handler(&s->bells[q].notifier, handler);
        }
    }
}

static void detach_handlers_bh(void *opaque)
{
    attach_handlers(opaque, NULL);
}

bool atom_doorbell_start(AtomNPUState *s, Error **errp)
{
    bool wanted = s->ioeventfd == ON_OFF_AUTO_ON ||
                  (s->ioeventfd == ON_OFF_AUTO_AUTO &&
                   (kvm_enabled() || s->iothread));

    if (!wanted) {
        if (s->iothread) {
            error_setg(errp, "property 'iothread' needs ioeventfd=on: plain "
                       "writes are handled by the vCPU's thread");
            return false;
        }
        return true;
    }

    s->bells = g_new0(AtomDoorbell, s->queues + 1);
    for (unsigned q = 0; q <= s->queues; q++) {
        int ret = event_notifier_init(&s->bells[q].notifier, 0);

        if (ret < 0) {
            error_setg_errno(errp, -ret, "no eventfd for the doorbell of queue "
                             "%u: raise the limit of open files, or use "
                             "ioeventfd=off", q);
            while (q--) {
                event_notifier_cleanup(&s->bells[q].notifier);
            }
            g_free(s->bells);
            s->bells = NULL;
            return false;
        }
        s->bells[q].npu = s;
        s->bells[q].queue = q;
    }
    if (s->iothread) {
        object_ref(OBJECT(s->iothread));
    }
    attach_handlers(s, atom_doorbell_ring);

    memory_region_transaction_begin();
    for (unsigned q = 0; q <= s->queues; q++) {
        memory_region_add_eventfd(&s->doorbells, q * DOORBELL_STRIDE, 4, false,
                                  0, &s->bells[q].notifier);
    }
    memory_region_transaction_commit();
    return true;
}

/* No call of the model comes from a doorbell after this. */
void atom_doorbell_stop(AtomNPUState *s)
{
    if (!s->bells) {
        return;
    }
    memory_region_transaction_begin();
    for (unsigned q = 0; q <= s->queues; q++) {
        memory_region_del_eventfd(&s->doorbells, q * DOORBELL_STRIDE, 4, false,
                                  0, &s->bells[q].notifier);
    }
    memory_region_transaction_commit();

    if (s->iothread) {
        /* In its own context, so that no handler is running any more. */
        aio_wait_bh_oneshot(iothread_get_aio_context(s->iothread),
                            detach_handlers_bh, s);
        object_unref(OBJECT(s->iothread));
    } else {
        attach_handlers(s, NULL);
    }
    for (unsigned q = 0; q <= s->queues; q++) {
        event_notifier_cleanup(&s->bells[q].notifier);
    }
    g_free(s->bells);
    s->bells = NULL;
}
