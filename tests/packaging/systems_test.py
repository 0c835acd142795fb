#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The packages in real Debian systems: what a sysadmin does with them, and does wrong. As root; make check-packages."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from debian_system import DebianSystem, copy_of_packages, next_version  # noqa: E402

ALL = ("atom-dkms", "atom-frameworks", "atom-tools", "libatom-dev", "libatom-model1")
MODULE = "find /lib/modules -name 'atom_npu.ko*'"
FOLDER = tempfile.TemporaryDirectory()


def folder(name):
    path = Path(FOLDER.name) / name
    path.mkdir()
    return path


def setUpModule():
    global RELEASED
    RELEASED = copy_of_packages(folder("released"))


class InstalledSystem(unittest.TestCase):
    """Each test has its own copy of a system where all packages are installed."""
    suite = None

    @classmethod
    def setUpClass(cls):
        if cls.suite is None:
            raise unittest.SkipTest("the tests that both systems have in common")
        cls.installed = DebianSystem(cls.suite)
        cls.addClassCleanup(cls.installed.close)
        cls.installed.use(RELEASED)
        cls.before = cls.installed.files()
        cls.answer = cls.installed.install(*ALL)
        cls.kernels = cls.installed.kernels

    def setUp(self):
        self.system = self.installed.copy()
        self.addCleanup(self.system.close)

    def version_of_module(self, kernel):
        return self.system.run(f"modinfo -k {kernel} -F version atom_npu 2>/dev/null", status=None).text.strip()

    def all_is_configured(self):
        self.assertEqual("", self.system.run("dpkg --audit").text)

    def test_an_ordinary_user_computes_on_the_device_inside_of_the_process(self):
        answer = self.system.run(
            "useradd --create-home user && su - user -c '"
            "g++ -std=c++17 -O1 /usr/share/doc/libatom-dev/examples/hello/hello.cpp $(pkg-config --cflags --libs libatom) -o hello && "
            "export ATOM_DEVICE=model,dram=64M,threads=1 && ./hello && atom-smi && atom-smi'")
        self.assertIn("    58     64\n   139    154\n", answer.text)
        self.assertIn("model:0", answer.text)

    def test_purging_leaves_nothing(self):
        self.system.run("apt-get purge -qq atom-dkms atom-frameworks atom-tools libatom-dev libatom-model1 libatom1")
        self.assertEqual(set(), {f for f in self.system.files() - self.before if "/lib/modules/" not in f or "atom" in f})


class Debian13(InstalledSystem):
    suite = "trixie"

    def test_installing_builds_the_module_and_skips_the_kernel_for_clouds(self):
        first, cloud = self.kernels["first"], self.kernels["cloud"]
        self.assertEqual([f"atom_npu 1.0.0 is built for kernel {first}",
                          f"kernel {cloud} has no DRM accel (CONFIG_DRM_ACCEL), as kernels for clouds, and gets no module"],
                         sorted(self.answer.sentences()))
        self.assertEqual("1.0.0", self.version_of_module(first))
        self.all_is_configured()

    def test_udev_finds_nothing_wrong_with_the_rules(self):
        self.system.run("udevadm verify --no-style /usr/lib/udev/rules.d/60-atom.rules")

    def test_a_new_kernel_gets_its_module_and_takes_it_along(self):
        next_kernel = self.kernels["next"]
        self.system.run("printf '#!/bin/sh\\n[ $1 != --sb-state ] || echo SecureBoot enabled\\n' >/usr/local/bin/mokutil; "
                        "chmod +x /usr/local/bin/mokutil")
        answer = self.system.install(f"linux-image-{next_kernel}", f"linux-headers-{next_kernel}")
        self.assertIn(f"atom_npu 1.0.0 is built for kernel {next_kernel}", answer.sentences())
        self.assertEqual("1.0.0", self.version_of_module(next_kernel))
        with self.subTest("secure boot does not know the key"):
            self.assertIn("secure boot will refuse the module until DKMS's key is enrolled: mokutil --import /var/lib/dkms/mok.pub, "
                          "then restart and confirm", answer.sentences())
        self.system.run(f"apt-get purge -qq linux-image-{next_kernel} linux-headers-{next_kernel}")
        self.assertEqual(1, len(self.system.run(MODULE).text.splitlines()))

    def test_a_kernel_installs_although_the_module_does_not_build_for_it(self):
        next_kernel = self.kernels["next"]
        self.system.run("echo '#error the future' >>/usr/src/atom-1.0.0/atom_admin.c")
        answer = self.system.install(f"linux-image-{next_kernel}", f"linux-headers-{next_kernel}")
        self.assertRegex(answer.text, f"cannot build atom_npu 1.0.0 for kernel {next_kernel.replace('+', '.')}, it has no module: "
                                      f".*the future.* run: atom-dkms build {next_kernel.replace('+', '.')}")
        self.all_is_configured()
        self.assertEqual("1.0.0", self.version_of_module(self.kernels["first"]))

    def test_an_upgrade_that_does_not_build_keeps_the_module_until_one_does(self):
        first = self.kernels["first"]

        def breaks(source):
            with open(source / "atom_admin.c", "a", encoding="utf-8") as file:
                file.write("#error a mistake\n")
        self.system.use(next_version(RELEASED, folder("broken"), "1.0.1-1", breaks))
        answer = self.system.install(*ALL)
        self.assertIn("the module of before stays", answer.text)
        self.assertIn("a mistake", answer.text)
        self.all_is_configured()
        self.assertEqual("1.0.0", self.version_of_module(first))
        self.system.use(next_version(RELEASED, folder("mended"), "1.0.2-1"))
        answer = self.system.install(*ALL)
        self.assertIn(f"atom_npu 1.0.2 is built for kernel {first}", answer.sentences())
        self.assertEqual("1.0.2", self.version_of_module(first))
        self.assertEqual(1, len(self.system.run(MODULE).text.splitlines()))
        self.system.run("apt-get purge -qq atom-dkms")
        self.assertEqual("", self.system.run(MODULE + "; dkms status | grep atom; ls -d /usr/src/atom* 2>/dev/null", status=None).text)

    def build_without_module(self, **options):
        self.system.run("dkms remove atom/1.0.0 --all")
        return self.system.run(f"atom-dkms build {self.kernels['first']}", **options)

    def refuses(self, why, **options):
        answer = self.build_without_module(status=1, **options)
        self.assertEqual(1, len(answer.sentences()), answer.text)
        self.assertIn(f"cannot build atom_npu 1.0.0 for kernel {self.kernels['first']}, it has no module: {why}", answer.sentences()[0])
        self.assertEqual("", self.system.run("apt-get install -qq --reinstall atom-tools >/dev/null; dpkg --audit").text)

    def test_a_full_disk_is_named(self):
        self.refuses("the disk is full", mounts="mount -t tmpfs -o size=1m tmpfs var/lib/dkms")

    def test_a_read_only_usr_is_named(self):
        self.refuses("the file system is read-only", mounts="mount --bind usr usr; mount -o remount,bind,ro usr")

    def test_a_missing_compiler_is_named(self):
        self.system.run("rm /usr/bin/gcc-14 /usr/bin/x86_64-linux-gnu-gcc-14")
        self.refuses("gcc-14: not found")

    def test_a_kernel_without_headers_is_told_what_to_install(self):
        first = self.kernels["first"]
        self.system.run(f"dkms remove atom/1.0.0 --all; dpkg --purge --force-depends linux-headers-{first}")
        answer = self.system.run(f"atom-dkms build {first}")
        self.assertEqual([f"kernel {first} gets its module when its headers are there: apt-get install linux-headers-{first}"],
                         answer.sentences())


class Debian12(InstalledSystem):
    suite = "bookworm"

    def test_its_own_kernel_is_too_old_and_the_one_of_backports_gets_the_module(self):
        self.assertEqual([f"kernel {self.kernels['first']} is older than 6.12 and gets no module: install a newer kernel"],
                         self.answer.sentences())
        self.all_is_configured()
        next_kernel = self.kernels["next"]
        answer = self.system.install(f"linux-image-{next_kernel}", f"linux-headers-{next_kernel}")
        self.assertIn(f"atom_npu 1.0.0 is built for kernel {next_kernel}", answer.sentences())
        self.assertEqual("1.0.0", self.version_of_module(next_kernel))


if __name__ == "__main__":
    try:
        unittest.main(verbosity=2)
    finally:
        FOLDER.cleanup()
