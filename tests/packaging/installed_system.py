# SPDX-License-Identifier: MIT
"""What tests of the packages have in common: a Debian system where all of them are installed, a copy of it for each test."""
import atexit
import functools
import re
import tempfile
import unittest
from pathlib import Path

from debian_system import DebianSystem, copy_of_packages, next_version

ALL = ("atom-dkms", "atom-frameworks", "atom-tools", "libatom-dev", "libatom-model1")
MODULE = "find /lib/modules -name 'atom_npu.ko*'"
_FOLDER = tempfile.TemporaryDirectory(prefix="atom-packages.")
atexit.register(_FOLDER.cleanup)


def _folder(name):
    path = Path(_FOLDER.name) / name
    path.mkdir()
    return path


@functools.cache
def released():
    """A repository of the packages under test."""
    return copy_of_packages(_folder("released"))


def next_release(version, change=lambda driver: None):
    """A repository of the same as another version; @p change may edit the driver's source."""
    return next_version(released(), Path(tempfile.mkdtemp(dir=_FOLDER.name)), version, change)


class _Installed:
    def __init__(self, suite):
        self.system = DebianSystem(suite)
        atexit.register(self.system.close)
        self.system.use(released())
        self.before = self.system.files()
        self.answer = self.system.install(*ALL)


_installed = functools.cache(_Installed)


class InstalledSystem(unittest.TestCase):
    """Tests of a system; those that both systems have in common are in classes without one."""
    suite = None

    @classmethod
    def setUpClass(cls):
        if cls.suite is None:
            raise unittest.SkipTest("for each suite in a class of its own")
        installed = _installed(cls.suite)
        cls.installed, cls.before, cls.answer = installed.system, installed.before, installed.answer
        cls.kernels = cls.installed.kernels

    def setUp(self):
        self.system = self.installed.copy()
        self.addCleanup(self.system.close)

    def version_of_module(self, kernel):
        return self.system.run(f"modinfo -k {kernel} -F version atom_npu 2>/dev/null", status=None).text.strip()

    def install_next_kernel(self):
        release = self.kernels["next"]
        return self.system.install(f"-t {self.suite}-backports", f"linux-image-{release}", f"linux-headers-{release}")

    def all_is_configured(self):
        self.assertEqual("", self.system.run("dpkg --audit").text)

    def sections(self, text):
        """What was printed after each line "== NAME"."""
        parts = re.split(r"^== (.*)\n", text, flags=re.M)
        return dict(zip(parts[1::2], parts[2::2]))

    def add_users(self):
        """One of the group render, with a program of its own in her folder, and one who is not."""
        self.system.run(
            "useradd --create-home --groups render user; useradd --create-home stranger; su - user -c '"
            "g++ -std=c++17 -O1 /usr/share/doc/libatom-dev/examples/hello/hello.cpp $(pkg-config --cflags --libs libatom) -o hello'; "
            "chmod 755 /home/user")
