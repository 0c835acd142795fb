#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ATOM_DEVICE=model,times=FILE,timing=...: a program's own device tells where modelled time goes, for atom-timeline."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
TIMELINE = os.path.join(TOP, "emulator", "tools", "atom-timeline")
GEMM = sys.argv.pop(1)


def gemm(options: str) -> subprocess.CompletedProcess:
    return subprocess.run([GEMM, "--type", "bf16", "--size", "256", "--json"], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"ATOM_DEVICE": f"model,dram=64M,{options}"})


class Times(unittest.TestCase):
    def test_what_a_device_tells_becomes_a_breakdown_of_the_job(self):
        with tempfile.TemporaryDirectory() as folder:
            log, breakdown = os.path.join(folder, "log"), os.path.join(folder, "job.json")
            result = gemm(f"times={log},timing=launch=1000:utilisation=0.5:overhead.command=100")
            self.assertEqual(result.returncode, 0, result.stderr)
            subprocess.run([TIMELINE, "--qemu-log", log, "--json", breakdown], check=True, stdout=subprocess.DEVNULL)
            with open(breakdown, encoding="utf-8") as file:
                job = json.load(file)
        self.assertEqual(job["launch_ns"], 1000)
        self.assertEqual([c["kind"] for c in job["commands"]], ["GEMM"])
        # 256^3 / (16e12 * 0.5) s
        self.assertEqual(job["commands"][0]["matrix_ns"], 2097)
        self.assertEqual(job["job_ns"], 1000 + 100 + 2097)

    def test_what_cannot_be_is_refused_with_a_reason(self):
        for options, reason in (("times=/nowhere/log", "times=/nowhere/log cannot be written: No such file"), ("times=", "times=: it must be"),
                                ("timing=lunch=1", "timing has no parameter 'lunch'"), ("timing=", "timing=: it must be")):
            with self.subTest(options):
                result = gemm(options)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(reason, result.stderr)


if __name__ == "__main__":
    unittest.main()
