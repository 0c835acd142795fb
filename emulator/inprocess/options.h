/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "atom_model.h"

namespace atom::inprocess {

/** What ATOM_DEVICE says of the machine. */
struct options {
	std::uint32_t devices = 1;
	std::uint64_t dram_bytes = 16ull << 30; ///< of each device; taken as it is used
	std::uint32_t threads = 0;              ///< of each device; 0: as many as CPUs
	std::uint32_t executor = ATOM_EXECUTOR_POOL;
	std::uint32_t engine = ATOM_ENGINE_FAST;
	std::uint32_t pace = ATOM_PACE_HOST;
	bool compute_off = false;
	std::string timing; ///< changes of the timing model: "name=value,name=value"
	std::string inject; ///< fault that is armed when the device is turned on: "kind=..,after=.."
	std::string times;  ///< file that is told where modelled time goes; empty: none
};

/**
 * Reads "[:DEVICES][,NAME=VALUE]...".
 * @return whether @p text is good; if not, @p error is a sentence that says what would be
 */
bool parse(std::string_view text, options &out, std::string &error);

} // namespace atom::inprocess
