#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every header and test that libatom/doc/rules.md names exists.

usage: rules_test.py SOURCES
"""
import re
import sys
import unittest
from pathlib import Path

TOP = Path(sys.argv.pop(1))
RULES = TOP / "libatom/doc/rules.md"


def rows():
    """The cells of each rule."""
    for line in RULES.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells[0] != "rule" and set(cells[0]) != {"-"}:
            yield cells


def names_in(cell):
    return re.findall(r"`([^`]+)`", cell)


def known_tests():
    tests = set()
    for source in (TOP / "tests").rglob("*_test.cpp"):
        tests |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)",
                                                                 source.read_text(encoding="utf-8"), re.MULTILINE)}
    for cmake in (TOP / "tests").rglob("*CMakeLists.txt"):
        tests |= set(re.findall(r"add_test\(NAME ([\w.]+)", cmake.read_text(encoding="utf-8")))
    return tests | {script.name for script in (TOP / "tests").rglob("*_test.py")}


class Rules(unittest.TestCase):
    def test_there_are_some_and_each_has_all_cells(self):
        self.assertGreater(len(list(rows())), 40)
        for cells in rows():
            self.assertEqual(len(cells), 4, cells)
            self.assertTrue(all(cells), cells)
            self.assertRegex(cells[1], r"^(yes|no|as|the end)\b", cells)

    def test_headers_exist(self):
        for cells in rows():
            headers = names_in(cells[2])
            self.assertTrue(headers, cells)
            for header in headers:
                self.assertTrue((TOP / "include" / header).is_file(), header)

    def test_tests_exist(self):
        known = known_tests()
        for cells in rows():
            tests = names_in(cells[3])
            self.assertTrue(tests, cells)
            for test in tests:
                self.assertIn(test, known)


unittest.main()
