#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests of the tools below packaging/host and of what runs before a machine starts. They need no network and no root."""

import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
TOOLS = os.path.join(TOP, "packaging", "host")
sys.path += [os.path.join(TOP, "tests"), os.path.join(TOP, "emulator", "vm")]

import closing_line  # noqa: E402
import initrd  # noqa: E402
import kernel_log  # noqa: E402


class Cache(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = folder.name
        self.calls = os.path.join(folder.name, "calls")

    def command(self, *arguments):
        return [os.path.join(TOOLS, "cache"), *arguments]

    def environment(self):
        return dict(os.environ, XDG_CACHE_HOME=self.home)

    def entry(self, script='echo content >"$0/file"', key="key"):
        script = f"echo called >>{self.calls}; {script}"
        return subprocess.run(self.command("entry", "name", key, "--", "sh", "-c", script), env=self.environment(),
                              capture_output=True, text=True)

    def count(self):
        with open(self.calls) as file:
            return len(file.readlines())

    def test_an_entry_is_built_once_and_its_path_printed(self):
        first, second = self.entry(), self.entry()
        self.assertEqual(first.stdout, second.stdout)
        with open(os.path.join(first.stdout.strip(), "file")) as file:
            self.assertEqual(file.read(), "content\n")
        self.assertEqual(self.count(), 1)

    def test_a_failed_build_leaves_nothing(self):
        result = self.entry('echo half >"$0/file"; exit 1')
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("building name/key failed", result.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.home, "atom", "name", "key")))
        self.assertEqual(os.listdir(os.path.join(self.home, "atom", "tmp")), [])
        self.assertEqual(self.entry().returncode, 0)

    def test_a_damaged_entry_is_built_again(self):
        path = os.path.join(self.entry().stdout.strip(), "file")
        for damage in (os.unlink, lambda name: os.truncate(name, 3)):
            damage(path)
            self.assertIn("damaged", self.entry().stderr)
            with open(path) as file:
                self.assertEqual(file.read(), "content\n")

    def test_two_that_want_the_same_entry_build_it_once(self):
        script = f"echo called >>{self.calls}; sleep 1; echo content >\"$0/file\""
        command = self.command("entry", "name", "key", "--", "sh", "-c", script)
        running = [subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                   for _ in range(3)]
        outputs = {process.communicate()[0] for process in running}
        self.assertEqual(len(outputs), 1)
        self.assertEqual(self.count(), 1)

    def test_an_entry_that_nobody_used_for_weeks_goes(self):
        old = self.entry(key="old").stdout.strip()
        past = time.time() - 20 * 86400
        os.utime(os.path.join(old, ".sealed"), (past, past))
        self.entry(key="new")
        self.assertFalse(os.path.exists(old))

    def test_a_key_depends_on_contents_and_names_only(self):
        def key(*items):
            return subprocess.check_output(self.command("key", *items), env=self.environment())

        folders = [os.path.join(self.home, name) for name in ("a", "b")]
        for folder in folders:
            os.mkdir(folder)
            with open(os.path.join(folder, "file"), "w") as file:
                file.write("text")
        self.assertEqual(key(folders[0]), key(folders[1]))
        os.rename(os.path.join(folders[0], "file"), os.path.join(folders[0], "other"))
        self.assertNotEqual(key(folders[0]), key(folders[1]))
        self.assertNotEqual(key("=one"), key("=two"))


class Packages(unittest.TestCase):
    def run_tool(self, *arguments, path=None):
        environment = dict(os.environ, PATH=f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"])
        return subprocess.run([os.path.join(TOOLS, "install-packages"), *arguments], env=environment, capture_output=True, text=True)

    def fake(self, folder, name, script):
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)

    def test_nothing_is_said_or_done_when_all_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(TOOLS, "packages", "base.list")) as file:
                names = [line.strip() for line in file if not line.startswith("#")]
            lines = "\n".join(f"installed {name}" for name in names)
            self.fake(folder, "dpkg-query", f"cat <<'END'\n{lines}\nEND")
            self.fake(folder, "apt-get", "echo called >&2; exit 1")
            result = self.run_tool("base", path=folder)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_without_root_the_missing_packages_are_named(self):
        with tempfile.TemporaryDirectory() as folder:
            self.fake(folder, "dpkg-query", "echo installed cmake")
            self.fake(folder, "id", "echo 1000")
            result = self.run_tool("base", path=folder)
        self.assertEqual(result.returncode, 1)
        self.assertIn("not root", result.stderr)
        self.assertIn("ninja-build", result.stderr)
        self.assertNotIn(" cmake", result.stderr)

    def test_a_command_of_another_origin_stands_for_its_package(self):
        with tempfile.TemporaryDirectory() as folder:
            self.fake(folder, "dpkg-query", "echo installed python3-pip")
            self.fake(folder, "apt-get", "echo called >&2; exit 1")
            self.fake(folder, "npm", "")
            result = self.run_tool("frameworks", path=folder)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_an_unknown_list_is_refused(self):
        result = self.run_tool("no-such")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no-such", result.stderr)


class Step(unittest.TestCase):
    def test_the_status_is_the_commands_and_the_time_is_collected(self):
        with tempfile.TemporaryDirectory() as folder:
            # As in a fresh clone: the folder is not there yet.
            times = os.path.join(folder, "build", "steps")
            environment = dict(os.environ, ATOM_STEPS=times)
            step = os.path.join(TOOLS, "step")
            result = subprocess.run([step, "some name", "--", "sh", "-c", "echo out; exit 7"], env=environment,
                                    capture_output=True, text=True)
            self.assertEqual((result.returncode, result.stdout), (7, "out\n"))
            self.assertIn("some name: FAILED (7)", result.stderr)
            summary = subprocess.check_output([step, "--summary"], env=environment, text=True)
            self.assertRegex(summary, r"\d\.\d s  some name +FAILED \(7\)")


class Initrd(unittest.TestCase):
    def test_the_archive_unpacks_to_what_was_put_in(self):
        archive = initrd.Cpio()
        archive.folder("folder")
        archive.file("folder/program", b"\0binary\xff" * 3, 0o755)
        archive.link("link", "folder/program")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cpio", "-idm", "--quiet"], input=archive.finish(), cwd=folder, check=True)
            with open(os.path.join(folder, "link"), "rb") as file:
                self.assertEqual(file.read(), b"\0binary\xff" * 3)
            self.assertTrue(os.access(os.path.join(folder, "folder", "program"), os.X_OK))


class Log(unittest.TestCase):
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

    def test_a_line_counts_once_it_is_complete(self):
        with tempfile.NamedTemporaryFile() as file:
            scanner = kernel_log.LogScanner(file.name)
            file.write(b"fine\n[ 1.0] WARN")
            file.flush()
            self.assertEqual(scanner.scan(), [])
            file.write(b"ING: CPU: 0\n")
            file.flush()
            self.assertEqual([str(problem) for problem in scanner.scan()], ["line 2: warning: [ 1.0] WARNING: CPU: 0"])


class KernelProbe(unittest.TestCase):
    """What packages ask before they build the driver for a kernel."""

    def check(self, configuration):
        with tempfile.TemporaryDirectory() as kdir:
            if configuration is not None:
                os.makedirs(os.path.join(kdir, "include", "config"))
                with open(os.path.join(kdir, "include", "config", "auto.conf"), "w") as file:
                    file.write(configuration)
            return subprocess.run(["sh", os.path.join(TOP, "kernel", "kcompat", "probe.sh"), "--check", kdir],
                                  capture_output=True, text=True)

    def test_a_kernel_with_accel_is_one_to_build_for(self):
        result = self.check("CONFIG_DRM=m\nCONFIG_DRM_ACCEL=y\n")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_a_kernel_without_accel_is_told_from_broken_headers(self):
        result = self.check("CONFIG_PCI=y\n")
        self.assertEqual(result.returncode, 3)
        self.assertRegex(result.stderr, "^no DRM accel: .*\n$")
        self.assertEqual(self.check(None).returncode, 1)


if __name__ == "__main__":
    closing_line.main()
