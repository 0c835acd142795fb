# SPDX-License-Identifier: MIT
"""The initramfs: a part that depends on the kernel only, and a small one for each run (the kernel unpacks both)."""

import os
import shlex
import stat
import subprocess

from tools import HERE, Failure, cache_entry, cache_key

BUSYBOX = "/bin/busybox"

# What stands between the kernel and its root file system; their dependencies come from modprobe.
BOOT_MODULES = ["virtio_pci", "virtio_console", "9p", "9pnet_virtio", "overlay"]


class Cpio:
    """Writes a cpio archive in the format of an initramfs ("newc")."""

    def __init__(self):
        self._parts = []
        self._inode = 1

    def folder(self, name: str):
        self._entry(name, stat.S_IFDIR | 0o755, b"")

    def file(self, name: str, content: bytes, mode: int = 0o644):
        self._entry(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str):
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def finish(self) -> bytes:
        self._entry("TRAILER!!!", 0, b"")
        return b"".join(self._parts)

    def _entry(self, name: str, mode: int, content: bytes):
        path = name.encode() + b"\0"
        fields = [self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0]
        self._inode += 1
        header = b"070701" + b"".join(b"%08X" % field for field in fields) + path
        self._parts += [header, b"\0" * (-len(header) % 4), content, b"\0" * (-len(content) % 4)]


def _boot_modules(kernel_folder: str, release: str) -> list:
    """Paths of the modules to insert, in order."""
    paths = []
    for module in BOOT_MODULES:
        result = subprocess.run(["/usr/sbin/modprobe", "-d", kernel_folder, "-S", release, "--show-depends", module],
                                capture_output=True, text=True)
        if result.returncode != 0:
            raise Failure(f"the kernel {release} has no module {module}: {result.stderr.strip()}")
        for line in result.stdout.splitlines():
            word, _, path = line.strip().partition(" ")
            if word == "insmod" and path not in paths:
                paths.append(path)
    return paths


def write_base(kernel_folder: str, release: str, out: str):
    """Write the part of the initramfs that depends on the kernel into the folder `out`."""
    if not os.access(BUSYBOX, os.X_OK):
        raise Failure(f"{BUSYBOX} is missing: make deps installs busybox-static")
    archive = Cpio()
    for folder in ("bin", "dev", "proc", "sys", "modules", "job"):
        archive.folder(folder)
    with open(BUSYBOX, "rb") as file:
        archive.file("bin/busybox", file.read(), 0o755)
    for applet in subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            archive.link(f"bin/{applet}", "busybox")
    order = []
    for path in _boot_modules(kernel_folder, release):
        order.append(os.path.basename(path))
        with open(path, "rb") as file:
            archive.file(f"modules/{order[-1]}", file.read())
    archive.file("modules/order", "\n".join(order).encode() + b"\n")
    with open(os.path.join(HERE, "guest-initramfs"), "rb") as file:
        archive.file("init", file.read(), 0o755)
    with open(os.path.join(HERE, "guest-init"), "rb") as file:
        archive.file("guest-init", file.read(), 0o755)
    with open(os.path.join(out, "initrd"), "wb") as file:
        file.write(archive.finish())


def base(kernel) -> str:
    """Path of the cached part."""
    key = cache_key(kernel.identity, "=" + kernel.release, BUSYBOX, *(os.path.join(HERE, name) for name in (
        "guest-initramfs", "guest-init", "initrd.py")))
    return os.path.join(cache_entry("initrd", key, os.path.join(HERE, "atom-vm"), "--write-initrd",
                                    kernel.module_root, kernel.release), "initrd")


def job(settings: dict, command: list, directory: str, environment: dict) -> bytes:
    """The part for one run: what guest-init is to do. Strings may hold any bytes that a command line can."""

    def text(lines):
        return os.fsencode("\n".join(lines) + "\n")

    script = ["echo $$ >/sys/fs/cgroup/job/cgroup.procs"]
    script += [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    script += [f"cd {shlex.quote(directory)} 2>/dev/null || cd /"]
    script += ["exec " + " ".join(map(shlex.quote, command))]
    archive = Cpio()
    archive.folder("job")
    archive.file("job/job.sh", text(f"job_{name}={shlex.quote(str(value))}" for name, value in settings.items()))
    archive.file("job/command.sh", text(script))
    return archive.finish()
