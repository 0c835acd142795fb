// SPDX-License-Identifier: MIT
// A test vector of ONNX: a model, inputs and the outputs that they must give.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "atom_onnx/graph.hpp"

namespace conformance {

struct test_vector {
	std::string name; ///< "node/test_abs", "light/light_resnet50"
	std::filesystem::path model;
};

struct data_set {
	std::vector<atom_onnx::host_tensor> inputs;
	std::vector<atom_onnx::host_tensor> outputs;
};

/** All vectors below @p root, by name. */
std::vector<test_vector> find_vectors(const std::filesystem::path &root);

/** The data sets of a vector. @throws atom_onnx::unsupported */
std::vector<data_set> read_data(const test_vector &v, const atom_onnx::graph &g);

/** Within ONNX's own tolerance of what is expected; integers exactly. */
bool is_close(double got, double expected, atom_onnx::element_type type);

/** Empty if equal within ONNX's own tolerance; else what differs. */
std::string find_difference(const atom_onnx::host_tensor &got,
                            const atom_onnx::host_tensor &expected);

} // namespace conformance
