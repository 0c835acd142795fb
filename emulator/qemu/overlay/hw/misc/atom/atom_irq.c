/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: MSI-X.
 *
 * Masks and pending bits belong to the BQL. The model raises vectors from any
 * thread, with locks of its own held: here a bit is set, no more. A message is a
 * write to any address that the guest has chosen. At configuration space it can
 * be a function level reset, or the end of the device, and neither may happen
 * below a call of the model. So messages are sent by the main loop, or, where a
 * job was done within its doorbell, when the model has returned from that.
 * Two raises of a vector before that are one message, as they would be if the
 * vector were masked in between.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/bitops.h"
#include "qemu/main-loop.h"
#include "hw/pci/msix.h"
#include "trace/trace-hw_misc.h"

#include "atom_npu.h"

static void notify(AtomNPUState *s, unsigned vector)
{
    if (qatomic_read(&s->link_up)) {
        trace_atom_msix_notify(s->name, vector);
        msix_notify(PCI_DEVICE(s), vector);
    }
}

void atom_irq_raise(void *opaque, uint32_t fn, uint32_t vector)
{
    AtomNPUState *s = opaque;

    if (fn != 0 || vector >= s->vectors) {
        return;
    }
    set_bit_atomic(vector, s->irq_pending);
    if (!bql_locked() || !s->irq_held) {
        qemu_bh_schedule(s->irq_bh);
    }
}

/* From here to atom_irq_send() what this thread raises needs no bottom half. */
void atom_irq_hold(AtomNPUState *s)
{
    if (bql_locked()) {
        s->irq_held = true;
    }
}

/* To be called last: the device may be gone when it returns. */
void atom_irq_send(AtomNPUState *s)
{
    if (!bql_locked()) {
        return;
    }
    s->irq_held = false;
    object_ref(OBJECT(s));
    for (unsigned i = 0; i < BITS_TO_LONGS(ATOM_NPU_VECTORS_MAX); i++) {
        unsigned long word = qatomic_read(&s->irq_pending[i]);

        for (; word; word &= word - 1) {
            unsigned long bit = word & -word;

            /* A message can reset or remove the device: that drops the rest. */
            if (qatomic_fetch_and(&s->irq_pending[i], ~bit) & bit) {
                notify(s, i * BITS_PER_LONG + ctzl(bit));
            }
        }
    }
    object_unref(OBJECT(s));
}

static void atom_irq_bh(void *opaque)
{
    atom_irq_send(opaque);
}

void atom_irq_drop_pending(AtomNPUState *s)
{
    for (unsigned i = 0; i < BITS_TO_LONGS(ATOM_NPU_VECTORS_MAX); i++) {
        qatomic_set(&s->irq_pending[i], 0);
    }
}

bool atom_irq_init(AtomNPUState *s, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(s);

    if (msix_init(dev, s->vectors, &s->bar_regs, ATOM_BAR_REGS,
                  ATOM_MSIX_TABLE_OFFSET, &s->bar_regs, ATOM_BAR_REGS,
                  ATOM_MSIX_PBA_OFFSET, 0x70, errp) < 0) {
        return false;
    }
    for (unsigned i = 0; i < s->vectors; i++) {
        msix_vector_use(dev, i);
    }
    s->irq_bh = qemu_bh_new_guarded(atom_irq_bh, s,
                                    &DEVICE(s)->mem_reentrancy_guard);
    return true;
}

void atom_irq_exit(AtomNPUState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    if (s->irq_bh) {
        qemu_bh_delete(s->irq_bh);
        s->irq_bh = NULL;
    }
    atom_irq_drop_pending(s);
    if (msix_present(dev)) {
        msix_unuse_all_vectors(dev);
        msix_uninit(dev, &s->bar_regs, &s->bar_regs);
    }
}
