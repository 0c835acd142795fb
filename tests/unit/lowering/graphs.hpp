// SPDX-License-Identifier: MIT
// Graphs of a few nodes, built by hand and run on the device inside of the process.
#ifndef ATOM_TESTS_LOWERING_GRAPHS_HPP
#define ATOM_TESTS_LOWERING_GRAPHS_HPP

#include <initializer_list>
#include <string>
#include <vector>

#include "atom_onnx/lower.hpp"

namespace lowering_test {

class graph_builder {
public:
	atom_onnx::value_id input(atom_onnx::element_type type, const atom_onnx::shape &dims);
	atom_onnx::value_id constant(const atom_onnx::host_tensor &data);
	/** A node with one output. */
	atom_onnx::value_id node(const std::string &op_type,
	                         const std::vector<atom_onnx::value_id> &inputs,
	                         const std::vector<atom_onnx::attribute> &attributes = {});
	void output(atom_onnx::value_id value) { g.outputs.push_back(value); }

	atom_onnx::graph g;
};

/** Elements of the first output. @throws atom_onnx::unsupported */
std::vector<std::int64_t> run(const atom_onnx::graph &g,
                              const std::vector<atom_onnx::host_tensor> &inputs,
                              const atom_onnx::options &o = {});

} // namespace lowering_test

#endif
