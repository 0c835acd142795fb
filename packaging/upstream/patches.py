# SPDX-License-Identifier: MIT
"""The series: what its cover letter says, and each patch's message and files (regular expressions of paths in the kernel tree; a file
goes into the first patch that takes it). The build learns of the driver last, so that every patch leaves a tree that compiles."""

COVER = """\
accel/atom: Add a driver for ATOM NPUs

ATOM is a PCIe accelerator for neural network inference: tensor commands
run on buffers in host or device memory, behind an MMU of its own, from
up to 64 queues.

The driver stands on the shared parts: GEM, drm_gpuvm for address spaces
that userspace lays out, drm_sched with one scheduler and entity a queue,
syncobjs and timelines for all waiting, buddy allocation for the device's
memory. Nothing that the device says is believed before it was checked.

The interface of the device is public, and an emulator of it, a QEMU
device model, runs the tests of this driver; the user of the uapi is the
library libatom with plug-ins for ONNX Runtime and llama.cpp.
"""

_DRIVER = "drivers/accel/atom/"

PATCHES = [
    ("""\
accel/atom: Add the uapi header

One structure an ioctl that may grow at its end, arrays that carry the
size of their elements, and capability bits instead of versions. All
waiting is done with syncobjs, all addresses are chosen by userspace.

The entry in MAINTAINERS covers the whole series.""",
     ["include/uapi/drm/atom_accel\\.h", "MAINTAINERS"]),
    ("""\
accel/atom: Add the programming interface of the device

Registers, queues, page tables, faults and the admin queue, with proofs
of the layout of each structure that crosses the link.""",
     [_DRIVER + "hw/.*", _DRIVER + "uapi_layout\\.h"]),
    ("""\
accel/atom: Add the device: start, interrupts, admin queue, faults

Negotiates the interface, starts and stops the device, and declares it
dead when it does not answer or contradicts itself. Answers are checked
against what the driver asked for.""",
     [_DRIVER + "atom_(device|irq|admin|fault|uapi|reset|aer|quota|seqno)\\.[ch]"]),
    ("""\
accel/atom: Add buffers and the memory of the device

Buffers live in system memory, in device memory or in shared on-chip
memory for all their life, and are zero when userspace gets them.""",
     [_DRIVER + "atom_(bo|bo_map|vram|prime|userptr)\\.[ch]"]),
    ("""\
accel/atom: Add address spaces

Userspace chooses addresses (VM_BIND, all operations or none); drm_gpuvm
keeps them, and page tables are written before the call returns.""",
     [_DRIVER + "atom_(vm|vm_bind|mmu)\\.[ch]"]),
    ("""\
accel/atom: Add queues and jobs

A ring, a scheduler and an entity a queue. A job that makes no progress
is given up, its queue reset alone and banned; what befell it is told by
QUEUE_GET_STATE, also when the device is lost.""",
     [_DRIVER + "atom_(queue.*|sched|submit)\\.[ch]"]),
    ("""\
accel/atom: Tell what the device does

Queries, fdinfo by drm-usage-stats, hwmon, sysfs attributes with their
ABI document, and debugfs.""",
     [_DRIVER + "atom_(query|fdinfo|hwmon|sysfs|telemetry|debugfs.*|trace.*|perf.*)\\.[ch]", "Documentation/ABI/.*"]),
    ("""\
accel/atom: Add KUnit tests

Page tables, sequence arithmetic and the copies of growing structures,
without a device.""",
     [_DRIVER + "tests/.*"]),
    ("""\
accel/atom: Add the driver to the build

PCI and DRM driver, the ioctl table, Kconfig and Makefile.""",
     [_DRIVER + ".*", "drivers/accel/Kconfig", "drivers/accel/Makefile"]),
    ("""\
Documentation/accel: Add the manual of the ATOM driver

It gathers the DOC sections of the driver.""",
     ["Documentation/accel/.*"]),
]
