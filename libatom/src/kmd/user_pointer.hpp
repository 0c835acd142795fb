// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace atom::kmd {

/** A pointer as the kernel's structures hold it. */
inline std::uint64_t user_pointer(const void *p) { return reinterpret_cast<std::uintptr_t>(p); }

} // namespace atom::kmd
