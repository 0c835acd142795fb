#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""llama.cpp on the kernel's driver, in the virtual machine (tests/vm/llama starts it there): several at once, killed, broken."""
import functools
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


class Broken(AssertionError):
    """A program that ended with an exit status and an error."""


def output_of(program):
    out, err = program.communicate(timeout=120)
    if program.returncode:
        raise Broken(f"{os.path.basename(program.args[0])}: {program.returncode}: {err}")
    return json.loads(out)


def text_of(program):
    return [line["text"] for picture in output_of(program)["pictures"] for line in picture["lines"]]


def answer_of(program):
    return output_of(program)["answer"]


@functools.cache
def alone():
    """What a story, a question and a page give without company."""
    return answer_of(start(*STORY)), answer_of(start(*QUESTION)), text_of(start_ocr())


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
        together = start(*STORY), start(*QUESTION)
        self.assertEqual(tuple(answer_of(p) for p in together), alone()[:2])

    def test_a_chat_goes_on_when_another_is_killed(self):
        alone()
        victim, other = start(*STORY), start(*STORY)
        self.assertTrue(until(lambda: bytes_in_use() > self.before))
        time.sleep(3)
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        self.assertEqual(answer_of(other), alone()[0])

    def test_two_chats_and_an_ocr_at_once_give_what_each_gives_alone_though_a_third_chat_is_killed(self):
        self.assertTrue(alone()[2])
        page, story, question, victim = start_ocr(), start(*STORY), start(*QUESTION), start(*STORY)
        time.sleep(2)
        victim.kill()
        victim.communicate()
        self.assertEqual((answer_of(story), answer_of(question), text_of(page)), alone())

    def test_of_two_chats_and_an_ocr_at_once_a_fault_ends_one_with_its_reason_and_the_others_go_on(self):
        expected = dict(zip((answer_of, text_of), (alone()[0], alone()[2])))
        together = [(start(*STORY), answer_of), (start(*STORY), answer_of), (start_ocr(), text_of)]
        time.sleep(2)
        control("inject 0 kind=mmu-fault,after=30000")
        reasons = []
        for program, result_of in together:
            try:
                self.assertEqual(result_of(program), expected[result_of])
            except Broken as reason:
                reasons.append(str(reason))
        self.assertEqual(len(reasons), 1, reasons)
        self.assertRegex(reasons[0], "^(chat|ocr): 4: .*job")

    def break_off(self, trouble):
        """Returns what an answer says that meets trouble after its first character."""
        broken = subprocess.Popen([CHAT, "--threads", "1", "--tokens", "1500", *STORY[2:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        self.assertTrue(broken.stdout.read(1), "no answer")
        trouble()
        _, err = broken.communicate(timeout=120)
        self.assertEqual(broken.returncode, 4, err)
        self.assertIn("ATOM0: ", err)
        return err

    def test_a_device_that_is_pulled_ends_the_answer_with_its_reason_and_another_serves_the_next(self):
        try:
            err = self.break_off(lambda: control("surprise-remove 0"))
        finally:
            time.sleep(3)  # the kernel looks at nothing for a second when it has turned a slot off
            control("plug 0")
            until(lambda: glob.glob("/dev/accel/accel*"))
        self.assertIn("gone", err)
        self.assertIn("Paris", answer_of(start(*QUESTION)))

    def test_a_reset_in_the_middle_of_an_answer_ends_it_with_its_reason_and_no_later_one(self):
        def reset():
            control("inject 0 kind=hang,count=1")
            time.sleep(3)
            pathlib.Path("/sys/class/accel/accel0/device/reset").write_text("1")

        self.assertIn("reset", self.break_off(reset))
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
