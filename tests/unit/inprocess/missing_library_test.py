#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A libatom that finds no libatom-model.so.1 says what to install.

usage: missing_library_test.py PROGRAM LIBATOM
"""
import os
import shutil
import subprocess
import sys
import tempfile


def main() -> int:
    program, library = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(library, os.path.join(folder, "libatom.so.1"))
        environment = dict(os.environ, LD_LIBRARY_PATH=folder, ATOM_DEVICE="model")
        result = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=60, check=False)
    told = result.stderr.strip()
    good = (result.returncode == 1 and "ATOM_DEVICE=model: cannot load libatom-model.so.1" in told
            and told.endswith("install the package libatom-model1, or unset ATOM_DEVICE"))
    print(told or "nothing on standard error")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
