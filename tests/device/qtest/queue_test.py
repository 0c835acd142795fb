# SPDX-License-Identifier: MIT
"""Queues, doorbells and interrupts, brought up by hand."""

import functools
import struct
import unittest

import machine
import npu
import pci

# The ways a doorbell can take, and who does the work.
WAYS = {
    "pool, plain doorbells": ("executor=pool,threads=2,ioeventfd=off", ()),
    "pool, eventfds in the main loop": ("executor=pool,threads=2,ioeventfd=on", ()),
    "pool, eventfds in an iothread": ("executor=pool,threads=2,iothread=io0", ("-object", "iothread,id=io0")),
    "inline, plain doorbells": ("executor=inline,ioeventfd=off", ()),
    "inline, eventfds in the main loop": ("executor=inline,ioeventfd=on", ()),
    "inline, eventfds in an iothread": ("executor=inline,iothread=io0", ("-object", "iothread,id=io0")),
}


def each_way(extra: str = ""):
    """Decorator: runs the test for each of WAYS, with a fresh device."""

    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for name, (options, arguments) in WAYS.items():
                with self.subTest(name):
                    qemu, device = npu.start(f"{options},dram-size=16M{extra}", arguments=arguments)
                    with qemu:
                        test(self, device)

        return run

    return decorate


class Queues(unittest.TestCase):
    @each_way()
    def test_admin_nop_retires_with_a_message_of_vector_zero(self, device):
        device.enable_msix(2)
        device.bring_up()
        self.assertTrue(device.enabled())
        self.assertEqual(device.admin(npu.ADMIN_NOP, flags=npu.DESC_IRQ), (npu.CPL_OK, 0))
        device.wait_for_message(0)
        self.assertEqual(device.read(npu.REG_INTR_CAUSE) & npu.INTR_ADMIN, npu.INTR_ADMIN)
        self.assertEqual(device.message(1), 0)

    @each_way()
    def test_job_queue_uses_its_own_vector_and_wraps_its_ring(self, device):
        device.enable_msix(8)
        device.bring_up()
        device.create_queue(queue=64, vector=7)
        for _ in range(40):  # more than two rings of 16
            device.run_nop(64)
            device.wait_for_message(7)

    @each_way(",vectors=1")
    def test_one_vector_serves_all(self, device):
        self.assertEqual(device.read(npu.REG_NUM_VECTORS), 1)
        device.enable_msix(1)
        device.bring_up()
        device.create_queue(queue=3, vector=0)
        device.message(0)
        device.run_nop(3)
        device.wait_for_message(0)

    @each_way()
    def test_a_doorbell_of_a_queue_that_does_not_exist_is_ignored(self, device):
        device.bring_up()
        for queue in (1, 64, 65, 127):
            device.ring(queue)
        self.assertEqual(device.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))

    @each_way()
    def test_a_bad_descriptor_is_told_and_the_admin_queue_goes_on(self, device):
        device.bring_up()
        self.assertEqual(device.admin(200), (npu.CPL_FAULT, 64))
        self.assertEqual(device.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))

    @each_way()
    def test_device_memory_is_cleared_under_bar4(self, device):
        device.bring_up()
        device.machine.store(device.bar4 + 0x1000, b"\xff" * 0x3000)
        self.assertEqual(device.admin(npu.ADMIN_MEM_CLEAR, 0, struct.pack("<QQI", 0x2000, 0x1000, npu.LOCAL)), (npu.CPL_OK, 0))
        self.assertEqual(device.machine.load(device.bar4 + 0x1000, 0x3000), b"\xff" * 0x1000 + bytes(0x1000) + b"\xff" * 0x1000)


class Interrupts(unittest.TestCase):
    def setUp(self):
        self.machine, self.npu = npu.start("executor=inline,dram-size=16M")
        self.addCleanup(self.machine.quit)
        self.npu.enable_msix(2)
        self.npu.bring_up()

    def pending(self) -> int:
        return self.npu.read(0xF000)

    def test_a_masked_vector_becomes_pending_and_is_sent_when_unmasked(self):
        self.npu.write(npu.MSIX_TABLE + 12, 1)
        self.npu.admin(npu.ADMIN_NOP, flags=npu.DESC_IRQ)
        self.machine.wait_until(lambda: self.pending() == 1, "pending bit 0")
        self.assertEqual(self.npu.message(0), 0)
        self.npu.write(npu.MSIX_TABLE + 12, 0)
        self.npu.wait_for_message(0)
        self.assertEqual(self.pending(), 0)

    def test_the_function_mask_holds_all_vectors_back(self):
        control = self.npu.function.capability(pci.CAP_MSIX) + pci.MSIX_CONTROL
        self.npu.function.write(control, 2, pci.MSIX_ENABLE | pci.MSIX_MASK_ALL)
        self.npu.admin(npu.ADMIN_NOP, flags=npu.DESC_IRQ)
        self.machine.wait_until(lambda: self.pending() == 1, "pending bit 0")
        self.npu.function.write(control, 2, pci.MSIX_ENABLE)
        self.npu.wait_for_message(0)

    def test_a_message_aimed_at_the_devices_own_registers_does_no_harm(self):
        for target in (self.npu.bar0 + npu.REG_CTRL, self.npu.bar2, self.npu.bar4):
            self.npu.write(npu.MSIX_TABLE, target & 0xFFFFFFFF)
            self.npu.write(npu.MSIX_TABLE + 4, target >> 32)
            self.npu.write(npu.REG_INTR_CAUSE, npu.INTR_ADMIN)
            self.assertEqual(self.npu.admin(npu.ADMIN_NOP, flags=npu.DESC_IRQ), (npu.CPL_OK, 0))
        self.assertTrue(self.npu.enabled())


class Doorbells(unittest.TestCase):
    def test_only_four_bytes_at_the_start_of_a_page_ring(self):
        for options in ("ioeventfd=off", "ioeventfd=on"):
            with self.subTest(options):
                qemu, device = npu.start(f"executor=inline,dram-size=16M,{options}", arguments=("-d", "guest_errors"))
                with qemu:
                    device.bring_up()
                    for offset, size in ((4, 4), (0, 8), (0, 2), (0xFFC, 4)):
                        qemu.write(device.bar2 + offset, size, 1)
                    self.assertEqual(qemu.messages().count("a doorbell is 4 bytes at the start of a page"), 4)
                    self.assertEqual(device.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))


class Time(unittest.TestCase):
    def test_the_device_keeps_the_virtual_clock(self):
        qemu, device = npu.start("executor=inline,dram-size=16M")
        with qemu:
            before = device.read(npu.REG_TIMESTAMP, 8)
            self.assertEqual(device.read(npu.REG_TIMESTAMP, 8), before)
            qemu.clock_step(1_234_567)
            self.assertEqual(device.read(npu.REG_TIMESTAMP, 8), before + 1_234_567)

    def test_at_the_devices_pace_a_job_ends_when_its_modelled_time_has_passed(self):
        qemu, device = npu.start("executor=inline,pace=device,dram-size=16M")
        with qemu:
            device.enable_msix(2)
            device.bring_up()
            device.create_queue(vector=1)
            sequence = device.submit_nop()
            self.assertEqual(device.job_sequence(), 0)
            qemu.clock_step(1000)
            self.assertEqual(device.job_sequence(), 0, "a launch takes longer than 1 us")
            qemu.clock_step(1_000_000)
            device.wait_for_message(1)
            self.assertEqual(device.job_sequence(), sequence)
            self.assertEqual(device.job_status(sequence), (npu.CPL_OK, 0))

    def test_two_runs_with_the_inline_executor_are_equal_to_the_nanosecond(self):
        records = []
        for _ in range(2):
            qemu, device = npu.start("executor=inline,pace=device,dram-size=16M")
            with qemu:
                device.bring_up()
                device.create_queue()
                for _ in range(5):
                    device.submit_nop()
                    qemu.clock_step(300_000)
                records.append(qemu.load(npu.JOB_COMPLETION, 64 + 5 * 64))
        self.assertEqual(records[0], records[1])
        self.assertEqual(struct.unpack_from("<Q", records[0])[0], 5)


class StoppedMachine(unittest.TestCase):
    def test_nothing_moves_while_the_machine_is_stopped(self):
        for options in ("executor=pool,threads=2", "executor=inline"):
            with self.subTest(options):
                qemu, device = npu.start(f"{options},dram-size=16M")
                with qemu:
                    device.bring_up()
                    device.create_queue()
                    device.run_nop()
                    qemu.qmp("stop")
                    sequence = device.submit_nop()
                    for _ in range(50):
                        self.assertEqual(device.job_sequence(), sequence - 1)
                    qemu.qmp("cont")
                    qemu.wait_until(lambda: device.job_sequence() == sequence, "the job after cont")

    def test_a_machine_started_stopped_works_after_cont(self):
        qemu, device = npu.start("executor=pool,threads=2,dram-size=16M", arguments=("-S",))
        with qemu:
            qemu.qmp("cont")
            device.bring_up()
            self.assertEqual(device.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))


if __name__ == "__main__":
    machine.main()
