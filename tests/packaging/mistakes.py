# SPDX-License-Identifier: MIT
"""Wrong things that a sysadmin does: each ends in one clear sentence and a working system."""
from installed_system import InstalledSystem


class Mistakes(InstalledSystem):
    suite = "trixie"

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
        self.refuses("x86_64-linux-gnu-gcc-14: not found")

    def test_a_kernel_without_headers_is_told_what_to_install(self):
        first = self.kernels["first"]
        self.system.run(f"dkms remove atom/1.0.0 --all; dpkg --purge --force-depends linux-headers-{first}")
        answer = self.system.run(f"atom-dkms build {first}")
        self.assertEqual([f"kernel {first} gets its module when its headers are there: apt-get install linux-headers-{first}"],
                         answer.sentences())
