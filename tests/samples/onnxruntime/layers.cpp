// SPDX-License-Identifier: MIT
#include "layers.hpp"

#include <cmath>

namespace ort_test {

onnx::ModelProto layers(int depth, int width, unsigned seed)
{
	model_builder m;
	m.input("in", onnx::TensorProto::FLOAT, {"rows", width});
	m.output("out", onnx::TensorProto::FLOAT, {"rows", width});
	std::string value = "in";
	for (int i = 0; i < depth; ++i) {
		const std::string name = std::to_string(i);
		const float limit = std::sqrt(6.0F / static_cast<float>(width)); // keeps the magnitude
		m.floats("weights" + name, {width, width},
		         floats_of(random_floats({width, width}, -limit, limit, 1000 * seed + static_cast<unsigned>(i))));
		m.node("MatMul", {value, "weights" + name}, {"product" + name});
		value = i + 1 < depth ? "value" + name : "out";
		m.node("Relu", {"product" + name}, {value});
	}
	return m.model;
}

Ort::Value rows_of(std::int64_t rows, int width, unsigned seed) { return random_floats({rows, width}, -1, 1, seed); }

Ort::Value run_layers(Ort::Session &session, const Ort::Value &rows)
{
	const char *in = "in";
	const char *out = "out";
	auto results = session.Run(Ort::RunOptions(), &in, &rows, 1, &out, 1);
	return std::move(results.at(0));
}

} // namespace ort_test
