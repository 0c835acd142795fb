# SPDX-License-Identifier: MIT
"""BARs: sizes, the registers in BAR0, device memory in BAR4."""

import unittest

import machine
import npu

MIB, GIB = 1 << 20, 1 << 30


class Bars(unittest.TestCase):
    def start(self, options: str, **keywords):
        qemu, device = npu.start(options, **keywords)
        self.addCleanup(qemu.quit)
        return device

    def sizes(self, device) -> list:
        device.function.set_command(0)
        return [device.function.bar_size(index) for index in (0, 2, 4)]

    def test_sizes_follow_queues_and_memory(self):
        self.assertEqual(self.sizes(self.start("")), [64 << 10, 512 << 10, GIB])
        self.assertEqual(self.sizes(self.start("queues=255,dram-size=16M")), [64 << 10, MIB, 16 * MIB])
        self.assertEqual(self.sizes(self.start("queues=1,dram-size=16M")), [64 << 10, 8 << 10, 16 * MIB])

    def test_bars_are_64_bit_and_only_bar4_is_prefetchable(self):
        device = self.start("")
        device.function.set_command(0)
        self.assertEqual([device.function.read(0x10 + 4 * index, 4) & 0xF for index in (0, 2, 4)], [0x4, 0x4, 0xC])

    def test_a_small_window_shows_the_beginning_of_the_memory(self):
        device = self.start("dram-size=64M,dram-window=16M")
        self.assertEqual((device.read(npu.REG_DRAM_SIZE, 8), device.read(npu.REG_DRAM_WINDOW, 8)), (64 * MIB, 16 * MIB))
        self.assertEqual(self.sizes(device)[2], 16 * MIB)

    def test_a_size_that_is_no_power_of_two_gets_the_next_bar(self):
        device = self.start("dram-size=48M")
        self.assertEqual(device.read(npu.REG_DRAM_WINDOW, 8), 48 * MIB)
        self.assertEqual(self.sizes(device)[2], 64 * MIB)

    def test_bar4_is_the_memory_backend(self):
        device = self.start("memdev=dram", arguments=("-object", "memory-backend-memfd,id=dram,size=32M,share=on"))
        self.assertEqual(device.read(npu.REG_DRAM_SIZE, 8), 32 * MIB)
        pattern = bytes(range(256)) * 16
        for address in (0, 16 * MIB - 2048, 32 * MIB - 4096):
            device.machine.store(device.bar4 + address, pattern)
            self.assertEqual(device.machine.load(device.bar4 + address, 4096), pattern)

    def test_device_memory_costs_nothing_until_it_is_used(self):
        device = self.start("dram-size=8G")
        self.assertLess(device.machine.resident_bytes(), GIB)
        device.machine.qmp("system_reset")
        device.machine.wait_for_event("RESET")
        self.assertLess(device.machine.resident_bytes(), GIB)


class Registers(unittest.TestCase):
    def setUp(self):
        self.machine, self.npu = npu.start(
            "queues=70,vectors=17,shm-size=4M,serial=0x1122334455667788,uuid=00112233-4455-6677-8899-aabbccddeeff")
        self.addCleanup(self.machine.quit)

    def test_identity_is_that_of_the_properties(self):
        self.assertEqual(self.npu.read(npu.REG_MAGIC), npu.MAGIC)
        self.assertEqual(self.npu.read(npu.REG_VERSION), npu.VERSION_1_0)
        self.assertEqual(self.npu.read(npu.REG_PLATFORM), 1, "emulator")
        self.assertEqual(self.npu.read(npu.REG_NUM_QUEUES), 70)
        self.assertEqual(self.npu.read(npu.REG_NUM_VECTORS), 17)
        self.assertEqual(self.npu.read(npu.REG_DOORBELL_LOG2), 12)
        self.assertEqual(self.npu.read(npu.REG_SHM_SIZE, 8), 4 * MIB)
        self.assertEqual(self.npu.read(npu.REG_SERIAL, 8), 0x1122334455667788)
        self.assertEqual(self.machine.load(self.npu.bar0 + npu.REG_UUID, 8) + self.machine.load(self.npu.bar0 + npu.REG_UUID + 8, 8),
                         bytes.fromhex("00112233445566778899aabbccddeeff"))

    def test_registers_take_the_widths_of_the_specification_only(self):
        self.assertEqual(self.npu.read(npu.REG_MAGIC, 1), 0)
        self.assertEqual(self.npu.read(npu.REG_MAGIC, 2), 0)
        self.assertEqual(self.machine.read(self.npu.bar0 + npu.REG_SERIAL + 2, 4), 0, "misaligned")
        self.assertEqual(self.npu.read(npu.REG_SERIAL), 0x55667788)
        self.assertEqual(self.npu.read(npu.REG_SERIAL + 4), 0x11223344)

    def test_msix_table_is_memory_and_not_a_register(self):
        self.npu.write(npu.MSIX_TABLE + 8, 0xCAFE)
        self.assertEqual(self.npu.read(npu.MSIX_TABLE + 8), 0xCAFE)

    def test_doorbells_read_zero(self):
        self.assertEqual(self.machine.read(self.npu.bar2, 4), 0)


if __name__ == "__main__":
    machine.main()
