// SPDX-License-Identifier: MIT
// Waiting for several fences, of whatever queues, timelines and devices.
#pragma once

#include <cstddef>
#include <optional>

#include "atom/fence.hpp"
#include "atom/span.hpp"

namespace atom::core {

/** Index of a fence that is ready; nothing if @p until passed. No fence may be empty. Throws. */
std::optional<std::size_t> wait_any(span<const fence> fences, deadline until);

/** False if @p until passed. No fence may be empty. Throws. */
bool wait_all(span<const fence> fences, deadline until);

} // namespace atom::core
