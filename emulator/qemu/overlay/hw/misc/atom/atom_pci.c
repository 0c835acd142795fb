/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: the PCI Express function. Programming interface: include/README.md.
 *
 * Configuration space:
 *   0x40 power management, 0x70 MSI-X, 0xa0 PCI Express (FLR)
 *   0x100 AER; 0x140.. kept for ARI, SR-IOV, ATS and PASID
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "qemu/module.h"
#include "qemu/range.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "migration/blocker.h"
#include "trace/trace-hw_misc.h"

#include "atom_npu.h"

#define CAP_PM_OFFSET       0x40
#define CAP_EXPRESS_OFFSET  0xa0
#define CAP_AER_OFFSET      0x100

/*
 * A CPU that waits for the BQL in an access while another takes the device from
 * the slot arrives here when there is no model any more.
 */
static uint64_t atom_regs_read(void *opaque, hwaddr addr, unsigned size)
{
    AtomNPUState *s = opaque;

    return s->model ? atom_model_mmio_read(s->model, 0, addr, size) : UINT64_MAX;
}

static void atom_regs_write(void *opaque, hwaddr addr, uint64_t value,
                            unsigned size)
{
    AtomNPUState *s = opaque;

    if (s->model) {
        atom_model_mmio_write(s->model, 0, addr, value, size);
    }
}

/* Every access reaches the model as it is: the contract says which work. */
static const MemoryRegionOps atom_regs_ops = {
    .read = atom_regs_read,
    .write = atom_regs_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

static unsigned power_state(PCIDevice *dev)
{
    return pci_get_word(dev->config + dev->pm_cap + PCI_PM_CTRL) &
           PCI_PM_CTRL_STATE_MASK;
}

static void tell(AtomNPUState *s, bool bus_master, unsigned power,
                 unsigned vectors)
{
    if (bus_master == s->bus_master && power == s->power_state &&
        vectors == s->vectors_enabled) {
        return;
    }
    trace_atom_config(s->name, bus_master, power, vectors, s->link_up);
    if (bus_master != s->bus_master) {
        qatomic_set(&s->bus_master, bus_master);
        atom_model_cfg(s->model, 0, ATOM_CFG_BUS_MASTER, bus_master);
    }
    if (power != s->power_state) {
        s->power_state = power;
        atom_model_cfg(s->model, 0, ATOM_CFG_POWER, power);
    }
    if (vectors != s->vectors_enabled) {
        s->vectors_enabled = vectors;
        atom_model_cfg(s->model, 0, ATOM_CFG_VECTORS, vectors);
    }
}

static uint32_t atom_npu_config_read(PCIDevice *dev, uint32_t addr, int len)
{
    return ATOM_NPU(dev)->link_up ? pci_default_read_config(dev, addr, len)
                                  : UINT32_MAX;
}

static void atom_npu_config_write(PCIDevice *dev, uint32_t addr, uint32_t value,
                                  int len)
{
    AtomNPUState *s = ATOM_NPU(dev);

    if (!s->link_up) {
        return;
    }
    pci_default_write_config(dev, addr, value, len);
    pcie_cap_flr_write_config(dev, addr, value, len);
    pcie_aer_write_config(dev, addr, value, len);

    if (s->power_state && !power_state(dev)) {
        /* The function loses its state on the way to D0 (No_Soft_Reset = 0). */
        s->leaving_d3 = true;
        pci_device_reset(dev);
        s->leaving_d3 = false;
    }
    tell(s, pci_get_word(dev->config + PCI_COMMAND) & PCI_COMMAND_MASTER,
         power_state(dev), msix_enabled(dev) ? s->vectors : 0);
}

static void atom_npu_reset_hold(Object *obj, ResetType type)
{
    AtomNPUState *s = ATOM_NPU(obj);
    PCIDevice *dev = PCI_DEVICE(s);
    uint32_t kind = ATOM_RESET_COLD;

    /* The PCI core clears configuration space after this. */
    if (pci_get_word(dev->config + dev->exp.exp_cap + PCI_EXP_DEVCTL) &
        PCI_EXP_DEVCTL_BCR_FLR) {
        kind = ATOM_RESET_FLR;
    } else if (s->leaving_d3 && !s->d3cold) {
        kind = ATOM_RESET_D3;
    }
    tell(s, false, 0, 0);
    atom_model_reset(s->model, 0, kind);
    if (s->leaving_d3 && s->d3cold) {
        atom_dram_lose(s);
    }
    atom_irq_drop_pending(s);
    pcie_cap_deverr_reset(dev);
}

static bool init_capabilities(AtomNPUState *s, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(s);

    if (pci_pm_init(dev, CAP_PM_OFFSET, errp) < 0) {
        return false;
    }
    pci_set_word(dev->config + CAP_PM_OFFSET + PCI_PM_PMC,
                 3 /* PCI PM 1.2, no PME, neither D1 nor D2 */);
    pci_set_word(dev->wmask + CAP_PM_OFFSET + PCI_PM_CTRL,
                 PCI_PM_CTRL_STATE_MASK);

    if (!atom_irq_init(s, errp)) {
        return false;
    }
    if (pcie_endpoint_cap_init(dev, CAP_EXPRESS_OFFSET) < 0) {
        error_setg(errp, "no room for the PCI Express capability");
        return false;
    }
    /* An endpoint that is integrated in the root complex has no link. */
    if (pcie_cap_get_type(dev) == PCI_EXP_TYPE_ENDPOINT) {
        pcie_cap_fill_link_ep_usp(dev, s->link_width, s->link_speed);
    }
    pcie_cap_deverr_init(dev);
    pcie_cap_flr_init(dev);
    return pcie_aer_init(dev, PCI_ERR_VER, CAP_AER_OFFSET, PCI_ERR_SIZEOF,
                         errp) >= 0;
}

static void exit_capabilities(AtomNPUState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    if (dev->exp.aer_cap) {
        pcie_aer_exit(dev);
    }
    if (dev->exp.exp_cap) {
        pcie_cap_exit(dev);
    }
    atom_irq_exit(s);
}

static void init_bars(AtomNPUState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    memory_region_init(&s->bar_regs, OBJECT(s), "atom-bar0",
                       ATOM_BAR_REGS_SIZE);
    memory_region_init_io(&s->regs, OBJECT(s), &atom_regs_ops, s,
                          "atom-registers", ATOM_BAR_REGS_SIZE);
    memory_region_add_subregion_overlap(&s->bar_regs, 0, &s->regs, -1);
    atom_doorbell_init_region(s);
    atom_link_init(s);

    pci_register_bar(dev, ATOM_BAR_REGS, PCI_BASE_ADDRESS_MEM_TYPE_64,
                     &s->bar_regs);
    pci_register_bar(dev, ATOM_BAR_DOORBELL, PCI_BASE_ADDRESS_MEM_TYPE_64,
                     &s->bar_doorbells);
    pci_register_bar(dev, ATOM_BAR_DRAM, PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &s->bar_dram);
}

/*
 * A subregion holds a reference of its owner, who is the owner of the BAR too:
 * a device with subregions would never be freed.
 */
static void exit_bars(AtomNPUState *s)
{
    MemoryRegion *regions[] = { &s->regs, &s->doorbells, &s->dram_window_alias,
                                &s->gone[0], &s->gone[1], &s->gone[2] };

    for (unsigned i = 0; i < ARRAY_SIZE(regions); i++) {
        if (regions[i]->container) {
            memory_region_del_subregion(regions[i]->container, regions[i]);
        }
    }
}

static void atom_npu_exit(PCIDevice *dev)
{
    AtomNPUState *s = ATOM_NPU(dev);

    atom_doorbell_stop(s);
    atom_host_exit(s);
    exit_capabilities(s);
    exit_bars(s);
    atom_dram_exit(s);
    migrate_del_blocker(&s->migration_blocker);
    g_clear_pointer(&s->name, g_free);
}

static void atom_npu_realize(PCIDevice *dev, Error **errp)
{
    AtomNPUState *s = ATOM_NPU(dev);

    s->name = g_strdup(DEVICE(s)->id ? DEVICE(s)->id : TYPE_ATOM_NPU);
    if (!atom_npu_check_properties(s, errp)) {
        goto fail;
    }

    error_setg(&s->migration_blocker, "%s: the state of an atom-npu cannot be "
               "saved yet: remove the device (device_del) first", s->name);
    if (migrate_add_blocker(&s->migration_blocker, errp) < 0) {
        goto fail;
    }
    if (s->executor == ATOM_EXECUTOR_POOL) {
        replay_add_blocker("-device atom-npu,executor=pool (use "
                           "executor=inline)");
    }

    if (!atom_dram_init(s, errp)) {
        goto fail;
    }
    init_bars(s);
    qatomic_set(&s->link_up, true);
    /* DMA to anything but RAM fails: atom_dma.c. */
    pci_get_address_space(dev)->max_bounce_buffer_size = 0;

    if (!init_capabilities(s, errp) || !atom_host_init(s, errp) ||
        !atom_doorbell_start(s, errp)) {
        goto fail;
    }
    return;

fail:
    atom_npu_exit(dev);
}

static void atom_npu_class_init(ObjectClass *klass, ATOM_CLASS_DATA *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    pc->realize = atom_npu_realize;
    pc->exit = atom_npu_exit;
    pc->config_read = atom_npu_config_read;
    pc->config_write = atom_npu_config_write;
    pc->vendor_id = ATOM_PCI_VENDOR_ID;
    pc->device_id = ATOM_PCI_DEVICE_ID_PF;
    pc->revision = ATOM_PCI_REVISION;
    pc->class_id = ATOM_PCI_CLASS >> 8;
    rc->phases.hold = atom_npu_reset_hold;
    dc->desc = "ATOM neural processing unit";
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    atom_npu_class_init_properties(klass);
}

static const TypeInfo atom_npu_type = {
    .name = TYPE_ATOM_NPU,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(AtomNPUState),
    .class_init = atom_npu_class_init,
    .interfaces = (ATOM_INTERFACES[]) {
        { INTERFACE_PCIE_DEVICE },
        { }
    },
};

static void atom_npu_register_types(void)
{
    type_register_static(&atom_npu_type);
}

type_init(atom_npu_register_types)
