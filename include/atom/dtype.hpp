// SPDX-License-Identifier: MIT
/**
 * @file dtype.hpp
 * @brief Element types of tensors. The values are those of enum atom_dtype.
 */
#ifndef ATOM_DTYPE_HPP
#define ATOM_DTYPE_HPP

#include <cstdint>

#include "atom/config.hpp"

namespace atom {
inline namespace v1 {

/** Type of an element; the values are those of enum atom_dtype of atom/hw/dtype.h. */
enum class dtype : std::uint8_t {
	none = 0, ///< the tensor is absent
	i8 = 1,
	u8 = 2, ///< also truth values
	i16 = 3,
	i32 = 4,
	i64 = 5, ///< indices; copy, and cast to or from i32
	f16 = 6, ///< IEEE 754 binary16
	bf16 = 7,
	f32 = 8,   ///< IEEE 754 binary32
	q8_0 = 16, ///< blocks of 32 elements in 34 bytes
	q4_0 = 17, ///< blocks of 32 elements in 18 bytes
	q4_1 = 18, ///< blocks of 32 elements in 20 bytes
};

/** Elements that one block holds: 32 for block types, else 1; 0 for none. */
constexpr std::uint32_t block_elements(dtype type) noexcept
{
	switch (type) {
	case dtype::none:
		return 0;
	case dtype::q8_0:
	case dtype::q4_0:
	case dtype::q4_1:
		return 32;
	default:
		return 1;
	}
}

/** Bytes of one block, that is, of one element for all but block types; 0 for none. */
constexpr std::uint32_t block_bytes(dtype type) noexcept
{
	switch (type) {
	case dtype::i8:
	case dtype::u8:
		return 1;
	case dtype::i16:
	case dtype::f16:
	case dtype::bf16:
		return 2;
	case dtype::i32:
	case dtype::f32:
		return 4;
	case dtype::i64:
		return 8;
	case dtype::q8_0:
		return 34;
	case dtype::q4_0:
		return 18;
	case dtype::q4_1:
		return 20;
	default:
		return 0;
	}
}

/** "f32", "q4_0", ..; "none"; "?" for a value that is no dtype. Never fails. */
ATOM_API const char *name_of(dtype type) noexcept;

} // namespace v1
} // namespace atom

#endif
