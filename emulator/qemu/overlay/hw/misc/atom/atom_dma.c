/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: access to system memory.
 *
 * Called by worker threads without the BQL. Everything goes through the
 * function's own address space, so that Bus Master Enable and an IOMMU count,
 * and only RAM is ever touched: the address space is given no bounce buffers
 * (atom_dram_init), so address_space_map() returns NULL for anything else, and
 * no path is left that would take the BQL for the sake of another device's
 * registers.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "trace/trace-hw_misc.h"

#include "atom_npu.h"

/*
 * Words that the other side polls (tails, sequence numbers) must not be torn,
 * and what was written before them must be seen before them.
 */
static void copy_from_guest(void *to, const void *from, size_t len)
{
    if (len == 8 && QEMU_PTR_IS_ALIGNED(from, 8)) {
        uint64_t value = qatomic_load_acquire((const uint64_t *)from);

        memcpy(to, &value, sizeof(value));
    } else if (len == 4 && QEMU_PTR_IS_ALIGNED(from, 4)) {
        uint32_t value = qatomic_load_acquire((const uint32_t *)from);

        memcpy(to, &value, sizeof(value));
    } else {
        memcpy(to, from, len);
    }
}

static void copy_to_guest(void *to, const void *from, size_t len)
{
    if (len == 8 && QEMU_PTR_IS_ALIGNED(to, 8)) {
        uint64_t value;

        memcpy(&value, from, sizeof(value));
        qatomic_store_release((uint64_t *)to, value);
    } else if (len == 4 && QEMU_PTR_IS_ALIGNED(to, 4)) {
        uint32_t value;

        memcpy(&value, from, sizeof(value));
        qatomic_store_release((uint32_t *)to, value);
    } else {
        memcpy(to, from, len);
    }
}

static bool may_access(AtomNPUState *s, uint32_t fn, uint32_t pasid)
{
    return fn == 0 && pasid == 0 && qatomic_read(&s->bus_master) &&
           qatomic_read(&s->link_up);
}

void *atom_dma_map(void *opaque, uint32_t fn, uint32_t pasid, uint64_t addr,
                   uint64_t *len, int is_write)
{
    AtomNPUState *s = opaque;
    hwaddr mapped = *len;
    void *ptr = NULL;

    if (mapped && addr + mapped - 1 >= addr && may_access(s, fn, pasid)) {
        atom_host_enter_thread();
        ptr = address_space_map(pci_get_address_space(PCI_DEVICE(s)), addr,
                                &mapped, is_write, MEMTXATTRS_UNSPECIFIED);
    }
    if (!ptr) {
        trace_atom_dma_refused(s->name, addr, *len, is_write);
        *len = 0;
        return NULL;
    }
    *len = mapped;
    return ptr;
}

void atom_dma_unmap(void *opaque, uint32_t fn, void *ptr, uint64_t len,
                    int is_write)
{
    AtomNPUState *s = opaque;

    atom_host_enter_thread();
    /* Marks what was written as dirty, and drops code translated from it. */
    address_space_unmap(pci_get_address_space(PCI_DEVICE(s)), ptr, len,
                        is_write, is_write ? len : 0);
}

int atom_dma_read(void *opaque, uint32_t fn, uint32_t pasid, uint64_t addr,
                  void *buf, uint64_t len)
{
    uint8_t *to = buf;

    while (len) {
        uint64_t part = len;
        void *from = atom_dma_map(opaque, fn, pasid, addr, &part, false);

        if (!from) {
            return -EIO;
        }
        copy_from_guest(to, from, part);
        atom_dma_unmap(opaque, fn, from, part, false);
        to += part;
        addr += part;
        len -= part;
    }
    return 0;
}

int atom_dma_write(void *opaque, uint32_t fn, uint32_t pasid, uint64_t addr,
                   const void *buf, uint64_t len)
{
    const uint8_t *from = buf;

    while (len) {
        uint64_t part = len;
        void *to = atom_dma_map(opaque, fn, pasid, addr, &part, true);

        if (!to) {
            return -EIO;
        }
        copy_to_guest(to, from, part);
        atom_dma_unmap(opaque, fn, to, part, true);
        from += part;
        addr += part;
        len -= part;
    }
    return 0;
}
