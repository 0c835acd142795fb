// SPDX-License-Identifier: MIT
/**
 * @file fault.hpp
 * @brief What a job did wrong.
 */
#ifndef ATOM_FAULT_HPP
#define ATOM_FAULT_HPP

#include <cstdint>
#include <string>

#include "atom/config.hpp"

namespace atom {
inline namespace v1 {

/** What a job did wrong, as the device told it. */
struct fault {
	std::uint16_t code = 0;    ///< enum atom_fault_code of atom/hw/fault.h
	std::uint16_t where = 0;   ///< enum atom_fault_where: what @ref field is an offset in
	std::uint16_t opcode = 0;  ///< of the command
	std::uint32_t command = 0; ///< index of the command in its buffer, 0xffffffff = none
	std::uint32_t field = 0;   ///< byte offset of the offending field
	std::uint64_t address = 0; ///< device address of the access, 0 = none
	std::uint16_t access = 0;  ///< 1 read, 2 write, 0 = none or unknown
};

/** A fault in words: "GEMM (command 3), field b.strides[1]: BAD_STRIDE, stride ..". */
[[nodiscard]] ATOM_API std::string to_string(const fault &what);

} // namespace v1
} // namespace atom

#endif
