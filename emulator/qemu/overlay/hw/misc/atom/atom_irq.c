/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: MSI-X.
 *
 * Masks and pending bits belong to the BQL. The model raises vectors from any
 * thread: one that holds the BQL (a job done within its doorbell) sends the
 * message at once; a worker sets a bit and wakes the main loop, which sends it.
 * Two raises of a vector before the main loop comes are one message, as they
 * would be if the vector were masked in between.
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
    if (bql_locked()) {
        notify(s, vector);
    } else {
        set_bit_atomic(vector, s->irq_pending);
        qemu_bh_schedule(s->irq_bh);
    }
}

static void atom_irq_bh(void *opaque)
{
    AtomNPUState *s = opaque;

    for (unsigned i = 0; i < BITS_TO_LONGS(s->vectors); i++) {
        unsigned long word = qatomic_xchg(&s->irq_pending[i], 0);

        while (word) {
            notify(s, i * BITS_PER_LONG + ctzl(word));
            word &= word - 1;
        }
    }
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
    if (msix_present(dev)) {
        msix_unuse_all_vectors(dev);
        msix_uninit(dev, &s->bar_regs, &s->bar_regs);
    }
}
