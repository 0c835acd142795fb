#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual of libatom is true: each program of the guide runs, everything public is documented, man pages are well-formed.

manual_test.py TOP BUILT-LIBATOM-FOLDER COMPILER
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP, LIBATOM, COMPILER = sys.argv[1:4]
del sys.argv[1:4]
GUIDE = os.path.join(TOP, "libatom/doc/guide.md")
PAGES = [os.path.join(TOP, "libatom/man", name) for name in sorted(os.listdir(os.path.join(TOP, "libatom/man")))]


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False, **options)


class Guide(unittest.TestCase):
    def test_each_program_of_the_guide_compiles_and_runs(self):
        with open(GUIDE, encoding="utf-8") as f:
            programs = re.findall(r"```cpp\n(.*?)```", f.read(), re.S)
        self.assertGreater(len(programs), 3)
        with tempfile.TemporaryDirectory() as folder:
            for number, program in enumerate(programs, 1):
                source, binary = os.path.join(folder, f"step{number}.cpp"), os.path.join(folder, f"step{number}")
                with open(source, "w", encoding="utf-8") as f:
                    f.write(program)
                built = run(COMPILER, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-I", os.path.join(TOP, "include"), source, "-o", binary,
                            "-L", LIBATOM, "-latom", f"-Wl,-rpath,{LIBATOM}")
                self.assertEqual(built.returncode, 0, f"step {number}: {built.stdout}")
                ran = run(binary, env=dict(os.environ, ATOM_DEVICE="model"))
                self.assertEqual(ran.returncode, 0, f"step {number}: {ran.stdout}")


class Reference(unittest.TestCase):
    @unittest.skipUnless(shutil.which("doxygen"), "needs doxygen")
    def test_has_everything_that_is_public(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(TOP, "libatom/doc/Doxyfile"), encoding="utf-8") as f:
                settings = f.read() + f"OUTPUT_DIRECTORY = {folder}\n"
            made = run("doxygen", "-", cwd=TOP, input=settings)
            self.assertEqual((made.returncode, made.stdout), (0, ""))
            self.assertTrue(os.path.exists(os.path.join(folder, "html/index.html")))


class Pages(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mandoc"), "needs mandoc")
    def test_are_well_formed(self):
        self.assertGreaterEqual(len(PAGES), 2)
        checked = run("mandoc", "-Tlint", "-W", "warning", *PAGES)
        self.assertEqual((checked.returncode, checked.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
