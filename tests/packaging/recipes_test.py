#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One version everywhere; and the recipes for other distributions can be read."""
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


FOR_SH = ("dkms/atom-dkms", "dkms/install-source", "dkms/hook-build", "dkms/hook-remove", "rpm/kernel-install", "qemu/qemu-system-atom")


def found(path, pattern):
    match = re.search(pattern, (TOP / path).read_text(), re.M)
    return match and ".".join(match.groups())


def parsed(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


class Recipes(unittest.TestCase):
    def test_all_parts_say_the_version_of_the_changelog(self):
        version = found("packaging/debian/changelog", r"^atom \(([\d.]+)-\d+\)")
        self.assertEqual({version}, {
            found("CMakeLists.txt", r"^project\(atom VERSION ([\d.]+)"),
            found("include/atom/config.hpp", r"compiled_version\{(\d+), (\d+), (\d+)\}"),
            found("kernel/atom_drv.c", r'^MODULE_VERSION\("([\d.]+)"\)'),
            found("packaging/rpm/atom.spec", r"^Version:\s+([\d.]+)$"),
            found("packaging/arch/PKGBUILD", r"^pkgver=([\d.]+)$"),
        })

    def test_the_shell_can_read_what_is_for_it(self):
        for path in ("arch/PKGBUILD", "dkms/dkms.conf", "build-packages", "host/debian-system", "host/secure-boot"):
            self.assertEqual((0, ""), parsed("bash", "-n", TOP / "packaging" / path), path)
        for path in FOR_SH:
            self.assertEqual((0, ""), parsed("sh", "-n", TOP / "packaging" / path), path)

    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_shellcheck_finds_nothing_in_what_is_packaged(self):
        scripts = [TOP / "packaging" / path for path in (*FOR_SH, "debian/atom-dkms.postinst", "debian/atom-dkms.prerm")]
        self.assertEqual((0, ""), parsed("shellcheck", "--shell=sh", "--severity=warning", *scripts))
        # makepkg reads and sets variables, gives the folders, and ends with the first error.
        self.assertEqual((0, ""), parsed("shellcheck", "--shell=bash", "--severity=warning", "--exclude=SC2034,SC2115,SC2154,SC2164",
                                         TOP / "packaging/arch/PKGBUILD"))

    def test_each_override_of_lintian_is_explained(self):
        for path in (TOP / "packaging/debian").rglob("*lintian-overrides"):
            lines = path.read_text().splitlines()
            for above, line in zip(["", *lines], lines):
                self.assertTrue(line.startswith("#") or above.startswith("# "), f"{path}: {line}")

    @unittest.skipUnless(shutil.which("rpmspec"), "rpm is not installed")
    def test_rpm_can_read_its_recipe(self):
        self.assertEqual(0, parsed("rpmspec", "-P", TOP / "packaging/rpm/atom.spec")[0])

    @unittest.skipUnless(shutil.which("rpmbuild"), "rpm is not installed")
    def test_rpm_builds_the_module_after_what_was_there_is_put_away_and_when_headers_come(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        work = Path(folder.name)
        options = [option for name, value in (
            ("_topdir", work), ("_usrsrc", work / "src"), ("_dbpath", work / "db"), ("_install_script_path", f"{work}/bin:/usr/bin:/bin"),
            ("_build_name_fmt", "%{NAME}-%{VERSION}.rpm")) for option in ("--define", f"{name} {value}")]
        scripts = re.search(r"^%preun dkms\n.*?(?=^%files)", (TOP / "packaging/rpm/atom.spec").read_text(), re.M | re.S)[0]

        def build(name, version, file, text, rest=""):
            spec = work / f"{name}.spec"
            spec.write_text(f"Name: {name}\nVersion: {version}\nRelease: 1\nSummary: -\nLicense: MIT\nBuildArch: noarch\n%description\n-\n"
                            f"%install\ninstall -D /dev/stdin %{{buildroot}}{file} <<'EOF'\n{text}\nEOF\n{rest}%files\n%attr(755,-,-) {file}\n")
            self.assertEqual(0, parsed("rpmbuild", *options, "-bb", spec)[0])
            return work / f"RPMS/{name}-{version}.rpm"

        def calls(*arguments):
            (work / "calls").write_text("")
            # Not its output: Debian has it warn that it is not for Debian.
            self.assertEqual(0, parsed("rpm", *options, "--nodeps", *arguments)[0])
            return (work / "calls").read_text().splitlines()
        old, new = (build("atom-dkms", version, work / "bin/atom-dkms", f'#!/bin/sh\necho "{version} $*" >>{work}/calls',
                          scripts.replace(" dkms\n", "\n").replace(" dkms --", " --")) for version in ("1.0.0", "1.0.1"))
        headers = build("kernel-devel", "6.12", work / "src/kernels/6.12/Makefile", "")
        self.assertEqual(["1.0.0 build"], calls("-i", old))
        self.assertEqual(["1.0.1 put-away 1.0.0", "1.0.1 build"], calls("-U", new))
        self.assertEqual(["1.0.1 build"], calls("-i", headers))
        self.assertEqual(["1.0.1 remove"], calls("-e", "atom-dkms"))

    @unittest.skipUnless(shutil.which("rpmlint"), "rpmlint is not installed")
    def test_rpmlint_finds_nothing_in_it(self):
        self.assertEqual(0, parsed("rpmlint", "--strict", "--config", TOP / "packaging/rpm/rpmlint.toml", TOP / "packaging/rpm/atom.spec")[0])

    def test_exactly_the_supported_kernels_match(self):
        text = found("packaging/dkms/dkms.conf", r'^BUILD_EXCLUSIVE_KERNEL="(.*)"$')
        for release in ("6.12.0-amd64", "6.12.95+deb12-amd64", "6.19-rc1", "7.3.4+deb13-amd64", "10.0.1", "6.100.1"):
            self.assertTrue(re.search(text, release), release)
        for release in ("5.10.0-32-amd64", "6.1.0-50-amd64", "6.11.10-amd64", "6.2.0", "4.19.0-27"):
            self.assertFalse(re.search(text, release), release)


if __name__ == "__main__":
    unittest.main()
