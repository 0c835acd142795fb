/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATOM NPU: properties, all of them described for -device atom-npu,help.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/util.h"
#include "qemu/bswap.h"
#include "qemu/units.h"

#include "atom_npu.h"

static const Property atom_npu_properties[] = {
    DEFINE_PROP_LINK("memdev", AtomNPUState, memdev, TYPE_MEMORY_BACKEND,
                     HostMemoryBackend *),
    DEFINE_PROP_SIZE("dram-size", AtomNPUState, dram_size, 0),
    DEFINE_PROP_SIZE("dram-window", AtomNPUState, dram_window, 0),
    DEFINE_PROP_SIZE("shm-size", AtomNPUState, shm_size, 32 * MiB),
    DEFINE_PROP_UINT32("queues", AtomNPUState, queues, 64),
    DEFINE_PROP_UINT32("vectors", AtomNPUState, vectors, 65),
    DEFINE_PROP_UINT32("threads", AtomNPUState, threads, 0),
    DEFINE_PROP_BOOL("compute", AtomNPUState, compute, true),
    DEFINE_PROP_STRING("timing", AtomNPUState, timing),
    DEFINE_PROP_UINT64("serial", AtomNPUState, serial, 0),
    DEFINE_PROP_UUID("uuid", AtomNPUState, uuid),
    DEFINE_PROP_ON_OFF_AUTO("ioeventfd", AtomNPUState, ioeventfd,
                            ON_OFF_AUTO_AUTO),
    DEFINE_PROP_LINK("iothread", AtomNPUState, iothread, TYPE_IOTHREAD,
                     IOThread *),
    DEFINE_PROP_PCIE_LINK_SPEED("x-speed", AtomNPUState, link_speed,
                                PCIE_LINK_SPEED_32),
    DEFINE_PROP_PCIE_LINK_WIDTH("x-width", AtomNPUState, link_width,
                                PCIE_LINK_WIDTH_16),
};

static const struct {
    const char *name;
    const char *text;
} descriptions[] = {
    { "memdev",
      "id of a memory backend to be the device memory; default: own "
      "anonymous memory of dram-size bytes" },
    { "dram-size",
      "bytes of device memory, a multiple of 2 MiB; default: the size"
      " of memdev, or 1 GiB" },
    { "dram-window",
      "bytes of device memory that BAR4 shows, a multiple of 2 MiB; "
      "less than dram-size gives a device with a small BAR; default: "
      "all" },
    { "shm-size",
      "bytes of shared on-chip memory, a multiple of 4 KiB" },
    { "queues",
      "number of job queues, 1 to 255; BAR2 has a doorbell page for "
      "each and one for the admin queue" },
    { "vectors",
      "number of MSI-X vectors, 1 to 256; with fewer than queues + 1 "
      "the driver shares them" },
    { "executor",
      "pool: worker threads do the work; inline: the main loop does, "
      "deterministically, for tests" },
    { "engine",
      "fast: the best arithmetic that the host's CPU can do; "
      "reference: scalar in a fixed order, bit-exact" },
    { "threads",
      "executor=pool: compute threads, up to 256; 0: one for each CPU"
      " of the host" },
    { "pace",
      "host: jobs complete as soon as the host has done the work; "
      "device: not before the modelled time has passed" },
    { "compute",
      "off: commands cost modelled time but write no results" },
    { "timing",
      "parameters of the timing model that differ from its table, such "
      "as launch=0 (names: emulator/README.md; several with two commas "
      "between them: a single one ends the property)" },
    { "serial",
      "serial number; 0: derived from uuid" },
    { "uuid",
      "identity of the device, or 'auto' for a random one" },
    { "ioeventfd",
      "doorbells as eventfds (on), as plain writes (off), or what is "
      "faster (auto): eventfds under KVM or with iothread" },
    { "iothread",
      "id of an iothread that takes the doorbells' eventfds instead "
      "of the main loop" },
    { "x-speed",
      "link speed in GT/s that configuration space shows: 2_5, 5, 8, "
      "16, 32 or 64" },
    { "x-width",
      "link width that configuration space shows: 1, 2, 4, 8, 12, 16 "
      "or 32" },
    { "inject",
      "write-only, at run time: arms a fault, such as kind=lost-"
      "irq,after=3,count=1 (grammar: emulator/README.md)" },
    { "link-up",
      "at run time: off pulls the device by surprise, so that all "
      "reads give all ones; on plugs it in again, as after power on" },
    { "d3cold",
      "at run time: on takes the power away while the function is in D3, so "
      "that device memory loses its content" },
    { "describe",
      "read-only, at run time: the state of queues, rings, MMU and "
      "counters in words" },
};

static int executor_get(Object *obj, Error **errp)
{
    return ATOM_NPU(obj)->executor;
}

static int engine_get(Object *obj, Error **errp)
{
    return ATOM_NPU(obj)->engine;
}

static int pace_get(Object *obj, Error **errp)
{
    return ATOM_NPU(obj)->pace;
}

static bool may_set(Object *obj, const char *name, Error **errp)
{
    if (DEVICE(obj)->realized) {
        qdev_prop_set_after_realize(DEVICE(obj), name, errp);
        return false;
    }
    return true;
}

static void executor_set(Object *obj, int value, Error **errp)
{
    if (may_set(obj, "executor", errp)) {
        ATOM_NPU(obj)->executor = value;
    }
}

static void engine_set(Object *obj, int value, Error **errp)
{
    if (may_set(obj, "engine", errp)) {
        ATOM_NPU(obj)->engine = value;
    }
}

static void pace_set(Object *obj, int value, Error **errp)
{
    if (may_set(obj, "pace", errp)) {
        ATOM_NPU(obj)->pace = value;
    }
}

static const char *const executor_names[] = {
    [ATOM_EXECUTOR_INLINE] = "inline",
    [ATOM_EXECUTOR_POOL] = "pool",
};

static const char *const engine_names[] = {
    [ATOM_ENGINE_FAST] = "fast",
    [ATOM_ENGINE_REFERENCE] = "reference",
};

static const char *const pace_names[] = {
    [ATOM_PACE_HOST] = "host",
    [ATOM_PACE_DEVICE] = "device",
};

static const QEnumLookup executors = {
    .array = executor_names,
    .size = ARRAY_SIZE(executor_names),
};

static const QEnumLookup engines = {
    .array = engine_names,
    .size = ARRAY_SIZE(engine_names),
};

static const QEnumLookup paces = {
    .array = pace_names,
    .size = ARRAY_SIZE(pace_names),
};

static bool is_live(Object *obj, const char *name, Error **errp)
{
    if (!ATOM_NPU(obj)->model) {
        error_setg(errp, "property '%s' is for a running device", name);
        return false;
    }
    return true;
}

static void inject_set(Object *obj, const char *spec, Error **errp)
{
    char *message = NULL;

    if (!is_live(obj, "inject", errp)) {
        return;
    }
    if (atom_model_inject(ATOM_NPU(obj)->model, spec, &message) < 0) {
        error_setg(errp, "inject: %s", message ? message : "bad fault");
        free(message);
    }
}

static char *describe_get(Object *obj, Error **errp)
{
    char *text, *copy;

    if (!is_live(obj, "describe", errp)) {
        return NULL;
    }
    text = atom_model_describe(ATOM_NPU(obj)->model);
    if (!text) {
        error_setg(errp, "describe: out of memory");
        return NULL;
    }
    copy = g_strdup(text);
    free(text);
    return copy;
}

static bool link_up_get(Object *obj, Error **errp)
{
    return ATOM_NPU(obj)->link_up;
}

static void link_up_set(Object *obj, bool value, Error **errp)
{
    if (is_live(obj, "link-up", errp)) {
        atom_link_set(ATOM_NPU(obj), value);
    }
}

static bool d3cold_get(Object *obj, Error **errp)
{
    return ATOM_NPU(obj)->d3cold;
}

static void d3cold_set(Object *obj, bool value, Error **errp)
{
    ATOM_NPU(obj)->d3cold = value;
}

void atom_npu_class_init_properties(ObjectClass *klass)
{
    ObjectProperty *prop;

    device_class_set_props(DEVICE_CLASS(klass), atom_npu_properties);

    prop = object_class_property_add_enum(klass, "executor", "AtomExecutor",
                                          &executors, executor_get,
                                          executor_set);
    object_property_set_default_str(prop, "pool");
    prop = object_class_property_add_enum(klass, "engine", "AtomEngine",
                                          &engines, engine_get, engine_set);
    object_property_set_default_str(prop, "fast");
    prop = object_class_property_add_enum(klass, "pace", "AtomPace", &paces,
                                          pace_get, pace_set);
    object_property_set_default_str(prop, "host");

    object_class_property_add_str(klass, "inject", NULL, inject_set);
    object_class_property_add_str(klass, "describe", describe_get, NULL);
    object_class_property_add_bool(klass, "link-up", link_up_get, link_up_set);
    object_class_property_add_bool(klass, "d3cold", d3cold_get, d3cold_set);

    for (unsigned i = 0; i < ARRAY_SIZE(descriptions); i++) {
        object_class_property_set_description(klass, descriptions[i].name,
                                              descriptions[i].text);
    }
}

bool atom_npu_check_properties(AtomNPUState *s, Error **errp)
{
    if (s->queues < 1 || s->queues > ATOM_NPU_QUEUES_MAX) {
        error_setg(errp, "queues=%u is not in 1..%u", s->queues,
                   ATOM_NPU_QUEUES_MAX);
        return false;
    }
    if (s->vectors < 1 || s->vectors > ATOM_NPU_VECTORS_MAX) {
        error_setg(errp, "vectors=%u is not in 1..%u", s->vectors,
                   (unsigned)ATOM_NPU_VECTORS_MAX);
        return false;
    }
    if (!s->serial) {
        s->serial = ldq_be_p(s->uuid.data);
    }
    return true;
}
