/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: the PCI side of the device. Registers, queues and commands are the
 * device model's (atom_model.h); this is configuration space, BARs, MSI-X, DMA
 * and the clock.
 *
 * Locks: the model's worker threads call the upcalls (atom_*_upcalls below) and
 * never take the BQL, so that waiting for them with the BQL held (reset,
 * unrealize, stop of the VM) cannot deadlock. What needs the BQL is left for a
 * bottom half of the main loop.
 */
#ifndef HW_MISC_ATOM_ATOM_NPU_H
#define HW_MISC_ATOM_ATOM_NPU_H

#include "qemu_compat.h"
#include "hw/pci/pci_device.h"
#include "qemu/bitmap.h"
#include "qemu/event_notifier.h"
#include "qemu/timer.h"
#include "qemu/uuid.h"
#include "qom/object.h"
#include "system/hostmem.h"
#include "system/iothread.h"
#include "system/runstate.h"

#include "atom/hw/pci.h"
#include "atom/hw/regs.h"
#include "atom_model.h"

#define TYPE_ATOM_NPU "atom-npu"
OBJECT_DECLARE_SIMPLE_TYPE(AtomNPUState, ATOM_NPU)

/* The MSI-X table must end where the pending bits begin. */
#define ATOM_NPU_VECTORS_MAX                                                \
    ((ATOM_MSIX_PBA_OFFSET - ATOM_MSIX_TABLE_OFFSET) / PCI_MSIX_ENTRY_SIZE)
#define ATOM_NPU_QUEUES_MAX     (ATOM_REG_QUEUE_MAX - 1)
#define ATOM_NPU_DOORBELL_LOG2  12

typedef struct AtomDoorbell {
    EventNotifier notifier;
    AtomNPUState *npu;
    uint32_t queue;
} AtomDoorbell;

struct AtomNPUState {
    PCIDevice parent_obj;

    atom_model *model;
    char *name;                 /* for traces and messages */

    /*
     * BARs: a container each, with the region "gone" above all else while the
     * link is down.
     */
    MemoryRegion bar_regs;
    MemoryRegion regs;
    MemoryRegion bar_doorbells;
    MemoryRegion doorbells;
    MemoryRegion bar_dram;
    MemoryRegion dram_window_alias;
    MemoryRegion gone[3];

    HostMemoryBackend *dram;    /* memdev, or our own child object */

    /* What the model was told last (atom_model_cfg). */
    bool bus_master;            /* atomic: read by worker threads */
    bool link_up;               /* atomic: read by worker threads */
    unsigned power_state;
    unsigned vectors_enabled;
    bool leaving_d3;
    bool d3cold;                /* power is taken away in D3 */
    bool stopped;               /* quiesced because the VM does not run */

    /* Vectors that the model raised, for irq_bh. Atomic. */
    DECLARE_BITMAP(irq_pending, ATOM_NPU_VECTORS_MAX);
    QEMUBH *irq_bh;
    bool irq_held;              /* under the BQL: atom_irq_send() will come */

    QEMUBH *run_bh;             /* inline executor */
    QEMUTimer *timer;
    VMChangeStateEntry *vm_state;
    Error *migration_blocker;

    AtomDoorbell *bells;        /* NULL: doorbells are plain writes */

    /* Properties. */
    HostMemoryBackend *memdev;
    uint64_t dram_size;
    uint64_t dram_window;
    uint64_t shm_size;
    uint32_t queues;
    uint32_t vectors;
    int executor;
    int engine;
    int pace;
    char *timing;               /* changes of the timing model */
    uint32_t threads;
    bool compute;
    uint64_t serial;
    QemuUUID uuid;
    OnOffAuto ioeventfd;
    IOThread *iothread;
    PCIExpLinkSpeed link_speed;
    PCIExpLinkWidth link_width;
};

/* atom_props.c */
void atom_npu_class_init_properties(ObjectClass *klass);
bool atom_npu_check_properties(AtomNPUState *s, Error **errp);

/* atom_dram.c: the memory backend behind BAR4. */
bool atom_dram_init(AtomNPUState *s, Error **errp);
void atom_dram_lose(AtomNPUState *s);
void atom_dram_exit(AtomNPUState *s);

/* atom_host.c: the model's life and what it asks of its host. */
bool atom_host_init(AtomNPUState *s, Error **errp);
void atom_host_exit(AtomNPUState *s);
/* To be called first by every upcall that uses RCU. */
void atom_host_enter_thread(void);

/* atom_dma.c: upcalls of struct atom_model_host. */
int atom_dma_read(void *opaque, uint32_t fn, uint32_t pasid, uint64_t addr,
                  void *buf, uint64_t len);
int atom_dma_write(void *opaque, uint32_t fn, uint32_t pasid, uint64_t addr,
                   const void *buf, uint64_t len);
void *atom_dma_map(void *opaque, uint32_t fn, uint32_t pasid, uint64_t addr,
                   uint64_t *len, int is_write);
void atom_dma_unmap(void *opaque, uint32_t fn, void *ptr, uint64_t len,
                    int is_write);

/* atom_irq.c */
bool atom_irq_init(AtomNPUState *s, Error **errp);
void atom_irq_exit(AtomNPUState *s);
void atom_irq_drop_pending(AtomNPUState *s);
void atom_irq_hold(AtomNPUState *s);
void atom_irq_send(AtomNPUState *s);
void atom_irq_raise(void *opaque, uint32_t fn, uint32_t vector);

/* atom_doorbell.c */
void atom_doorbell_init_region(AtomNPUState *s);
bool atom_doorbell_start(AtomNPUState *s, Error **errp);
void atom_doorbell_stop(AtomNPUState *s);

/* atom_link.c: surprise removal. */
void atom_link_init(AtomNPUState *s);
void atom_link_set(AtomNPUState *s, bool up);


/* atom_trace.c: upcalls */
void atom_trace(void *opaque, uint32_t event, const uint64_t args[4]);
void atom_log(void *opaque, int level, const char *message);
void atom_command_time(void *opaque, const struct atom_model_command_time *t);

#endif
