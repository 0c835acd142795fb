#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Takes the kernel out of a bzImage. QEMU starts the bare ELF image directly (PVH), and the guest is spared to decompress
itself under emulation, which costs a second of each boot."""

import lzma
import struct
import subprocess
import sys
import zlib

_GZIP, _XZ, _ZSTD = b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"


def payload(image: bytes) -> bytes:
    """The compressed kernel, found by the boot header (Documentation/arch/x86/boot.rst, since protocol 2.08)."""
    if image[0x202:0x206] != b"HdrS":
        raise ValueError("not a bzImage: it has no boot header")
    setup_sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    return image[start:start + length]


def decompress(data: bytes) -> bytes:
    # The build appends the uncompressed size to formats that do not carry it.
    if data.startswith(_GZIP):
        return zlib.decompressobj(wbits=31).decompress(data)
    if data.startswith(_XZ):
        return lzma.LZMADecompressor().decompress(data)
    if data.startswith(_ZSTD):
        return subprocess.run(["zstd", "-dcq"], input=data[:-4], stdout=subprocess.PIPE, check=True).stdout
    raise ValueError(f"unknown compression, it starts with {data[:8].hex()}")


def main(source: str, target: str):
    with open(source, "rb") as file:
        kernel = decompress(payload(file.read()))
    if not kernel.startswith(b"\x7fELF"):
        raise ValueError("the payload is not an ELF image")
    with open(target, "wb") as file:
        file.write(kernel)


if __name__ == "__main__":
    main(*sys.argv[1:])
