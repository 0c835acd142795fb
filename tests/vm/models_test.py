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


if __name__ == "__main__":
    KERNEL = closing_line.take_option("--kernel", KERNEL)
    closing_line.main()
