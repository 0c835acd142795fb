// SPDX-License-Identifier: MIT
/**
 * @file survey.hpp
 * @brief Which nodes of a graph the NPU can do, each looked at by itself.
 *
 * For a caller that has another place to run what cannot be lowered.
 */
#ifndef ATOM_ONNX_SURVEY_HPP
#define ATOM_ONNX_SURVEY_HPP

#include <optional>
#include <string>
#include <vector>

#include "atom_onnx/graph.hpp"
#include "atom_onnx/lower.hpp"

namespace atom_onnx {

/** What became of one node. */
struct node_finding {
	std::optional<unsupported> refused; ///< why it cannot be lowered
	bool works = false;                 ///< the device has to do something for it
	/** It can be lowered once an input is known that comes from outside (options::known). */
	bool asks = false;
};

/** What is known of one value. */
struct value_finding {
	element_type type = element_type::undefined;
	std::optional<shape> dims;
	std::optional<host_tensor> host; ///< its elements, if the host can compute them
};

struct findings {
	std::vector<node_finding> nodes;
	std::vector<value_finding> values;
};

/**
 * Goes on behind a node that is refused as if its results came from elsewhere, if graph::values
 * tells their types and dimensions.
 *
 * @throws unsupported invalid_model, of the graph as a whole
 */
[[nodiscard]] findings survey(const graph &g, const options &o = {});

/**
 * Multiplications of a node in convolutions, products of matrices, recurrences and attention, which are all but some
 * thousandths of a network's arithmetic. 0 for other operators, and where a shape is not known.
 */
[[nodiscard]] double multiplications(const node &n, const findings &found);

} // namespace atom_onnx

#endif
