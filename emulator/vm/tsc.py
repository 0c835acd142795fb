# SPDX-License-Identifier: MIT
"""The rate of the host's time stamp counter, which an emulated guest reads as its own.

The guest's kernel measures it against an emulated timer; on a busy host that has gone wrong by a factor of 20, and all of
the guest's time with it. So it is measured here, and the guest is told.
"""

import ctypes
import mmap
import platform
import time

# rdtsc; shl rdx, 32; or rax, rdx; ret
_READ_TSC = bytes.fromhex("0f3148c1e2204809d0c3")
_SAMPLES = 20
_SECONDS = 0.05


def _sample(read) -> tuple:
    """Counter and clock at one moment: the closest bracket of several, since the host may interrupt any."""
    best = None
    for _ in range(_SAMPLES):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        ticks = read()
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        if best is None or after - before < best[0]:
            best = (after - before, ticks, (before + after) // 2)
    return best[1], best[2]


def host_khz() -> int | None:
    """kHz, or None where it cannot be measured (another processor, no executable memory)."""
    if platform.machine() != "x86_64":
        return None
    try:
        code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return None
    code.write(_READ_TSC)
    anchor = ctypes.c_char.from_buffer(code)
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(anchor))
    ticks, start = _sample(read)
    time.sleep(_SECONDS)
    later, end = _sample(read)
    del read, anchor
    code.close()
    return (later - ticks) * 1_000_000 // (end - start) if later > ticks else None
