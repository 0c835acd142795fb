# SPDX-License-Identifier: MIT
"""Packages are installed, upgraded and purged; kernels come and go."""
from installed_system import ALL, MODULE, InstalledSystem, next_release


class InstallingAndPurging(InstalledSystem):
    def test_an_ordinary_user_computes_on_the_device_inside_of_the_process(self):
        answer = self.system.run(
            "useradd --create-home user && su - user -c '"
            "g++ -std=c++17 -O1 /usr/share/doc/libatom-dev/examples/hello/hello.cpp $(pkg-config --cflags --libs libatom) -o hello && "
            "export ATOM_DEVICE=model,dram=64M,threads=1 && ./hello && atom-smi && atom-smi'")
        self.assertIn("    58     64\n   139    154\n", answer.text)
        self.assertIn("model:0", answer.text)

    def test_purging_the_emulator_leaves_nothing(self):
        self.system.install("qemu-atom")
        self.system.run("apt-get purge -qq qemu-atom")
        of_packages = set(self.system.run("cat /var/lib/dpkg/info/*.list").text.splitlines())
        left = self.system.files() - self.installed.files() - of_packages
        self.assertEqual(set(), {file for file in left if "qemu" in file or "atom" in file})

    def test_qemu_starts_with_as_many_devices_as_were_asked_for(self):
        self.system.install("qemu-atom")
        answer = self.system.run("printf 'info qtree\\nquit\\n' | QEMU_ATOM_DEVICES=2 QEMU_ATOM_OPTIONS=dram-size=64M "
                                 "qemu-system-atom -m 256 -nodefaults -display none -S -monitor stdio")
        self.assertEqual(2, answer.text.count("dev: atom-npu"), answer.text)

    def test_purging_leaves_nothing(self):
        self.system.run("apt-get purge -qq atom-dkms atom-frameworks atom-tools libatom-dev libatom-model1 libatom1")
        left = {f for f in self.system.files() - self.before if "/lib/modules/" not in f or "atom" in f}
        # The machine's key is DKMS's, and may be enrolled.
        self.assertEqual(set(), left - {"/var/lib/dkms/mok.key", "/var/lib/dkms/mok.pub"})


class Debian13(InstallingAndPurging):
    suite = "trixie"

    def test_installing_builds_the_module_and_skips_the_kernel_for_clouds(self):
        first, cloud = self.kernels["first"], self.kernels["cloud"]
        self.assertEqual([f"atom_npu 1.0.0 is built for kernel {first}",
                          f"kernel {cloud} has no DRM accel (CONFIG_DRM_ACCEL), as kernels for clouds, and gets no module"],
                         sorted(self.answer.sentences()))
        self.assertEqual("1.0.0", self.version_of_module(first))
        with self.subTest("to be skipped is no failure"):
            self.assertEqual([f"kernel {cloud} has no DRM accel (CONFIG_DRM_ACCEL), as kernels for clouds, and gets no module"],
                             self.system.run(f"atom-dkms build {cloud}", status=0).sentences())
        self.all_is_configured()

    def test_udev_finds_nothing_wrong_with_the_rules(self):
        self.system.run("udevadm verify --no-style /usr/lib/udev/rules.d/60-atom.rules")

    def test_a_new_kernel_gets_its_module_and_takes_it_along(self):
        next_kernel = self.kernels["next"]
        answer = self.install_next_kernel()
        self.assertIn(f"atom_npu 1.0.0 is built for kernel {next_kernel}", answer.sentences())
        self.assertEqual("1.0.0", self.version_of_module(next_kernel))
        self.system.run(f"apt-get purge -qq linux-image-{next_kernel} linux-headers-{next_kernel}")
        self.assertEqual(1, len(self.system.run(MODULE).text.splitlines()))

    def test_a_kernel_installs_after_the_package_is_removed_but_not_purged(self):
        next_kernel = self.kernels["next"]
        self.system.run("apt-get remove -qq atom-dkms")
        answer = self.install_next_kernel()
        self.assertEqual([], answer.sentences())
        self.system.run(f"apt-get purge -qq linux-image-{next_kernel} linux-headers-{next_kernel}")
        self.all_is_configured()
        self.assertEqual("", self.system.run(MODULE).text)

    def test_a_kernel_installs_although_the_module_does_not_build_for_it(self):
        next_kernel = self.kernels["next"]
        self.system.run("echo '#error the future' >>/usr/src/atom-1.0.0/atom_admin.c")
        answer = self.install_next_kernel()
        self.assertRegex(answer.text, f"cannot build atom_npu 1.0.0 for kernel {next_kernel.replace('+', '.')}, it has no module: "
                                      f".*the future.* run: atom-dkms build {next_kernel.replace('+', '.')}")
        self.all_is_configured()
        self.assertEqual("1.0.0", self.version_of_module(self.kernels["first"]))

    def test_an_upgrade_that_does_not_build_keeps_the_module_until_one_does(self):
        first = self.kernels["first"]

        def breaks(source):
            with open(source / "atom_admin.c", "a", encoding="utf-8") as file:
                file.write("#error a mistake\n")
        self.system.use(next_release("1.0.1-1", breaks))
        answer = self.system.install(*ALL)
        self.assertIn("the module of before stays", answer.text)
        self.assertIn("a mistake", answer.text)
        self.all_is_configured()
        self.assertEqual("1.0.0", self.version_of_module(first))
        self.system.use(next_release("1.0.2-1"))
        answer = self.system.install(*ALL)
        self.assertIn(f"atom_npu 1.0.2 is built for kernel {first}", answer.sentences())
        self.assertEqual("1.0.2", self.version_of_module(first))
        self.assertEqual(1, len(self.system.run(MODULE).text.splitlines()))
        self.system.run("apt-get purge -qq atom-dkms")
        self.assertEqual("", self.system.run(MODULE + "; dkms status | grep atom; ls -d /usr/src/atom* 2>/dev/null", status=None).text)


class Debian12(InstallingAndPurging):
    suite = "bookworm"

    def test_its_own_kernel_is_too_old_and_the_one_of_backports_gets_the_module(self):
        first = self.kernels["first"]
        too_old = [f"kernel {first} is older than 6.12 and gets no module: install a newer kernel"]
        self.assertEqual(too_old, self.answer.sentences())
        self.all_is_configured()
        with self.subTest("to be skipped is no failure"):
            self.assertEqual(too_old, self.system.run(f"atom-dkms build {first}", status=0).sentences())
        with self.subTest("DKMS, too, would skip it"):
            self.assertIn("BUILD_EXCLUSIVE", self.system.run(f"dkms build atom/1.0.0 -k {first} 2>&1", status=77).text)
        with self.subTest("and headers would not help"):
            self.system.run(f"dpkg --purge --force-depends linux-headers-{first}")
            self.assertEqual(too_old, self.system.run(f"atom-dkms build {first}").sentences())
        next_kernel = self.kernels["next"]
        answer = self.install_next_kernel()
        self.assertIn(f"atom_npu 1.0.0 is built for kernel {next_kernel}", answer.sentences())
        self.assertEqual("1.0.0", self.version_of_module(next_kernel))
