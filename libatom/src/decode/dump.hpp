// SPDX-License-Identifier: MIT
// Dumps of the driver (atom/hw/coredump.h) in words. Takes any bytes.
#pragma once

#include <cstddef>
#include <span>

#include "decode/decode.hpp"

namespace atom::decode {

/** Whether @p bytes begin as a dump does. */
bool is_dump(std::span<const std::byte> bytes);
/** Problems are those of the dump itself; what a job says wrongly is told with its commands. */
decoded decode_dump(std::span<const std::byte> bytes);

} // namespace atom::decode
