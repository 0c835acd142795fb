# SPDX-License-Identifier: MIT
"""Resets, power states and bus mastering, also in the middle of work."""

import functools
import struct
import unittest

import machine
import npu
import pci

EXECUTORS = ("executor=pool,threads=2", "executor=inline")
FAULT_DMA_ERROR = 48


def each_executor(test):
    """Decorator: runs the test with each executor, with a device that has done a job."""

    @functools.wraps(test)
    def run(self):
        for options in EXECUTORS:
            with self.subTest(options):
                qemu, device = npu.start(f"{options},dram-size=64M")
                with qemu:
                    device.enable_msix(2)
                    device.bring_up()
                    device.create_queue(vector=1)
                    device.run_nop()
                    test(self, device)

    return run


class Resets(unittest.TestCase):
    def flr(self, device):
        express = device.function.capability(pci.CAP_EXPRESS)
        device.function.write(express + pci.EXPRESS_DEVCTL, 2, pci.DEVCTL_FLR)
        self.assertFalse(device.function.read(express + pci.EXPRESS_DEVCTL, 2) & pci.DEVCTL_FLR)

    def check_fresh(self, device):
        """Configuration space and registers are as after power on, and the device works again."""
        function = device.function
        self.assertEqual(function.read(pci.COMMAND, 2) & 0x7, 0)
        self.assertFalse(function.read(function.capability(pci.CAP_MSIX) + pci.MSIX_CONTROL, 2) & pci.MSIX_ENABLE)
        device.configure()
        self.assertEqual(device.read(npu.REG_CTRL), 0)
        self.assertEqual(device.read(npu.REG_DRIVER_VERSION), 0)
        self.assertFalse(device.enabled())
        self.assertEqual(device.read(npu.MSIX_TABLE + 12), 1, "vectors are masked")
        device.enable_msix(2)
        device.bring_up()
        device.create_queue(vector=1)
        device.run_nop()
        device.wait_for_message(1)

    @each_executor
    def test_a_message_that_resets_the_device_from_within_its_own_doorbell_does_not_hang(self, device):
        """A vector may point anywhere, at the function's own Device Control register too."""
        express = device.function.capability(pci.CAP_EXPRESS)
        generation = device.read(npu.REG_GENERATION)
        device.write(npu.MSIX_TABLE + 16, pci.ECAM + (device.port.bus << 20) + express + pci.EXPRESS_DEVCTL)
        device.write(npu.MSIX_TABLE + 16 + 8, pci.DEVCTL_FLR)
        device.submit_nop()
        device.machine.wait_until(lambda: device.function.read(pci.COMMAND, 2) == 0, "the reset that the message asks for")
        self.check_fresh(device)
        self.assertGreater(device.read(npu.REG_GENERATION), generation)

    @each_executor
    def test_flr_in_the_middle_of_work_stops_it_and_the_device_works_again(self, device):
        # 40 clears of 60 MiB are under way.
        for _ in range(12):
            device.submit_admin(npu.ADMIN_MEM_CLEAR, 0, struct.pack("<QQI", 0, 60 << 20, npu.LOCAL))
        generation = device.read(npu.REG_GENERATION)
        device.machine.store(device.bar4 + (61 << 20), b"kept")
        timestamp = device.read(npu.REG_TIMESTAMP, 8)
        self.flr(device)
        # Nothing of the old life comes any more.
        marker = b"\xa5" * 64
        device.machine.store(npu.ADMIN_COMPLETION, marker)
        device.configure()
        self.assertEqual(device.read(npu.REG_GENERATION), generation + 1)
        self.assertGreaterEqual(device.read(npu.REG_TIMESTAMP, 8), timestamp, "time goes on")
        self.assertEqual(device.machine.load(device.bar4 + (61 << 20), 4), b"kept", "device memory stays")
        self.assertEqual(device.machine.load(npu.ADMIN_COMPLETION, 64), marker)
        device.function.set_command(0)
        self.check_fresh(device)

    @each_executor
    def test_flr_storm(self, device):
        for _ in range(50):
            device.submit_nop()
            self.flr(device)
            device.configure()
            device.bring_up()
            device.create_queue(vector=1)

    @each_executor
    def test_reset_by_register_leaves_configuration_space_alone(self, device):
        device.reset()
        self.assertEqual(device.function.read(pci.COMMAND, 2) & 0x6, 0x6)
        self.assertFalse(device.enabled())
        device.bring_up()
        device.create_queue(vector=1)
        device.run_nop()
        device.wait_for_message(1)

    @each_executor
    def test_reset_of_the_machine_is_a_cold_reset(self, device):
        device.submit_admin(npu.ADMIN_MEM_CLEAR, 0, struct.pack("<QQI", 0, 60 << 20, npu.LOCAL))
        device.machine.qmp("system_reset")
        device.machine.wait_for_event("RESET")
        pci.enable_ecam(device.machine)
        device.port.configure()
        device.configure()
        self.assertEqual(device.read(npu.REG_GENERATION), 0)
        device.function.set_command(0)
        self.check_fresh(device)

    @each_executor
    def test_secondary_bus_reset_is_a_reset(self, device):
        device.port.write(0x3E, 2, 0x40)
        device.port.write(0x3E, 2, 0)
        self.check_fresh(device)


class PowerStates(unittest.TestCase):
    def set_power(self, device, state: int):
        device.function.write(device.function.capability(pci.CAP_PM) + pci.PM_CONTROL, 2, state)

    def test_nothing_is_done_in_d3hot_and_d0_is_a_reset(self):
        for options in EXECUTORS:
            with self.subTest(options):
                qemu, device = npu.start(f"{options},dram-size=16M")
                with qemu:
                    device.bring_up()
                    device.create_queue()
                    device.run_nop()
                    qemu.store(device.bar4, b"kept")
                    device.machine.write(npu.JOB_TAIL, 8, 2)
                    self.set_power(device, 3)
                    self.assertNotEqual(qemu.read(device.bar0 + npu.REG_MAGIC, 4), npu.MAGIC, "BARs do not answer in D3hot")
                    device.ring(1)
                    for _ in range(20):
                        self.assertEqual(device.job_sequence(), 1)
                    self.set_power(device, 0)
                    self.assertEqual(device.function.read(pci.COMMAND, 2) & 0x7, 0, "No_Soft_Reset is 0")
                    device.configure()
                    self.assertFalse(device.enabled())
                    self.assertEqual(qemu.load(device.bar4, 4), b"kept")
                    device.bring_up()
                    device.create_queue()
                    device.run_nop()


class BusMaster(unittest.TestCase):
    def test_without_it_the_device_reads_and_writes_nothing(self):
        for options in EXECUTORS:
            with self.subTest(options):
                qemu, device = npu.start(f"{options},dram-size=16M")
                with qemu:
                    device.enable_msix(2)
                    device.bring_up()
                    device.create_queue(vector=1)
                    device.run_nop()
                    device.wait_for_message(1)
                    device.function.set_command(pci.COMMAND_MEMORY)
                    before = qemu.load(npu.JOB_COMPLETION, 4096)
                    device.submit_nop()
                    qemu.wait_until(lambda: device.queue_fault(1) == FAULT_DMA_ERROR, "fault DMA_ERROR of queue 1")
                    self.assertEqual(qemu.load(npu.JOB_COMPLETION, 4096), before)
                    self.assertEqual(device.message(1), 0)

    def test_enabling_it_too_late_is_a_fatal_error_that_reset_heals(self):
        qemu, device = npu.start("executor=inline,dram-size=16M")
        with qemu:
            device.function.set_command(pci.COMMAND_MEMORY)
            device.bring_up()
            device.submit_admin(npu.ADMIN_NOP)
            qemu.wait_until(lambda: device.read(npu.REG_STATUS) & npu.STATUS_FATAL, "STATUS.FATAL")
            device.function.set_command(pci.COMMAND_MEMORY | pci.COMMAND_MASTER)
            device.bring_up()
            self.assertFalse(device.read(npu.REG_STATUS) & npu.STATUS_FATAL)
            self.assertEqual(device.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))


class WrongAddresses(unittest.TestCase):
    """DMA reaches RAM and nothing else, and never past it."""

    def fatal_with_ring_at(self, address: int, options: str):
        qemu, device = npu.start(f"{options},dram-size=16M")
        with qemu:
            target = {"bar0": device.bar0 + 0x140 - 0x140, "doorbells": device.bar2}.get(address, address)
            device.bring_up()
            device.write(npu.REG_CTRL, 0)
            qemu.wait_until(lambda: not device.enabled(), "not enabled")
            device.write(npu.REG_ADMIN_TAIL, target, 8)
            device.write(npu.REG_CTRL, npu.CTRL_ENABLE)
            device.ring(0)
            qemu.wait_until(lambda: device.read(npu.REG_STATUS) & npu.STATUS_FATAL, "STATUS.FATAL")
            device.bring_up()
            self.assertEqual(device.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))

    def test_a_ring_outside_ram_is_refused(self):
        for options in EXECUTORS:
            for address in ("bar0", "doorbells", 0xFEC00000, 0xFED00000, machine.Machine.MEMORY, (1 << 64) - 8):
                with self.subTest(f"{options}, tail at {address}"):
                    self.fatal_with_ring_at(address, options)

    def test_device_memory_of_another_card_can_be_reached(self):
        qemu, first, second = npu.start("executor=inline,dram-size=16M", "executor=inline,dram-size=16M")
        with qemu:
            first.bring_up()
            first.write(npu.REG_CTRL, 0)
            first.write(npu.REG_ADMIN_TAIL, second.bar4, 8)
            first.write(npu.REG_CTRL, npu.CTRL_ENABLE)
            qemu.store(npu.ADMIN_RING, struct.pack("<HHI48sQ", npu.ADMIN_NOP, 0, 0, b"", 1))
            qemu.write(second.bar4, 8, 1)
            first.ring(0)
            qemu.wait_until(lambda: qemu.read(npu.ADMIN_COMPLETION, 8) == 1, "admin NOP with its tail in the other card")


if __name__ == "__main__":
    machine.main()
