// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace atom::core {

/** Bits of the nearest bfloat16, ties to even; NaN stays NaN. */
std::uint16_t to_bf16(float value);
/** Bits of the nearest binary16, ties to even; beyond its range infinity; NaN stays NaN. */
std::uint16_t to_f16(float value);

} // namespace atom::core
