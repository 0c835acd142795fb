#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""atom-smi as its user sees it, on machines made of files, and on the in-process device."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema

TOOL, SCHEMA = sys.argv[1], sys.argv[2]
del sys.argv[1:3]

OK, UNHEALTHY, USAGE, NO_DEVICE = 0, 1, 2, 3
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

    def add_npu(self, driver="atom_npu", values=None):
        real = f"sys/devices/pci0000:00/0000:00:01.0/{ADDRESS}"
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
            os.makedirs(os.path.join(self.root, real, "accel", "accel0"))
        attributes.update(values or {})
        for name, value in attributes.items():
            self.write(f"{real}/{name}", value)
        if driver:
            self.link(f"{real}/driver", f"../../../bus/pci/drivers/{driver}")
        self.link(f"sys/bus/pci/devices/{ADDRESS}", f"../../../devices/pci0000:00/0000:00:01.0/{ADDRESS}")

    def add_client(self, pid, fds, text):
        self.write(f"proc/{pid}/comm", "chat")
        for fd in fds:
            self.link(f"proc/{pid}/fd/{fd}", "/dev/accel/accel0")
            self.write(f"proc/{pid}/fdinfo/{fd}", text)


FDINFO = "\n".join(["drm-driver:\tatom_npu", "drm-client-id:\t7", f"drm-pdev:\t{ADDRESS}", "drm-engine-npu:\t250 ns",
                    "drm-total-memory:\t4 KiB", "drm-total-local:\t2 MiB", "drm-total-shm:\t0"])


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.machine = Machine(self.folder.name)

    def run_tool(self, *args, device=""):
        environment = dict(os.environ, ATOM_DEVICE=device)
        root = [] if device else ["--root", self.folder.name]
        p = subprocess.run([TOOL, *root, *args], capture_output=True, timeout=60, env=environment, check=False)
        return p.returncode, p.stdout.decode(), p.stderr.decode()

    def run_json(self, *args, device=""):
        status, out, _ = self.run_tool("--json", *args, device=device)
        answer = json.loads(out)
        with open(SCHEMA, encoding="utf-8") as f:
            jsonschema.validate(answer, json.load(f))
        return status, answer


class Status(Case):
    def test_shows_what_sysfs_tells(self):
        self.machine.load_module()
        self.machine.add_npu()
        status, out, _ = self.run_tool()
        self.assertEqual(status, OK)
        for text in (ADDRESS, "ATOM (emulator)", "accel0", "Gen4 x8", "76 C", "68.7 W", "P10", "512 MiB / 1.0 GiB",
                     "95%", "throttled (thermal)"):
            self.assertIn(text, out)

    def test_json_has_base_units_and_null_for_unknown(self):
        self.machine.add_npu()
        status, answer = self.run_json("status")
        device = answer["devices"][0]
        self.assertEqual(status, OK)
        self.assertEqual(device["power_uw"], 68700000)
        self.assertEqual(device["work"]["busy_compute_ns"], 5000)
        self.assertEqual(device["clocks"]["ne0_hz"], 10 ** 9)
        self.assertEqual(device["pci"]["link"], {"transfers_per_second": 16 * 10 ** 9, "width": 8})
        self.assertEqual(device["pci"]["bars"][2], {"index": 4, "bytes": 1 << 30})
        self.assertEqual(device["pci"]["bridges"], ["0000:00:01.0"])
        self.assertEqual(device["status"], "throttled")
        self.assertIsNone(device["uuid"])
        self.assertIsNone(device["pci"]["numa_node"])
        self.assertIsNone(device["errors"]["ecc_corrected"])

    def test_a_device_without_driver_or_given_up_is_unhealthy(self):
        self.machine.add_npu(driver="vfio-pci")
        status, answer = self.run_json()
        self.assertEqual((status, answer["devices"][0]["status"]), (UNHEALTHY, "no_driver"))
        driver = os.path.join(self.folder.name, f"sys/bus/pci/devices/{ADDRESS}/driver")
        os.remove(driver)
        os.symlink("../../../bus/pci/drivers/atom_npu", driver)
        self.machine.write(f"sys/bus/pci/devices/{ADDRESS}/state", "dead")
        status, answer = self.run_json()
        self.assertEqual((status, answer["devices"][0]["status"]), (UNHEALTHY, "dead"))

    def test_no_device_is_a_sentence_and_status_3(self):
        status, out, err = self.run_tool()
        self.assertEqual((status, out), (NO_DEVICE, ""))
        self.assertRegex(err, r"^atom-smi: there is no ATOM NPU .*'atom-smi doctor' .*\n$")

    def test_a_device_is_chosen_by_each_of_its_names(self):
        self.machine.add_npu()
        for name in ("0", ADDRESS, "01:00.0", "accel0", "/dev/accel/accel0", "00000000deadbeef"):
            self.assertEqual(self.run_tool("--device", name)[0], OK, name)
        for name in ("1", "accel1", "dead"):
            self.assertEqual(self.run_tool("--device", name)[0], NO_DEVICE, name)


class Processes(Case):
    def test_shows_each_open_file_once(self):
        self.machine.add_npu()
        self.machine.add_client(4242, (3, 5), FDINFO)
        status, answer = self.run_json("ps")
        self.assertEqual((status, len(answer["clients"])), (OK, 1))
        client = answer["clients"][0]
        self.assertEqual((client["pid"], client["command"], client["context"]), (4242, "chat", 7))
        self.assertEqual(client["engine_ns"], {"npu": 250})
        self.assertEqual(client["memory_bytes"], {"local": 2 << 20, "memory": 4096, "shm": 0})
        self.assertRegex(self.run_tool("ps")[1], r"\b4242\b.* chat .*2\.0 MiB")

    def test_leaves_other_drivers_alone(self):
        self.machine.add_npu()
        self.machine.add_client(4242, (3,), FDINFO.replace("atom_npu", "amdxdna"))
        self.assertEqual(self.run_json("ps")[1]["clients"], [])

    def test_a_name_that_is_no_text_is_still_json(self):
        self.machine.add_npu()
        self.machine.add_client(4242, (3,), FDINFO)
        with open(os.path.join(self.folder.name, "proc/4242/comm"), "wb") as f:
            f.write(b"\xff\xfe\n")
        self.assertEqual(self.run_json("ps")[0], OK)


class Doctor(Case):
    def problems(self):
        status, answer = self.run_json("doctor")
        found = {c["check"]: c for c in answer["checks"] if c["result"] == "problem"}
        self.assertEqual(status, UNHEALTHY if found else OK)
        for check in found.values():
            self.assertTrue(check["fix"])
        return found

    def healthy(self):
        self.machine.load_module()
        self.machine.add_npu()
        self.machine.write("dev/accel/accel0", "")

    def test_finds_nothing_on_a_healthy_machine(self):
        self.healthy()
        self.assertEqual(self.problems(), {})

    def test_finds_that_there_is_no_device(self):
        self.machine.load_module()
        self.assertEqual(set(self.problems()), {"device"})

    def test_finds_an_old_kernel_and_one_without_accel(self):
        self.healthy()
        self.machine.write("proc/sys/kernel/osrelease", "6.1.0-40-amd64")
        self.assertIn("older than 6.12", self.problems()["kernel"]["what"])
        self.machine.write("proc/sys/kernel/osrelease", "6.12.9-cloud-amd64")
        self.machine.write("boot/config-6.12.9-cloud-amd64", "# CONFIG_DRM_ACCEL is not set")
        self.assertIn("cloud", self.problems()["kernel"]["fix"])

    def test_tells_a_module_that_is_not_built_from_one_that_is_not_loaded(self):
        self.machine.add_npu(driver=None)
        self.assertIn("dkms autoinstall", self.problems()["module"]["fix"])
        self.machine.write("lib/modules/6.12.9-amd64/updates/dkms/atom_npu.ko.xz", "")
        self.assertIn("modprobe", self.problems()["module"]["fix"])

    def test_finds_secure_boot(self):
        self.machine.add_npu(driver=None)
        self.machine.write("lib/modules/6.12.9-amd64/updates/dkms/atom_npu.ko", "")
        self.machine.write("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
                           "\x06\x00\x00\x00\x01")
        self.assertIn("mokutil --import", self.problems()["module"]["fix"])

    def test_finds_another_driver_and_a_dead_device(self):
        self.machine.load_module()
        self.machine.add_npu(driver="vfio-pci")
        self.assertIn("vfio-pci", self.problems()["driver"]["what"])

    def test_finds_missing_memory_for_a_bar(self):
        self.healthy()
        self.machine.write(f"sys/bus/pci/devices/{ADDRESS}/resource", "0x1000 0x10fff 0x1")
        self.assertIn("above 4G", self.problems()["BARs"]["fix"])

    def test_finds_a_missing_node(self):
        self.healthy()
        os.remove(os.path.join(self.folder.name, "dev/accel/accel0"))
        self.assertEqual(set(self.problems()), {"permission"})

    def test_warns_of_a_slow_link(self):
        self.healthy()
        warnings = [c for c in self.run_json("doctor")[1]["checks"] if c["check"] == "link"]
        self.assertIn("Gen4 x8 of Gen5 x16", warnings[0]["what"])


class Model(Case):
    def test_shows_the_in_process_devices(self):
        status, answer = self.run_json("status", device="model:2")
        self.assertEqual((status, [d["node"] for d in answer["devices"]]), (OK, ["model:0", "model:1"]))
        self.assertGreater(answer["devices"][0]["memory"]["local_bytes"], 0)

    def test_info_names_the_commands(self):
        status, answer = self.run_json("info", device="model")
        self.assertEqual(status, OK)
        self.assertIn("GEMM", answer["devices"][0]["abilities"]["opcodes"])

    def test_says_what_is_wrong_with_the_variable(self):
        status, _, err = self.run_tool(device="nonsense")
        self.assertEqual(status, USAGE)
        self.assertIn("ATOM_DEVICE=nonsense", err)


class Call(Case):
    def test_a_wrong_call_is_status_2(self):
        for args in (("soup",), ("--nonsense",), ("status", "ps"), ("--device",)):
            self.assertEqual(self.run_tool(*args)[0], USAGE, args)

    def test_every_command_is_in_the_manual(self):
        status, out, _ = self.run_tool("--help")
        self.assertEqual(status, OK)
        commands = re.findall(r"^  (\w+)  ", out.split("Subcommands:")[1], re.M)
        self.assertGreater(len(commands), 4)
        with open(os.path.join(os.path.dirname(SCHEMA), "..", "..", "man", "atom-smi.1"), encoding="utf-8") as f:
            manual = f.read()
        for command in commands:
            self.assertIn(f"\n.It Cm {command}\n", manual)

    def test_version_works_without_device(self):
        self.machine.load_module()
        status, answer = self.run_json("version")
        self.assertEqual((status, answer["driver_version"]), (OK, "1.0.0"))


if __name__ == "__main__":
    unittest.main()
