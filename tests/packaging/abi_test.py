#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What libatom.so.1 exports it exports for ever: every symbol of the committed list is there, and every function,
structure and enumeration of its headers is as the committed description (libatom.abi, by abidw) has it.

usage: abi_test.py LIBRARY            compare with libatom/libatom.symbols
       abi_test.py LIBRARY --update   write both anew: with new symbols at any time, with fewer only before 1.0 is released
"""
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
LIST = TOP / "libatom/libatom.symbols"
DESCRIPTION = TOP / "libatom/libatom.abi"
# The C++ library's types are its own business.
SCOPE = ["--suppressions", TOP / "libatom/libatom.abignore"]
HEADER = "# SPDX-License-Identifier: MIT\n# What programs that link libatom.so.1 may count on: tests/packaging/abi_test.py LIBRARY --update\n"

library = sys.argv[1]
table = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", library], check=True, capture_output=True, text=True).stdout
exported = {line.split()[0] for line in table.splitlines()}
if sys.argv[2:] == ["--update"]:
    LIST.write_text(HEADER + "".join(f"{name}\n" for name in sorted(exported)))
    subprocess.run(["abidw", *SCOPE, "--headers-dir", TOP / "include/atom", "--drop-private-types", "--exported-interfaces-only",
                    "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-parameter-names", "--type-id-style", "hash",
                    "--out-file", DESCRIPTION, library], check=True)
    # On the second line: abidiff knows its files by how they begin.
    DESCRIPTION.write_text(DESCRIPTION.read_text().replace("\n", "\n<!-- SPDX-License-Identifier: MIT -->\n", 1))
    sys.exit()
promised = {line for line in LIST.read_text().splitlines() if not line.startswith("#")}


def readable(names):
    names = "\n".join(sorted(names))
    return subprocess.run(["c++filt"], input=names, check=True, capture_output=True, text=True).stdout.replace("\n", "\n  ")


if exported - promised:
    print("new, and promised once they are in the list (abi_test.py LIBRARY --update):\n  " + readable(exported - promised))
if promised - exported:
    sys.exit("programs that use these no longer start:\n  " + readable(promised - exported))
print(len(promised), "symbols")

sections = subprocess.run(["readelf", "-SW", library], check=True, capture_output=True, text=True).stdout
if not shutil.which("abidiff") or ".debug_info" not in sections:
    print("types are not compared: that needs abidiff (abigail-tools) and a library with debug information")
    sys.exit()
compared = subprocess.run(["abidiff", *SCOPE, "--no-added-syms", DESCRIPTION, library], capture_output=True, text=True)
if compared.returncode:
    sys.exit("programs may depend on what has changed (if they cannot: --update, and say why in the commit):\n"
             + compared.stdout + compared.stderr)
print("types as described")
