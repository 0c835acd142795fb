// SPDX-License-Identifier: MIT
// EPContext: nodes of a saved model that hold a part in its compiled form.
#pragma once

#include <filesystem>

#include "api.hpp"
#include "atom_onnx/graph.hpp"

namespace atom_ort {

/** Where a session is to save its compiled form. */
struct context_options {
	bool enabled = false;
	bool embedded = false;       ///< in the model itself, else in files beside it
	std::filesystem::path model; ///< empty: beside the model that was loaded
	std::string prefix;          ///< of the nodes' names

	[[nodiscard]] static context_options of(const Ort::ConstSessionOptions &session);
};

/** Whether @p node is one that this provider made. */
[[nodiscard]] bool is_context_node(const Ort::ConstNode &node);

/** The node that replaces @p fused. */
[[nodiscard]] OrtNode *make_context_node(const context_options &options,
                                         const Ort::ConstGraph &from, const Ort::ConstNode &fused,
                                         const atom_onnx::graph &part);

/** The part that @p node holds, its inputs and outputs in the order of the node's. @throws */
[[nodiscard]] atom_onnx::graph read_context_node(const Ort::ConstGraph &from,
                                                 const Ort::ConstNode &node);

} // namespace atom_ort
