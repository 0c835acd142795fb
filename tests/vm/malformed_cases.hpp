// SPDX-License-Identifier: MIT
// Every field of the commands made wrong, one at a time: what is written where, and what the fault must say.
#pragma once

#include "commands.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace vmtest {

/** Bytes that a case overwrites in a command (or in the header of the command buffer). */
struct patch {
	std::uint32_t offset;
	std::uint32_t bytes; ///< 1, 2, 4 or 8
	std::uint64_t value;
};

struct malformed_case {
	std::string what;
	std::vector<patch> patches;
	std::set<std::uint16_t> codes;  ///< enum atom_fault_code; more than one where the contract leaves a choice
	std::set<std::uint32_t> fields; ///< offsets that the fault may name; empty: any
};

/** A command that is right, and what makes it wrong. */
struct malformed_table {
	std::string command;
	std::vector<std::byte> good;
	std::vector<malformed_case> cases;
};

/** Addresses that the good commands use: three ranges of at least a page each, 64-byte aligned, disjoint and mapped. */
struct operands {
	std::uint64_t a, b, out;
};

malformed_table malformed_nop();
malformed_table malformed_fence();
malformed_table malformed_timestamp(const operands &at);
malformed_table malformed_copy(const operands &at);
malformed_table malformed_fill(const operands &at);
malformed_table malformed_cast(const operands &at);
malformed_table malformed_gemm(const operands &at);
malformed_table malformed_quantised_gemm(const operands &at);
malformed_table malformed_binary(const operands &at);
malformed_table malformed_unary(const operands &at);
/** Of struct atom_cmdbuf_header, for a buffer with @p commands commands in @p bytes bytes. */
std::vector<malformed_case> malformed_headers(std::uint32_t bytes, std::uint32_t commands);

} // namespace vmtest
