# SPDX-License-Identifier: MIT
"""A QEMU without a guest: the test is the CPU, through the qtest protocol, and the operator, through QMP."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TIMEOUT = 30  # seconds for one answer: far more than any needs, so that a hang fails instead of blocking

SKIPPED = 77  # what ctest takes for "skipped"


def qemu_binary() -> str:
    return os.environ.get("ATOM_QEMU", "")


def main():
    """Run the tests of the calling file; skipped as a whole when there is no QEMU."""
    if not qemu_binary():
        print("ATOM_QEMU does not name a qemu-system-x86_64 with the atom-npu device: skipped")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)


class QemuError(Exception):
    """QEMU refused a command, or ended."""


class Channel:
    """Lines of text over a socket to QEMU."""

    def __init__(self, name: str):
        self.ours, self.theirs = socket.socketpair()
        self.ours.settimeout(TIMEOUT)
        self._name = name
        self._pending = b""

    def send(self, line: str):
        try:
            self.ours.sendall(line.encode() + b"\n")
        except OSError as error:
            raise QemuError(f"{self._name}: QEMU is gone: {error}") from error

    def receive(self) -> str:
        while b"\n" not in self._pending:
            try:
                part = self.ours.recv(65536)
            except OSError as error:
                raise QemuError(f"{self._name}: no answer: {error}") from error
            if not part:
                raise QemuError(f"{self._name}: QEMU has ended")
            self._pending += part
        line, self._pending = self._pending.split(b"\n", 1)
        return line.decode()

    def close(self):
        self.ours.close()
        self.theirs.close()


class Machine:
    """A q35 with 256 MiB of memory and the devices given. Use as a context manager."""

    MEMORY = 256 << 20

    def __init__(self, *arguments: str, environment: dict | None = None):
        self._directory = tempfile.TemporaryDirectory(prefix="atom-qtest-")
        self._qtest, self._qmp = Channel("qtest"), Channel("qmp")
        self.events = []
        self.log_path = os.path.join(self._directory.name, "log")
        bios = os.path.join(self._directory.name, "bios")
        with open(bios, "wb") as file:  # the machine wants one, nobody runs it
            file.write(bytes(65536))
        fds = self._qtest.theirs.fileno(), self._qmp.theirs.fileno()
        command = [qemu_binary(), "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-bios", bios,
                   "-machine", "q35,sata=off,smbus=off", "-accel", "qtest", "-m", str(self.MEMORY >> 20),
                   "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
                   "-chardev", f"socket,id=qtest,fd={fds[0]}", "-qtest", "chardev:qtest", "-qtest-log", "none",
                   "-chardev", f"socket,id=qmp,fd={fds[1]}", "-mon", "chardev=qmp,mode=control", *arguments]
        self._stderr = open(os.path.join(self._directory.name, "stderr"), "w+b")
        self._process = subprocess.Popen(command, pass_fds=fds, stdin=subprocess.DEVNULL, stdout=self._stderr, stderr=self._stderr,
                                         env={**os.environ, **(environment or {})})
        self._qtest.theirs.close()
        self._qmp.theirs.close()
        try:
            self._qmp.receive()
            self.qmp("qmp_capabilities")
        except QemuError:
            self._process.wait(TIMEOUT)
            message = self.messages()
            self.close()
            raise QemuError(message) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.quit()

    # The operator.

    def qmp(self, command: str, **arguments):
        self._qmp.send(json.dumps({"execute": command, "arguments": arguments}))
        while True:
            answer = json.loads(self._qmp.receive())
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise QemuError(answer["error"]["desc"])
            elif "return" in answer:
                return answer["return"]

    def wait_for_event(self, name: str, **data):
        def seen():
            return any(event["event"] == name and data.items() <= event["data"].items() for event in self.events)

        deadline = time.monotonic() + TIMEOUT
        while not seen():
            if time.monotonic() > deadline:
                raise QemuError(f"no event {name} {data}")
            self.qmp("query-name")  # collects the events before its answer

    def set(self, device: str, name: str, value):
        self.qmp("qom-set", path=f"/machine/peripheral/{device}", property=name, value=value)

    def get(self, device: str, name: str):
        return self.qmp("qom-get", path=f"/machine/peripheral/{device}", property=name)

    def messages(self) -> str:
        """What QEMU has written to its standard error."""
        self._stderr.flush()
        with open(self._stderr.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def resident_bytes(self) -> int:
        with open(f"/proc/{self._process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self._process.pid}/task"))

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def quit(self):
        """Ends QEMU; fails when it has crashed or crashes on the way out."""
        try:
            if self._process.poll() is None:
                self.qmp("quit")
            code = self._process.wait(TIMEOUT)
            if code != 0:
                raise QemuError(f"QEMU ended with {code}: {self.messages()}")
        finally:
            self.close()

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._qtest.close()
        self._qmp.close()
        self._stderr.close()
        self._directory.cleanup()

    # The CPU.

    def _ask(self, line: str) -> str:
        self._qtest.send(line)
        answer = self._qtest.receive()
        if not answer.startswith("OK"):
            raise QemuError(f"qtest {line!r}: {answer}")
        return answer[3:]

    def read(self, address: int, size: int) -> int:
        return int(self._ask(f"read{'bwlq'[size.bit_length() - 1]} {address:#x}"), 16)

    def write(self, address: int, size: int, value: int):
        self._ask(f"write{'bwlq'[size.bit_length() - 1]} {address:#x} {value:#x}")

    def load(self, address: int, size: int) -> bytes:
        return bytes.fromhex(self._ask(f"read {address:#x} {size:#x}")[2:])

    def store(self, address: int, data: bytes):
        self._ask(f"write {address:#x} {len(data):#x} 0x{data.hex()}")

    def outl(self, port: int, value: int):
        self._ask(f"outl {port:#x} {value:#x}")

    def clock_step(self, nanoseconds: int):
        self._ask(f"clock_step {nanoseconds}")

    def wait_until(self, condition, what: str):
        """Let QEMU's threads work until condition() holds."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            if time.monotonic() > deadline:
                raise QemuError(f"waited in vain: {what}")
            time.sleep(0.0005)
