// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "api.hpp"
#include "atom_onnx/graph.hpp"

namespace atom_ort {

/** A graph of ONNX Runtime as the lowering wants it. */
struct imported {
	atom_onnx::graph graph;          ///< value::dims only where all of them are known
	std::vector<Ort::ConstNode> nodes; ///< of each node
	/** What ONNX Runtime tells of each value: -1 and a name or "" where a size is not known. */
	std::vector<std::optional<atom_onnx::shape>> told;
	std::vector<std::vector<std::string>> symbols;
};

/** All of @p from. Values that it reads and does not define become inputs. */
[[nodiscard]] imported import_graph(const Ort::ConstGraph &from);

/** The same with the inputs and outputs of the node that stands for it, in their order. */
[[nodiscard]] imported import_part(const Ort::ConstGraph &from, const Ort::ConstNode &fused);

/**
 * The graph with a size for each that is not known: 1 for the first dimension of an input, @p size
 * for the others.
 */
[[nodiscard]] atom_onnx::graph with_assumed_sizes(const imported &from, std::int64_t size);

} // namespace atom_ort
