#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What atom-smi shows while it runs: the screen of top, events as they happen, the server for Prometheus."""
import fcntl
import os
import pty
import re
import select
import shutil
import socket
import struct
import subprocess
import termios
import threading
import time
import unittest
import urllib.error
import urllib.request

import pyte
from fake_machine import ADDRESS, FAILED, FDINFO, OK, USAGE, Case, validated

PATIENCE = 30


class Running(Case):
    def start(self, *args):
        call, environment = self.command(*args)
        process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        process.kill()
        process.communicate()


class Events(Running):
    def next_event(self, process):
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        line = process.stdout.readline()
        timer.cancel()
        return validated(line)["event"]

    def test_tells_a_device_that_fails_comes_goes_and_works_again(self):
        self.machine.add_npu(values={"throttle": "none", "errors/job_faults": "1"})
        process = self.start("--json", "events", "--follow", "--interval", "50")
        first = self.next_event(process)
        self.assertEqual((first["kind"], first["count"], first["device"]), ("job_fault", 1, ADDRESS))
        steps = (("job_fault", lambda: self.machine.write(f"sys/bus/pci/devices/{ADDRESS}/errors/job_faults", "3")),
                 ("dead", lambda: self.machine.write(f"sys/bus/pci/devices/{ADDRESS}/state", "dead")),
                 ("recovered", lambda: self.machine.write(f"sys/bus/pci/devices/{ADDRESS}/state", "ok")),
                 ("removed", lambda: os.remove(os.path.join(self.folder.name, "sys/bus/pci/devices", ADDRESS))))
        for kind, happen in steps:
            happen()
            event = self.next_event(process)
            self.assertEqual(event["kind"], kind, event)
        shutil.rmtree(os.path.join(self.folder.name, "sys/devices"))
        self.machine.add_npu(values={"throttle": "thermal"})
        self.assertEqual(self.next_event(process)["kind"], "added")


class Server(Running):
    def get(self, url):
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    def test_reads_anew_for_each_request(self):
        self.machine.add_npu()
        process = self.start("metrics", "--listen", "127.0.0.1:0")
        url = process.stdout.readline().strip()
        self.assertRegex(url, r"^http://127\.0\.0\.1:\d+/metrics$")
        kind, text = self.get(url)
        self.assertTrue(kind.startswith("text/plain; version=0.0.4"))
        self.assertRegex(text, r"(?m)^atom_temperature_celsius\{.*\} 76.5$")
        self.machine.write(f"sys/bus/pci/devices/{ADDRESS}/hwmon/hwmon3/temp1_input", "50000")
        self.assertRegex(self.get(url)[1], r"(?m)^atom_temperature_celsius\{.*\} 50$")
        with self.assertRaises(urllib.error.HTTPError):
            self.get(url.replace("/metrics", "/../etc/passwd"))

    def connect(self, where="127.0.0.1"):
        """A server, and a way to talk to it in bytes."""
        self.machine.add_npu()
        process = self.start("metrics", "--listen", f"{where}:0")
        port = int(re.search(r":(\d+)/", process.stdout.readline())[1])

        def ask(request):
            with socket.create_connection((where.strip("[]"), port), timeout=PATIENCE) as connection:
                connection.sendall(request)
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        return port, ask

    def test_names_what_is_wrong_with_a_request_and_goes_on(self):
        _, ask = self.connect()
        for request, status in ((b"soup\r\n\r\n", "400 Bad Request"),
                                (b"\0" * 100 + b"\r\n\r\n", "400 Bad Request"),
                                (b"GET /metrics HTTP/9.9\r\n\r\n", "400 Bad Request"),
                                (b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "405 Method Not Allowed"),
                                (b"GET /other HTTP/1.1\r\n\r\n", "404 Not Found"),
                                (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 500_000 + b"\r\n\r\n", "431 Request Header Fields Too Large"),
                                (b"GET /" + b"x" * 500_000 + b" HTTP/1.1\r\n\r\n", "431 Request Header Fields Too Large"),
                                (b"GET /metrics HTTP/1.1\r\n\r\n", "200 OK")):
            self.assertEqual(f"HTTP/1.1 {status}", ask(request).split("\r\n")[0], request[:40])
        self.assertTrue(ask(b"HEAD /metrics HTTP/1.0\r\n\r\n").endswith("\r\n\r\n"), "a head has no body")

    def test_answers_while_others_are_silent_and_lets_them_go(self):
        port, ask = self.connect()
        # More than it serves at once.
        silent = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(80)]
        for connection in silent:
            self.addCleanup(connection.close)
            connection.sendall(b"GET /metr")
        self.assertIn("200 OK", ask(b"GET /metrics HTTP/1.1\r\n\r\n"))
        for connection in silent:
            self.assertEqual(b"", connection.recv(1), "it is closed in the end")

    def test_serves_the_newer_address_of_this_machine_too(self):
        if not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("no IPv6")
        self.assertIn("200 OK", self.connect("[::1]")[1](b"GET /metrics HTTP/1.1\r\n\r\n"))

    def test_an_address_in_use_is_told(self):
        port, _ = self.connect()
        status, _, err = self.run_tool("metrics", "--listen", str(port))
        self.assertEqual(FAILED, status)
        self.assertIn("the address is in use", err)


class Screen(Case):
    """atom-smi top in a terminal of 100 columns."""

    def open_screen(self, *args, lines=24):
        self.screen = pyte.Screen(100, lines)
        self.stream = pyte.ByteStream(self.screen)
        call, environment = self.command("top", *args)
        pid, self.terminal = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 100, 0, 0))
            os.execve(call[0], call, dict(environment, TERM="xterm-256color", LC_ALL="C.UTF-8"))
        self.pid = pid
        self.addCleanup(os.close, self.terminal)

    def shows(self, text):
        """Reads until the screen has the text."""
        until = time.monotonic() + PATIENCE
        while text not in "\n".join(self.screen.display):
            ready, _, _ = select.select([self.terminal], [], [], max(0, until - time.monotonic()))
            self.assertTrue(ready, f"{text!r} is not on the screen:\n" + "\n".join(self.screen.display))
            self.stream.feed(os.read(self.terminal, 65536))

    def press(self, key):
        os.write(self.terminal, key)

    def status(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def test_what_the_driver_says_steers_no_terminal(self):
        self.machine.add_npu(values={"platform": "a\033[2Jb", "throttle": "c\001d"})
        self.open_screen()
        self.shows("ATOM (a?[2Jb)")
        self.shows("throttled (c?d)")
        self.press(b"q")
        self.assertEqual(self.status(), OK)

    def test_shows_devices_and_programs_and_ends_by_q(self):
        self.machine.add_npu()
        self.machine.add_client(4242, (3,), FDINFO)
        self.open_screen("--interval", "100")
        for text in ("NPU 0  ATOM (emulator)", "76 C", "68.7 W", "UTIL [||||", "95%", " 4242 ", "q quit"):
            self.shows(text)
        self.machine.write(f"sys/bus/pci/devices/{ADDRESS}/utilisation_permille", "100")
        self.shows("10%")
        self.press(b"q")
        self.assertEqual(self.status(), OK)

    def test_sorts_by_what_the_user_asks_for(self):
        self.machine.add_npu()
        self.machine.add_client(10, (3,), FDINFO)
        self.machine.add_client(11, (3,), FDINFO.replace("2 MiB", "9 MiB").replace("\t7", "\t8"))
        self.open_screen("--interval", "100")
        self.shows("now: utilisation")
        self.press(b"m")
        self.shows("now: memory")
        rows = [line.split()[1] for line in self.screen.display if " chat " in line]
        self.assertEqual(rows, ["11", "10"])
        self.press(b"p")
        self.shows("now: pid")
        self.press(b"q")
        self.assertEqual(self.status(), OK)

    def test_many_programs_in_a_small_terminal_can_be_scrolled(self):
        self.machine.add_npu()
        for pid in range(100, 130):
            self.machine.add_client(pid, (3,), FDINFO.replace("\t7", f"\t{pid}"))
        self.open_screen("--interval", "100", lines=10)
        self.shows(" 100 ")
        self.shows("q quit")
        self.assertNotIn(" 120 ", "\n".join(self.screen.display))
        self.press(b"\033OB" * 20)
        self.shows(" 120 ")

    def test_goes_on_when_the_devices_are_gone(self):
        self.machine.add_npu()
        self.open_screen("--interval", "100")
        self.shows("ATOM (emulator)")
        os.remove(os.path.join(self.folder.name, "sys/bus/pci/devices", ADDRESS))
        self.shows("no ATOM NPU in this machine")
        self.press(b"q")
        self.assertEqual(self.status(), OK)

    def test_ends_after_as_many_looks_as_asked_for(self):
        self.machine.add_npu(driver="vfio-pci")
        self.open_screen("--interval", "50", "--count", "2")
        self.shows("no driver")
        self.assertEqual(self.status(), OK)

    def test_without_a_terminal_it_says_what_to_do(self):
        self.machine.add_npu()
        status, _, err = self.run_tool("top")
        self.assertEqual(status, USAGE)
        self.assertIn("--json top", err)

    def test_json_is_a_line_for_each_look(self):
        self.machine.add_npu()
        status, out, _ = self.run_tool("--json", "top", "--count", "3", "--interval", "50")
        self.assertEqual((status, len(out.splitlines())), (OK, 3))
        for line in out.splitlines():
            self.assertEqual(validated(line)["devices"][0]["pci"]["address"], ADDRESS)


if __name__ == "__main__":
    unittest.main()
