# SPDX-License-Identifier: MIT
"""What becomes of the driver's sources, and of the tree's own files, when the driver moves into the kernel tree."""

import re

FOLDER = "drivers/accel/atom"

# What kcompat offers beyond the newest spelling.
_SPELLING = [
    (re.compile(r" \| ATOM_DRIVER_GEM_GPUVA\b"), ""),
    (re.compile(r"\batom_kcompat_sched_no_hang\(\w+\)"), "DRM_GPU_SCHED_STAT_NO_HANG"),
    (re.compile(r"\bATOM_SHMEM_NORESERVE\b"), "mk_vma_flags(VMA_NORESERVE_BIT)"),
    (re.compile(r"#include <atom/(hw/\w+\.h|uapi_layout\.h)>"), r'#include "\1"'),
]
# The shared headers are for userspace and C++ too; in the tree only the driver includes them.
_SHARED = [
    (re.compile(r"\(1u << (\d+)\)"), r"BIT(\1)"),
    (re.compile(r"\(1ull << (\d+)\)"), r"BIT_ULL(\1)"),
    (re.compile(r"(?<=\n\};)\n(?=ATOM_HW_LAYOUT)"), "\n\n"),
]
_LAYOUT = """\
/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Proofs of the layout of structures that cross the PCIe link, or the border to
 * userspace: no implicit padding, multiples of 8 bytes.
 */
#ifndef ATOM_HW_LAYOUT_H
#define ATOM_HW_LAYOUT_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define ATOM_HW_LAYOUT(type, bytes)						\\
	static_assert(sizeof(type) == (bytes) && sizeof(type) % 8 == 0)
#define ATOM_HW_OFFSET(type, field, bytes)					\\
	static_assert(offsetof(type, field) == (bytes))

#endif
"""
_KBUILD = [
    (re.compile(r"^obj-\$\(if \$\(KBUILD_EXTMOD\),.*,(\$\(CONFIG_\w+\))\) \+=", re.M), r"obj-\1 +="),
    (re.compile(r"\n# .*\nifneq \(\$\(wildcard \$\(src\)/tests\),\)\n(.*?)endif\n", re.S), r"\n\1"),
    (re.compile(r"\nifneq \(\$\(KBUILD_EXTMOD\),\)\n.*?\nendif\n", re.S), ""),
]

_MAINTAINERS = """\
DRM ACCEL DRIVER FOR ATOM NPU
M:	{name} <{email}>
L:	dri-devel@lists.freedesktop.org
S:	Supported
T:	git https://gitlab.freedesktop.org/drm/misc/kernel.git
F:	Documentation/ABI/testing/sysfs-driver-atom_npu
F:	Documentation/accel/atom/
F:	drivers/accel/atom/
F:	include/uapi/drm/atom_accel.h
"""


def in_tree_source(path: str, text: str) -> str:
    """A file of the driver as it is in the tree."""
    if path == f"{FOLDER}/hw/layout.h":
        return _LAYOUT
    if path.endswith("/Makefile"):
        for pattern, replacement in _KBUILD:
            text = pattern.sub(replacement, text)
    elif path.endswith((".c", ".h")):
        if '#include "atom_kcompat.h"\n' in text:
            text = text.replace('#include "atom_kcompat.h"\n', "").replace("\n\n\n", "\n\n")
            if "struct gpu_buddy" in text:
                text = insert_sorted(text, "#include <linux/gpu_buddy.h>", "#include <linux/")
        shared = path.startswith(f"{FOLDER}/hw/") or path.endswith("/uapi_layout.h")
        for pattern, replacement in _SPELLING + (_SHARED if shared else []):
            text = pattern.sub(replacement, text)
    if re.search("kcompat|KBUILD_EXTMOD", text, re.I) and path.startswith(FOLDER):
        raise ValueError(f"{path} still knows of building outside of the tree")
    return text


def insert_sorted(text: str, line: str, start: str, key=lambda line: line, only=lambda line: True) -> str:
    """`text` with `line` put among the lines that begin with `start`, before the first that sorts behind it."""
    lines = text.splitlines(keepends=True)
    peers = [index for index, peer in enumerate(lines) if peer.startswith(start) and only(peer.rstrip("\n"))]
    behind = [index for index in peers if key(lines[index]) > key(line)]
    if not peers or not behind:
        raise ValueError(f"there is no place for the line {line!r}")
    lines.insert(behind[0], line + "\n")
    return "".join(lines)


def maintainers_entry(text: str, name: str, email: str) -> str:
    """MAINTAINERS with the driver's section before the first of the accel drivers that sorts behind it."""
    section = _MAINTAINERS.format(name=name, email=email)
    heading = section.splitlines()[0]
    for match in re.finditer(r"^DRM ACCEL DRIVERS? FOR .*$", text, re.M):
        if match.group().replace("DRIVERS", "DRIVER") > heading:
            return text[:match.start()] + section + "\n" + text[match.start():]
    raise ValueError("MAINTAINERS has no section of an accel driver")
