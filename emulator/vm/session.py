# SPDX-License-Identifier: MIT
"""One run of the virtual machine, from the start of QEMU to the status that atom-vm exits with."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from kernel_log import LogScanner, tail
from qmp import Qmp, QmpError

# Exit codes of atom-vm itself; all others are the command's.
EXIT_KERNEL_PROBLEM = 70
EXIT_HANG = 71
EXIT_MACHINE_FAILED = 72

_BOOT_SECONDS = 300       # until the guest reports that it has started
_POWEROFF_SECONDS = 60    # from the end of the command to the end of QEMU; a leak scan is in between


def say(text: str):
    print(f"atom-vm: {text}", file=sys.stderr, flush=True)


def _end_with_parent():
    """QEMU must not outlive us, however we end (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Channel:
    """A socket pair: our end, and the end that QEMU inherits."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()


def pump_out(source: socket.socket, fd: int):
    """Copy what the guest writes to one of our descriptors until the machine ends."""
    broken = False
    while True:
        try:
            data = source.recv(65536)
        except OSError:
            return
        if not data:
            return
        while data and not broken:
            try:
                data = data[os.write(fd, data):]
            except OSError:
                broken = True  # the reader has gone; go on draining, or the guest would block


def pump_in(fd: int, target: socket.socket):
    """Copy our standard input to the guest until its end."""
    try:
        while data := os.read(fd, 65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the machine has ended, or does not read


class Session:
    """Starts QEMU and watches it. Use: start(), then wait(). The guest counts as hung after `timeout` seconds in all (0: never),
    or after `silence` seconds without a sign of life (it sends one every two seconds)."""

    def __init__(self, log: str, timeout: float, silence: float):
        self._log = log
        self._timeout = timeout
        self._silence = silence
        self._scanner = LogScanner(log)
        self._qemu = None
        self._lock = threading.Lock()
        self._alive = time.monotonic()
        self._started = self._ready = self._finished = None
        self._status = None
        self._failure = None
        self._pumps = []
        self.qmp = None

    def start(self, command: list, channels: dict, qmp: socket.socket):
        """Start QEMU with our channels' other ends. Raises QmpError when it ends at once."""
        inherited = [channel.theirs for channel in channels.values()]
        self._begin = self._alive = time.monotonic()
        self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=_end_with_parent,
                                      start_new_session=True, pass_fds=[end.fileno() for end in inherited])
        for end in inherited:
            end.close()
        self._run_thread(self._follow_status, channels["status"].ours)
        self.qmp = Qmp(qmp)
        self.qmp.connect()

    def attach_output(self, source: socket.socket, fd: int):
        self._pumps.append(self._run_thread(pump_out, source, fd))

    def attach_input(self, fd: int, target: socket.socket):
        self._run_thread(pump_in, fd, target)

    @staticmethod
    def _run_thread(function, *arguments) -> threading.Thread:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        return thread

    @property
    def boot_seconds(self) -> float | None:
        """From the start of QEMU until the command was started."""
        return self._ready - self._begin if self._ready else None

    def _follow_status(self, connection: socket.socket):
        try:
            for line in connection.makefile("r", errors="replace"):
                word, _, rest = line.strip().partition(" ")
                with self._lock:
                    self._alive = time.monotonic()
                    if word == "started":
                        self._started = self._alive
                    elif word == "ready":
                        self._ready = self._alive
                    elif word == "exit":
                        self._status, self._finished = int(rest), self._alive
                    elif word == "failed":
                        self._failure = rest
        except (OSError, ValueError):
            pass  # the machine has ended

    def _overdue(self) -> str | None:
        """Why the machine counts as hung, if it does."""
        now = time.monotonic()
        with self._lock:
            if self._finished is not None:
                return "the machine does not power off" if now - self._finished > _POWEROFF_SECONDS else None
            if self._started is None:
                return f"the kernel has not started within {_BOOT_SECONDS} s" if now - self._begin > _BOOT_SECONDS else None
            if self._timeout and now - self._begin > self._timeout:
                return f"the command has not ended within {self._timeout:g} s (--timeout)"
            if now - self._alive > self._silence:
                return f"no sign of life from the guest for {self._silence:g} s"
        return None

    def wait(self) -> int:
        """Wait for the end of the machine and return the exit code."""
        hang = None
        seen = 0
        while self._qemu.poll() is None:
            try:
                self._qemu.wait(0.02 if self._finished else 0.2)
            except subprocess.TimeoutExpired:
                pass
            problems = self._scanner.scan()
            if len(problems) > seen and seen == 0:
                say(f"the guest's kernel reports a problem: {problems[0]}")
            seen = len(problems)
            hang = self._overdue()
            if hang:
                self.stop()
        for pump in self._pumps:
            pump.join(5)
        return self._verdict(hang)

    @property
    def failed(self) -> bool:
        """Whether the log is worth keeping."""
        return self._status is None or bool(self._scanner.problems)

    def stop(self):
        if self._qemu and self._qemu.poll() is None:
            self._qemu.kill()
            self._qemu.wait()

    def _verdict(self, hang: str | None) -> int:
        problems = self._scanner.scan(final=True)
        if problems:
            say(f"FAILED: {len(problems)} line(s) of the kernel log report a problem (the log: {self._log})")
            for problem in problems[:10]:
                say(f"  {problem}")
            return EXIT_KERNEL_PROBLEM
        if hang:
            say(f"FAILED: hang: {hang}. The end of the kernel log ({self._log}):\n{tail(self._log, 40)}")
            return EXIT_HANG
        if self._failure:
            say(f"FAILED: {self._failure} (the kernel log: {self._log})")
            return EXIT_MACHINE_FAILED
        if self._status is None:
            say(f"FAILED: the machine ended with code {self._qemu.returncode} before the command did. "
                f"The end of the kernel log ({self._log}):\n{tail(self._log, 40)}")
            return EXIT_MACHINE_FAILED
        return self._status
