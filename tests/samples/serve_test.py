#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""samples/serve as its clients see it, on the device inside of the process. serve_test.py SERVE SERVE-LOAD"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

SERVE, LOAD = sys.argv[1:3]
del sys.argv[1:3]

MAGIC, REQUEST, GOOD, MALFORMED, FAILED = 0x4d4f5441, 0, 1, 2, 3
FLOATS, SCORES = 256, 64


class Server:
    """A server for the time of a with."""

    def __init__(self, *options, device="model,dram=64M,threads=1"):
        self._options, self._device = options, device

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self._folder.name, "socket")
        self.process = subprocess.Popen([SERVE, self.path, *self._options], env=dict(os.environ, ATOM_DEVICE=self._device),
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.first_line = self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self._folder.cleanup()

    def end(self):
        """Asks it to end; its last words."""
        self.process.send_signal(signal.SIGTERM)
        out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, out, errors

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(60)
        client.connect(self.path)
        return client

    def load(self, *options):
        done = subprocess.run([LOAD, self.path, "--json", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=120, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def head(what=REQUEST, number=7, size=4 * FLOATS, magic=MAGIC):
    return struct.pack("<4I", magic, what, number, size)


def receive(client, size):
    data = b""
    while len(data) < size:
        more = client.recv(size - len(data))
        if not more:
            break
        data += more
    return data


def ask(client, floats):
    client.sendall(head() + struct.pack(f"<{FLOATS}f", *floats))
    magic, what, number, size = struct.unpack("<4I", receive(client, 16))
    return magic, what, number, struct.unpack(f"<{size // 4}f", receive(client, size))


class Serve(unittest.TestCase):
    def test_answers_many_clients_rightly_and_in_batches(self):
        with Server() as server:
            status, report, errors = server.load("--connections", "32", "--seconds", "1", "--check")
            self.assertEqual((status, errors), (0, ""))
            self.assertGreater(report["requests"], 32)
            self.assertEqual((report["failed"], report["unavailable"], report["wrong"]), (0, 0, 0))
            self.assertLessEqual(report["p50_ms"], report["p99_ms"])
            status, out, errors = server.end()
            self.assertEqual((status, errors), (0, ""))
            words = out.split()
            self.assertEqual(int(words[1]), report["requests"])
            self.assertLess(int(words[4]), report["requests"], "some requests must share a batch")
            self.assertFalse(os.path.exists(server.path), "the socket is left behind")

    def test_keeps_to_the_rate_that_is_asked_for(self):
        with Server() as server:
            status, report, _ = server.load("--connections", "4", "--seconds", "1", "--rate", "50")
            self.assertEqual(status, 0)
            self.assertEqual(report["requests"], 50)

    def test_returns_scores_that_add_up_to_one(self):
        with Server() as server, server.connect() as client:
            for _ in range(3):
                magic, what, number, scores = ask(client, [0.5] * FLOATS)
                self.assertEqual((magic, what, number, len(scores)), (MAGIC, GOOD, 7, SCORES))
                self.assertAlmostEqual(sum(scores), 1, places=4)

    def test_hangs_up_on_nonsense_and_serves_the_others(self):
        with Server() as server, server.connect() as other:
            for nonsense in (head(magic=1), head(what=GOOD), head(size=4), head(size=0xffffffff),
                             head() + struct.pack(f"<{FLOATS}f", *[float("nan")] * FLOATS)):
                with server.connect() as client:
                    client.sendall(nonsense)
                    self.assertEqual(struct.unpack("<4I", receive(client, 16))[1], MALFORMED)
                    self.assertEqual(receive(client, 1), b"")
            with server.connect() as client:
                client.sendall(head()[:7])
            with server.connect() as client:
                client.sendall(head() + b"half")
            self.assertEqual(ask(other, [0.25] * FLOATS)[1], GOOD)

    def test_goes_on_after_a_job_that_failed(self):
        with Server(device="model,dram=64M,threads=1,inject=kind=ecc-ue:after=2") as server, server.connect() as client:
            answers = [ask(client, [0.5] * FLOATS)[1] for _ in range(6)]
            self.assertEqual(answers.count(FAILED), 1, answers)
            self.assertEqual(answers.count(GOOD), 5, answers)
            self.assertIn("of which 1 failed", server.end()[1])

    def test_lets_no_more_in_than_it_may(self):
        with Server("--sessions", "2") as server:
            with server.connect() as first, server.connect() as second:
                self.assertEqual(ask(first, [0.5] * FLOATS)[1], GOOD)
                self.assertEqual(ask(second, [0.5] * FLOATS)[1], GOOD)
                third = server.connect()
                third.settimeout(0.5)
                third.sendall(head() + struct.pack(f"<{FLOATS}f", *[0.5] * FLOATS))
                with self.assertRaises(TimeoutError):
                    third.recv(16)
            third.settimeout(60)
            self.assertEqual(struct.unpack("<4I", receive(third, 16))[1], GOOD)
            third.close()

    def test_refuses_a_socket_that_is_served(self):
        with Server() as server:
            second = subprocess.run([SERVE, server.path], env=dict(os.environ, ATOM_DEVICE="model,dram=64M"), capture_output=True,
                                    text=True, timeout=60, check=False)
            self.assertEqual(second.returncode, 2)
            self.assertIn("a server listens there already", second.stderr)

    def test_takes_over_a_socket_that_was_left_behind(self):
        with Server() as server:
            server.process.kill()
            server.process.wait()
            self.assertTrue(os.path.exists(server.path))
            again = subprocess.Popen([SERVE, server.path], env=dict(os.environ, ATOM_DEVICE="model,dram=64M,threads=1"),
                                     stdout=subprocess.PIPE, text=True)
            again.stdout.readline()
            with server.connect() as client:
                self.assertEqual(ask(client, [0.5] * FLOATS)[1], GOOD)
            again.terminate()
            again.communicate(timeout=60)
            self.assertEqual(again.returncode, 0)

    def test_says_that_there_is_no_device(self):
        missing = subprocess.run([SERVE, "/nonexistent/socket"], env=dict(os.environ, ATOM_DEVICE="model:0"), capture_output=True,
                                 text=True, timeout=60, check=False)
        self.assertNotEqual(missing.returncode, 0)
        self.assertIn("serve: ", missing.stderr)


if __name__ == "__main__":
    unittest.main()
