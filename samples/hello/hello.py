#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# libatom in ten lines from what can call C: the NPU writes eight numbers. Structures are packed as far as they are used.
import ctypes
import struct


def make(function, *arguments):
    made = ctypes.c_void_p()
    if function(*arguments, ctypes.byref(made)) != 0:
        raise OSError(ctypes.CFUNCTYPE(ctypes.c_char_p)(("atom_last_error", atom))().decode())
    return made


atom = ctypes.CDLL("libatom.so.1")
context = make(atom.atom_context_create, make(atom.atom_device_open, None))
memory = make(atom.atom_buffer_create, context, ctypes.c_uint64(32), None)
builder = make(atom.atom_builder_create, context)
eight_floats = struct.pack("IIPIIQIIQ", 48, 8, memory.value, 0, 0, 0, 1, 0, 8)  # struct atom_operand
assert atom.atom_builder_fill(builder, eight_floats, ctypes.c_double(42)) == 0
job = struct.pack("IIP", 16, 0, make(atom.atom_builder_finish, builder).value)  # struct atom_submission
queue = make(atom.atom_queue_create, context, None)
assert atom.atom_queue_run(queue, job, ctypes.c_int64(2**63 - 1), None) == 0
print(*struct.unpack("8f", ctypes.string_at(make(atom.atom_buffer_map, memory), 32)))
