#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests of atom-vm itself: what it prints, how it exits, and that it notices each way in which a kernel can fail.

They use no NPU, so that they tell the machine's faults from the driver's. Each boots a machine; --kernel as for atom-vm.
"""

import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
VM = os.path.join(TOP, "emulator", "vm", "atom-vm")
KERNEL_TOOL = os.path.join(TOP, "emulator", "vm", "kernel")
sys.path.insert(0, os.path.join(TOP, "emulator", "vm"))

import kernel_log  # noqa: E402

KERNEL = "distro"


def run(*command, options=(), devices=0, **keywords):
    """Run a command in a machine without the driver; returns the completed process with bytes in stdout and stderr."""
    arguments = [VM, "--kernel", KERNEL, "--devices", str(devices), "--no-module", *options, "--", *command]
    keywords.setdefault("stdin", subprocess.DEVNULL)
    if "input" in keywords:
        del keywords["stdin"]
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=400, **keywords)


def shell(script, **keywords):
    return run("/bin/sh", "-c", script, **keywords)


class Command(unittest.TestCase):
    def test_output_streams_status_directory_and_environment_are_the_commands_own(self):
        with tempfile.TemporaryDirectory(dir=TOP) as folder:
            result = shell('echo out; echo err >&2; pwd; echo "$COLOUR|$1"; echo late >/dev/stderr; exit 37',
                           options=["--env", "COLOUR=it's \"red\" $HOME"], cwd=folder)
            self.assertEqual(result.stdout.decode(), f"out\n{folder}\nit's \"red\" $HOME|\n")
        self.assertEqual(result.stderr.decode(), "err\nlate\n")
        self.assertEqual(result.returncode, 37)

    def test_arguments_and_input_reach_the_command_byte_for_byte(self):
        data = bytes(range(256)) * 4096 + b"\r\n\n\r no newline at the end"
        argument = "a 'b' \"c\" $d `e` \\ *\n\té"
        result = run("/bin/sh", "-c", 'cat; printf %s "$1"', "-", argument, input=data)
        self.assertEqual(result.stdout, data + argument.encode())
        self.assertEqual(result.returncode, 0)

    def test_a_killed_command_and_a_missing_one_have_the_shells_status(self):
        self.assertEqual(shell("kill -SEGV $$").returncode, 128 + 11)
        result = run("no-such-command")
        self.assertEqual(result.returncode, 127)
        self.assertIn(b"no-such-command", result.stderr)

    def test_what_a_command_leaves_running_ends_with_it(self):
        result = shell("sleep 100000 & echo done")
        self.assertEqual((result.stdout, result.returncode), (b"done\n", 0))


class Files(unittest.TestCase):
    def test_only_shared_folders_change_on_the_host(self):
        with tempfile.TemporaryDirectory() as shared, tempfile.TemporaryDirectory() as private:
            with open(os.path.join(private, "seen"), "w") as file:
                file.write("host\n")
            result = shell(f"cat {private}/seen; echo guest >{private}/seen; cat {private}/seen; echo kept >{shared}/new; "
                           f"mkdir {shared}/folder; head -c 3000000 /dev/zero >{shared}/large",
                           options=["--share", shared])
            self.assertEqual((result.stdout, result.stderr, result.returncode), (b"host\nguest\n", b"", 0))
            with open(os.path.join(private, "seen")) as file:
                self.assertEqual(file.read(), "host\n")
            with open(os.path.join(shared, "new")) as file:
                self.assertEqual(file.read(), "kept\n")
            self.assertTrue(os.path.isdir(os.path.join(shared, "folder")))
            self.assertEqual(os.path.getsize(os.path.join(shared, "large")), 3000000)

    def test_the_kernels_modules_and_devices_are_where_programs_look(self):
        result = shell("set -e; modprobe gpu-sched; grep -q ^gpu_sched /proc/modules; udevadm info /sys/class/mem/null >/dev/null; "
                       "test -d /sys/kernel/debug/dri -o -d /sys/kernel/debug/tracing -o -d /sys/kernel/debug/bdi; "
                       "test -c /dev/ptmx; test -w /dev/shm; lspci >/dev/null; echo all")
        self.assertEqual((result.stdout, result.returncode), (b"all\n", 0), result.stderr)


class Faults(unittest.TestCase):
    """Each of these runs succeeds as far as its command is concerned."""

    @classmethod
    def setUpClass(cls):
        release = subprocess.check_output([KERNEL_TOOL, "release", KERNEL], text=True).strip()
        out = os.path.join(TOP, "build", "tests", "misbehave", release)
        subprocess.run([KERNEL_TOOL, "build-module", "--kernel", KERNEL, os.path.join(TOP, "tests", "vm", "misbehave"), out],
                       check=True, stdout=subprocess.DEVNULL)
        cls.module = os.path.join(out, "misbehave.ko")

    def misbehave(self, how, *options, after="echo went on"):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "kernel.log")
            result = shell(f"insmod {self.module} how={how}; {after}", options=["--log", log, *options])
            with open(log, errors="replace") as file:
                return result, file.read()

    def test_a_warning_fails_the_run_although_the_command_succeeds(self):
        result, log = self.misbehave("warn")
        self.assertEqual(result.returncode, 70, result.stderr)
        self.assertEqual(result.stdout, b"went on\n")
        self.assertIn("a warning as ordered", log)
        self.assertIn(b"WARNING: ", result.stderr)

    def test_an_oops_fails_the_run(self):
        result, log = self.misbehave("oops")
        self.assertEqual(result.returncode, 70, result.stderr)
        self.assertIn(b"NULL pointer dereference", result.stderr)
        self.assertIn("misbehave", log)

    def test_a_machine_that_stops_answering_is_a_hang(self):
        result, _ = self.misbehave("hang", "--silence", "15")
        self.assertEqual(result.returncode, 71, result.stderr)
        self.assertIn(b"no sign of life", result.stderr)

    def test_a_command_that_does_not_end_is_a_hang(self):
        result = run("sleep", "1000", options=["--timeout", "20"])
        self.assertEqual(result.returncode, 71, result.stderr)
        self.assertIn(b"--timeout", result.stderr)

    def test_the_debug_kernel_reports_a_leak_and_an_overflow(self):
        if KERNEL != "debug":
            self.skipTest("the distribution's kernel has no kmemleak and no KASAN")
        result, _ = self.misbehave("leak")
        self.assertEqual(result.returncode, 70, result.stderr)
        self.assertIn(b"kmemleak", result.stderr)
        result, _ = self.misbehave("overflow")
        self.assertEqual(result.returncode, 70, result.stderr)
        self.assertIn(b"KASAN", result.stderr)


class Usage(unittest.TestCase):
    """Mistakes of the caller are told before a machine is started."""

    def refused(self, *arguments):
        result = subprocess.run([VM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return result.returncode, result.stderr.decode()

    def test_wrong_arguments_are_named(self):
        for arguments, code, text in [
            (["--devices", "99", "--", "true"], 2, "--devices 99"),
            (["--share", "/no/such", "--no-module", "--", "true"], 72, "/no/such"),
            (["--kernel", "/no/such", "--", "true"], 72, "/no/such"),
            (["--device-opt", "dram", "--", "true"], 72, "NAME=VALUE"),
            (["--module", "/no/such.ko", "--", "true"], 72, "make module"),
            (["--no-module", "--"], 2, "COMMAND"),
        ]:
            with self.subTest(arguments):
                status, message = self.refused(*arguments)
                self.assertEqual(status, code, message)
                self.assertIn(text, message)

    def test_qemus_complaint_reaches_the_user(self):
        status, message = self.refused("--devices", "0", "--no-module", "--qemu-arg=-device", "--qemu-arg=no-such-device",
                                       "--", "true")
        self.assertEqual(status, 72)
        self.assertIn("no-such-device", message)


class Control(unittest.TestCase):
    def test_the_control_port_answers_each_line(self):
        tool = os.path.join(TOP, "emulator", "vm", "atom-control")
        result = shell(f"{tool} list; {tool} unplug 0 || echo refused $?; {tool} no-such; {tool} list")
        self.assertEqual(result.stdout.decode(), "0=empty 1=empty\nrefused 1\n0=empty 1=empty\n")
        self.assertIn("slot 0 is empty", result.stderr.decode())
        self.assertIn("unknown command", result.stderr.decode())


class Log(unittest.TestCase):
    """The scanner of the kernel log, without a machine."""

    def problems(self, text):
        with tempfile.NamedTemporaryFile() as file:
            file.write(text)
            file.flush()
            return [problem.kind for problem in kernel_log.LogScanner(file.name).scan(final=True)]

    def test_reports_are_found(self):
        for line, kind in [
            (b"[ 1.0] WARNING: CPU: 0 PID: 1 at drivers/x.c:3 f+0x1/0x2 [x]", "warning"),
            (b"[ 1.0] BUG: KASAN: slab-out-of-bounds in f+0x1/0x2", "bug"),
            (b"[ 1.0] BUG: kernel NULL pointer dereference, address: 0", "bug"),
            (b"[ 1.0] UBSAN: shift-out-of-bounds in x.c:3:4", "ubsan"),
            (b"[ 1.0] WARNING: possible circular locking dependency detected", "warning"),
            (b"[ 1.0] Oops: Oops: 0002 [#1] PREEMPT SMP", "oops"),
            (b"unreferenced object 0xffff888 (size 100):", "kmemleak"),
            (b"[ 1.0] INFO: task x:123 blocked for more than 120 seconds.", "hung task"),
            (b"[ 1.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!", "bug"),
            (b"[ 1.0] rcu: INFO: rcu_preempt self-detected stall on CPU", "rcu stall"),
            (b"[ 1.0] refcount_t: underflow; use-after-free.", "refcount"),
            (b"[ 1.0] DMA-API: atom 0000:01:00.0: device driver has pending DMA allocations", "dma-api"),
            (b"[ 1.0] Call Trace:", "call trace"),
            (b"[ 1.0] BUG: sleeping function called from invalid context at mm/x.c:1", "bug"),
        ]:
            with self.subTest(line):
                self.assertEqual(self.problems(b"first\n" + line + b"\nlast"), [kind])

    def test_ordinary_messages_are_not_reports(self):
        self.assertEqual(self.problems(
            b"[ 1.0] atom_npu 0000:01:00.0: job 3 of queue 1 timed out, resetting the queue\n"
            b"[ 1.0] DEBUG: nothing\n[ 1.0] pcieport 0000:00:03.0: AER: Correctable error message received\n"
            b"[ 1.0] DMA-API: preallocated 65536 debug entries\n[ 1.0] lockdep: runs 3\n"
            b"[ 1.0] kmemleak: Kernel memory leak detector initialized\n[ 1.0] rcu: Hierarchical RCU implementation.\n"), [])


class Result(unittest.TextTestResult):
    """Prints a line a test, and counts for the closing line."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


if __name__ == "__main__":
    if "--kernel" in sys.argv:
        position = sys.argv.index("--kernel")
        KERNEL = sys.argv[position + 1]
        del sys.argv[position:position + 2]
    program = unittest.main(verbosity=2, exit=False, testRunner=unittest.TextTestRunner(sys.stdout, resultclass=Result, verbosity=2))
    outcome = program.result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.passed} passed, {failed} failed, {len(outcome.skipped)} skipped", flush=True)
    sys.exit(0 if outcome.wasSuccessful() and outcome.passed else 1)
