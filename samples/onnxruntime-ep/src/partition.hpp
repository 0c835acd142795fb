// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atom_onnx/survey.hpp"

namespace atom_ort {

/** Indices of nodes, in order. */
using node_group = std::vector<std::size_t>;

/**
 * Connected groups of the nodes that are @p wanted, as large as they can be: no path leaves a group and comes
 * back to it.
 */
[[nodiscard]] std::vector<node_group> partition(const atom_onnx::graph &g,
                                                const std::vector<bool> &wanted);

/** A group as a graph of its own, with what a survey of @p g found of the values that it reads. */
struct extracted {
	atom_onnx::graph graph;
	atom_onnx::options known; ///< what the host computes outside of it
};
[[nodiscard]] extracted extract(const atom_onnx::graph &g, const node_group &group,
                                const atom_onnx::findings &found);

} // namespace atom_ort
