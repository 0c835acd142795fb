/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that differs between the QEMU versions this device is built in (10.0 to
 * 10.2): the rest of the sources reads as if there were only the newest.
 */
#ifndef HW_MISC_ATOM_QEMU_COMPAT_H
#define HW_MISC_ATOM_QEMU_COMPAT_H

#if __has_include("system/memory.h")
#include "system/memory.h"
#else
#include "exec/memory.h"
#endif

#if __has_include("hw/core/qdev-properties.h")
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#else
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#endif

#if __has_include("exec/replay-core.h")
#include "exec/replay-core.h"
#else
#include "system/replay.h"
#endif

#define ATOM_QEMU_AT_LEAST(major, minor)                                    \
    (QEMU_VERSION_MAJOR > (major) ||                                        \
     (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

/* class_init() and the tables of a TypeInfo became const in 10.1. */
#if ATOM_QEMU_AT_LEAST(10, 1)
#define ATOM_CLASS_DATA const void
#define ATOM_INTERFACES const InterfaceInfo
#else
#define ATOM_CLASS_DATA void
#define ATOM_INTERFACES InterfaceInfo
#endif

#endif
