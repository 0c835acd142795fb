# SPDX-License-Identifier: MIT
"""PCI Express as a BIOS sees it: configuration space through ECAM, capabilities, bridges and BARs."""

from machine import Machine

ECAM = 0xB000_0000
MMIO = 0xC000_0000  # 32-bit windows of root ports, 16 MiB each
MMIO64 = 0x80_0000_0000  # prefetchable windows, 64 GiB each

COMMAND, COMMAND_MEMORY, COMMAND_MASTER = 0x04, 2, 4
STATUS = 0x06
BAR = 0x10
CAP_PM, CAP_EXPRESS, CAP_MSIX = 0x01, 0x10, 0x11
EXT_AER = 0x01
PM_CONTROL = 4  # offsets in capabilities
EXPRESS_DEVCAP, EXPRESS_DEVCTL, EXPRESS_LINKCAP, EXPRESS_LINKSTA, EXPRESS_SLOTCTL, EXPRESS_SLOTSTA = 0x04, 0x08, 0x0C, 0x12, 0x18, 0x1A
DEVCTL_FLR = 1 << 15
MSIX_CONTROL, MSIX_ENABLE, MSIX_MASK_ALL = 2, 1 << 15, 1 << 14


class Function:
    """One PCI function."""

    def __init__(self, machine: Machine, bus: int, slot: int, function: int = 0):
        self.machine = machine
        self._config = ECAM + (bus << 20 | slot << 15 | function << 12)

    def read(self, offset: int, size: int) -> int:
        return self.machine.read(self._config + offset, size)

    def write(self, offset: int, size: int, value: int):
        self.machine.write(self._config + offset, size, value)

    def capability(self, identifier: int) -> int:
        """Offset of a capability. Raises LookupError."""
        offset = self.read(0x34, 1)
        while offset:
            if self.read(offset, 1) == identifier:
                return offset
            offset = self.read(offset + 1, 1)
        raise LookupError(f"no capability {identifier:#x}")

    def capabilities(self) -> list:
        """[(identifier, offset)] of both lists, extended identifiers as 0x10000 + id."""
        found, offset = [], self.read(0x34, 1)
        while offset:
            found.append((self.read(offset, 1), offset))
            offset = self.read(offset + 1, 1)
        offset = 0x100
        while offset:
            header = self.read(offset, 4)
            if header in (0, 0xFFFFFFFF):
                break
            found.append((0x10000 + (header & 0xFFFF), offset))
            offset = header >> 20
        return found

    def bar_size(self, index: int) -> int:
        """Size of a 64-bit BAR, which must not be in use: it is left at 0."""
        offset = BAR + 4 * index
        self.write(offset, 4, 0xFFFFFFFF)
        self.write(offset + 4, 4, 0xFFFFFFFF)
        mask = self.read(offset + 4, 4) << 32 | (self.read(offset, 4) & ~0xF)
        self.write(offset, 4, 0)
        self.write(offset + 4, 4, 0)
        return (1 << 64) - mask

    def set_bar(self, index: int, address: int):
        self.write(BAR + 4 * index, 4, address & 0xFFFFFFFF)
        self.write(BAR + 4 * index + 4, 4, address >> 32)

    def set_command(self, value: int):
        self.write(COMMAND, 2, value)


class RootPort(Function):
    """A root port on bus 0 with bus number and windows of its own."""

    def __init__(self, machine: Machine, slot: int, bus: int):
        super().__init__(machine, 0, slot)
        self.bus, self.mmio, self.mmio64 = bus, MMIO + bus * (16 << 20), MMIO64 + bus * (64 << 30)

    def configure(self):
        self.write(0x18, 4, self.bus << 16 | self.bus << 8)
        self.write(0x20, 4, (self.mmio + (16 << 20) - 1) & 0xFFF00000 | self.mmio >> 16)
        limit = self.mmio64 + (64 << 30) - 1
        self.write(0x24, 4, (limit & 0xFFF00000) | (self.mmio64 >> 16 & 0xFFF0) | 0x10001)
        self.write(0x28, 4, self.mmio64 >> 32)
        self.write(0x2C, 4, limit >> 32)
        self.set_command(COMMAND_MEMORY | COMMAND_MASTER)

    def power_off_slot(self):
        """So that device_del need not wait for a guest."""
        express = self.capability(CAP_EXPRESS)
        # Indicators off (3 << 6 attention, 3 << 8 power), power controller off (1 << 10).
        self.write(express + EXPRESS_SLOTCTL, 2, 3 << 6 | 3 << 8 | 1 << 10)

    def power_on_slot(self):
        express = self.capability(CAP_EXPRESS)
        self.write(express + EXPRESS_SLOTCTL, 2, 3 << 6 | 1 << 8)


def enable_ecam(machine: Machine):
    for offset, value in ((0x64, 0), (0x60, ECAM | 1)):
        machine.outl(0xCF8, 0x80000000 | offset)
        machine.outl(0xCFC, value)
