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
sys.path.append(os.path.join(TOP, "tests"))

import closing_line  # noqa: E402

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
        # The kernel says it in the first way, KASAN in the second.
        self.assertRegex(result.stderr, b"NULL pointer dereference|null-ptr-deref")
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
    TOOL = os.path.join(TOP, "emulator", "vm", "atom-control")

    def test_the_control_port_answers_each_line(self):
        result = shell(f"{self.TOOL} list; {self.TOOL} unplug 0 || echo refused $?; {self.TOOL} no-such; {self.TOOL} list")
        self.assertEqual(result.stdout.decode(), "0=empty 1=empty\nrefused 1\n0=empty 1=empty\n")
        self.assertIn("slot 0 is empty", result.stderr.decode())
        self.assertIn("unknown command", result.stderr.decode())

    def test_devices_leave_and_come_back_in_their_slots(self):
        if KERNEL == "debug":
            self.skipTest("it has no hot-plug driver (emulator/vm/debug.config)")
        script = f"""
            control() {{ {self.TOOL} "$@" || echo "refused: $*"; }}
            seen() {{ lspci -n -d 1234: | cut -d' ' -f1 | tr '\\n' ' '; }}
            await() {{ for i in $(seq 60); do [ "$(seen)" = "$1" ] && break; sleep 0.5; done; echo "$(control list): $(seen)"; }}
            await '01:00.0 02:00.0 '
            control unplug 0; await '02:00.0 '
            control plug 0; await '01:00.0 02:00.0 '
            control plug 2; await '01:00.0 02:00.0 03:00.0 '
            control plug 1
            control surprise-remove 1; await '01:00.0 03:00.0 '
            control plug 1; await '01:00.0 02:00.0 03:00.0 '
            control inject 0 kind=no-such
            control inject 0 kind=hang,after=1,count=1 && echo injected
            control qom-get 1 queues
        """
        result = shell(script, devices=2, options=["--device-opt", "queues=7", "--device-opt", "dram-size=256M"])
        self.assertEqual(result.stdout.decode(), """\
0=npu0 1=npu1 2=empty 3=empty: 01:00.0 02:00.0
0=empty 1=npu1 2=empty 3=empty: 02:00.0
0=npu0 1=npu1 2=empty 3=empty: 01:00.0 02:00.0
0=npu0 1=npu1 2=npu2 3=empty: 01:00.0 02:00.0 03:00.0
refused: plug 1
0=npu0 1=pulled 2=npu2 3=empty: 01:00.0 03:00.0
0=npu0 1=npu1 2=npu2 3=empty: 01:00.0 02:00.0 03:00.0
refused: inject 0 kind=no-such
injected
7
""".replace(".0\n", ".0 \n"), result.stderr)
        self.assertIn("slot 1 holds a device already", result.stderr.decode())
        self.assertEqual(result.returncode, 0)


if __name__ == "__main__":
    KERNEL = closing_line.take_option("--kernel", KERNEL)
    closing_line.main()
