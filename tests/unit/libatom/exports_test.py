#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shared library exports its API and nothing else, under its version."""
import re
import subprocess
import sys

text = subprocess.run(["nm", "-D", "-C", "--defined-only", sys.argv[1]],
                      check=True, capture_output=True, text=True).stdout
names = [line.split(" ", 2)[2] for line in text.splitlines()]
api = re.compile(r"^((typeinfo (name )?for |vtable for )?(atom::v1::|ATOM_1$)|atom_[a-z0-9_]+@@)")
foreign = [n for n in names if not api.match(n)]
if foreign:
    sys.exit("exported, but no API:\n  " + "\n  ".join(foreign))
unversioned = [n for n in names if n != "ATOM_1" and not n.endswith("@@ATOM_1")]
if unversioned:
    sys.exit("without version:\n  " + "\n  ".join(unversioned))
for wanted in ("atom::v1::device::open(unsigned int)", "atom::v1::queue::submit(",
               "atom_queue_submit@", "typeinfo for atom::v1::system_error", "vtable for atom::v1::job_error"):
    if not any(n.startswith(wanted) for n in names):
        sys.exit(f"not exported: {wanted}")
print(len(names), "symbols")
