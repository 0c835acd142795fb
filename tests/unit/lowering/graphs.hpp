// SPDX-License-Identifier: MIT
// Graphs of a few nodes, built by hand and run on the device inside of the process.
#ifndef ATOM_TESTS_LOWERING_GRAPHS_HPP
#define ATOM_TESTS_LOWERING_GRAPHS_HPP

#include <initializer_list>
#include <string>
#include <vector>

#include "atom/context.hpp"
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

/** A program on @p ctx, and memory for its arguments that stays the same for each run. */
class runner {
public:
	runner(const atom::context &ctx, atom_onnx::program program);
	/** Elements of the first output. */
	std::vector<std::int64_t> run(const std::vector<atom_onnx::host_tensor> &inputs);
	[[nodiscard]] const atom_onnx::program &program() const { return program_; }

private:
	atom::buffer_view argument(std::uint64_t bytes);

	atom::context context_;
	atom_onnx::program program_;
	std::vector<atom::buffer> memory_; ///< inputs, the first output, perhaps scratch memory
	atom::args args_;
};

/** Elements of the first output, on a device of its own. @throws atom_onnx::unsupported */
std::vector<std::int64_t> run(const atom_onnx::graph &g,
                              const std::vector<atom_onnx::host_tensor> &inputs,
                              const atom_onnx::options &o = {});

} // namespace lowering_test

#endif
