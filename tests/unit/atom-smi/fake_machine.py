# SPDX-License-Identifier: MIT
"""A machine made of files, and atom-smi called on it. The program and its schema are the first arguments."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import jsonschema

TOOL, SCHEMA = sys.argv[1], sys.argv[2]
del sys.argv[1:3]

OK, UNHEALTHY, USAGE, NO_DEVICE, FAILED, NO_PERMISSION = 0, 1, 2, 3, 4, 7
ADDRESS = "0000:01:00.0"


class Machine:
    """A folder in place of the machine's root."""

    def __init__(self, folder):
        self.root = folder
        self.write("proc/sys/kernel/osrelease", "6.12.9-amd64")

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text + "\n")

    def link(self, path, target):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.symlink(target, full)

    def load_module(self):
        self.write("sys/module/atom_npu/version", "1.0.0")

    def attribute(self, name, address=ADDRESS):
        return os.path.join(self.root, "sys/bus/pci/devices", address, name)

    def add_npu(self, driver="atom_npu", values=None, address=ADDRESS, bridges="0000:00:01.0", accel="accel0"):
        real = f"sys/devices/pci0000:00/{bridges}/{address}"
        attributes = {"vendor": "0x1234", "device": "0xa70a", "numa_node": "-1",
                      "current_link_speed": "16.0 GT/s PCIe", "current_link_width": "8",
                      "max_link_speed": "32.0 GT/s PCIe", "max_link_width": "16",
                      "resource": "\n".join(["0x1000 0x10fff 0x1", "0x0 0x0 0x0", "0x20000 0x2ffff 0x1",
                                             "0x0 0x0 0x0", "0x100000000 0x13fffffff 0x1"])}
        if driver == "atom_npu":
            attributes.update({
                "state": "ok", "platform": "emulator", "serial": "00000000deadbeef", "pstate": "P10",
                "throttle": "thermal", "utilisation_permille": "950", "memory/local_total": "1073741824",
                "memory/local_used": "536870912", "hwmon/hwmon3/temp1_input": "76500",
                "hwmon/hwmon3/power1_average": "68700000", "busy_time_us": "5", "clock/ne0_khz": "1000000"})
            os.makedirs(os.path.join(self.root, real, "accel", accel))
        attributes.update(values or {})
        for name, value in attributes.items():
            self.write(f"{real}/{name}", value)
        if driver:
            self.link(f"{real}/driver", f"../../../bus/pci/drivers/{driver}")
        self.link(f"sys/bus/pci/devices/{address}", f"../../../devices/pci0000:00/{bridges}/{address}")

    def add_client(self, pid, fds, text):
        self.write(f"proc/{pid}/comm", "chat")
        for fd in fds:
            self.link(f"proc/{pid}/fd/{fd}", "/dev/accel/accel0")
            self.write(f"proc/{pid}/fdinfo/{fd}", text)


FDINFO = "\n".join(["drm-driver:\tatom_npu", "drm-client-id:\t7", f"drm-pdev:\t{ADDRESS}", "drm-engine-npu:\t250 ns",
                    "drm-total-memory:\t4 KiB", "drm-total-local:\t2 MiB", "drm-total-shm:\t0"])


def validated(text):
    """The answer, if it is as the schema says."""
    answer = json.loads(text)
    with open(SCHEMA, encoding="utf-8") as f:
        jsonschema.validate(answer, json.load(f))
    return answer


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.machine = Machine(self.folder.name)

    def command(self, *args, device=""):
        """What to call, and its environment."""
        root = [] if device else ["--root", self.folder.name]
        return [TOOL, *root, *args], dict(os.environ, ATOM_DEVICE=device)

    def run_tool(self, *args, device=""):
        call, environment = self.command(*args, device=device)
        p = subprocess.run(call, capture_output=True, timeout=60, env=environment, check=False)
        return p.returncode, p.stdout.decode(), p.stderr.decode()

    def run_json(self, *args, device=""):
        status, out, _ = self.run_tool("--json", *args, device=device)
        return status, validated(out)
