#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs build on an installed tree, wherever it lies, with CMake and with pkg-config."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
BUILD = Path()


def run(*command, **environment):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False,
                          timeout=240, env={**os.environ, **environment})
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class InstalledTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = Path(tempfile.mkdtemp())
        cls.root = cls.work / "root"
        cls.libdir = re.search("^CMAKE_INSTALL_LIBDIR:.*=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M)[1]
        run("cmake", "--install", BUILD, "--prefix", "/opt/atom", DESTDIR=str(cls.root))
        # Elsewhere than it was installed: nothing in it may know its place.
        cls.prefix = cls.work / "moved"
        shutil.move(cls.root / "opt/atom", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    def prints_its_version(self, program):
        version = re.search(r"project\(atom VERSION ([\d.]+)", (TOP / "CMakeLists.txt").read_text())[1]
        library = self.prefix / self.libdir
        self.assertEqual(version + "\n", run(program, ATOM_DEVICE="model,dram=64M,threads=1", LD_LIBRARY_PATH=str(library)))

    def test_cmake_projects_build_against_it_as_cpp17_and_as_cpp20(self):
        build = self.work / "by-cmake"
        run("cmake", "-S", HERE / "consumer", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build)
        self.prints_its_version(build / "consumer_17")
        self.prints_its_version(build / "consumer_20")

    def test_programs_in_c_and_in_cpp_without_exceptions_build_against_it(self):
        build = self.work / "by-cmake-c"
        run("cmake", "-S", HERE / "consumer", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build, "--target", "consumer_c", "consumer_without_exceptions")
        self.prints_its_version(build / "consumer_c")
        self.prints_its_version(build / "consumer_without_exceptions")

    def test_pkg_config_tells_how_to_build_against_it(self):
        flags = run("pkg-config", "--cflags", "--libs", "libatom",
                    PKG_CONFIG_PATH=str(self.prefix / self.libdir / "pkgconfig")).split()
        for standard in ("c++17", "c++20"):
            program = self.work / f"by-pkg-config-{standard}"
            run("g++", f"-std={standard}", "-Wall", "-Wextra", "-Werror", HERE / "consumer/consumer.cpp", "-o", program, *flags)
            self.prints_its_version(program)
        for standard in ("c99", "c11"):
            program = self.work / f"by-pkg-config-{standard}"
            run("gcc", f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", HERE / "consumer/consumer.c", "-o", program, *flags)
            self.prints_its_version(program)

    def test_a_wrong_version_is_refused(self):
        project = self.work / "wrong"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(wrong LANGUAGES CXX)\nfind_package(Atom 2 REQUIRED)\n")
        with self.assertRaisesRegex(AssertionError, r'compatible\s+with requested version "2"'):
            run("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}")

    def test_the_tools_find_their_library(self):
        self.assertIn("model:0", run(self.prefix / "bin/atom-smi", ATOM_DEVICE="model"))

    def test_the_library_has_its_soname_and_every_program_its_manual(self):
        dynamic = run("readelf", "-d", self.prefix / self.libdir / "libatom.so")
        self.assertIn("Library soname: [libatom.so.1]", dynamic)
        for program in (self.prefix / "bin").iterdir():
            self.assertTrue((self.prefix / f"share/man/man1/{program.name}.1").exists(), f"no manual for {program.name}")

    def test_no_file_knows_the_folder_it_was_built_in(self):
        for path in self.prefix.rglob("*"):
            if path.is_file() and path.suffix in (".cmake", ".pc", ".hpp", ".h"):
                self.assertNotIn(str(TOP), path.read_text(), path)
        for path in (*self.prefix.rglob("*.so"), *(self.prefix / "bin").iterdir()):
            self.assertNotRegex(run("readelf", "-d", path), f"R(UN)?PATH.*{re.escape(str(TOP))}", path)

    def test_headers_that_are_no_api_stay_at_home(self):
        headers = {str(p.relative_to(self.prefix / "include")) for p in (self.prefix / "include").rglob("*.h*")}
        self.assertIn("atom/atom.hpp", headers)
        in_c = {"atom/atom.h"} | {f"atom/atom_{part}.h" for part in ("commands", "device", "memory", "queue")}
        names = {f"atom/hw/{name}.h" for name in ("command", "dtype", "fault", "layout", "regs")}
        self.assertEqual({h for h in headers if h.endswith(".h")}, in_c | names)


if __name__ == "__main__":
    BUILD = Path(sys.argv.pop(1)).resolve()
    unittest.main()
