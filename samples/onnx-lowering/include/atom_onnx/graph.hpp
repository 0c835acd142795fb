// SPDX-License-Identifier: MIT
/**
 * @file graph.hpp
 * @brief A graph of ONNX nodes, independent of protobuf and of ONNX Runtime.
 *
 * Plain data. Values are named by their index in graph::values; nodes stand in topological
 * order. Nothing here is trusted: check() is called by lower().
 */
#ifndef ATOM_ONNX_GRAPH_HPP
#define ATOM_ONNX_GRAPH_HPP

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "atom_onnx/types.hpp"
#include "atom_onnx/unsupported.hpp"

namespace atom_onnx {

/** Index of a value; absent for an optional input or output that is left out. */
using value_id = int;
inline constexpr value_id absent = -1;

/** A body of If, Loop, Scan: known to exist, not looked at. */
struct subgraph {
};

struct attribute {
	std::string name;
	std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
	             std::vector<std::string>, host_tensor, subgraph>
		value;
};

struct node {
	std::string op_type;
	std::string domain; ///< "" is ONNX's own
	std::string name;   ///< for messages
	int opset = 0;      ///< version of the domain
	std::vector<attribute> attributes;
	std::vector<value_id> inputs;
	std::vector<value_id> outputs;
};

enum class value_kind {
	tensor,
	sequence, ///< sequences and maps
	optional,
};

struct value {
	std::string name;
	value_kind kind = value_kind::tensor;
	element_type type = element_type::undefined; ///< of inputs it must be told
	std::optional<shape> dims;                   ///< of inputs it must be told, without -1
	std::optional<host_tensor> constant;         ///< initialisers
};

struct graph {
	std::vector<value> values;
	std::vector<node> nodes;
	std::vector<value_id> inputs;
	std::vector<value_id> outputs;
};

/**
 * @throws unsupported invalid_model: an index that names no value, a value that two nodes
 * write, a node before what it reads
 */
void check(const graph &g);

} // namespace atom_onnx

#endif
