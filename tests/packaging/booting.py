# SPDX-License-Identifier: MIT
"""The systems boot in the emulator by their own kernels, and people use the NPU: before and after upgrades."""
from installed_system import ALL, MODULE, InstalledSystem, next_release

HELLO = "    58     64\n   139    154\n"
# What each start has to show, as root, as a user of the group render, and as one who is not.
LOOK = r"""
exec 2>&1
echo "module: $(cat /sys/module/atom_npu/version)"
echo "node: $(stat -c '%U %G %a' /dev/accel/accel0)"
for link in /dev/accel/by-path/* /dev/accel/by-id/*; do echo "link: $link to $(readlink -f $link)"; done
su - user -c 'id -un; ATOM_LOG=warning ./hello && atom-smi && ATOM_DEVICE=model,dram=64M,threads=1 ./hello; echo "user: $?"'
su - stranger -c '/home/user/hello; echo "stranger: $?"; atom-smi doctor'
true
"""


class Booting(InstalledSystem):
    def works(self, kernel, version):
        text = self.system.boot(kernel, LOOK).text
        self.assertIn(f"module: {version}\n", text)
        with self.subTest("who may use it"):
            self.assertIn("node: root render 660\n", text)
            self.assertRegex(text, r"permission denied \(root:render 0660; add user to group render\)|add user to group render")
            self.assertRegex(text, r"stranger: [1-9]")
            self.assertIn("to fix it: as root: usermod -aG render USER, then log in again", text)
        with self.subTest("names that stay"):
            self.assertRegex(text, r"link: /dev/accel/by-path/pci-0000:[0-9a-f:.]+ to /dev/accel/accel0\n")
            self.assertRegex(text, r"link: /dev/accel/by-id/atom-[0-9A-Za-z]+ to /dev/accel/accel0\n")
        with self.subTest("both devices compute"):
            self.assertEqual(2, text.count(HELLO), text)
            self.assertRegex(text, r"accel0.*\bok\b|\bok\b.*accel0")
            self.assertIn("user: 0\n", text)

    def upgrade_packages(self):
        self.system.use(next_release("1.0.1-1"))
        self.system.install(*ALL)
        self.all_is_configured()

    def purge(self):
        self.system.run("apt-get purge -qq atom-dkms atom-frameworks atom-tools libatom-dev libatom-model1 libatom1")
        self.assertEqual("", self.system.run(MODULE).text)
        self.all_is_configured()


class BootingDebian13(Booting):
    suite = "trixie"

    def test_works_before_and_after_upgrades_of_packages_and_kernel_and_can_be_purged(self):
        self.add_users()
        self.works(self.kernels["first"], "1.0.0")
        self.upgrade_packages()
        self.install_next_kernel()
        self.works(self.kernels["next"], "1.0.1")
        self.works(self.kernels["first"], "1.0.1")
        self.purge()
        text = self.system.boot(self.kernels["next"], "ls /dev/accel /sys/module/atom_npu 2>&1; true").text
        self.assertIn("cannot access '/dev/accel'", text)


class BootingDebian12(Booting):
    suite = "bookworm"

    def test_works_by_the_backports_kernel_before_and_after_an_upgrade_of_the_packages_and_can_be_purged(self):
        self.add_users()
        self.install_next_kernel()
        self.works(self.kernels["next"], "1.0.0")
        self.upgrade_packages()
        self.works(self.kernels["next"], "1.0.1")
        self.purge()
