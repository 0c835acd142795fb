# SPDX-License-Identifier: MIT
"""What happens to the module that runs, in a machine: it is refused, exchanged, kept while the NPU is in use, met by a library of another
version."""
import json
import shutil

from booting import HELLO
from installed_system import InstalledSystem, next_release

# Old and new: what a program finds in a version of the driver that is not the library's own.
QUERY = "size = sizeof(answer.info);"
KNOWS_LESS = "size = offsetof(struct drm_atom_dev_info, engines);"
MORE = ("\t__u32 macs_log2_max;\n", "\t__u32 macs_log2_max;\n\t__u64 what_comes_later[8];\n")


def replace(path, old, new):
    text = path.read_text()
    if old not in text:
        raise AssertionError(f"{path} has no {old!r}")
    path.write_text(text.replace(old, new))


def older(source):
    replace(source / "atom_query.c", QUERY, KNOWS_LESS)


def newer(source):
    replace(source / "include/uapi/drm/atom_accel.h", *MORE)
    replace(source / "include/atom/uapi_layout.h", "drm_atom_dev_info, 168)", "drm_atom_dev_info, 232)")
    replace(source / "atom_drv.c", "\t.minor = 0,", "\t.minor = 1,")


def foreign(source):
    replace(source / "atom_drv.c", "\t.major = 1,", "\t.major = 2,")


class Running(InstalledSystem):
    suite = "trixie"

    def setUp(self):
        super().setUp()
        self.add_users()
        self.kernel = self.kernels["first"]
        # Inside of the system, where the machine finds it.
        self.store = self.system.work / "upper/srv/versions"
        self.store.mkdir(parents=True)

    def build_module(self, name, change):
        """Leaves the module of a changed driver as NAME.ko in the store: emulation would take minutes to compile one."""
        self.system.run(f"cp -r /usr/src/atom-1.0.0 /srv/versions/{name}")
        change(self.store / name)
        self.system.run(f"make -C /srv/versions/{name} KDIR=/lib/modules/{self.kernel}/build >/dev/null && "
                        f"cd /srv/versions && mv {name}/atom_npu.ko {name}.ko && rm -r {name}")

    def package(self, version, change):
        """Leaves a package of atom-dkms in the store that has its module from there, too."""
        upstream = version.split("-")[0]

        def other(source):
            change(source)
            replace(source / "atom_drv.c", 'MODULE_VERSION("1.0.0")', f'MODULE_VERSION("{upstream}")')

        self.build_module(upstream, other)
        release = next_release(version, lambda source: replace(source / "dkms.conf", 'MAKE[0]="make KDIR=${kernel_source_dir}"',
                                                               f'MAKE[0]="cp /srv/versions/{upstream}.ko atom_npu.ko"'))
        shutil.copy(next(release.glob("atom-dkms_*.deb")), self.store / f"{upstream}.deb")

    def test_without_the_key_secure_boot_refuses_the_module_and_all_else_works(self):
        said = self.sections(self.system.boot(self.kernel, r"""
            exec 2>&1
            echo "== modprobe"; modprobe atom_npu; ls -d /sys/module/atom_npu
            echo "== atom-dkms"; atom-dkms build $(uname -r)
            echo "== doctor"; su - user -c 'atom-smi doctor'
            echo "== hello"; su - user -c './hello'
            echo "== model"; su - user -c 'ATOM_DEVICE=model,dram=64M,threads=1 ./hello'
            true
            """, append=["module.sig_enforce=1"]).text)
        self.assertIn("Key was rejected by service", said["modprobe"])
        self.assertIn("cannot access '/sys/module/atom_npu'", said["modprobe"])
        self.assertIn("secure boot will refuse the module until DKMS's key is enrolled: mokutil --import /var/lib/dkms/mok.pub, then "
                      "restart and confirm", said["atom-dkms"])
        self.assertIn("this kernel (secure boot) refuses modules whose key is not enrolled", said["doctor"])
        self.assertIn("mokutil --import /var/lib/dkms/mok.pub", said["doctor"])
        self.assertEqual(1, len(said["hello"].strip().splitlines()), said["hello"])
        self.assertIn(HELLO, said["model"])

    def test_an_upgrade_leaves_the_module_in_use_alone_and_exchanges_one_that_is_free(self):
        self.package("1.0.1-1", newer)
        self.package("1.0.2-1", lambda source: None)
        said = self.sections(self.system.boot(self.kernel, r"""
            exec 2>&1
            versions() { echo "runs $(cat /sys/module/atom_npu/version), installed $(modinfo -F version atom_npu)"; }
            su - user -c 'exec 3<>/dev/accel/accel0; echo $$ >uses; exec sleep 100000' &
            until [ -s /home/user/uses ]; do sleep 1; done
            echo "== in use"; dpkg -i /srv/versions/1.0.1.deb; echo "dpkg: $?"; versions
            echo "== works on"; su - user -c ./hello
            kill $(cat /home/user/uses); wait
            echo "== by hand"; modprobe -r atom_npu && modprobe atom_npu; udevadm settle; versions
            echo "== older library"; su - user -c ./hello
            echo "== free"; dpkg -i /srv/versions/1.0.2.deb; echo "dpkg: $?"; udevadm settle; versions
            echo "== afterwards"; su - user -c ./hello
            modprobe -r atom_npu
            echo "== not loaded"; dpkg -i /srv/versions/1.0.2.deb; echo "dpkg: $?"; udevadm settle; versions
            true
            """).text)
        self.assertIn("atom-dkms: the NPU is in use: the old module runs until the next start, or until modprobe -r atom_npu && "
                      "modprobe atom_npu\n", said["in use"])
        self.assertIn("dpkg: 0\nruns 1.0.0, installed 1.0.1\n", said["in use"])
        self.assertIn("runs 1.0.1, installed 1.0.1\n", said["by hand"])
        self.assertIn("atom-dkms: the running module is exchanged\n", said["free"])
        self.assertIn("dpkg: 0\nruns 1.0.2, installed 1.0.2\n", said["free"])
        self.assertIn("dpkg: 0\nruns 1.0.2, installed 1.0.2\n", said["not loaded"])
        for moment in ("works on", "older library", "afterwards"):
            self.assertIn(HELLO, said[moment], moment)

    def test_library_and_module_of_different_versions_agree_on_what_both_know_or_say_so(self):
        self.build_module("older", older)
        self.build_module("foreign", foreign)
        said = self.sections(self.system.boot(self.kernel, r"""
            exec 2>&1
            load() { rmmod atom_npu; insmod /srv/versions/$1.ko; udevadm settle; }
            modprobe atom_npu # for what it needs itself
            load older
            echo "== older"; su - user -c './hello && atom-smi'
            load foreign
            echo "== foreign"; su - user -c './hello'
            echo "== model"; su - user -c 'ATOM_DEVICE=model,dram=64M,threads=1 ./hello'
            true
            """).text)
        self.assertIn(HELLO, said["older"])
        self.assertIn("accel0", said["older"])
        self.assertIn("driver atom_npu has version 2, this library needs 1: update the older of the two", said["foreign"])
        self.assertEqual(1, len(said["foreign"].strip().splitlines()), said["foreign"])
        self.assertIn(HELLO, said["model"])

    def test_a_card_comes_and_goes_and_keeps_its_names_and_its_users(self):
        said = self.sections(self.system.boot(self.kernel, r"""
            exec 2>&1
            names() { for link in /dev/accel/by-*/*; do [ ! -e "$link" ] || echo "$link $(stat -L -c '%G %a' $link)"; done; }
            control() { exec 8<>/dev/virtio-ports/atom.control; echo "$*" >&8; read -r answer <&8; echo "$answer"; exec 8<&-; }
            slot=$(control list | grep -o '[a-z0-9]*=npu0' | cut -d= -f1)
            echo "== before"; names
            echo "== tags"; udevadm info -q property /dev/accel/accel0
            echo "== cdi"; atom-smi cdi
            echo "== unplugged"; control unplug $slot; udevadm settle; names
            control plug $slot >/dev/null; udevadm settle
            until ls /dev/accel/by-path/* >/dev/null 2>&1; do sleep 1; udevadm settle; done
            echo "== after"; names
            echo "== hello"; su - user -c ./hello
            true
            """, device=["serial=4711"]).text)
        self.assertRegex(said["before"], r"^/dev/accel/by-id/atom-\S+ render 660\n/dev/accel/by-path/pci-\S+ render 660\n$")
        self.assertRegex(said["tags"], r"TAGS=\S*:uaccess:")
        self.assertIn("/dev/accel/accel0", json.dumps(json.loads(said["cdi"])))
        self.assertEqual("ok\n", said["unplugged"])
        self.assertEqual(said["before"], said["after"])
        self.assertIn(HELLO, said["hello"])
