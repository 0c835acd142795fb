/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: the device model's life, its clock and timer, and the bottom half
 * in which the inline executor works.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"

#include "atom_npu.h"

/* How long the inline executor may keep the main loop (and the BQL). */
#define RUN_BUDGET_NS   (500 * SCALE_US)

/* The device has page tables of its own; one address space for each context. */
#define NUM_ASIDS       256

static void leave_thread(gpointer registered)
{
    rcu_unregister_thread();
}

/*
 * Worker threads are the model's: RCU does not know them. They are registered
 * when they first come here, and unregistered when they end.
 */
void atom_host_enter_thread(void)
{
    static GPrivate registered = G_PRIVATE_INIT(leave_thread);
    static __thread bool known;

    if (likely(known)) {
        return;
    }
    known = true;
    /* QEMU's own threads are in the registry's list already. */
    if (!get_ptr_rcu_reader()->node.le_prev) {
        rcu_register_thread();
        g_private_set(&registered, &registered);
    }
}

static uint64_t atom_now_ns(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void atom_kick(void *opaque)
{
    AtomNPUState *s = opaque;

    qemu_bh_schedule(s->run_bh);
}

static void atom_run_bh(void *opaque)
{
    AtomNPUState *s = opaque;

    atom_irq_hold(s);
    if (atom_model_run(s->model, RUN_BUDGET_NS)) {
        qemu_bh_schedule(s->run_bh);
    }
    atom_irq_send(s);
}

static void atom_set_timer(void *opaque, uint64_t deadline_ns)
{
    AtomNPUState *s = opaque;

    /* Timers of the main loop can be set from any thread. */
    if (deadline_ns == UINT64_MAX) {
        timer_del(s->timer);
    } else {
        timer_mod_ns(s->timer, MIN(deadline_ns, INT64_MAX));
    }
}

static void atom_timer_due(void *opaque)
{
    AtomNPUState *s = opaque;

    atom_model_timer(s->model);
}

static const struct atom_model_host atom_host = {
    .struct_size = sizeof(atom_host),
    .abi = ATOM_MODEL_ABI,
    .dma_read = atom_dma_read,
    .dma_write = atom_dma_write,
    .dma_map = atom_dma_map,
    .dma_unmap = atom_dma_unmap,
    .irq = atom_irq_raise,
    .now_ns = atom_now_ns,
    .kick = atom_kick,
    .timer = atom_set_timer,
    .trace = atom_trace,
    .log = atom_log,
    .command_time = atom_command_time,
};

/*
 * While the VM is stopped, neither guest memory nor device memory may change
 * under a debugger's or a snapshot's hands.
 */
static void atom_vm_state_changed(void *opaque, bool running, RunState state)
{
    AtomNPUState *s = opaque;

    if (running && s->stopped) {
        s->stopped = false;
        atom_model_resume(s->model);
    } else if (!running && !s->stopped) {
        s->stopped = true;
        atom_model_quiesce(s->model);
    }
}

bool atom_host_init(AtomNPUState *s, Error **errp)
{
    struct atom_model_config config = {
        .struct_size = sizeof(config),
        .platform = ATOM_PLATFORM_EMULATOR,
        .dram = memory_region_get_ram_ptr(
            host_memory_backend_get_memory(s->dram)),
        .dram_size = s->dram_size,
        .dram_window = s->dram_window,
        .shm_size = s->shm_size,
        .num_queues = s->queues,
        .num_asids = NUM_ASIDS,
        .num_vectors = s->vectors,
        .executor = s->executor,
        .engine = s->engine,
        .threads = s->threads,
        .pace = s->pace,
        .compute_off = !s->compute,
        .serial = s->serial,
        .timing = s->timing,
    };
    char *message = NULL;
    sigset_t all, saved;

    if (atom_model_abi() < ATOM_MODEL_ABI) {
        error_setg(errp, "the device model linked in has ABI %u, this device "
                   "needs %u: rebuild QEMU with emulator/qemu/build",
                   atom_model_abi(), ATOM_MODEL_ABI);
        return false;
    }
    memcpy(config.uuid, s->uuid.data, sizeof(config.uuid));

    s->run_bh = qemu_bh_new_guarded(atom_run_bh, s,
                                    &DEVICE(s)->mem_reentrancy_guard);
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, atom_timer_due, s);

    /* The threads that the model starts are not to take QEMU's signals. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved);
    s->model = atom_model_create(&atom_host, s, &config, &message);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);

    if (!s->model) {
        error_setg(errp, "%s", message ? message : "the device model could not "
                   "be created, and gave no reason");
        free(message);
        atom_host_exit(s);
        return false;
    }
    if (!runstate_is_running()) {
        s->stopped = true;
        atom_model_quiesce(s->model);
    }
    s->vm_state = qemu_add_vm_change_state_handler(atom_vm_state_changed, s);
    return true;
}

void atom_host_exit(AtomNPUState *s)
{
    if (s->vm_state) {
        qemu_del_vm_change_state_handler(s->vm_state);
        s->vm_state = NULL;
    }
    if (s->model) {
        /* Joins the workers: they do not wait for the BQL, which we hold. */
        atom_model_destroy(s->model);
        s->model = NULL;
    }
    if (s->timer) {
        timer_free(s->timer);
        s->timer = NULL;
    }
    if (s->run_bh) {
        qemu_bh_delete(s->run_bh);
        s->run_bh = NULL;
    }
}
