// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "core/bo.hpp"

namespace atom::core {

/** A finished command buffer in memory that the device can only read. Immutable, so thread-safe. */
struct command_memory {
	std::unique_ptr<bo> memory;
	std::byte *bytes = nullptr; ///< where the CPU sees it
	std::uint32_t size = 0;     ///< in bytes
	std::uint32_t commands = 0;
	/** Element n - 1: bytes that the argument of slot n must have at least; 0 = not used. */
	std::vector<std::uint64_t> argument_bytes;
	std::vector<std::shared_ptr<bo>> buffers; ///< named by absolute addresses
};

} // namespace atom::core
