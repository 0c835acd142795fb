#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""onnx_conformance itself: a vector that is not as expected is told, whichever way."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
PROGRAM = sys.argv.pop(1)
DATA = subprocess.run([os.path.join(HERE, "..", "..", "packaging", "host", "onnx-testdata")], check=True, capture_output=True,
                      text=True).stdout.strip()


class Report(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for name in ("test_abs", "test_adam"):
            shutil.copytree(os.path.join(DATA, "node", name), self.path("data", "node", name))
        self.write("expected.txt", "node/test_adam training\n")

    def path(self, *names: str) -> str:
        return os.path.join(self.folder.name, *names)

    def write(self, name: str, text: str) -> None:
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def run_all(self) -> subprocess.CompletedProcess:
        return subprocess.run([PROGRAM, "--data", self.path("data"), "--expected", self.path(), "--report", self.path()],
                              capture_output=True, text=True, timeout=60, env=os.environ | {"ATOM_DEVICE": "model"})

    def fails(self, text: str) -> None:
        result = self.run_all()
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(text, result.stdout)

    def test_what_is_as_expected_succeeds_and_the_report_names_each_vector(self):
        result = self.run_all()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        with open(self.path("conformance.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual([(v["name"], v["result"], v["reason"]) for v in report["vectors"]],
                         [("node/test_abs", "passed", ""), ("node/test_adam", "not applicable", "training")])
        self.assertGreater(report["vectors"][0]["commands"], 0)

    def test_a_wrong_result_is_told(self):
        set_0 = self.path("data", "node", "test_abs", "test_data_set_0")
        shutil.copy(os.path.join(set_0, "input_0.pb"), os.path.join(set_0, "output_0.pb"))
        self.fails("node/test_abs: output 0: ")

    def test_a_vector_that_does_not_apply_any_more_is_told(self):
        self.write("expected.txt", "")
        self.fails("node/test_adam: does not apply (training: ")

    def test_a_vector_that_does_not_apply_for_another_reason_is_told(self):
        self.write("expected.txt", "node/test_adam dtype\n")
        self.fails("node/test_adam: does not apply for another reason than is listed: training")

    def test_a_vector_that_applies_again_is_told(self):
        self.write("expected.txt", "node/test_adam training\nnode/test_abs dtype\n")
        self.fails("node/test_abs: passed, and is listed as not applicable")

    def test_a_correction_must_be_of_what_is_wrong_and_must_be_right(self):
        self.write("corrections.txt", "node/test_abs 0 3 -1\n")
        self.fails("node/test_abs: output 0: 1 of 60 elements, the first [3] is ")
        element = self.run_all().stdout.split("the first [3] is ")[1].split(",")[0]
        self.write("corrections.txt", f"node/test_abs 0 3 {element}\n")
        self.fails("node/test_abs: the correction of element 3 changes nothing")


if __name__ == "__main__":
    unittest.main()
