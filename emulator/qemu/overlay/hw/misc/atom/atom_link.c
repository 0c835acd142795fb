/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: surprise removal and return.
 *
 * A device that has been pulled answers nothing: reads of configuration space
 * and of all BARs give all ones, writes are lost, nothing comes from it. The
 * BARs stay mapped for that, since unmapped memory reads as 0 in QEMU. The slot
 * tells the guest's hot-plug driver, as when a card is pulled or put in.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie.h"

#include "atom_npu.h"

static uint64_t atom_gone_read(void *opaque, hwaddr addr, unsigned size)
{
    return UINT64_MAX;
}

static void atom_gone_write(void *opaque, hwaddr addr, uint64_t value,
                            unsigned size)
{
}

static const MemoryRegionOps atom_gone_ops = {
    .read = atom_gone_read,
    .write = atom_gone_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

void atom_link_init(AtomNPUState *s)
{
    MemoryRegion *bars[] = { &s->bar_regs, &s->bar_doorbells, &s->bar_dram };

    QEMU_BUILD_BUG_ON(ARRAY_SIZE(bars) != ARRAY_SIZE(s->gone));
    for (unsigned i = 0; i < ARRAY_SIZE(bars); i++) {
        memory_region_init_io(&s->gone[i], OBJECT(s), &atom_gone_ops, s,
                              "atom-gone", memory_region_size(bars[i]));
        memory_region_set_enabled(&s->gone[i], false);
        memory_region_add_subregion_overlap(bars[i], 0, &s->gone[i], 1);
    }
}

static void show_gone(AtomNPUState *s, bool gone)
{
    memory_region_transaction_begin();
    for (unsigned i = 0; i < ARRAY_SIZE(s->gone); i++) {
        memory_region_set_enabled(&s->gone[i], gone);
    }
    memory_region_transaction_commit();
}

/*
 * Presence and link state in the port above, with a presence detect event: what
 * pcie_cap_slot_plug_cb() does when a device is added, without the attention
 * button, for which the guest would wait five seconds.
 */
static void tell_slot(AtomNPUState *s, bool present)
{
    PCIDevice *port = pci_bridge_get_device(pci_get_bus(PCI_DEVICE(s)));
    uint8_t *express;

    if (!port || !pci_is_express_downstream_port(port)) {
        return;
    }
    express = port->config + port->exp.exp_cap;
    if (!(pci_get_long(express + PCI_EXP_SLTCAP) & PCI_EXP_SLTCAP_HPC)) {
        return;
    }
    if (present) {
        pci_word_test_and_set_mask(express + PCI_EXP_SLTSTA,
                                   PCI_EXP_SLTSTA_PDS);
        pci_word_test_and_set_mask(express + PCI_EXP_LNKSTA,
                                   PCI_EXP_LNKSTA_DLLLA);
    } else {
        pci_word_test_and_clear_mask(express + PCI_EXP_SLTSTA,
                                     PCI_EXP_SLTSTA_PDS);
        pci_word_test_and_clear_mask(express + PCI_EXP_LNKSTA,
                                     PCI_EXP_LNKSTA_DLLLA);
    }
    pci_word_test_and_set_mask(express + PCI_EXP_SLTSTA, PCI_EXP_HP_EV_PDC);

    /*
     * QEMU's ports have no event for the link state, which is the one that a
     * guest enables where there is an attention button. Its interrupt is the
     * same, and the guest then finds the presence event: so it is raised even
     * if that one is not enabled.
     */
    if (!(pci_get_word(express + PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_HPIE)) {
        return;
    }
    port->exp.hpev_notified = true;
    if (msix_enabled(port)) {
        msix_notify(port, pcie_cap_flags_get_vector(port));
    } else if (msi_enabled(port)) {
        msi_notify(port, pcie_cap_flags_get_vector(port));
    } else if (pci_intx(port) != -1) {
        pci_set_irq(port, 1);
    }
}

void atom_link_set(AtomNPUState *s, bool up)
{
    if (up == s->link_up) {
        return;
    }
    if (up) {
        /* What comes back has been without power. */
        qatomic_set(&s->link_up, true);
        atom_model_cfg(s->model, 0, ATOM_CFG_LINK, 1);
        pci_device_reset(PCI_DEVICE(s));
        show_gone(s, false);
    } else {
        qatomic_set(&s->link_up, false);
        show_gone(s, true);
        atom_model_cfg(s->model, 0, ATOM_CFG_LINK, 0);
    }
    tell_slot(s, up);
}
