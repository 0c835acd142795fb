#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each file that is installed is in one package of each distribution, and no list names a file that is not there.

usage: file_lists_test.py BUILD
"""
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PACKAGING = TOP / "packaging"
BUILD = Path()

# What Fedora has, but for the folder of libraries, which is that of the build.
MACROS = {"_bindir": "/usr/bin", "_datadir": "/usr/share", "_includedir": "/usr/include", "_mandir": "/usr/share/man", "_prefix": "/usr",
          "_sbindir": "/usr/sbin", "_sysconfdir": "/etc", "_udevrulesdir": "/usr/lib/udev/rules.d", "_usrsrc": "/usr/src"}
# Sources that makepkg and its functions find as the distribution has them.
ARCH = r"""
. "$1"/packaging/arch/PKGBUILD
ln -s "$1" "$srcdir/atom-$pkgver"
for each in "${pkgname[@]}"; do
    (pkgdir=$packages/$each; mkdir -p "$pkgdir"; "package_$each")
done
"""


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def belongs(file, pattern):
    """@p pattern names the file or a folder that it is in."""
    return fnmatch.fnmatch(file, pattern) or any(fnmatch.fnmatch(str(parent), pattern) for parent in Path(file).parents)


class FileLists(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)
        self.stage = self.work / "src/stage"
        self.libdir = re.search("^CMAKE_INSTALL_LIBDIR:.*=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M)[1]
        subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr"], check=True, capture_output=True,
                       env={**os.environ, "DESTDIR": str(self.stage)})

    def divides(self, lists):
        """What is staged into packages; a list says for each what it takes."""
        files = files_in(self.stage)
        for file in files:
            owners = [package for package, patterns in lists.items() if any(belongs(file, pattern) for pattern in patterns)]
            self.assertEqual(1, len(owners), f"{file} is in {owners}")
        for package, patterns in lists.items():
            for pattern in patterns:
                self.assertTrue(any(belongs(file, pattern) for file in files), f"{package} has no {pattern}")

    def test_debian(self):
        lists = {path.stem: path.read_text().replace("usr/lib/*/", f"usr/{self.libdir}/").split()
                 for path in (PACKAGING / "debian").glob("*.install") if path.stem != "qemu-atom"}
        self.divides(lists)

    def test_fedora(self):
        def expand(match):
            return macros[match[1]]
        spec = (PACKAGING / "rpm/atom.spec").read_text()
        macros = {**MACROS, "_libdir": f"/usr/{self.libdir}", "buildroot": str(self.stage), "version": "1.0.0"}
        sections = [(head, re.sub(r"%\{(\w+)\}", expand, body)) for head, body in
                    re.findall(r"^(%(?:install|files)\b.*)\n((?:(?!%(?:check|files|changelog)\b).*\n)*)", spec, re.M)]
        install = dict(sections)["%install"].replace("%cmake_install\n", "")
        subprocess.run(["sh", "-euc", install], check=True, cwd=TOP)
        lists = {head: [line[1:] for line in body.splitlines() if line.startswith("/")] for head, body in sections
                 if head.startswith("%files")}
        for line in "".join(body for _, body in sections).splitlines():
            for path in line.split()[1:] if line.startswith("%doc") else []:
                self.assertTrue((TOP / path).exists(), path)
        self.divides(lists)

    def test_arch(self):
        if self.libdir != "lib":
            shutil.copytree(self.stage / "usr" / self.libdir, self.stage / "usr/lib", symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(self.stage / "usr" / self.libdir)
        packages = self.work / "packages"
        done = subprocess.run(["bash", "-euc", ARCH, "-", TOP], capture_output=True, text=True, check=False,
                              env={**os.environ, "srcdir": str(self.work / "src"), "packages": str(packages)})
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertEqual([], files_in(self.stage))
        taken = files_in(packages)
        for package in ("libatom", "libatom-model", "atom-tools", "atom-frameworks", "atom-dkms"):
            self.assertTrue(any(file.startswith(package + "/") for file in taken), package)
        # What no other distribution's list has to say, because it is not from CMake.
        for file in ("usr/bin/atom-dkms", "usr/src/atom-1.0.0/dkms.conf", "usr/src/atom-1.0.0/Kbuild",
                     "usr/share/doc/atom-dkms/examples/modprobe.conf"):
            self.assertIn(f"atom-dkms/{file}", taken)


if __name__ == "__main__":
    BUILD = Path(sys.argv.pop(1)).resolve()
    unittest.main()
