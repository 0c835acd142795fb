# SPDX-License-Identifier: MIT
"""Properties: every one is documented, wrong values are refused with a reason, and what the operator can ask and break."""

import re
import subprocess
import unittest

import machine
import npu

OWN = ("memdev", "dram-size", "dram-window", "shm-size", "queues", "vectors", "executor", "engine", "threads", "pace", "compute",
       "timing", "serial", "uuid", "ioeventfd", "iothread", "x-speed", "x-width", "inject", "link-up", "describe")

# options: what QEMU has to say
REFUSED = {
    "queues=0": r"queues=0 is not in 1\.\.255",
    "queues=256": r"queues=256 is not in 1\.\.255",
    "vectors=0": r"vectors=0 is not in 1\.\.256",
    "vectors=257": r"vectors=257 is not in 1\.\.256",
    "threads=257": r"threads",
    "executor=fast": r"'executor' does not accept value 'fast'",
    "engine=gpu": r"'engine' does not accept value 'gpu'",
    "pace=slow": r"'pace' does not accept value 'slow'",
    "timing=lunch=1": r"timing has no parameter 'lunch'; there are rate.int8",
    "timing=utilisation=2": r"timing parameter utilisation takes 0.001 to 1 of peak, not '2'",
    "dram-size=3M": r"3145728 bytes is not a multiple of 2 MiB: change dram-size",
    "dram-size=64M,dram-window=128M": r"dram-window=134217728 is not a multiple of 2 MiB up to",
    "dram-size=64M,dram-window=1M": r"dram-window=1048576 is not a multiple of 2 MiB up to",
    "shm-size=5000": r"shm",
    "memdev=nowhere": r"'nowhere' not found",
    "memdev=small": r"1048576 bytes is not a multiple of 2 MiB: change the size of memdev",
    "memdev=large,dram-size=64M": r"dram-size=67108864 differs from the 33554432 bytes of memdev: leave dram-size away",
    "iothread=nowhere": r"'nowhere' not found",
    "iothread=io0,ioeventfd=off": r"'iothread' needs ioeventfd=on",
    "uuid=short": r"uuid",
    "x-speed=7": r"x-speed",
    "inject=kind=lost-irq": r"'inject' is for a running device",
    "link-up=off": r"'link-up' is for a running device",
}


class Help(unittest.TestCase):
    def test_every_property_is_documented(self):
        text = subprocess.run([machine.qemu_binary(), "-device", "atom-npu,help"], check=True, capture_output=True, text=True).stdout
        for name in OWN:
            self.assertRegex(text, rf"(?m)^  {name}=<[^\n]*> +- \w", name)

    def test_every_event_of_the_model_can_be_traced(self):
        text = subprocess.run([machine.qemu_binary(), "-trace", "help"], check=True, capture_output=True, text=True).stdout
        events = ("mmio_read", "mmio_write", "doorbell", "fetch", "command_start", "command_end", "command_time",
                  "command_parts", "complete", "fault", "admin",
                  "tlb_invalidate", "tlb_miss", "irq", "queue_state", "reset", "inject", "guest_error")
        self.assertEqual([name for name in events if not re.search(rf"(?m)^atom_{name}$", text)], [])


class WrongValues(unittest.TestCase):
    OBJECTS = ("-object", "memory-backend-ram,id=small,size=1M", "-object", "memory-backend-ram,id=large,size=32M",
               "-object", "iothread,id=io0")

    def test_they_are_refused_with_a_reason(self):
        for options, message in REFUSED.items():
            with self.subTest(options), self.assertRaisesRegex(machine.QemuError, message):
                qemu, _ = npu.start(options.replace("kind=lost-irq", "kind==lost-irq"), arguments=self.OBJECTS)
                qemu.quit()

    def test_a_refused_device_leaves_the_machine_as_it_was(self):
        qemu = machine.Machine("-device", "pcie-root-port,id=port0,bus=pcie.0,addr=1.0,chassis=1", *self.OBJECTS)
        self.addCleanup(qemu.quit)
        wrong = ({"queues": 0}, {"threads": 1000}, {"memdev": "small"}, {"dram-size": 3 << 20}, {"shm-size": 5000},
                 {"memdev": "large", "dram-window": 64 << 20}, {"iothread": "io0", "ioeventfd": "off"})
        before = None
        for _ in range(20):
            for options in wrong:
                with self.assertRaises(machine.QemuError):
                    qemu.qmp("device_add", driver="atom-npu", id="npu0", bus="port0", **options)
            before = before or (qemu.open_files(), qemu.threads())
        self.assertEqual((qemu.open_files(), qemu.threads()), before)
        qemu.qmp("device_add", driver="atom-npu", id="npu0", bus="port0", memdev="large")

    def test_what_is_fixed_at_creation_cannot_be_changed_later(self):
        qemu, _ = npu.start("dram-size=16M")
        with qemu:
            for name, value in (("executor", "inline"), ("engine", "reference"), ("pace", "device"), ("queues", 3), ("vectors", 3)):
                with self.assertRaisesRegex(machine.QemuError, name):
                    qemu.set("npu0", name, value)


class Operator(unittest.TestCase):
    def setUp(self):
        self.machine, self.npu = npu.start("executor=inline,dram-size=16M")
        self.addCleanup(self.machine.quit)

    def test_a_wrong_fault_specification_is_refused_and_the_device_goes_on(self):
        for specification in ("", "kind=", "kind=nonsense", "lost-irq", "kind=lost-irq,after=x", "after=1", "kind=lost-irq,,", "x" * 5000):
            with self.subTest(specification[:20]), self.assertRaisesRegex(machine.QemuError, "inject: ."):
                self.machine.set("npu0", "inject", specification)
        self.npu.bring_up()
        self.assertEqual(self.npu.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))

    def test_a_lost_interrupt_is_lost_once(self):
        self.npu.enable_msix(2)
        self.npu.bring_up()
        self.npu.create_queue(vector=1)
        self.machine.set("npu0", "inject", "kind=lost-irq,count=1")
        self.npu.run_nop()
        self.assertEqual(self.npu.message(1), 0)
        self.npu.run_nop()
        self.npu.wait_for_message(1)

    def test_inject_cannot_be_read(self):
        with self.assertRaises(machine.QemuError):
            self.machine.get("npu0", "inject")

    def test_describe_tells_the_state_of_the_queues(self):
        self.npu.bring_up()
        self.npu.create_queue(queue=5)
        text = self.machine.get("npu0", "describe")
        self.assertRegex(text, r"(?i)queue\s+5\b")

    def test_the_state_cannot_be_saved_and_the_reason_is_told(self):
        with self.assertRaisesRegex(machine.QemuError, "npu0: the state of an atom-npu cannot be saved yet: remove the device"):
            self.machine.qmp("migrate", uri="exec:cat >/dev/null")

    def test_serial_numbers_follow_from_the_uuid_when_not_given(self):
        qemu, device = npu.start("dram-size=16M,uuid=00112233-4455-6677-8899-aabbccddeeff")
        with qemu:
            self.assertEqual(device.read(npu.REG_SERIAL, 8), 0x0011223344556677)


class Tracing(unittest.TestCase):
    def test_events_name_the_device_and_come_from_all_threads(self):
        for options in ("executor=inline", "executor=pool,threads=2"):
            with self.subTest(options):
                qemu, device = npu.start(f"{options},dram-size=16M", arguments=("-trace", "atom_*"))
                with qemu:
                    device.enable_msix(2)
                    device.bring_up()
                    device.create_queue(vector=1)
                    device.run_nop()
                    device.wait_for_message(1)
                    text = qemu.messages()
                for event in ("mmio_write npu0 bar 0 offset 0x100 ", "reset npu0 ", "admin npu0 opcode 5 id 1 status 1 ",
                              "doorbell npu0 queue 1", "fetch npu0 queue 1 seq 1 type 1", "complete npu0 queue 1 seq 1 status 1",
                              "irq npu0 vector 1", "msix_notify npu0 vector 1", "config npu0 bus master 1"):
                    self.assertIn(f"atom_{event}", text)


if __name__ == "__main__":
    machine.main()
