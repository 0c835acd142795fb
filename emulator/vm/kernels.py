# SPDX-License-Identifier: MIT
"""Which kernel boots, and the modules that it finds in /lib/modules."""

import glob
import os
import shutil
import subprocess

import uncompress_kernel
from tools import HERE, TOP, Failure, cache_entry, cache_key, output_of

_KERNEL = os.path.join(HERE, "kernel")
NAMED = ("distro", "newest", "debug")


class Kernel:
    """A kernel in a folder that holds vmlinux and usr/lib/modules/RELEASE (or lib/modules/RELEASE)."""

    def __init__(self, name: str):
        if name in NAMED:
            self.image = output_of(_KERNEL, "image", name)
        elif os.path.isdir(name):
            self.image = os.path.join(os.path.realpath(name), "vmlinux")
        else:
            self.image = os.path.realpath(name)
        if not os.path.isfile(self.image):
            raise Failure(f"--kernel {name}: there is no kernel image {self.image}; give {', '.join(NAMED)}, an image, or a "
                          "folder with vmlinux and usr/lib/modules")
        self.folder = os.path.dirname(self.image)
        found = glob.glob(os.path.join(self.folder, "usr/lib/modules/*")) or glob.glob(os.path.join(self.folder, "lib/modules/*"))
        if len(found) != 1:
            raise Failure(f"--kernel {name}: beside {self.image} there must be usr/lib/modules/RELEASE, once")
        self.modules = found[0]
        self.release = os.path.basename(found[0])

    @property
    def module_root(self) -> str:
        """What modprobe -d takes: the folder above lib/modules."""
        return self.modules[:-len(f"/lib/modules/{self.release}")]

    @property
    def identity(self) -> str:
        """What tells this kernel from others, for a key of the cache."""
        return "=" + self.module_root

    def built_modules(self) -> str:
        """The folder where make module puts our own modules for this kernel."""
        return os.path.join(TOP, "build", "kernel", self.release)

    def modules_with(self, own: list) -> str:
        """Folder to mount as /lib/modules/RELEASE: the kernel's modules and the files `own` in updates/, with indices."""
        if not own:
            return self.modules
        key = cache_key("=" + self.modules, "=" + " ".join(map(os.path.basename, own)), *own, os.path.realpath(__file__))
        entry = cache_entry("modules", key, os.path.join(HERE, "atom-vm"), "--write-modules", self.modules, *own)
        return os.path.join(entry, "lib", "modules", self.release)


class InstalledKernel(Kernel):
    """A kernel that a Debian system in the folder `root` has installed, with modules of its own."""

    def __init__(self, root: str, release: str):
        self._compressed = os.path.join(root, "boot", f"vmlinuz-{release}")
        if not os.path.isfile(self._compressed):
            there = sorted(os.path.basename(path)[len("vmlinuz-"):] for path in glob.glob(os.path.join(root, "boot/vmlinuz-*")))
            raise Failure(f"--kernel {release}: {root} has no such kernel, but {', '.join(there) or 'none'}")
        self.release = release
        self.modules = os.path.join(root, "lib", "modules", release)
        key = cache_key(self._compressed, os.path.join(HERE, "uncompress_kernel.py"))
        self.image = os.path.join(cache_entry("kernel-image", key, os.path.join(HERE, "atom-vm"), "--write-image", self._compressed),
                                  "vmlinux")

    @property
    def identity(self) -> str:
        return self._compressed


def write_image(compressed: str, out: str):
    """Fill the folder `out` for InstalledKernel."""
    uncompress_kernel.main(compressed, os.path.join(out, "vmlinux"))


def write_modules(modules: str, own: list, out: str):
    """Fill the folder `out` for modules_with()."""
    release = os.path.basename(modules)
    folder = os.path.join(out, "lib", "modules", release)
    os.makedirs(os.path.join(folder, "updates"))
    os.symlink(os.path.join(modules, "kernel"), os.path.join(folder, "kernel"))
    for index in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        if os.path.exists(os.path.join(modules, index)):
            shutil.copy(os.path.join(modules, index), folder)
    for module in own:
        shutil.copy(module, os.path.join(folder, "updates"))
    subprocess.run(["/usr/sbin/depmod", "-b", out, release], check=True)


def driver_modules(kernel: Kernel, module: str | None, devices: int) -> list:
    """Our modules for this kernel: the driver that was asked for (or make module's) and what was built beside it."""
    path = os.path.realpath(module) if module else os.path.join(kernel.built_modules(), "atom_npu.ko")
    if not os.path.isfile(path):
        if module or devices > 0:
            raise Failure(f"there is no driver module {path}; build it with: make module, or start with --no-module")
        return []
    return [path] + sorted(other for other in glob.glob(os.path.join(os.path.dirname(path), "*.ko")) if other != path)
