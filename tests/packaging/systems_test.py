#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The packages in real Debian systems: what a sysadmin does with them, and does wrong. As root; make check-packages.

usage: systems_test.py [CLASS[.TEST]...]    ATOM_PACKAGES=FOLDER: with the packages there, not those of this checkout
"""
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]
import closing_line  # noqa: E402
from booting import BootingDebian12, BootingDebian13  # noqa: E402,F401
from installing import Debian12, Debian13  # noqa: E402,F401
from mistakes import Mistakes  # noqa: E402,F401
from running import Running  # noqa: E402,F401
from secure_boot import SecureBoot  # noqa: E402,F401

if __name__ == "__main__":
    closing_line.main()
