# SPDX-License-Identifier: MIT
"""Calls to the project's own scripts, and the failure that ends a run with a message."""

import os
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
_CACHE = os.path.join(TOP, "packaging", "host", "cache")


class Failure(Exception):
    """Something that the user must know and can act on; the message says what."""


def output_of(*command: str) -> str:
    """Run a script of the project and return its standard output (one line); its progress goes to stderr."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)} failed, see above")
    return result.stdout.strip()


def cache_dir(*names: str) -> str:
    return output_of(_CACHE, "dir", *names)


def cache_key(*items: str) -> str:
    """A hash of files, folders and texts (with a leading "=")."""
    return output_of(_CACHE, "key", *items)


def cache_entry(name: str, key: str, *command: str) -> str:
    """Path of a cache entry, built by `command` plus the folder to fill when it is absent."""
    return output_of(_CACHE, "entry", name, key, "--", *command)
