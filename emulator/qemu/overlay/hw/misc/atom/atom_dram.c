/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: device memory, a memory backend of the host that BAR4 shows in
 * whole or in part. The guest's CPUs reach it as RAM, without exits.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/host-utils.h"
#include "qemu/madvise.h"
#include "qemu/units.h"
#include "qom/object_interfaces.h"

#include "atom_npu.h"

#define DRAM_DEFAULT_SIZE   (1 * GiB)
#define DRAM_ALIGNMENT      (2 * MiB)

static bool create_own_backend(AtomNPUState *s, Error **errp)
{
    g_autoptr(Object) backend = object_new(TYPE_MEMORY_BACKEND_RAM);

    if (!object_property_set_uint(backend, "size", s->dram_size, errp)) {
        return false;
    }
    object_property_add_child(OBJECT(s), "dram", backend);
    if (!user_creatable_complete(USER_CREATABLE(backend), errp)) {
        object_unparent(backend);
        return false;
    }
    s->dram = MEMORY_BACKEND(backend);
    return true;
}

static bool take_memdev(AtomNPUState *s, Error **errp)
{
    uint64_t size = memory_region_size(
        host_memory_backend_get_memory(s->memdev));

    if (host_memory_backend_is_mapped(s->memdev)) {
        error_setg(errp, "memory backend '%s' (memdev) is already in use",
                   object_get_canonical_path_component(OBJECT(s->memdev)));
        return false;
    }
    if (s->dram_size && s->dram_size != size) {
        error_setg(errp, "dram-size=%" PRIu64 " differs from the %" PRIu64
                   " bytes of memdev: leave dram-size away", s->dram_size,
                   size);
        return false;
    }
    s->dram_size = size;
    s->dram = s->memdev;
    return true;
}

bool atom_dram_init(AtomNPUState *s, Error **errp)
{
    MemoryRegion *mr;

    if (!s->memdev && !s->dram_size) {
        s->dram_size = DRAM_DEFAULT_SIZE;
    }
    if (s->memdev ? !take_memdev(s, errp) :
        (QEMU_IS_ALIGNED(s->dram_size, DRAM_ALIGNMENT) &&
         !create_own_backend(s, errp))) {
        return false;
    }
    if (!QEMU_IS_ALIGNED(s->dram_size, DRAM_ALIGNMENT)) {
        error_setg(errp, "device memory of %" PRIu64 " bytes is not a multiple "
                   "of 2 MiB: change %s", s->dram_size,
                   s->memdev ? "the size of memdev" : "dram-size");
        s->dram = NULL;
        return false;
    }
    if (!s->dram_window) {
        s->dram_window = s->dram_size;
    }
    if (s->dram_window > s->dram_size ||
        !QEMU_IS_ALIGNED(s->dram_window, DRAM_ALIGNMENT)) {
        error_setg(errp, "dram-window=%" PRIu64 " is not a multiple of 2 MiB "
                   "up to the device memory's %" PRIu64 " bytes",
                   s->dram_window, s->dram_size);
        atom_dram_exit(s);
        return false;
    }

    host_memory_backend_set_mapped(s->dram, true);
    mr = host_memory_backend_get_memory(s->dram);
    memory_region_init(&s->bar_dram, OBJECT(s), "atom-bar4",
                       pow2ceil(s->dram_window));
    memory_region_init_alias(&s->dram_window_alias, OBJECT(s),
                             "atom-dram-window", mr, 0, s->dram_window);
    memory_region_add_subregion(&s->bar_dram, 0, &s->dram_window_alias);
    return true;
}

/* What the guest sees after a time without power, except that it is zeros. */
void atom_dram_lose(AtomNPUState *s)
{
    MemoryRegion *mr = host_memory_backend_get_memory(s->dram);

    qemu_madvise(memory_region_get_ram_ptr(mr), memory_region_size(mr),
                 QEMU_MADV_DONTNEED);
}

void atom_dram_exit(AtomNPUState *s)
{
    if (!s->dram) {
        return;
    }
    host_memory_backend_set_mapped(s->dram, false);
    if (s->dram != s->memdev) {
        object_unparent(OBJECT(s->dram));
    }
    s->dram = NULL;
}
