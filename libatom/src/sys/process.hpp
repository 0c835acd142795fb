// SPDX-License-Identifier: MIT
#pragma once

namespace atom::sys {

/** As getpid(), and no system call but for the first time in a process. Thread-safe. */
int current_process() noexcept;

} // namespace atom::sys
