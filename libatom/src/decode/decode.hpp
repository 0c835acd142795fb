// SPDX-License-Identifier: MIT
// Command buffers, rings and completion areas in words. Takes any bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "decode/layouts.hpp"
#include "decode/value.hpp"

namespace atom::decode {

struct decoded {
	value tree;
	/** What a device would refuse, or what cannot be read, each with its place. */
	std::vector<std::string> problems;
};

decoded decode_command_buffer(std::span<const std::byte> bytes);
/** The head of one that has @p whole bytes: what is behind @p bytes is no problem. */
decoded decode_command_buffer(std::span<const std::byte> bytes, std::uint64_t whole);
/** struct atom_ring_desc, one behind the other. */
decoded decode_ring(std::span<const std::byte> bytes);
/** struct atom_cpl_header and struct atom_cpl_record, one behind the other. */
decoded decode_completions(std::span<const std::byte> bytes);

/** The fields of one structure. Bytes that are missing count as zero. @p place begins each problem.
 */
value decode_structure(const structure &layout, std::span<const std::byte> bytes,
                       const std::string &place, std::vector<std::string> &problems);

} // namespace atom::decode
