#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libatom-model.so.1 exports one function of C, under its version, and nothing else.

usage: exports_test.py LIBRARY
"""
import subprocess
import sys

text = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], check=True, capture_output=True, text=True).stdout
names = sorted(line.split(" ", 2)[2] for line in text.splitlines())
if names != ["ATOM_MODEL_1", "atom_inprocess_v1@@ATOM_MODEL_1"]:
    sys.exit("exported:\n  " + "\n  ".join(names))
