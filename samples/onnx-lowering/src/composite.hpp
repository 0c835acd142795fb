// SPDX-License-Identifier: MIT
// Activations that exporters write as several nodes, for want of an operator in older opsets.
#ifndef ATOM_ONNX_COMPOSITE_HPP
#define ATOM_ONNX_COMPOSITE_HPP

#include <optional>
#include <vector>

#include "activation.hpp"

namespace atom_onnx {

struct composite {
	activation function{atom::function::identity};
	std::vector<int> nodes; ///< that it replaces: nobody else reads what lies between them
	value_id result = absent;
};

/**
 * What the nodes that read @p x make of it if that is one function: x * clip(x + 3, 0, 6) / 6,
 * x * sigmoid(x), x / 2 * (1 + erf(x / sqrt(2))), in the orders that are common.
 */
[[nodiscard]] std::optional<composite> composite_of(lowering_state &state, value_id x,
                                                    std::size_t rank);

} // namespace atom_onnx

#endif
