#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""atom-smi cdi, held against what the Container Device Interface says of a specification."""
import json
import re
import subprocess
import tempfile
import unittest

from fake_machine import NO_DEVICE, OK, TOOL, Machine


class Cdi(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.machine = Machine(folder.name)
        self.machine.load_module()

    def call(self, *arguments):
        return subprocess.run([TOOL, "--root", self.machine.root, "cdi", *arguments], capture_output=True, text=True,
                              check=False, timeout=60)

    def specification(self):
        done = self.call()
        self.assertEqual((OK, ""), (done.returncode, done.stderr))
        return json.loads(done.stdout)

    def nodes(self, name):
        found = [d for d in self.specification()["devices"] if d["name"] == name]
        self.assertEqual(1, len(found), name)
        return [node["path"] for node in found[0]["containerEdits"]["deviceNodes"]]

    def test_it_has_the_form_that_runtimes_take(self):
        self.machine.add_npu()
        specification = self.specification()
        self.assertEqual({"cdiVersion", "kind", "devices"}, set(specification))
        self.assertRegex(specification["cdiVersion"], r"^\d+\.\d+\.\d+$")
        self.assertRegex(specification["kind"], r"^[A-Za-z][\w.-]*[A-Za-z0-9]/[A-Za-z][\w-]*[A-Za-z0-9]$")
        for device in specification["devices"]:
            self.assertTrue(re.fullmatch(r"[A-Za-z0-9]([\w.:-]*[A-Za-z0-9])?", device["name"]), device["name"])

    def test_a_device_is_found_by_index_address_and_serial_number(self):
        self.machine.add_npu()
        for name in ("0", "0000:01:00.0", "00000000deadbeef", "all"):
            self.assertEqual(["/dev/accel/accel0"], self.nodes(name))

    def test_all_is_all_of_them(self):
        self.machine.add_npu()
        self.machine.add_npu(address="0000:02:00.0", bridges="0000:00:02.0", accel="accel1", values={"serial": "2"})
        self.assertEqual(["/dev/accel/accel0", "/dev/accel/accel1"], self.nodes("all"))
        self.assertEqual(["/dev/accel/accel1"], self.nodes("2"))

    def test_a_serial_number_that_two_have_names_none(self):
        self.machine.add_npu()
        self.machine.add_npu(address="0000:02:00.0", bridges="0000:00:02.0", accel="accel1")
        names = [device["name"] for device in self.specification()["devices"]]
        self.assertEqual(["0", "0000:01:00.0", "1", "0000:02:00.0", "all"], names)

    def test_a_device_without_driver_is_left_out(self):
        self.machine.add_npu()
        self.machine.add_npu(driver=None, address="0000:02:00.0", bridges="0000:00:02.0")
        self.assertEqual(["/dev/accel/accel0"], self.nodes("all"))

    def test_without_a_file_to_give_there_is_no_specification(self):
        self.machine.add_npu(driver=None)
        done = self.call()
        self.assertEqual((NO_DEVICE, ""), (done.returncode, done.stdout))
        self.assertIn("doctor", done.stderr)


if __name__ == "__main__":
    unittest.main()
