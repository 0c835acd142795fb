#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The samples on trained models in the machine: the kernel driver under stock ONNX Runtime. One boot; --kernel as for atom-vm."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
VM = os.path.join(TOP, "emulator", "vm", "atom-vm")
CONTROL = os.path.join(TOP, "emulator", "vm", "atom-control")
MODELS = os.path.join(TOP, "packaging", "host", "models")
SAMPLES = os.path.join(TOP, "build", "host", "samples")
sys.path.append(os.path.join(TOP, "tests"))

import closing_line  # noqa: E402

KERNEL = "distro"
PHOTOGRAPHS = ("camera.png", "chelsea.png", "coffee.png", "rocket.jpg")
PAGES = ("bw_text.png", "page.png")


def folder(name):
    return subprocess.run([MODELS, name], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def pictures(names):
    return [os.path.join(folder("pictures"), name) for name in names]


def classify(*arguments):
    return [os.path.join(SAMPLES, "classify", "classify"), "--model", os.path.join(folder("classify"), "efficientnet-lite0.onnx"),
            *arguments]


def ocr(*arguments):
    return [os.path.join(SAMPLES, "ocr", "ocr"), "--models", folder("ocr"), *arguments]


# Without the kernel's hot-plug driver (the debug kernel) it is done by hand.
BY_HAND = "[ -d /sys/bus/pci_express/drivers/pciehp ] ||"
PULL = f"{CONTROL} surprise-remove 0; {BY_HAND} echo 1 >/sys/class/accel/accel0/device/remove"
# The kernel looks at nothing for a second when it has turned a slot off.
PLUG = f"sleep 3; {CONTROL} plug 0; {BY_HAND} echo 1 >/sys/bus/pci/rescan; for i in $(seq 300); do [ -c /dev/accel/accel0 ] && break; sleep 0.2; done"
# While a job is on the device for sure.
RESET = f"{CONTROL} inject 0 kind=hang,count=1; sleep 3; echo 1 >/sys/class/accel/accel0/device/reset"


def in_the_middle(command, trouble, repair="true"):
    """Trouble comes when the first of many pictures is done; status and error are the command's."""
    return (f"{shlex.join(command)} & run=$!; until [ -s /proc/self/fd/1 ] || ! kill -0 $run; do sleep 0.2; done; "
            f"({trouble}) >&2; wait $run; status=$?; ({repair}) >&2; exit $status")


# In this order, in one machine.
COMMANDS = {
    "classify": lambda: shlex.join(classify("--json", *pictures(PHOTOGRAPHS))),
    "ocr": lambda: shlex.join(ocr("--json", *pictures(PAGES))),
    # Root that must obey permissions, since only root can read the caches of root.
    "stranger": lambda: "chmod 0 /dev/accel/accel0; " + shlex.join(
        ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *classify(*pictures(PHOTOGRAPHS[:1]))]),
    "two": lambda: f"chmod 0660 /dev/accel/accel0; {shlex.join(ocr('--json', *pictures(PAGES[:1])))} & one=$!; "
                   f"{shlex.join(classify(*pictures(PHOTOGRAPHS)))} >&2 && wait $one",
    "broken": lambda: f"{CONTROL} inject 0 kind=hang,count=1 >&2; {shlex.join(ocr(*pictures(PAGES[1:])))}",
    "after": lambda: shlex.join(ocr("--json", *pictures(PAGES))),
    "reset_ocr": lambda: in_the_middle(ocr(*pictures(PAGES[1:] * 100)), RESET),
    "reset_classify": lambda: in_the_middle(classify(*pictures(PHOTOGRAPHS * 40)), RESET),
    "after_reset": lambda: shlex.join(ocr("--json", *pictures(PAGES))),
    "pulled_ocr": lambda: in_the_middle(ocr(*pictures(PAGES[1:] * 100)), PULL, PLUG),
    "pulled_classify": lambda: in_the_middle(classify(*pictures(PHOTOGRAPHS * 40)), PULL, PLUG),
    "after_pull": lambda: shlex.join(classify("--json", *pictures(PHOTOGRAPHS))),
    "users": lambda: "cat /sys/module/atom_npu/refcnt",
    "memory": lambda: "grep -hw bo_bytes_local /sys/kernel/debug/*/*/counters",
}


def on_cpu(command):
    return json.loads(subprocess.run([*command, "--device", "cpu", "--json"], check=True, stdout=subprocess.PIPE).stdout)


def lines(report):
    return [[line["text"] for line in picture["lines"]] for picture in report["pictures"]]


def names(report):
    return [[guess["name"] for guess in picture["classes"]] for picture in report["pictures"]]


class Models(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(dir=os.path.join(TOP, "build")) as work:
            script = "\n".join(f"({command()}) >{work}/{name}.out 2>{work}/{name}.err; echo $? >{work}/{name}.status"
                               for name, command in COMMANDS.items())
            cls.machine = subprocess.run([VM, "--kernel", KERNEL, "--share", work, "--memory", "3072", "--timeout", "1200",
                                          "--silence", "600", "--", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, text=True)
            cls.results = {}
            for name in COMMANDS:
                texts = []
                for part in ("status", "out", "err"):
                    path = os.path.join(work, f"{name}.{part}")
                    texts.append(open(path, encoding="utf-8").read() if os.path.exists(path) else "")
                cls.results[name] = (texts[0].strip(), texts[1], texts[2])

    def report(self, name):
        status, out, err = self.results[name]
        self.assertEqual(status, "0", f"{name}: {err}\n{self.machine.stdout}")
        return json.loads(out)

    def test_the_kernel_has_nothing_to_complain_of(self):
        self.assertEqual(self.machine.returncode, 0, self.machine.stdout)

    def test_photographs_show_what_the_cpu_sees_in_them(self):
        report = self.report("classify")
        self.assertEqual(names(report), names(on_cpu(classify(*pictures(PHOTOGRAPHS)))))
        self.assertEqual(report["operators_on_npu"], report["operators"])

    def test_pages_read_as_on_the_cpu(self):
        report = self.report("ocr")
        self.assertEqual(lines(report), lines(on_cpu(ocr(*pictures(PAGES)))))
        self.assertGreater(report["operators_on_npu"], 0.9 * report["operators"])
        self.assertGreater(report["modelled_ms"], 0)

    def test_someone_without_permission_is_told_so(self):
        status, _, err = self.results["stranger"]
        self.assertEqual(status, "7", err)
        self.assertIn("permission", err)

    def test_two_processes_share_the_device(self):
        self.assertEqual(lines(self.report("two")), lines(self.report("ocr"))[:1])

    def test_a_device_that_hangs_ends_the_run_with_an_error_and_serves_the_next(self):
        status, _, err = self.results["broken"]
        self.assertEqual(status, "4", err)
        self.assertEqual(lines(self.report("after")), lines(self.report("ocr")))

    def assert_broken_off(self, words, *commands):
        for name in commands:
            status, out, err = self.results[name]
            self.assertEqual(status, "4", f"{name}: {err}")
            self.assertTrue(out, f"{name}: nothing was done before")
            # Or it is the last thing that it asks the device for.
            self.assertRegex(err, rf"(\.onnx|telemetry): .*{words}")

    def test_a_reset_in_the_middle_ends_the_run_with_an_error_and_no_later_one(self):
        self.assert_broken_off("reset", "reset_ocr", "reset_classify")
        self.assertEqual(lines(self.report("after_reset")), lines(self.report("ocr")))

    def test_a_device_that_is_pulled_in_the_middle_ends_the_run_with_an_error_and_another_serves_the_next(self):
        self.assert_broken_off("is gone", "pulled_ocr", "pulled_classify")
        self.assertEqual(names(self.report("after_pull")), names(self.report("classify")))

    def test_nothing_holds_the_driver_or_memory_in_the_end(self):
        self.assertEqual(self.results["users"][1].strip(), "0")
        self.assertRegex(self.results["memory"][1], r"^(bo_bytes_local\s+0\n)+$")


if __name__ == "__main__":
    KERNEL = closing_line.take_option("--kernel", KERNEL)
    closing_line.main()
