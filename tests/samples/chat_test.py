#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chat as its user sees it, with a trained model on the device inside of the process: answers, numbers, errors, exit statuses."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHAT = sys.argv.pop()
PUBLISHED = pathlib.Path(__file__).resolve().parents[2] / "samples/chat/model"
QUESTION = "What is the capital of France?"


def setUpModule():
    global MODEL
    MODEL = pathlib.Path(subprocess.run([PUBLISHED, "q4_1"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def run(*arguments, question="", **environment):
    p = subprocess.run([CHAT, "--threads", "1", *(str(a) for a in arguments)], input=question, capture_output=True, timeout=600,
                       text=True, env={**os.environ, "ATOM_DEVICE": "model", "ATOM_CHAT_MODEL": str(MODEL), **environment})
    return p.returncode, p.stdout, p.stderr


class Answers(unittest.TestCase):
    def test_are_the_same_on_both_devices(self):
        for device in ("npu", "cpu"):
            status, out, err = run("--device", device, QUESTION)
            self.assertEqual(status, 0, err)
            self.assertEqual(out.splitlines()[0], "The capital of France is Paris.", device)

    def test_end_after_as_many_tokens_as_wanted(self):
        status, out, err = run("--json", "--tokens", "3", "Tell me a story.")
        self.assertEqual(status, 0, err)
        self.assertEqual(json.loads(out)["generation"]["tokens"], 3)

    def test_come_to_questions_on_standard_input(self):
        status, out, err = run("--tokens", "8", question=QUESTION + "\n")
        self.assertEqual(status, 0, err)
        self.assertIn("Paris", out)

    def test_by_chance_depend_on_the_seed(self):
        def answer(seed):
            return json.loads(run("--json", "--tokens", "24", "--seed", seed, "Tell me a story.")[1])["answer"]
        self.assertEqual(answer(1), answer(1))
        self.assertNotEqual(answer(1), answer(2))


class Numbers(unittest.TestCase):
    def test_say_that_the_npu_did_all_but_the_input(self):
        status, out, err = run("--json", QUESTION)
        self.assertEqual(status, 0, err)
        result = json.loads(out)
        self.assertIn("NPU model:0", result["device"])
        self.assertEqual(result["operators_on_npu"], result["operators"] - 1)
        self.assertEqual(result["multiplications_on_npu"], result["multiplications"])
        for part in ("prompt", "generation"):
            for number in ("tokens", "tokens_per_second", "device_ms_per_token", "modelled_ms_per_token", "energy_mj_per_token"):
                self.assertGreater(result[part][number], 0, (part, number))

    def test_of_the_cpu_have_no_device_in_them(self):
        with tempfile.TemporaryDirectory() as work:
            report = pathlib.Path(work) / "report.json"
            status, out, err = run("--device", "cpu", "--report", report, "--tokens", "2", QUESTION)
            result = json.loads(report.read_text())
        self.assertEqual(status, 0, err)
        self.assertIn(" on CPU: 0 of ", out.splitlines()[-1])
        self.assertEqual(result["operators_on_npu"], 0)
        self.assertNotIn("device_ms_per_token", result["generation"])


class Errors(unittest.TestCase):
    """Each says on standard error what is wrong, and has its exit status."""

    def assert_fails(self, status, words, *arguments, **environment):
        found, out, err = run(*arguments, **environment)
        self.assertEqual(found, status, err)
        self.assertIn(words, err)
        self.assertTrue(err.startswith("chat: ") or status == 2, err)
        return out

    def test_a_wrong_call(self):
        self.assert_fails(2, "--device", "--device", "gpu", QUESTION)
        self.assert_fails(2, "no question", question=" \n")
        self.assert_fails(2, "leaves room for", "--context", "256", "word " * 300)

    def test_no_device(self):
        self.assert_fails(3, "no ATOM device", QUESTION, ATOM_DEVICE="")

    def test_a_missing_model(self):
        self.assert_fails(5, "the model is not there", "--model", "absent.gguf", QUESTION)

    def test_a_model_that_is_cut_short(self):
        with tempfile.TemporaryDirectory() as work:
            short = pathlib.Path(work) / "short.gguf"
            for size, words in ((5_000_000, "ends in the middle"), (100, "damaged"), (0, "damaged")):
                with open(MODEL, "rb") as whole:
                    short.write_bytes(whole.read(size))
                self.assert_fails(6, words, "--model", short, QUESTION)

    def test_a_model_of_a_kind_that_nobody_has(self):
        with tempfile.TemporaryDirectory() as work:
            strange = pathlib.Path(work) / "strange.gguf"
            strange.write_bytes(MODEL.read_bytes().replace(b"llama", b"lmaal"))
            self.assert_fails(5, "unknown model architecture: 'lmaal'", "--model", strange, QUESTION)

    def test_a_file_of_another_kind(self):
        self.assert_fails(6, "damaged", "--model", __file__, QUESTION)

    def test_a_context_larger_than_the_device(self):
        self.assert_fails(8, "does not fit into the memory of the device", "--context", "65536", QUESTION,
                          ATOM_DEVICE="model,dram=512M")

    def test_a_model_larger_than_the_device(self):
        self.assert_fails(8, "does not fit into the memory of the device", QUESTION, ATOM_DEVICE="model,dram=64M")

    def test_a_fault_in_the_middle_of_an_answer(self):
        for kind in ("ecc-ue", "hung-detected", "mmu-fault:after=40000"):
            after = "" if ":" in kind else ":after=5"
            with self.subTest(kind):
                self.assert_fails(4, "ATOM0: job ", "--tokens", "200", "Tell me a story.",
                                  ATOM_DEVICE=f"model,inject=kind={kind}{after}")


if __name__ == "__main__":
    unittest.main()
