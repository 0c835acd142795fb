#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What atom-dkms decides and says, with stand-ins for DKMS, kmod and the machine: no root, no compiler, no Debian system."""
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
KERNEL = "6.12.9-amd64"

# A module is a text: its version and, if all of it is there, "end".
MODULE = "version: {}\nend\n"
NOT_WHOLE = "error: DKMS installed no whole module"
FAKES = {
    # DKMS's tree: a file VERSION,KERNEL for each module, with what status says of it. What a test wants else is in the file dkms-VERB.
    "dkms": r"""
        echo "$*" >>$W/calls
        verb=$1; version=; kernel=
        while [ $# -gt 0 ]; do
            case $1 in -v) version=$2 ;; -k) kernel=$2 ;; esac
            shift
        done
        file=$W/$M/$kernel/updates/dkms/atom_npu.ko
        [ ! -e $W/dkms-$verb ] || . $W/dkms-$verb
        case $verb in
        status) cd $W/tree && for each in *,*; do [ ! -f "$each" ] || echo "atom/${each%,*}, ${each#*,}, x86_64: $(cat "$each")"; done |
            grep "^atom/${version:-.*}, ${kernel:-.*}," ;;
        build) echo built >$W/tree/$version,$kernel ;;
        install)
            [ ! -e $file ] || { echo "Module $file already installed at version 0, override by specifying --force"; exit 6; }
            mkdir -p ${file%/*}; printf "version: $version\nend\n" >$file; echo installed >$W/tree/$version,$kernel ;;
        uninstall) rm -f $file*; echo built >$W/tree/$version,$kernel ;;
        remove)
            for each in $W/tree/$version,*; do
                file=$W/$M/${each#*,}/updates/dkms/atom_npu.ko
                # A file that is not its own, as one that is cut off, stays.
                [ "$(cat $each)" != installed ] || [ "$(cat $file 2>/dev/null)" != "$(printf "version: $version\nend")" ] || rm -f $file
                rm -f $each
            done ;;
        *) exit 9 ;;
        esac""",
    "modinfo": r"""
        for last; do :; done
        case "$*" in
        *-k*) cat $W/modinfo 2>/dev/null ;;
        *) grep -q ^end "$last" 2>/dev/null && sed -n 's/version: //p' "$last" ;;
        esac""",
    "modprobe": 'echo "modprobe $*" >>$W/calls; [ ! -e $W/modprobe ] || . $W/modprobe',
    "mokutil": 'cat $W/mokutil',
    "uname": f"echo {KERNEL}",
    "id": 'cat $W/id',
    "df": 'echo Avail; echo 1000000',
    "depmod": "",
    "udevadm": "",
    "apt-get": "",
}


class AtomDkms(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "tree").mkdir()
        self.write("id", "0\n")
        for name, script in FAKES.items():
            self.fake(name, script)
        # The folders of the machine are below that of the test.
        text = (PACKAGING / "dkms/atom-dkms").read_text().replace("@VERSION@", "1.0.0")
        self.script = self.write("atom-dkms", re.sub(r"(?<=[\s=\"])/(lib/modules|sys|var/lib|boot|run)\b", rf"{self.root}/\1", text))
        for each in ("run", "var/lib/dkms", f"lib/modules/{KERNEL}/kernel"):
            (self.root / each).mkdir(parents=True)
        self.add_headers(KERNEL)

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def fake(self, name, script):
        self.write(f"bin/{name}", f"#!/bin/sh\nW={self.root}\nM=lib/modules\n{script}\n").chmod(0o755)

    def add_headers(self, kernel):
        (self.root / "lib/modules" / kernel / "build/include").mkdir(parents=True)

    def installed(self, kernel=KERNEL):
        return self.root / "lib/modules" / kernel / "updates/dkms/atom_npu.ko"

    def of_before(self, version="0.9.0", in_dkms=False):
        """A module that was there, and that DKMS may know."""
        self.installed().parent.mkdir(parents=True)
        self.installed().write_text(MODULE.format(version))
        if in_dkms:
            self.write(f"tree/{version},{KERNEL}", "installed\n")

    def forget(self):
        """As if the module had never been built."""
        (self.root / f"tree/1.0.0,{KERNEL}").unlink()
        self.installed().unlink()

    def calls(self):
        return (self.root / "calls").read_text().splitlines() if (self.root / "calls").exists() else []

    def says(self, *sentences, status=0, verb="build", arguments=()):
        """These sentences, a line each, and nothing else."""
        done = subprocess.run(["sh", self.script, verb, *arguments], capture_output=True, text=True, check=False, timeout=60,
                              env={"PATH": f"{self.root}/bin:/usr/bin:/bin"})
        self.assertEqual((list(sentences), "", status),
                         ([line.removeprefix("atom-dkms: ") for line in done.stderr.replace(f"{self.root}/", "/").splitlines()],
                          done.stdout, done.returncode))

    def cannot(self, why, left="it has no module"):
        return f"cannot build atom_npu 1.0.0 for kernel {KERNEL}, {left}: {why}; when that is mended, run: atom-dkms build {KERNEL}"

    def test_a_module_that_is_built_is_installed_and_those_that_were_kept_go(self):
        self.of_before()
        self.says(verb="put-away")
        self.says(f"atom_npu 1.0.0 is built for kernel {KERNEL}")
        self.assertEqual(MODULE.format("1.0.0"), self.installed().read_text())
        self.assertEqual([self.installed()], list(self.installed().parent.iterdir()))
        with self.subTest("nothing is left to do"):
            self.says()

    def test_dkms_that_installs_no_whole_module_has_failed(self):
        for name, script, why in (
                ("cut off, and nothing said", 'mkdir -p ${file%/*}; echo "version: 1.0.0" >$file', NOT_WHOLE),
                ("cut off where modinfo does not see it",
                 r'mkdir -p ${file%/*}; printf "version: 1.0.0\nend\n" >$file; echo "cp: No space left on device"', "the disk is full"),
                ("no file at all", ":", NOT_WHOLE)):
            self.write("dkms-install", f"{script}; echo installed >$W/tree/$version,$kernel; exit 0\n")
            with self.subTest(name):
                self.of_before()
                self.says(verb="put-away")
                self.says(self.cannot(why, "the module of before stays"), status=1)
                self.assertEqual(MODULE.format("0.9.0"), self.installed().read_text())
                self.assertEqual([], list((self.root / "tree").iterdir()))
            with self.subTest(name + ", and there was none before"):
                shutil.rmtree(self.installed().parent)
                self.says(self.cannot(why), status=1)
                self.assertFalse(self.installed().exists())
                shutil.rmtree(self.installed().parent, ignore_errors=True)

    def test_dkms_that_leaves_another_version_there_has_failed(self):
        self.of_before()
        self.write("dkms-install", "echo installed >$W/tree/$version,$kernel; exit 0\n")
        self.says(self.cannot(NOT_WHOLE, "the module of before stays"), status=1)
        self.assertEqual(MODULE.format("0.9.0"), self.installed().read_text())

    def test_another_version_in_dkms_gives_way_and_comes_back_if_ours_cannot_be_installed(self):
        gives_way = (f"atom_npu 0.9.0, which DKMS has from elsewhere, gives way to 1.0.0 for kernel {KERNEL}; "
                     "dkms remove atom/0.9.0 --all removes it")
        self.of_before(in_dkms=True)
        self.write("dkms-install", "exit 6\n")
        self.says(gives_way, self.cannot("DKMS failed and did not say why", "the module of before stays"), status=1)
        self.assertEqual(MODULE.format("0.9.0"), self.installed().read_text())
        with self.subTest("DKMS still knows whose it is"):
            self.assertEqual("installed\n", (self.root / f"tree/0.9.0,{KERNEL}").read_text())
        (self.root / "dkms-install").unlink()
        self.says(gives_way, f"atom_npu 1.0.0 is built for kernel {KERNEL}")
        self.assertEqual(MODULE.format("1.0.0"), self.installed().read_text())

    def test_the_upgrade_of_an_rpm_puts_the_old_version_away_by_the_new_script(self):
        self.of_before(in_dkms=True)
        self.says(verb="put-away", arguments=["0.9.0"])
        self.assertEqual([], list((self.root / "tree").iterdir()))
        self.assertEqual(MODULE.format("0.9.0"), self.installed().read_text())
        self.says(f"atom_npu 1.0.0 is built for kernel {KERNEL}")

    def test_a_kernel_that_is_too_old_is_not_told_to_get_headers(self):
        for kernel in ("4.19.0-27-amd64", "6.1.0-50-amd64", "6.11.10-amd64", "6.2.0", "6.9-rc1"):
            for headers in (False, True):
                with self.subTest(kernel, headers=headers):
                    if headers:
                        self.add_headers(kernel)
                    self.says(f"kernel {kernel} is older than 6.12 and gets no module: install a newer kernel", arguments=[kernel])
        self.assertEqual([], self.calls())
        for kernel in ("6.12.0-amd64", "6.19-rc1", "6.100.1", "7.3.4+deb13-amd64", "10.0.1"):
            with self.subTest(kernel):
                self.add_headers(kernel)
                self.says(f"atom_npu 1.0.0 is built for kernel {kernel}", arguments=[kernel])

    def test_nor_is_one_without_drm_accel(self):
        kernel = "6.12.9-cloud-amd64"
        skipped = f"kernel {kernel} has no DRM accel (CONFIG_DRM_ACCEL), as kernels for clouds, and gets no module"
        config = self.write(f"boot/config-{kernel}", "# CONFIG_DRM_ACCEL is not set\n")
        self.says(skipped, arguments=[kernel])
        self.assertEqual([], self.calls())
        with self.subTest("or which only DKMS knows to have none"):
            config.unlink()
            self.add_headers(kernel)
            self.write("dkms-build", "exit 77\n")
            self.says(skipped, arguments=[kernel])
        with self.subTest("one that has it"):
            (self.root / "dkms-build").unlink()
            config.write_text("CONFIG_DRM_ACCEL=y\n")
            self.says(f"atom_npu 1.0.0 is built for kernel {kernel}", arguments=[kernel])

    def test_headers_are_called_as_the_distribution_calls_them(self):
        shutil.rmtree(self.root / f"lib/modules/{KERNEL}/build")
        # Nothing but what the script needs: the machine's own programs would be found, too.
        for name in ("basename", "cat", "mktemp", "rm", "sh"):
            (self.root / "bin" / name).symlink_to(shutil.which(name))
        self.write(f"lib/modules/{KERNEL}/pkgbase", "linux-lts\n")
        self.fake("dnf", "")
        for gone, command in (("", f"apt-get install linux-headers-{KERNEL}"), ("apt-get", f"dnf install kernel-devel-{KERNEL}"),
                              ("dnf", "pacman -S linux-lts-headers")):
            with self.subTest(command):
                (self.root / "bin" / gone).unlink() if gone else None
                done = subprocess.run(["sh", self.script, "build"], capture_output=True, text=True, check=False, timeout=60,
                                      env={"PATH": f"{self.root}/bin"})
                self.assertEqual((f"atom-dkms: kernel {KERNEL} gets its module when its headers are there: {command}\n", 0),
                                 (done.stderr, done.returncode))

    def test_who_is_not_root_is_told_so_and_nothing_is_done(self):
        self.write("id", "1000\n")
        for verb in ("build", "put-away", "remove"):
            self.says(f"only root can do that: sudo atom-dkms {verb}", status=1, verb=verb)
        self.assertEqual([], self.calls())

    def test_the_running_module_is_exchanged_only_for_one_that_loads(self):
        self.write("sys/module/atom_npu/srcversion", "old\n")
        self.write("modinfo", "new\n")
        built = f"atom_npu 1.0.0 is built for kernel {KERNEL}"
        with self.subTest("in use"):
            self.write("modprobe", '[ "$1" != -r ] || exit 1\n')
            self.says(built, "the NPU is in use: the old module runs until the next start, or until modprobe -r atom_npu && modprobe atom_npu")
            self.assertNotIn("modprobe atom_npu", self.calls())
        with self.subTest("free"):
            self.forget()
            (self.root / "modprobe").unlink()
            self.says(built, "the running module is exchanged")
        with self.subTest("free, but the new one does not load"):
            self.forget()
            self.write("modprobe", '[ "$1" = -r ] || exit 1\n')
            self.says(built, "the new module does not load, and the NPU has no driver until it does: atom-smi doctor tells why")
        with self.subTest("secure boot would refuse the new one"):
            self.forget()
            (self.root / "calls").unlink()
            self.write("sys/module/module/parameters/sig_enforce", "Y\n")
            self.write("var/lib/dkms/mok.pub", "key")
            self.write("mokutil", "is not enrolled\n")
            self.says(built, "secure boot will refuse the module until DKMS's key is enrolled: mokutil --import /var/lib/dkms/mok.pub, "
                             "then restart and confirm")
            self.assertEqual([], [call for call in self.calls() if call.startswith("modprobe")])
        with self.subTest("it would take it"):
            self.forget()
            (self.root / "modprobe").unlink()
            self.write("mokutil", "is already enrolled\n")
            self.says(built, "the running module is exchanged")

    def test_removal_takes_what_was_kept(self):
        self.of_before()
        self.says(verb="put-away")
        self.says(verb="remove")
        self.assertFalse((self.root / f"lib/modules/{KERNEL}/updates").exists())


if __name__ == "__main__":
    unittest.main()
