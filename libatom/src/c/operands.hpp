// SPDX-License-Identifier: MIT
// Tensors and options of the C interface as those of C++.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <type_traits>

#include "c/border.hpp"

namespace atom::c {

/** All throw system_error with invalid_argument. @p name is for the message. */
location location_of(const atom_place &place, const char *name);
tensor tensor_of(const atom_operand *operand, const char *name);
std::optional<tensor> optional_tensor(const atom_operand *operand, const char *name);
epilogue epilogue_of(const atom_epilogue_options *options);
window2d window_of(const atom_window_options &options);

/** The value of an enumeration; which of them there are is checked where it is used. */
template <class E>
E enum_of(uint32_t value, const char *name)
{
	if (value > std::numeric_limits<std::underlying_type_t<E>>::max())
		core::fail(errc::invalid_argument,
		           std::string(name) + ": there is no " + std::to_string(value));
	return static_cast<E>(value);
}

inline float usual(float value, float if_zero) { return value == 0 ? if_zero : value; }
inline uint32_t usual(uint32_t value, uint32_t if_zero) { return value == 0 ? if_zero : value; }

} // namespace atom::c
