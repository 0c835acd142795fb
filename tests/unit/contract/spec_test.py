#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the tables of include/README.md against the headers in include/atom/hw.

Both are contracts: whoever builds a device from the text must get the same one as
whoever includes the headers.
"""
import re
import sys
import unittest
from pathlib import Path

INCLUDE = Path(__file__).resolve().parents[3] / "include"
SPEC = (INCLUDE / "README.md").read_text(encoding="utf-8")


def header(name):
    return (INCLUDE / "atom" / "hw" / name).read_text(encoding="utf-8")


def section(title):
    """Text of the section whose heading ends with title."""
    return re.search(r"^## \d+\. %s$(.*?)(?=^## |\Z)" % title, SPEC, re.S | re.M).group(1)


def rows(first_column, text=SPEC):
    """Rows of the tables whose first cell matches, as lists of cells."""
    for line in text.splitlines():
        if not line.startswith("|"):
            continue
        cells = [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if re.fullmatch(first_column, cells[0]):
            yield cells


def enum(text, name):
    body = re.search(r"enum %s \{(.*?)\n\};" % name, text, re.S).group(1)
    return {m[0]: int(m[1], 0) for m in re.findall(r"(ATOM_\w+)\s*=\s*(0x[0-9a-f]+|\d+)", body)}


class Spec(unittest.TestCase):
    def test_every_register_of_the_header_is_in_the_table_and_the_reverse(self):
        declared = re.findall(
            r"#define ATOM_(REG|QREG)_(\w+)\s+(0x[0-9a-f]+)\s*/\* (\d+)(?: x (\d+))? (\w+)", header("regs.h"))
        self.assertGreater(len(declared), 60)
        in_header = {(int(off, 16), name, int(width), access)
                     for kind, name, off, width, _count, access in declared}
        in_spec = {(int(c[0], 16), c[1], int(c[2]), c[3])
                   for c in rows(r"0x[0-9a-f]+") if len(c) == 6}
        self.assertEqual(sorted(in_header - in_spec), [], "in regs.h only")
        self.assertEqual(sorted(in_spec - in_header), [], "in README.md only")

    def test_registers_are_aligned_and_do_not_overlap(self):
        for kind in ("REG", "QREG"):
            end, last = 0, ""
            found = re.findall(r"#define ATOM_%s_(\w+)\s+(0x[0-9a-f]+)\s*/\* (\d+)(?: x (\d+))?" % kind,
                               header("regs.h"))
            for name, offset, width, count in found:
                at, size = int(offset, 16), int(width) // 8
                self.assertEqual(at % size, 0, name)
                self.assertGreaterEqual(at, end, f"{name} overlaps {last}")
                end, last = at + size * int(count or 1), name

    def test_reset_values_that_the_header_knows_agree(self):
        resets = {c[1]: c[4] for c in rows(r"0x[0-9a-f]+") if len(c) == 6}
        regs = header("regs.h")
        magic = re.search(r"ATOM_MAGIC\s+(0x[0-9a-f]+)u", regs).group(1)
        self.assertEqual(int(resets["MAGIC"], 16), int(magic, 16))
        major = int(re.search(r"ATOM_INTERFACE_MAJOR\s+(\d+)", regs).group(1))
        minor = int(re.search(r"ATOM_INTERFACE_MINOR\s+(\d+)", regs).group(1))
        self.assertEqual(int(resets["VERSION"], 16), major << 16 | minor)

    def test_fault_codes_agree(self):
        codes = {name[len("ATOM_FAULT_"):]: value
                 for name, value in enum(header("fault.h"), "atom_fault_code").items()}
        del codes["NONE"]
        in_spec = {c[1]: int(c[0]) for c in rows(r"\d+", section("Faults"))}
        self.assertEqual(codes, in_spec)

    def test_every_opcode_is_specified(self):
        opcodes = enum(header("command.h"), "atom_opcode")
        del opcodes["ATOM_OP_COUNT"]
        in_spec = {}
        for cells in rows(r"0x[0-9a-f]{2} \w+"):
            value, name = cells[0].split()
            in_spec["ATOM_OP_" + name] = int(value, 16)
        self.assertEqual(opcodes, in_spec)

    def test_every_admin_opcode_is_specified(self):
        in_spec = {}
        for cells in rows(r"[A-Z_]+ \d+"):
            name, value = cells[0].split()
            in_spec["ATOM_ADMIN_" + name] = int(value)
        self.assertEqual(enum(header("admin.h"), "atom_admin_opcode"), in_spec)

    def test_every_section_of_a_dump_is_specified(self):
        in_spec = {}
        for cells in rows(r"[A-Z]+ = \d+", section("Dumps of the driver")):
            name, value = cells[0].split(" = ")
            in_spec["ATOM_DUMP_" + name] = int(value)
        self.assertEqual(enum(header("coredump.h"), "atom_dump_section_type"), in_spec)

    def test_page_table_bits_agree(self):
        mmu = header("mmu.h")
        in_spec = {c[1]: c[0] for c in rows(r"\d+(:\d+)?", section("Memory"))}
        for name in ("VALID", "READ", "WRITE", "LEAF", "CONT64K"):
            value = int(re.search(r"ATOM_PTE_%s\s+\(1ull << (\d+)\)" % name, mmu).group(1))
            self.assertIn((name, str(value)), in_spec.items())
        reserved = int(re.search(r"ATOM_PTE_RESERVED\s+(0x[0-9a-f]+)ull", mmu).group(1), 16)
        address = int(re.search(r"ATOM_PTE_ADDR_MASK\s+(0x[0-9a-f]+)ull", mmu).group(1), 16)
        self.assertEqual(reserved, (2**64 - 2**52) | (2**12 - 2**7))
        self.assertEqual(address, 2**52 - 2**12)

    def test_the_ids_are_not_the_chip_vendors(self):
        pci = header("pci.h")
        self.assertIn("ATOM_PCI_VENDOR_ID\t\t0x1234", pci)
        self.assertNotIn("1eff", pci.lower())


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=1).result.wasSuccessful() else 1)
