# SPDX-License-Identifier: MIT
"""Wrong things that a sysadmin does: each ends in one clear sentence and a working system."""
from installed_system import MODULE, InstalledSystem

# As the firmware tells it: four bytes of attributes, and the value.
SECURE_BOOT = ("mkdir -p /sys/firmware/efi/efivars; "
               "printf '\\6\\0\\0\\0\\1' >/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c; ")


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

    def test_a_disk_that_is_full_where_the_module_goes_is_named(self):
        folder = f"usr/lib/modules/{self.kernels['first']}/updates/dkms"
        self.refuses("the disk is full", mounts=f"mkdir -p {folder}; mount -t tmpfs -o size=16k tmpfs {folder}")

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
        with self.subTest("what it says is enough"):
            answer = self.system.install(f"linux-headers-{first}")
            self.assertEqual([f"atom_npu 1.0.0 is built for kernel {first}"], answer.sentences())

    def test_two_versions_in_dkms_leave_that_of_the_package(self):
        first = self.kernels["first"]
        self.system.run("dkms remove atom/1.0.0 --all; cp -r /usr/src/atom-1.0.0 /usr/src/atom-0.9.0; "
                        f"sed -i s/1[.]0[.]0/0.9.0/ /usr/src/atom-0.9.0/*; dkms install atom/0.9.0 -k {first}")
        self.assertEqual("0.9.0", self.version_of_module(first))
        answer = self.system.run(f"atom-dkms build {first}")
        self.assertEqual([f"atom_npu 0.9.0, which DKMS has from elsewhere, gives way to 1.0.0 for kernel {first}; "
                          "dkms remove atom/0.9.0 --all removes it", f"atom_npu 1.0.0 is built for kernel {first}"], answer.sentences())
        self.assertEqual("1.0.0", self.version_of_module(first))
        self.system.run("dkms remove atom/0.9.0 --all")
        self.assertEqual("1.0.0", self.version_of_module(first))
        self.system.run("apt-get purge -qq atom-dkms")
        self.assertEqual("", self.system.run(MODULE).text)

    def test_a_module_installed_by_hand_is_named_and_stays_unless_it_is_older(self):
        first = self.kernels["first"]
        extra, updates = (f"/lib/modules/{first}/{folder}/atom_npu.ko" for folder in ("extra", "updates"))
        self.system.run(f"mkdir -p /lib/modules/{first}/extra; xz -dc /lib/modules/{first}/updates/dkms/atom_npu.ko.xz >{extra}; depmod {first}")
        answer = self.build_without_module(status=1)
        self.assertEqual([f"kernel {first} keeps {extra}, which no package of this name installed and which is not older: remove that "
                          f"file, then run: atom-dkms build {first}"], answer.sentences())
        self.assertEqual(f"{extra}\n", self.system.run(f"modinfo -k {first} -n atom_npu").text)
        with self.subTest("older ones, which DKMS puts away"):
            self.system.run(f"sed -i s/version=1[.]0[.]0/version=0.9.0/ {extra}; cp {extra} {updates}; "
                            f"echo 'search extra updates built-in' >/etc/depmod.d/hand.conf; depmod {first}")
            self.system.run(f"atom-dkms build {first}")
            self.assertEqual("1.0.0", self.version_of_module(first))

    def test_secure_boot_without_the_key_is_told_how_to_enrol_it(self):
        first = self.kernels["first"]
        self.assertRegex(self.system.run(f"modinfo -k {first} -F signer atom_npu").text, "DKMS module signing key")
        answer = self.system.run(SECURE_BOOT + f"atom-dkms build {first}")
        self.assertEqual(["secure boot will refuse the module until DKMS's key is enrolled: mokutil --import /var/lib/dkms/mok.pub, "
                          "then restart and confirm"], answer.sentences())
        with self.subTest("enrolled"):
            self.system.run("printf '#!/bin/sh\\necho $2 is already enrolled\\n' >/usr/local/bin/mokutil; chmod +x /usr/local/bin/mokutil")
            self.assertEqual([], self.system.run(f"atom-dkms build {first}").sentences())
        with self.subTest("not signed"):
            self.system.run("rm /usr/bin/openssl /var/lib/dkms/mok.*")
            self.assertIn("secure boot will refuse the module, which DKMS did not sign: apt-get install --reinstall openssl atom-dkms",
                          self.build_without_module().sentences())
