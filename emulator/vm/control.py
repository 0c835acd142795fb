# SPDX-License-Identifier: MIT
"""The control port: lets programs in the guest break, unplug and plug the devices that they run on (see README.md)."""

import json
import socket

from machine import SPARE_PORTS, device_argument, device_name
from qmp import Qmp, QmpError

_UNPLUG_SECONDS = 60  # the guest's hot-plug driver blinks for five seconds before it lets a device go
_PERIPHERAL = "/machine/peripheral/"


class Refused(Exception):
    """A command that cannot be carried out; the text is the answer."""


class Control:
    """Carries out commands. `options` are the properties that new devices get."""

    def __init__(self, qmp: Qmp, devices: int, options: dict):
        self._qmp = qmp
        self._options = options
        self._ports = devices + SPARE_PORTS
        self._commands = {
            "list": self._list, "inject": self._inject, "unplug": self._unplug, "plug": self._plug,
            "surprise-remove": self._surprise_remove, "qom-get": self._get, "qom-set": self._set,
        }

    def answer(self, line: str) -> str:
        """Carry out one command and return the one line to answer."""
        words = line.strip().split(maxsplit=1)
        try:
            if not words or words[0] not in self._commands:
                raise Refused(f"unknown command; there are: {' '.join(sorted(self._commands))}")
            result = self._commands[words[0]](words[1] if len(words) > 1 else "")
        except (Refused, QmpError) as error:
            return "error " + " ".join(str(error).split())
        return f"ok {result}".rstrip()

    def serve(self, connection: socket.socket):
        """Answer lines until the connection ends."""
        with connection, connection.makefile("rwb") as stream:
            try:
                for line in stream:
                    stream.write(self.answer(line.decode(errors="replace")).encode() + b"\n")
                    stream.flush()
            except OSError:
                pass  # the machine has ended

    def _number(self, text: str) -> int:
        if not text.isdecimal() or int(text) >= self._ports:
            raise Refused(f"'{text}' is not the number of a slot: 0 to {self._ports - 1}")
        return int(text)

    def _arguments(self, text: str, count: int, usage: str) -> list:
        words = text.split(maxsplit=count - 1)
        if len(words) != count:
            raise Refused(f"usage: {usage}")
        return words

    def _present(self) -> list:
        """Numbers of the plugged devices."""
        found = [entry["name"] for entry in self._qmp.command("qom-list", path=_PERIPHERAL.rstrip("/"))]
        return [number for number in range(self._ports) if device_name(number) in found]

    def _plugged(self, text: str) -> int:
        number = self._number(text)
        if number not in self._present():
            raise Refused(f"slot {number} is empty")
        return number

    def _link_up(self, number: int) -> bool:
        return self._qmp.command("qom-get", path=_PERIPHERAL + device_name(number), property="link-up")

    def _list(self, _text: str) -> str:
        present = self._present()

        def content(number):
            if number not in present:
                return "empty"
            return device_name(number) if self._link_up(number) else "pulled"

        return " ".join(f"{number}={content(number)}" for number in range(self._ports))

    def _inject(self, text: str) -> str:
        number, spec = self._arguments(text, 2, "inject SLOT SPEC")
        self._qmp.command("qom-set", path=_PERIPHERAL + device_name(self._plugged(number)), property="inject", value=spec)
        return ""

    def _get(self, text: str) -> str:
        number, name = self._arguments(text, 2, "qom-get SLOT PROPERTY")
        return json.dumps(self._qmp.command("qom-get", path=_PERIPHERAL + device_name(self._plugged(number)), property=name))

    def _set(self, text: str) -> str:
        number, name, value = self._arguments(text, 3, "qom-set SLOT PROPERTY VALUE-IN-JSON")
        try:
            value = json.loads(value)
        except ValueError:
            raise Refused(f"the value must be JSON: true, 3, \"text\"; got {value}") from None
        self._qmp.command("qom-set", path=_PERIPHERAL + device_name(self._plugged(number)), property=name, value=value)
        return ""

    def _remove(self, number: int):
        """Ask the guest to let the device go, as the button at a slot does, and wait until it has."""
        name = device_name(number)
        self._qmp.forget_events()
        self._qmp.command("device_del", id=name)
        if not self._qmp.wait_for_event("DEVICE_DELETED", lambda data: data.get("device") == name, _UNPLUG_SECONDS):
            raise Refused(f"the guest has not released {name} within {_UNPLUG_SECONDS} s")

    def _unplug(self, text: str) -> str:
        self._remove(self._plugged(text))
        return ""

    def _surprise_remove(self, text: str) -> str:
        """The link goes down without a word: the driver meets a dead device. It stays in its slot; plug brings it back."""
        number = self._plugged(text)
        self._qmp.command("qom-set", path=_PERIPHERAL + device_name(number), property="link-up", value=False)
        return ""

    def _plug(self, text: str) -> str:
        number = self._number(text)
        if number in self._present():
            if self._link_up(number):
                raise Refused(f"slot {number} holds a device already")
            self._qmp.command("qom-set", path=_PERIPHERAL + device_name(number), property="link-up", value=True)
            return ""
        # By the human monitor: it reads properties as the command line does ("64M"), QMP would want each with its type.
        complaint = self._qmp.command("human-monitor-command",
                                      **{"command-line": "device_add " + device_argument(number, self._options)})
        if complaint:
            raise Refused(complaint)
        return ""
