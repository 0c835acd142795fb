// SPDX-License-Identifier: MIT
// The calls by which the tests reach the driver. system.cpp makes them to the kernel; tests/unit/inprocess brings another
// one, which makes them to the in-process device, so that the same tests run on both. They also define device_nodes()
// (uapi.hpp), read_counters(), has_control() and control() (machine.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace vmtest::system {

/** Opens a device file, close-on-exec. @return fd, or -1 with errno */
int open(const std::string &node);
/** Also of files that are no devices. */
void close(int fd);
/** As ioctl(2); also on files that are no devices. */
int ioctl(int fd, unsigned long request, void *argument);
/** Whether a bad pointer is an error of the call (EFAULT), not one of the program. */
bool checks_pointers();
/** As mmap(2), munmap(2) and read(2) of a device file. */
void *mmap(std::size_t bytes, int protection, int flags, int fd, std::uint64_t offset);
void munmap(void *address, std::size_t bytes);
long read(int fd, void *buffer, std::size_t bytes);

} // namespace vmtest::system
