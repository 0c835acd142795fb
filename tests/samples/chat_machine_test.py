#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""llama.cpp on the kernel's driver, in the virtual machine (tests/vm/llama starts it there): several at once, killed, broken."""
import glob
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import closing_line  # noqa: E402

BUILD, RUNTIME = pathlib.Path(sys.argv[1]), sys.argv[2]
del sys.argv[1:3]
CHAT = BUILD / "samples/chat/chat"
OCR = BUILD / "samples/ocr/ocr"
CHECK = pathlib.Path(__file__).resolve().parents[2] / "samples/ggml-backend/check"
STORY = ["--tokens", "40", "Tell me a story about a robot who learns to paint."]
QUESTION = ["--tokens", "8", "What is the capital of France?"]


def start(*arguments):
    return subprocess.Popen([CHAT, "--json", "--threads", "1", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def start_ocr():
    return subprocess.Popen([OCR, "--json", "--models", os.environ["ATOM_OCR_MODELS"], os.environ["ATOM_OCR_PAGE"]], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def text_of(program):
    out, err = program.communicate(timeout=120)
    if program.returncode:
        raise AssertionError(f"ocr: {program.returncode}: {err}")
    return [line["text"] for picture in json.loads(out)["pictures"] for line in picture["lines"]]


def answer_of(program):
    out, err = program.communicate(timeout=120)
    if program.returncode:
        raise AssertionError(f"chat: {program.returncode}: {err}")
    return json.loads(out)["answer"]


def control(line):
    with open(os.environ["ATOM_CONTROL"], "r+b", buffering=0) as port:
        port.write(line.encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            answer += port.read(1)
    if not answer.startswith(b"ok"):
        raise AssertionError(f"{line}: {answer.decode()}")


def bytes_in_use():
    (counters,) = glob.glob("/sys/kernel/debug/accel/*/counters") or glob.glob("/sys/kernel/debug/dri/*/counters")
    lines = dict(line.split() for line in pathlib.Path(counters).read_text().splitlines())
    return int(lines["bo_bytes_local"])


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


class Machine(unittest.TestCase):
    def setUp(self):
        self.before = bytes_in_use()

    def tearDown(self):
        self.assertTrue(until(lambda: bytes_in_use() == self.before), "device memory has leaked")

    def test_operators_give_what_the_cpu_gives(self):
        p = subprocess.run([CHECK, "--build", BUILD, "--runtime", RUNTIME, "--ops", "RMS_NORM,GET_ROWS,SWIGLU,SCALE,CONT", "--report",
                            "/tmp/report.json"], env={**os.environ, "ATOM_DEVICE": ""}, capture_output=True, text=True, timeout=600)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        self.assertIn("RMS_NORM", p.stdout)

    def test_two_chats_at_once_answer_as_each_alone(self):
        alone = answer_of(start(*STORY)), answer_of(start(*QUESTION))
        together = start(*STORY), start(*QUESTION)
        self.assertEqual(tuple(answer_of(p) for p in together), alone)

    def test_a_chat_goes_on_when_another_is_killed(self):
        alone = answer_of(start(*STORY))
        victim, other = start(*STORY), start(*STORY)
        self.assertTrue(until(lambda: bytes_in_use() > self.before))
        time.sleep(3)
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        self.assertEqual(answer_of(other), alone)

    def test_two_chats_and_an_ocr_at_once_give_what_each_gives_alone_though_a_third_chat_is_killed(self):
        alone = answer_of(start(*STORY)), answer_of(start(*QUESTION)), text_of(start_ocr())
        self.assertTrue(alone[2])
        page, story, question, victim = start_ocr(), start(*STORY), start(*QUESTION), start(*STORY)
        time.sleep(2)
        victim.kill()
        victim.communicate()
        self.assertEqual((answer_of(story), answer_of(question), text_of(page)), alone)

    def test_a_device_that_is_pulled_ends_the_answer_with_its_reason_and_another_serves_the_next(self):
        broken = subprocess.Popen([CHAT, "--threads", "1", "--tokens", "1500", *STORY[2:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        self.assertTrue(broken.stdout.read(1), "no answer")
        control("surprise-remove 0")
        try:
            _, err = broken.communicate(timeout=120)
        finally:
            control("plug 0")
            until(lambda: glob.glob("/dev/accel/accel*"))
        self.assertEqual(broken.returncode, 4, err)
        self.assertIn("ATOM0: ", err)
        self.assertIn("Paris", answer_of(start(*QUESTION)))

    def test_a_fault_ends_one_answer_with_its_reason_and_no_later_one(self):
        control("inject 0 kind=mmu-fault,after=30000")
        broken = start(*STORY)
        _, err = broken.communicate(timeout=120)
        self.assertEqual(broken.returncode, 4, err)
        self.assertIn("ATOM0: job ", err)
        self.assertIn("Paris", answer_of(start(*QUESTION)))

    def test_a_context_larger_than_the_device_is_refused(self):
        p = start("--context", "400000", *QUESTION)
        _, err = p.communicate(timeout=120)
        self.assertEqual(p.returncode, 8, err)


if __name__ == "__main__":
    closing_line.main()
