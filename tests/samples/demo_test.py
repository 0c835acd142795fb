#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What samples/demo, which make run calls, makes of programs and reports. Needs neither models nor a device."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
PATH = pathlib.Path(__file__).resolve().parents[2] / "samples/demo"
_loader = importlib.machinery.SourceFileLoader("demo", str(PATH))
demo = importlib.util.module_from_spec(importlib.util.spec_from_loader("demo", _loader))
_loader.exec_module(demo)

CHAT = {"model": "Smol", "answer": "It is\nParis, " + "as everyone knows, " * 5, "operators": 200, "operators_on_npu": 199,
        "multiplications": 1000, "multiplications_on_npu": 990,
        "generation": {"tokens_per_second": 12.345, "device_ms_per_token": 20.5, "modelled_ms_per_token": 1.25}}
OCR = {"model": "PP", "operators": 4, "operators_on_npu": 0, "images_per_second": 0.5,
       "pictures": [{"file": "/a/page.png", "lines": [{"text": "one"}, {"text": "two"}]}]}


class Script(unittest.TestCase):
    def run_script(self, commands):
        return subprocess.run(["sh", "-c", demo.script_of(commands)], capture_output=True, text=True, timeout=20)

    def test_runs_all_programs_and_fails_if_one_failed(self):
        result = self.run_script([("first", "it's", ["sh", "-c", "echo 1"]), ("second", "$x", ["sh", "-c", "exit 3"]),
                                  ("third", "c", ["echo", "a  'b' $c"])])
        self.assertEqual(result.returncode, 3)
        self.assertEqual(result.stdout, "\n== first: it's\n1\n\n== second: $x\n\n== third: c\na  'b' $c\n")
        self.assertEqual(result.stderr, "second: status 3\n")

    def test_succeeds_if_all_did(self):
        self.assertEqual(self.run_script([("only", "it", ["true"])]).returncode, 0)


class Table(unittest.TestCase):
    def test_tells_tokens_of_a_language_model(self):
        row = demo.row_of("chat", CHAT)
        self.assertEqual(row[0], "Smol")
        self.assertTrue(row[1].startswith("It is Paris, as") and len(row[1]) <= 40, row[1])
        self.assertEqual(row[2:], ("199 of 200 (99.5%)", "99.0%", "12.35 tokens/s", "20.50 ms", "1.25 ms"))

    def test_tells_images_and_leaves_out_a_device_that_was_not_used(self):
        self.assertEqual(demo.row_of("ocr", OCR), ("PP", "page.png: 2 lines of text", "0 of 4 (0.0%)", "-", "0.50 images/s", "-", "-"))

    def test_has_columns_of_equal_width(self):
        lines = demo.table([demo.row_of("chat", CHAT), demo.row_of("ocr", OCR)]).splitlines()
        self.assertEqual(len(lines), 3)
        at = [line.index(word) for line, word in zip(lines, ("on the NPU", "199 of 200", "0 of 4"))]
        self.assertEqual(at, [at[0]] * 3)


class Call(unittest.TestCase):
    def test_a_picture_that_is_not_there_is_told_before_a_machine_starts(self):
        result = subprocess.run([PATH, "--image", "absent.png"], capture_output=True, text=True, timeout=20)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("absent.png: No such file", result.stderr)


if __name__ == "__main__":
    unittest.main()
