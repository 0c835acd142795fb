# SPDX-License-Identifier: MIT
"""Devices come and go while the machine runs."""

import time
import unittest

import machine
import npu
import pci

CYCLES = 100


class HotPlug(unittest.TestCase):
    def start(self, arguments: tuple = ()) -> tuple:
        qemu = machine.Machine("-device", "pcie-root-port,id=port0,bus=pcie.0,addr=1.0,chassis=1", *arguments)
        self.addCleanup(qemu.quit)
        pci.enable_ecam(qemu)
        port = pci.RootPort(qemu, 1, 1)
        port.configure()
        return qemu, port

    def plug(self, qemu, port, **options):
        qemu.qmp("device_add", driver="atom-npu", id="npu0", bus="port0", **{"dram-size": 16 << 20, **options})
        port.power_on_slot()
        device = npu.Npu(qemu, port)
        device.configure()
        return device

    def unplug(self, qemu, port):
        port.power_off_slot()
        qemu.events.clear()
        try:
            qemu.qmp("device_del", id="npu0")
        except machine.QemuError as error:
            # Powering the slot off has removed it.
            self.assertIn("not found", str(error))
        qemu.wait_for_event("DEVICE_DELETED", device="npu0")

    def cycle(self, **options):
        qemu, port = self.start()
        counts = []
        for number in range(CYCLES):
            device = self.plug(qemu, port, **options)
            self.assertEqual(device.read(npu.REG_MAGIC), npu.MAGIC)
            device.enable_msix(2)
            device.bring_up()
            self.assertEqual(device.admin(npu.ADMIN_NOP, flags=npu.DESC_IRQ), (npu.CPL_OK, 0))
            device.wait_for_message(0)
            # Leave with work under way: the last one is not waited for.
            device.submit_admin(npu.ADMIN_MEM_CLEAR, 0, (0).to_bytes(8, "little") + (16 << 20).to_bytes(8, "little") + b"\1\0\0\0")
            self.unplug(qemu, port)
            if number in (CYCLES // 10, CYCLES - 1):
                # Memory is given back behind the next grace period of RCU: the least of some readings counts.
                resident = []
                for _ in range(50):
                    resident.append(qemu.resident_bytes())
                    time.sleep(0.01)
                counts.append((qemu.open_files(), qemu.threads(), min(resident)))
        (files, threads, resident), (files_after, threads_after, resident_after) = counts
        self.assertEqual(files, files_after, "open files")
        self.assertLessEqual(abs(threads_after - threads), 1, "threads")
        self.assertLess(resident_after - resident, 8 << 20, "resident memory, bytes")

    def test_a_hundred_cycles_with_a_pool_leak_nothing(self):
        self.cycle(threads=2)

    def test_a_hundred_cycles_with_the_inline_executor_leak_nothing(self):
        self.cycle(executor="inline")

    def test_a_hundred_cycles_with_ioeventfds_leak_nothing(self):
        self.cycle(threads=2, ioeventfd="on")

    def test_a_device_comes_and_goes_while_the_machine_is_stopped(self):
        for options in ({"threads": 2}, {"executor": "inline"}):
            with self.subTest(options):
                qemu, port = self.start()
                qemu.qmp("stop")
                self.plug(qemu, port, **options)
                self.unplug(qemu, port)
                device = self.plug(qemu, port, **options)
                qemu.qmp("cont")
                device.bring_up()
                self.assertEqual(device.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))
                qemu.qmp("stop")
                self.unplug(qemu, port)

    def test_the_iothread_outlives_its_device(self):
        qemu, port = self.start(("-object", "iothread,id=io0"))
        for _ in range(3):
            device = self.plug(qemu, port, iothread="io0", threads=2)
            device.bring_up()
            self.assertEqual(device.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))
            self.unplug(qemu, port)
        qemu.qmp("object-del", id="io0")

    def test_the_memory_backend_can_be_used_again(self):
        qemu, port = self.start(("-object", "memory-backend-ram,id=dram,size=16M"))
        for _ in range(3):
            self.plug(qemu, port, memdev="dram")
            with self.assertRaisesRegex(machine.QemuError, "in use"):
                qemu.qmp("object-del", id="dram")
            self.unplug(qemu, port)
        qemu.qmp("object-del", id="dram")


class TwoDevices(unittest.TestCase):
    def test_they_work_side_by_side_and_die_alone(self):
        qemu, first, second = npu.start("dram-size=16M,threads=1,serial=1", "dram-size=32M,threads=1,serial=2,queues=10")
        self.addCleanup(qemu.quit)
        self.assertEqual((first.read(npu.REG_SERIAL, 8), second.read(npu.REG_SERIAL, 8)), (1, 2))
        self.assertEqual((first.read(npu.REG_NUM_QUEUES), second.read(npu.REG_NUM_QUEUES)), (64, 10))
        first.bring_up()
        second.write(npu.REG_INTR_MASK, 0xF)
        self.assertEqual(first.read(npu.REG_INTR_MASK), 0)
        self.assertFalse(second.enabled())
        qemu.store(first.bar4, b"first")
        qemu.store(second.bar4, b"other")
        self.assertEqual(qemu.load(first.bar4, 5), b"first")
        second.port.power_off_slot()
        qemu.wait_for_event("DEVICE_DELETED", device="npu1")
        self.assertEqual(first.admin(npu.ADMIN_NOP), (npu.CPL_OK, 0))


if __name__ == "__main__":
    machine.main()
