# SPDX-License-Identifier: MIT
"""QEMU's command line for the virtual machine."""

import os

from tools import Failure

DEVICE = "atom-npu"
SPARE_PORTS = 2  # empty slots for hot plug
MAX_DEVICES = 8

# Under emulation time passes unevenly: detectors of stalls get more patience than a hang is given by atom-vm itself,
# nothing is measured or mitigated that only real processors need, and windows for hot-plugged devices are reserved by
# the kernel because the small firmware does not lay out PCI.
KERNEL_ARGUMENTS = [
    "console=ttyS0", "panic=-1", "oops=panic", "nokaslr", "mitigations=off", "tsc=reliable", "no_timer_check",
    "random.trust_cpu=on", "rcupdate.rcu_cpu_stall_timeout=120", "rcupdate.rcu_exp_cpu_stall_timeout=120000",
    "watchdog_thresh=60", "8250.nr_uarts=1", "pci=realloc,assign-busses,hpmmiosize=16M,hpmmioprefsize=4G", "net.ifnames=0", "audit=0",
    "apparmor=0", "cryptomgr.notests",
]


def kernel_arguments(tsc_khz: int | None) -> list:
    """KERNEL_ARGUMENTS and, if known, the rate of the time stamp counter (see tsc.py)."""
    return KERNEL_ARGUMENTS + ([f"tsc_early_khz={tsc_khz}"] if tsc_khz else [])


def port_name(number: int) -> str:
    return f"port{number}"


def device_name(number: int) -> str:
    return f"npu{number}"


def device_options(options: list) -> dict:
    """Parse --device-opt K=V."""
    parsed = {}
    for option in options:
        name, separator, value = option.partition("=")
        if not name or not separator:
            raise Failure(f"--device-opt {option}: it must be NAME=VALUE; make qemu and then "
                          f"qemu-system-x86_64 -device {DEVICE},help lists the names")
        parsed[name] = value
    return parsed


def device_argument(number: int, options: dict) -> str:
    # In a value QEMU writes a comma twice.
    parts = [DEVICE, f"id={device_name(number)}", f"bus={port_name(number)}"]
    return ",".join(parts + [f"{name}={value.replace(',', ',,')}" for name, value in options.items()])


def escaped(path: str) -> str:
    return path.replace(",", ",,")


def machine_arguments(kvm: bool, smp: int, memory: int) -> list:
    accelerator = "kvm" if kvm else "tcg,thread=multi,tb-size=512"
    return [
        "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-no-reboot",
        # The machine of today's servers less what a guest would only spend time on. Native PCIe hot plug, as real slots have.
        "-machine", "q35,sata=off,smbus=off,vmport=off,smm=off,hpet=off",
        "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
        # Room for the DRAM windows of all slots.
        "-global", "q35-pcihost.pci-hole64-size=256G",
        "-accel", accelerator, "-cpu", "host" if kvm else "max", "-smp", str(smp), "-m", f"{memory}M",
        "-bios", "qboot.rom",
    ]


def root_port_arguments(devices: int) -> list:
    arguments = []
    for number in range(devices + SPARE_PORTS):
        arguments += ["-device", f"pcie-root-port,id={port_name(number)},bus=pcie.0,chassis={number + 1},slot={number + 1},"
                                 "x-speed=32,x-width=16"]
    return arguments


def share_arguments(root: str, shares: list) -> list:
    """9p exports: the root read-only, and the writable folders (tag, path)."""
    arguments = ["-fsdev", f"local,id=root,path={escaped(root)},readonly=on,security_model=none,multidevs=remap",
                 "-device", "virtio-9p-pci,fsdev=root,mount_tag=root"]
    model = "passthrough" if os.geteuid() == 0 else "none"
    for tag, path in shares:
        arguments += ["-fsdev", f"local,id={tag},path={escaped(path)},security_model={model},multidevs=remap",
                      "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    return arguments


def channel_arguments(channels: dict, console_fd: int | None) -> list:
    """One virtio-serial port atom.NAME per channel (name: file descriptor of a socket), and perhaps a console."""
    arguments = ["-device", "virtio-serial-pci,max_ports=16"]
    for name, fd in channels.items():
        arguments += ["-chardev", f"socket,id={name},fd={fd}", "-device", f"virtserialport,chardev={name},name=atom.{name}"]
    if console_fd is not None:
        arguments += ["-chardev", f"socket,id=console,fd={console_fd}", "-device", "virtconsole,chardev=console"]
    return arguments
