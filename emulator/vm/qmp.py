# SPDX-License-Identifier: MIT
"""A small client of QEMU's machine protocol (QMP)."""

import json
import queue
import socket
import threading


class QmpError(Exception):
    """QEMU refused a command, or is gone."""


class Qmp:
    """One connection. Commands may come from several threads; each waits for its own answer."""

    def __init__(self, connection: socket.socket):
        self._stream = connection.makefile("rwb")
        self._command_lock = threading.Lock()
        self._replies = queue.SimpleQueue()
        self._events = []
        self._changed = threading.Condition()
        self._closed = False
        threading.Thread(target=self._read, daemon=True).start()

    def connect(self):
        """Wait for the greeting and leave negotiation mode. Raises QmpError when QEMU ends before."""
        if "QMP" not in self._next_reply(timeout=60):
            raise QmpError("QEMU did not greet")
        self.command("qmp_capabilities")

    def command(self, name: str, timeout: float = 60, **arguments):
        """Run a command and return its result. Raises QmpError with QEMU's own words."""
        with self._command_lock:
            try:
                self._stream.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
                self._stream.flush()
            except (OSError, ValueError) as error:
                raise QmpError(f"QEMU is gone: {error}") from error
            reply = self._next_reply(timeout)
        if "error" in reply:
            raise QmpError(reply["error"]["desc"])
        return reply["return"]

    def wait_for_event(self, name: str, matches, timeout: float) -> bool:
        """Wait until an event NAME whose data satisfies matches(data) has come since the connection began."""

        def seen():
            return any(event["event"] == name and matches(event.get("data", {})) for event in self._events)

        with self._changed:
            return self._changed.wait_for(lambda: seen() or self._closed, timeout) and seen()

    def forget_events(self):
        with self._changed:
            self._events.clear()

    def _next_reply(self, timeout: float) -> dict:
        try:
            reply = self._replies.get(timeout=timeout)
        except queue.Empty:
            raise QmpError(f"no answer from QEMU within {timeout:.0f} s") from None
        if reply is None:
            self._replies.put(None)
            raise QmpError("QEMU has ended")
        return reply

    def _read(self):
        try:
            for line in self._stream:
                message = json.loads(line)
                if "event" in message:
                    with self._changed:
                        self._events.append(message)
                        self._changed.notify_all()
                else:
                    self._replies.put(message)
        except (OSError, ValueError):
            pass  # the connection was cut: same as its end
        self._replies.put(None)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
