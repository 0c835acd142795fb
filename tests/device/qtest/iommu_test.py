# SPDX-License-Identifier: MIT
"""DMA through an IOMMU (VT-d, programmed by hand): what is not mapped cannot be reached, from any thread."""

import struct
import unittest

import machine
import npu

VTD = 0xFED90000
VTD_GCMD, VTD_GSTS, VTD_RTADDR, VTD_CCMD, VTD_IOTLB = 0x18, 0x1C, 0x20, 0x28, 0xF8  # the last one as ECAP.IRO says
SET_ROOT, TRANSLATE = 1 << 30, 1 << 31

ROOT, CONTEXT, TABLES = 0x1E0000, 0x1E1000, 0x1E2000
READ_WRITE = 3
MOVED = 0x220000  # where the admin queue's completion area really is
FAULT_DMA_ERROR = 48


class Iommu:
    def __init__(self, qemu, bus: int):
        self.machine, self._next_table = qemu, TABLES
        qemu.store(ROOT, bytes(0x8000))
        self._top = self._table()
        qemu.store(ROOT + 16 * bus, struct.pack("<QQ", CONTEXT | 1, 0))
        # Second level translation, 3 levels (39 bits), domain 1.
        qemu.store(CONTEXT, struct.pack("<QQ", self._top | 1, 1 | 1 << 8))

    def _table(self) -> int:
        self._next_table += 0x1000
        return self._next_table - 0x1000

    def entry(self, address: int) -> int:
        """Address of the leaf entry; tables that are missing are made."""
        table = self._top
        for shift in (30, 21):
            slot = table + 8 * (address >> shift & 511)
            if not self.machine.read(slot, 8):
                self.machine.write(slot, 8, self._table() | READ_WRITE)
            table = self.machine.read(slot, 8) & ~0xFFF
        return table + 8 * (address >> 12 & 511)

    def map(self, address: int, target: int):
        self.machine.write(self.entry(address), 8, target | READ_WRITE)

    def unmap(self, address: int):
        self.machine.write(self.entry(address), 8, 0)
        register = (self.machine.read(VTD + 0x10, 8) >> 8 & 0x3FF) * 16 + 8
        self.machine.write(VTD + register, 8, 1 << 63 | 1 << 60)

    def enable(self):
        self.machine.write(VTD + VTD_RTADDR, 8, ROOT)
        self.machine.write(VTD + VTD_GCMD, 4, SET_ROOT)
        self.machine.write(VTD + VTD_GCMD, 4, TRANSLATE)
        assert self.machine.read(VTD + VTD_GSTS, 4) & TRANSLATE


class BehindAnIommu(unittest.TestCase):
    def test_addresses_are_translated_and_holes_fault(self):
        for options in ("executor=pool,threads=2", "executor=inline"):
            with self.subTest(options):
                qemu, device = npu.start(f"{options},dram-size=16M", arguments=("-device", "intel-iommu,aw-bits=39"))
                with qemu:
                    iommu = Iommu(qemu, bus=1)
                    for page in range(0x100000, 0x190000, 0x1000):
                        iommu.map(page, page)
                    iommu.map(npu.ADMIN_COMPLETION, MOVED)
                    iommu.enable()
                    self.run_jobs(qemu, device, iommu)

    def run_jobs(self, qemu, device, iommu):
        device.enable_msix(2)
        device.bring_up()
        qemu.store(MOVED, bytes(4096))
        device.submit_admin(npu.ADMIN_NOP)
        qemu.wait_until(lambda: qemu.read(MOVED, 8) == 1, "completion at the translated address")
        self.assertEqual(qemu.read(npu.ADMIN_COMPLETION, 8), 0)

        # From here on the completion area is where the helpers look for it.
        iommu.unmap(npu.ADMIN_COMPLETION)
        iommu.map(npu.ADMIN_COMPLETION, npu.ADMIN_COMPLETION)
        device.create_queue(vector=1)
        device.run_nop()
        device.wait_for_message(1)

        iommu.unmap(npu.JOB_RING)
        device.submit_nop()
        qemu.wait_until(lambda: device.queue_fault(1) == FAULT_DMA_ERROR, "fault DMA_ERROR of queue 1")


if __name__ == "__main__":
    machine.main()
