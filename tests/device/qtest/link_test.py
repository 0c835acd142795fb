# SPDX-License-Identifier: MIT
"""Surprise removal (property link-up) and return."""

import struct
import unittest

import machine
import npu
import pci


class SurpriseRemoval(unittest.TestCase):
    def slot_state(self, device) -> tuple:
        express = device.port.capability(pci.CAP_EXPRESS)
        return (bool(device.port.read(express + pci.EXPRESS_SLOTSTA, 2) & 1 << 6),
                bool(device.port.read(express + pci.EXPRESS_LINKSTA, 2) & 1 << 13))

    def test_a_pulled_device_reads_all_ones_and_comes_back_as_after_power_on(self):
        for options in ("executor=pool,threads=2", "executor=inline"):
            with self.subTest(options):
                qemu, device = npu.start(f"{options},dram-size=64M")
                with qemu:
                    device.enable_msix(2)
                    device.bring_up()
                    device.create_queue(vector=1)
                    device.run_nop()
                    self.assertEqual(self.slot_state(device), (True, True), "(present, link up)")
                    for _ in range(8):
                        device.submit_admin(npu.ADMIN_MEM_CLEAR, 0, struct.pack("<QQI", 0, 60 << 20, npu.LOCAL))

                    qemu.set("npu0", "link-up", False)
                    self.assertFalse(qemu.get("npu0", "link-up"))
                    self.assertEqual(self.slot_state(device), (False, False))
                    self.assertEqual(device.function.read(0, 4), 0xFFFFFFFF)
                    for address in (device.bar0 + npu.REG_MAGIC, device.bar0 + npu.MSIX_TABLE, device.bar2, device.bar4):
                        self.assertEqual(qemu.read(address, 4), 0xFFFFFFFF)
                        qemu.write(address, 4, 0x12345678)
                    self.assertEqual(qemu.read(device.bar0 + npu.REG_SERIAL, 8), (1 << 64) - 1)
                    done = qemu.read(npu.ADMIN_COMPLETION, 8)
                    device.ring(0)
                    for _ in range(20):
                        self.assertEqual(qemu.read(npu.ADMIN_COMPLETION, 8), done, "it writes nothing any more")

                    qemu.set("npu0", "link-up", True)
                    self.assertEqual(self.slot_state(device), (True, True))
                    self.assertEqual(device.function.read(0, 4), npu.DEVICE << 16 | npu.VENDOR)
                    self.assertEqual(device.function.read(pci.COMMAND, 2) & 0x7, 0)
                    device.configure()
                    self.assertEqual(device.read(npu.REG_GENERATION), 0)
                    device.enable_msix(2)
                    device.bring_up()
                    self.assertEqual(device.admin(npu.ADMIN_NOP, flags=npu.DESC_IRQ), (npu.CPL_OK, 0))
                    device.wait_for_message(0)

    def test_setting_the_state_that_it_has_changes_nothing(self):
        qemu, device = npu.start("dram-size=16M")
        with qemu:
            device.bring_up()
            qemu.set("npu0", "link-up", True)
            self.assertTrue(device.enabled())

    def test_a_pulled_device_can_be_deleted_and_reset(self):
        qemu, device = npu.start("dram-size=16M")
        with qemu:
            device.bring_up()
            qemu.set("npu0", "link-up", False)
            qemu.qmp("system_reset")
            qemu.wait_for_event("RESET")
            self.assertFalse(qemu.get("npu0", "link-up"))
            pci.enable_ecam(qemu)
            device.port.configure()
            self.assertEqual(device.function.read(0, 4), 0xFFFFFFFF)
            device.port.power_off_slot()
            qemu.qmp("device_del", id="npu0")
            qemu.wait_for_event("DEVICE_DELETED", device="npu0")


if __name__ == "__main__":
    machine.main()
