#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""atom-timeline: breakdowns and logs become tables, traces and pictures."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
TOOL = os.path.join(TOP, "emulator", "tools", "atom-timeline")
BENCH_MODEL = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None

LOG = """\
qemu: unrelated
atom_command_start npu0 queue 1 seq 5 command 0 opcode 0x10 tag 0x0
atom_command_time npu0 queue 1 seq 5 command 0 opcode 0x10 tag 0x0 start 70000 ns 6200 limit pcie
atom_command_parts npu0 matrix 0 vector 0 dram 0 ahead 0 shm 150 pcie 6000 overhead 200 macs 0 dram_bytes 0
atom_command_time npu0 queue 1 seq 5 command 1 opcode 0x1 tag 0x0 start 76200 ns 0 limit overhead
atom_command_parts npu0 matrix 0 vector 0 dram 0 ahead 0 shm 0 pcie 0 overhead 0 macs 0 dram_bytes 0
atom_command_time npu0 queue 1 seq 5 command 2 opcode 0x20 tag 0xb start 76200 ns 4200 limit matrix
atom_command_parts npu0 matrix 4000 vector 800 dram 100 ahead 900 shm 10 pcie 0 overhead 200 macs 118000000 dram_bytes 256000
atom_complete npu0 queue 1 seq 5 status 1 modelled 80400 ns
atom_command_time npu0 queue 2 seq 1 command 0 opcode 0x10 tag 0x0 start 70000 ns 200 limit overhead
atom_command_parts npu0 matrix 0 vector 0 dram 0 ahead 0 shm 1 pcie 0 overhead 200 macs 0 dram_bytes 0
atom_complete npu0 queue 2 seq 1 status 1 modelled 70200 ns
"""


def run(*arguments, text: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([TOOL, *arguments], input=text, capture_output=True, text=True, timeout=120)


class Timeline(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name: str) -> str:
        return os.path.join(self.folder.name, name)

    def load(self, name: str) -> dict:
        with open(self.path(name), encoding="utf-8") as file:
            return json.load(file)

    def check_trace(self, trace: dict, job: dict) -> None:
        """What Perfetto's importer of Chrome trace events asks for."""
        names = {}
        for event in trace["traceEvents"]:
            self.assertIn(event["ph"], ("M", "X"))
            self.assertIsInstance(event["pid"], int)
            if event["ph"] == "M" and event["name"] == "thread_name":
                names[event["tid"]] = event["args"]["name"]
        slices = {}
        for event in trace["traceEvents"]:
            if event["ph"] == "X":
                self.assertIn(event["tid"], names)
                self.assertTrue(event["name"])
                self.assertGreaterEqual(event["ts"], 0)
                self.assertGreaterEqual(event["dur"], 0)
                slices.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
        for track in slices.values():
            for (_, end), (begin, _) in zip(sorted(track), sorted(track)[1:]):
                self.assertLessEqual(end, begin + 1e-6, "slices of a track overlap")
        self.assertEqual(names[1], "commands")
        self.assertEqual(len(slices[1]), len(job["commands"]) + 1)
        self.assertAlmostEqual(max(end for _, end in slices[1]), job["job_ns"] / 1000, delta=0.01)

    def test_a_log_of_qemu_becomes_a_breakdown_of_its_longest_job(self):
        result = run("--qemu-log", "-", "--json", self.path("job.json"), "--trace", self.path("trace.json"), text=LOG)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("npu0, queue 1, job 5 (modelled): 80.4 us, of which the launch 70.0 us", result.stdout)
        job = self.load("job.json")
        self.assertEqual([c["name"] for c in job["commands"]], ["0 COPY", "2 GEMM tag 0xb"])
        self.assertEqual(job["commands"][1]["dram_ahead_ns"], 900)
        self.check_trace(self.load("trace.json"), job)

    def test_another_job_of_a_log_can_be_asked_for(self):
        result = run("--qemu-log", "-", "--job", "2:1", text=LOG)
        self.assertIn("queue 2, job 1", result.stdout)
        self.assertEqual(run("--qemu-log", "-", "--job", "2:2", text=LOG).returncode, 1)

    def test_what_cannot_be_read_is_refused_with_a_reason(self):
        for text in ("", "{}", "[1]", '{"commands": []}', '{"commands": [{}]}', "\0"):
            result = run("-", text=text)
            self.assertEqual(result.returncode, 1, text)
            self.assertRegex(result.stderr, r"^atom-timeline: -: .")
        self.assertIn("no complete job", run("--qemu-log", "-", text="").stderr)
        self.assertIn("nowhere", run("/nowhere").stderr)

    def test_a_picture_has_a_title_units_and_a_legend(self):
        run("--qemu-log", "-", "--json", self.path("job.json"), text=LOG)
        result = run(self.path("job.json"), "--picture", self.path("job.svg"))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        svg = xml.etree.ElementTree.parse(self.path("job.svg"))
        texts = " ".join("".join(t.itertext()) for t in svg.iter("{http://www.w3.org/2000/svg}text"))
        for words in ("npu0, queue 1, job 5 (modelled)", "modelled time, us", "matrix unit", "PCIe link", "0 COPY", "launch"):
            self.assertIn(words, texts)

    @unittest.skipUnless(BENCH_MODEL, "bench_model was not named")
    def test_the_breakdowns_of_the_bench_add_up_and_can_be_traced(self):
        subprocess.run([BENCH_MODEL, "--write", self.folder.name], check=True, stdout=subprocess.DEVNULL)
        names = sorted(os.listdir(self.folder.name))
        self.assertEqual(names, ["bert-large.single.json", "heldout.bert-base-fp16.json", "heldout.resnet50-fp16.json",
                                 "resnet50.multi.json", "resnet50.single.json"])
        for name in names:
            with self.subTest(name):
                job = self.load(name)
                self.assertIn("modelled, not an MLPerf result", job["title"])
                self.assertEqual(job["launch_ns"] + sum(c["ns"] for c in job["commands"]), job["job_ns"])
                result = run(self.path(name), "--trace", self.path("trace.json"))
                self.assertEqual(result.returncode, 0, result.stderr)
                self.check_trace(self.load("trace.json"), job)


if __name__ == "__main__":
    unittest.main()
