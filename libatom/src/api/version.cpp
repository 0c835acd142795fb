// SPDX-License-Identifier: MIT
#include "atom/config.hpp"

namespace atom {
inline namespace v1 {

library_version runtime_version() noexcept { return compiled_version; }

} // namespace v1
} // namespace atom
