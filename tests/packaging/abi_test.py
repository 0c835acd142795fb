#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What libatom.so.1 exports it exports for ever: every symbol of the committed list is there.

usage: abi_test.py LIBRARY            compare with libatom/libatom.symbols
       abi_test.py LIBRARY --update   write the list anew: with new symbols at any time, with fewer only before 1.0 is released
"""
import subprocess
import sys
from pathlib import Path

LIST = Path(__file__).resolve().parents[2] / "libatom/libatom.symbols"
HEADER = "# SPDX-License-Identifier: MIT\n# What programs that link libatom.so.1 may count on: tests/packaging/abi_test.py LIBRARY --update\n"

library = sys.argv[1]
table = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", library], check=True, capture_output=True, text=True).stdout
exported = {line.split()[0] for line in table.splitlines()}
if sys.argv[2:] == ["--update"]:
    LIST.write_text(HEADER + "".join(f"{name}\n" for name in sorted(exported)))
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
