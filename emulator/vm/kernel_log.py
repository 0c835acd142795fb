# SPDX-License-Identifier: MIT
"""Finds what must never be in the log of a healthy kernel."""

import re

# Each pattern is a report of the kernel about itself. Ordinary errors of a driver ("atom_npu: job timed out") are not here:
# tests provoke those on purpose.
PROBLEMS = [
    ("oops", rb"Oops(:| -)|general protection fault|unable to handle (kernel|page fault)|BUG: unable|invalid opcode:|Internal error:"),
    ("panic", rb"Kernel panic|Attempted to kill init"),
    ("bug", rb"(^|[^A-Z])BUG:|kernel BUG at|BUG\("),
    ("warning", rb"WARNING: |------------\[ cut here \]"),
    ("lockdep", rb"possible (circular|recursive|irq lock|deadlock)|inconsistent lock state|suspicious RCU usage|"
                rb"INFO: lockdep|held lock freed|lock held when returning|bad unlock balance|possible unsafe locking"),
    ("sleep in atomic", rb"sleeping function called from invalid context|scheduling while atomic"),
    ("kasan", rb"BUG: KASAN|KASAN: "),
    ("ubsan", rb"UBSAN: "),
    ("kmemleak", rb"kmemleak: \d+ new suspected memory leaks|unreferenced object 0x"),
    ("dma-api", rb"DMA-API: .*(device driver|error)"),
    ("object state", rb"ODEBUG: "),
    ("refcount", rb"refcount_t: "),
    ("list corruption", rb"list_(add|del) corruption"),
    ("hung task", rb"INFO: task .* blocked for more than"),
    ("lockup", rb"soft lockup|hard LOCKUP|Hard LOCKUP"),
    ("rcu stall", rb"rcu: INFO: .*(stall|detected)|rcu_(sched|preempt) (self-)?detected.* stall"),
    ("call trace", rb"Call Trace:"),
    ("bad page", rb"Bad page state|Bad page map|page allocation failure"),
    ("unloadable", rb"Tainted: \S*[DBW]"),
]

_ANY = re.compile(b"|".join(b"(?:%s)" % pattern for _, pattern in PROBLEMS), re.MULTILINE)
_COMPILED = [(kind, re.compile(pattern, re.MULTILINE)) for kind, pattern in PROBLEMS]


class Problem:
    """A line of the log that reports a problem."""

    def __init__(self, kind: str, number: int, text: str):
        self.kind = kind
        self.number = number
        self.text = text

    def __str__(self):
        return f"line {self.number}: {self.kind}: {self.text}"


class LogScanner:
    """Follows a growing log file; cheap to call often."""

    def __init__(self, path: str):
        self._path = path
        self._offset = 0
        self._line = 0
        self._rest = b""
        self.problems = []

    def scan(self, final: bool = False) -> list:
        """Read what is new and return all problems so far; a last line without a newline counts only when final."""
        try:
            with open(self._path, "rb") as log:
                log.seek(self._offset)
                new = log.read()
        except FileNotFoundError:
            return self.problems
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        if final and self._rest:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._line += 1
            if _ANY.search(line):
                self.problems.append(Problem(_kind(line), self._line, line.decode(errors="replace").strip()))
        return self.problems


def _kind(line: bytes) -> str:
    return next(kind for kind, pattern in _COMPILED if pattern.search(line))


def tail(path: str, lines: int) -> str:
    """The last lines of a log file, for a message."""
    try:
        with open(path, "rb") as log:
            text = log.read().decode(errors="replace")
    except OSError as error:
        return f"(no log: {error})"
    return "\n".join(text.replace("\r", "").splitlines()[-lines:])
