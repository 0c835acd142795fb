// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atom::decode {

/** A fault as completion records and the queue's state tell it. */
struct fault_data {
	std::uint16_t code = 0;
	std::uint16_t where = 0;
	std::uint16_t opcode = 0;
	std::uint16_t access = 0;
	std::uint32_t command = 0;
	std::uint32_t field = 0;
	std::uint64_t address = 0;
};

/** One sentence: which command, which field, what is wrong. Any values. */
std::string describe_fault(const fault_data &fault);

} // namespace atom::decode
