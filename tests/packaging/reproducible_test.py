#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The packages of this checkout, built once more without compiler cache, in another time zone and with another umask, are the same
bytes: each package, and the source of all.
"""
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "packaging/build-packages"
first = Path(subprocess.run([BUILD, "--print"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def sums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
            if path.suffix in (".deb", ".dsc", ".xz")}


with tempfile.TemporaryDirectory(prefix="atom-again.") as second:
    subprocess.run([BUILD, "--again", second], check=True)
    once, again = sums(first), sums(Path(second))
different = sorted(name for name in once.keys() | again.keys() if once.get(name) != again.get(name))
if not once or different:
    sys.exit("not the same when built again: " + (" ".join(different) or "nothing was built"))
print(len(once), "files, the same twice")
