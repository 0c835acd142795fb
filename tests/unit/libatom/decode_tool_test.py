#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""atom-decode as its user sees it: output, JSON, exit status, errors."""
import json
import struct
import subprocess
import sys
import tempfile
import unittest

TOOL = sys.argv.pop(1)
NOP = struct.pack("<HHIII", 0, 0, 16, 7, 0)
BUFFER = struct.pack("<4sHHIIIIQ", b"ACMD", 1, 0, 48, 1, 1, 0, 0) + NOP


def run(*args, stdin=b""):
    p = subprocess.run([TOOL, *args], input=stdin, capture_output=True, timeout=20)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


class AtomDecode(unittest.TestCase):
    def test_reads_a_file_or_standard_input(self):
        with tempfile.NamedTemporaryFile() as f:
            f.write(BUFFER)
            f.flush()
            from_file = run("--kind", "command-buffer", f.name)
        self.assertEqual(from_file, run("--kind", "command-buffer", stdin=BUFFER))
        self.assertEqual(from_file, run("-k", "command-buffer", "-", stdin=BUFFER))
        self.assertEqual(from_file[0], 0)
        self.assertIn("opcode: NOP", from_file[1])

    def test_prints_json(self):
        status, out, _ = run("--kind", "command-buffer", "--json", stdin=BUFFER)
        self.assertEqual(status, 0)
        tree = json.loads(out)
        self.assertEqual(tree["commands"][0]["tag"], 7)
        self.assertEqual(tree["problems"], [])

    def test_tells_problems_on_standard_error(self):
        status, out, err = run("--kind", "command-buffer", "--json", stdin=BUFFER[:40])
        self.assertEqual(status, 1)
        self.assertIn("its header is cut off", err)
        self.assertTrue(json.loads(out)["problems"])

    def test_names_a_field(self):
        self.assertEqual(run("--field", "gemm:24")[1], "GEMM: a\n")
        self.assertEqual(run("--field", "gemm:136")[1], "GEMM: a.quant.scale_offset\n")
        self.assertEqual(run("--field", "descriptor:32")[1], "descriptor: result_va\n")

    def test_refuses_a_wrong_call_with_status_2(self):
        for args in ((), ("--kind", "soup"), ("--nonsense",), ("--field", "gemm"),
                     ("--field", "gemm:x"), ("--field", "soup:1"),
                     ("--kind", "ring", "a", "b")):
            status, out, err = run(*args)
            self.assertEqual((status, out), (2, ""), args)
            self.assertTrue(err, args)

    def test_says_what_is_wrong_with_a_file(self):
        status, _, err = run("--kind", "ring", "/no/such/file")
        self.assertEqual(status, 1)
        self.assertIn("open /no/such/file: No such file or directory", err)
        status, _, err = run("--kind", "ring", "/")
        self.assertEqual(status, 1)
        self.assertTrue(err)
        self.assertEqual(run("--field", "gemm:696")[0], 1)

    def test_has_a_help_text(self):
        status, out, _ = run("--help")
        self.assertEqual(status, 0)
        self.assertIn("--kind", out)


if __name__ == "__main__":
    unittest.main()
