// SPDX-License-Identifier: MIT
// Nodes behind a command that its epilogue can compute: a residual, an activation, quantisation.
#ifndef ATOM_ONNX_FUSION_HPP
#define ATOM_ONNX_FUSION_HPP

#include "lowering.hpp"

namespace atom_onnx {

/** What a command writes once the nodes behind it are part of it. */
struct tail {
	std::optional<view> residual{}; ///< dimensions of the output, broadcast
	atom::function activation = atom::function::identity;
	float p0 = 0;
	float p1 = 0;
	value_id result = absent; ///< the value that the command writes
	element_type type = element_type::undefined;
	std::optional<view_quantisation> quantised{}; ///< of the result, type is then i8 or u8

	/** The type of the output's elements. */
	[[nodiscard]] atom::dtype device() const { return *device_type(type); }
};

/**
 * Follows the readers of @p value, which a command of real-valued work writes, as long as it
 * can compute them, and marks them as done.
 */
[[nodiscard]] tail follow(lowering &n, value_id value, element_type type, const shape &dims);

/** The value's only reader, if the value is no output of the graph; else -1. */
[[nodiscard]] int only_reader(const lowering_state &state, value_id value);

} // namespace atom_onnx

#endif
