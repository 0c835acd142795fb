# SPDX-License-Identifier: MIT
"""Configuration space of the function: ids, capabilities in their order, link."""

import unittest

import machine
import npu
import pci


class ConfigurationSpace(unittest.TestCase):
    def setUp(self):
        self.machine, self.npu = npu.start("vectors=65")
        self.addCleanup(self.machine.quit)
        self.function = self.npu.function

    def test_ids_are_those_of_the_specification(self):
        self.assertEqual(self.function.read(0x00, 4), npu.DEVICE << 16 | npu.VENDOR)
        self.assertEqual(self.function.read(0x08, 4), 0x120000 << 8 | 1)
        self.assertEqual(self.function.read(0x0E, 1), 0, "header type")
        self.assertEqual(self.function.read(0x3D, 1), 0, "no INTx pin")

    def test_capabilities_stand_in_order_and_leave_room_for_sriov(self):
        self.assertEqual(sorted(self.function.capabilities()),
                         [(pci.CAP_PM, 0x40), (pci.CAP_EXPRESS, 0xA0), (pci.CAP_MSIX, 0x70), (0x10000 + pci.EXT_AER, 0x100)])

    def test_link_is_gen5_x16(self):
        express = self.function.capability(pci.CAP_EXPRESS)
        self.assertEqual(self.function.read(express + 2, 2) & 0xFF, 0x02, "PCI Express version 2 endpoint")
        self.assertEqual(self.function.read(express + pci.EXPRESS_LINKCAP, 4) & 0x3FF, 16 << 4 | 5)
        self.assertEqual(self.function.read(express + pci.EXPRESS_LINKSTA, 2) & 0x3FF, 16 << 4 | 5)
        self.assertEqual(self.function.read(express + 0x2C, 4) & 0x3E, 0x3E, "speeds 2.5 to 32 GT/s supported")

    def test_function_level_reset_is_offered(self):
        express = self.function.capability(pci.CAP_EXPRESS)
        self.assertTrue(self.function.read(express + pci.EXPRESS_DEVCAP, 4) & 1 << 28)

    def test_power_management_has_d0_and_d3hot_only(self):
        pm = self.function.capability(pci.CAP_PM)
        self.assertEqual(self.function.read(pm + 2, 2), 0x0003, "PMC: version 3, no D1, no D2, no PME")
        for state, taken in ((1, 0), (2, 0), (3, 3)):
            self.function.write(pm + pci.PM_CONTROL, 2, state)
            self.assertEqual(self.function.read(pm + pci.PM_CONTROL, 2) & 3, taken)
        self.assertFalse(self.function.read(pm + pci.PM_CONTROL, 2) & 8, "No_Soft_Reset is 0: D3hot loses the state")

    def test_msix_table_and_pending_bits_are_in_bar0(self):
        msix = self.function.capability(pci.CAP_MSIX)
        self.assertEqual(self.function.read(msix + pci.MSIX_CONTROL, 2), 65 - 1)
        self.assertEqual(self.function.read(msix + 4, 4), 0xE000)
        self.assertEqual(self.function.read(msix + 8, 4), 0xF000)

    def test_error_reporting_bits_are_writable_and_cleared_by_reset(self):
        express = self.function.capability(pci.CAP_EXPRESS)
        self.function.write(express + pci.EXPRESS_DEVCTL, 2, 0x000F)
        self.assertEqual(self.function.read(express + pci.EXPRESS_DEVCTL, 2) & 0xF, 0xF)
        self.machine.qmp("system_reset")
        self.machine.wait_for_event("RESET")
        pci.enable_ecam(self.machine)
        self.npu.port.configure()
        self.assertEqual(self.function.read(express + pci.EXPRESS_DEVCTL, 2) & 0xF, 0)


class OtherLinks(unittest.TestCase):
    def test_speed_and_width_are_those_of_the_properties(self):
        qemu, device = npu.start("x-speed=16,x-width=8")
        with qemu:
            express = device.function.capability(pci.CAP_EXPRESS)
            self.assertEqual(device.function.read(express + pci.EXPRESS_LINKCAP, 4) & 0x3FF, 8 << 4 | 4)

    def test_in_the_root_complex_it_is_an_integrated_endpoint(self):
        with machine.Machine("-device", "atom-npu,id=npu0,bus=pcie.0,addr=5.0,dram-size=16M") as qemu:
            pci.enable_ecam(qemu)
            function = pci.Function(qemu, 0, 5)
            express = function.capability(pci.CAP_EXPRESS)
            self.assertEqual(function.read(express + 2, 2) >> 4 & 0xF, 9, "root complex integrated endpoint")
            # Without a slot above, pulling it tells nobody, and works.
            qemu.set("npu0", "link-up", False)
            self.assertEqual(function.read(0, 4), 0xFFFFFFFF)
            qemu.set("npu0", "link-up", True)
            self.assertEqual(function.read(0, 4), npu.DEVICE << 16 | npu.VENDOR)


if __name__ == "__main__":
    machine.main()
