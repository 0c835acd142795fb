// SPDX-License-Identifier: MIT
/**
 * @file unsupported.hpp
 * @brief Why a graph cannot be lowered.
 */
#ifndef ATOM_ONNX_UNSUPPORTED_HPP
#define ATOM_ONNX_UNSUPPORTED_HPP

#include <stdexcept>
#include <string>

namespace atom_onnx {

enum class reason {
	dtype,         ///< an element type that the device does not have, or not for this work
	string,        ///< strings
	sequence,      ///< sequences and maps
	optional,      ///< optionals
	control_flow,  ///< If, Loop, Scan
	data_shape,    ///< dimensions that depend on data
	training,      ///< training, and random numbers
	unknown_value, ///< the host must know this value; retry with it in options::known
	not_lowered,   ///< an operator or attribute that this library does not lower
	invalid_model, ///< the model breaks ONNX's rules
};

/** "dtype", "control flow", .. */
[[nodiscard]] const char *name_of(reason why) noexcept;

/** What lower() throws. */
class unsupported : public std::runtime_error {
public:
	/** @param value of reason::unknown_value: index of the value in the graph, else -1 */
	unsupported(atom_onnx::reason why, const std::string &text, int value = -1);

	[[nodiscard]] atom_onnx::reason why() const noexcept { return why_; }
	[[nodiscard]] int value() const noexcept { return value_; }

private:
	atom_onnx::reason why_;
	int value_;
};

} // namespace atom_onnx

#endif
