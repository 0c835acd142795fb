# SPDX-License-Identifier: MIT
"""The device as a driver sees it. Numbers are those of include/atom/hw, written out: a test that read the headers would agree
with whatever they say."""

import struct

import pci
from machine import Machine

VENDOR, DEVICE = 0x1234, 0xA70A
MAGIC = 0x4D4F5441
VERSION_1_0 = 0x00010000

REG_MAGIC, REG_VERSION, REG_DRIVER_VERSION, REG_PLATFORM = 0x000, 0x004, 0x00C, 0x014
REG_CAPS, REG_SERIAL, REG_UUID = 0x020, 0x058, 0x060
REG_NUM_QUEUES, REG_NUM_VECTORS, REG_DOORBELL_LOG2 = 0x080, 0x088, 0x090
REG_DRAM_SIZE, REG_DRAM_WINDOW, REG_SHM_SIZE = 0x0A0, 0x0A8, 0x0B0
REG_CTRL, REG_STATUS, REG_ERROR_CODE, REG_GENERATION, REG_TIMESTAMP = 0x100, 0x104, 0x108, 0x10C, 0x110
REG_INTR_CAUSE, REG_INTR_MASK = 0x120, 0x124
REG_ADMIN_RING, REG_ADMIN_TAIL, REG_ADMIN_COMPLETION, REG_ADMIN_LOG2 = 0x140, 0x148, 0x150, 0x158
REG_FAULT_BASE, REG_FAULT_LOG2, REG_FAULT_TAIL = 0x160, 0x168, 0x170
CTRL_ENABLE, CTRL_RESET = 1, 1 << 31
STATUS_READY, STATUS_ENABLED, STATUS_FATAL = 1, 2, 1 << 31
INTR_ADMIN = 1
MSIX_TABLE = 0xE000

ADMIN_NOP, ADMIN_ASID_SET, ADMIN_QUEUE_CREATE, ADMIN_MEM_CLEAR = 1, 2, 5, 9
DESC_IRQ = 1
CPL_OK, CPL_FAULT = 1, 2
LOCAL = 1
RING_LOG2 = 4

# What the tests use of guest memory.
ADMIN_RING, ADMIN_TAIL, ADMIN_COMPLETION, FAULTS = 0x100000, 0x110000, 0x120000, 0x130000
JOB_RING, JOB_TAIL, JOB_COMPLETION = 0x140000, 0x150000, 0x160000
ROOT_TABLE = 0x170000
MESSAGES = 0x180000  # where MSI-X vectors write, 4 bytes each


class Npu:
    """An atom-npu behind a root port, with BARs laid out."""

    def __init__(self, machine: Machine, port: pci.RootPort):
        self.machine, self.port = machine, port
        self.function = pci.Function(machine, port.bus, 0)
        self.queues_done = {}

    def configure(self, command: int = pci.COMMAND_MEMORY | pci.COMMAND_MASTER):
        """What a BIOS does: BARs and the command register."""
        self.bar0, self.bar2, self.bar4 = self.port.mmio, self.port.mmio + 0x100000, self.port.mmio64
        for index, address in ((0, self.bar0), (2, self.bar2), (4, self.bar4)):
            self.function.set_bar(index, address)
        self.function.set_command(command)

    def read(self, register: int, size: int = 4) -> int:
        return self.machine.read(self.bar0 + register, size)

    def write(self, register: int, value: int, size: int = 4):
        self.machine.write(self.bar0 + register, size, value)

    def ring(self, queue: int):
        self.machine.write(self.bar2 + (queue << 12), 4, 0)

    # MSI-X

    def enable_msix(self, vectors: int):
        """Point each vector at a word of memory: vector n writes 0x100 + n there."""
        for vector in range(vectors):
            entry = MSIX_TABLE + 16 * vector
            self.write(entry, MESSAGES + 4 * vector)
            self.write(entry + 4, 0)
            self.write(entry + 8, 0x100 + vector)
            self.write(entry + 12, 0)
            self.machine.write(MESSAGES + 4 * vector, 4, 0)
        capability = self.function.capability(pci.CAP_MSIX)
        self.function.write(capability + pci.MSIX_CONTROL, 2, pci.MSIX_ENABLE)

    def message(self, vector: int) -> int:
        """Takes what the vector wrote, or 0."""
        value = self.machine.read(MESSAGES + 4 * vector, 4)
        self.machine.write(MESSAGES + 4 * vector, 4, 0)
        return value

    def wait_for_message(self, vector: int):
        self.machine.wait_until(lambda: self.message(vector) == 0x100 + vector, f"message of vector {vector}")

    # Admin queue

    def reset(self):
        self.write(REG_CTRL, CTRL_RESET)
        self.machine.wait_until(lambda: self.read(REG_STATUS) & STATUS_READY, "STATUS.READY")

    def bring_up(self):
        """Section 2 of the specification, "Bring-up"."""
        self.reset()
        for area in (ADMIN_TAIL, ADMIN_COMPLETION, JOB_TAIL, JOB_COMPLETION):
            self.machine.store(area, bytes(4096))
        self.write(REG_DRIVER_VERSION, VERSION_1_0)
        for register, value in ((REG_ADMIN_RING, ADMIN_RING), (REG_ADMIN_TAIL, ADMIN_TAIL),
                                (REG_ADMIN_COMPLETION, ADMIN_COMPLETION), (REG_FAULT_BASE, FAULTS)):
            self.write(register, value, 8)
        self.write(REG_ADMIN_LOG2, RING_LOG2)
        self.write(REG_FAULT_LOG2, 8)
        self.write(REG_CTRL, CTRL_ENABLE)
        self.admin_sequence = 0

    def enabled(self) -> bool:
        return bool(self.read(REG_STATUS) & STATUS_ENABLED)

    def submit_admin(self, opcode: int, identifier: int = 0, body: bytes = b"", flags: int = 0) -> int:
        """Put a descriptor on the admin queue and ring; returns its sequence number."""
        self.admin_sequence += 1
        slot = (self.admin_sequence - 1) % (1 << RING_LOG2)
        descriptor = struct.pack("<HHI48sQ", opcode, flags, identifier, body, self.admin_sequence)
        self.machine.store(ADMIN_RING + 64 * slot, descriptor)
        self.machine.write(ADMIN_TAIL, 8, self.admin_sequence)
        self.ring(0)
        return self.admin_sequence

    def admin(self, opcode: int, identifier: int = 0, body: bytes = b"", flags: int = 0) -> tuple:
        """Run an admin command; returns (status, fault code)."""
        sequence = self.submit_admin(opcode, identifier, body, flags)
        self.machine.wait_until(lambda: self.machine.read(ADMIN_COMPLETION, 8) >= sequence, f"admin descriptor {sequence}")
        record = ADMIN_COMPLETION + 64 + 64 * ((sequence - 1) % (1 << RING_LOG2))
        assert self.machine.read(record, 8) == sequence
        return self.machine.read(record + 8, 2), self.machine.read(record + 10, 2)

    # A job queue for NOPs

    def create_queue(self, queue: int = 1, vector: int = 0):
        self.machine.store(ROOT_TABLE, bytes(4096))
        assert self.admin(ADMIN_ASID_SET, 0, struct.pack("<QIII", 0, 0, 1, 0)) == (CPL_OK, 0)
        assert self.admin(ADMIN_ASID_SET, 1, struct.pack("<QIII", ROOT_TABLE, 0, 0, 1)) == (CPL_OK, 0)
        body = struct.pack("<QQQQHHHBBII", JOB_RING, JOB_TAIL, JOB_COMPLETION, 0, 1, 0, vector, RING_LOG2, 1, 1, 0)
        assert self.admin(ADMIN_QUEUE_CREATE, queue, body) == (CPL_OK, 0)
        self.queues_done[queue] = 0

    def submit_nop(self, queue: int = 1, flags: int = DESC_IRQ) -> int:
        self.queues_done[queue] += 1
        sequence = self.queues_done[queue]
        slot = (sequence - 1) % (1 << RING_LOG2)
        self.machine.store(JOB_RING + 64 * slot, struct.pack("<HHIQQIIQQQQ", 1, flags, 0, 0, 0, 0, 0, 0, 0xC00C1E, sequence, 0))
        self.machine.write(JOB_TAIL, 8, sequence)
        self.ring(queue)
        return sequence

    def job_sequence(self) -> int:
        return self.machine.read(JOB_COMPLETION, 8)

    def queue_fault(self, queue: int) -> int:
        """FAULT_CODE of the queue's register block."""
        return self.read(0x4000 + 0x40 * queue + 0x34)

    def job_status(self, sequence: int) -> tuple:
        record = JOB_COMPLETION + 64 + 64 * ((sequence - 1) % (1 << RING_LOG2))
        return self.machine.read(record + 8, 2), self.machine.read(record + 10, 2)

    def run_nop(self, queue: int = 1):
        sequence = self.submit_nop(queue)
        self.machine.wait_until(lambda: self.job_sequence() >= sequence, f"NOP {sequence} of queue {queue}")
        assert self.job_status(sequence) == (CPL_OK, 0)


def start(*device_options: str, arguments: tuple = (), environment: dict | None = None) -> tuple:
    """A machine with one configured Npu called npu0 for each string of options. Returns (machine, npu...)."""
    command = list(arguments)
    for number, options in enumerate(device_options):
        command += ["-device", f"pcie-root-port,id=port{number},bus=pcie.0,addr={number + 1}.0,chassis={number + 1},"
                               "x-speed=32,x-width=16",
                    "-device", f"atom-npu,id=npu{number},bus=port{number}" + (f",{options}" if options else "")]
    machine = Machine(*command, environment=environment)
    pci.enable_ecam(machine)
    npus = []
    for number in range(len(device_options)):
        port = pci.RootPort(machine, number + 1, number + 1)
        port.configure()
        npus.append(Npu(machine, port))
        npus[-1].configure()
    return machine, *npus
