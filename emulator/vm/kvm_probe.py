# SPDX-License-Identifier: MIT
"""Whether KVM can be used: only a boot tells.

On some hosts (nested, paravirtual) /dev/kvm opens and creates virtual machines that then die, so neither its presence nor
a successful ioctl means anything. The probe boots the guest with KVM once, and its answer is kept per host kernel and QEMU.
"""

import os
import platform
import subprocess
import tempfile

from tools import HERE, cache_dir, cache_key

_PROBE_SECONDS = 60


def works(qemu: str, release: str) -> bool:
    """The remembered answer of the probe boot of kernel `release`, or that of a new one."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    key = cache_key(f"={platform.release()} {platform.version()} {os.stat('/dev/kvm').st_ctime}", "=" + release, "=" + qemu)
    answer = os.path.join(cache_dir("kvm-probe"), key)
    try:
        with open(answer) as file:
            return file.read() == "yes"
    except FileNotFoundError:
        pass
    result = "yes" if _probe() else "no"
    with open(answer + ".new", "w") as file:
        file.write(result)
    os.replace(answer + ".new", answer)
    return result == "yes"


def _probe() -> bool:
    with tempfile.NamedTemporaryFile(prefix="atom-vm-probe.") as log:
        command = [os.path.join(HERE, "atom-vm"), "--accel", "kvm", "--devices", "0", "--no-module", "--log", log.name, "--", "true"]
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=_PROBE_SECONDS).returncode == 0
        except subprocess.TimeoutExpired:
            return False
