// SPDX-License-Identifier: MIT
// The two that run a network: ONNX Runtime's CPU provider, and ours on an NPU.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <onnxruntime_cxx_api.h>

#include "atom/atom.hpp"
#include "atom_onnx/lower.hpp"
#include "resnet50.hpp"

namespace bench {

/** A model of one float input, on ONNX Runtime's CPU provider. */
class cpu_network {
public:
	cpu_network(const std::filesystem::path &model, int threads);

	/** The first output. */
	std::vector<float> run(std::vector<float> &input);
	/** Of every output. */
	value_ranges ranges(std::vector<float> &input);

private:
	std::vector<Ort::Value> outputs(std::vector<float> &input);

	Ort::Env env_;
	Ort::Session session_;
	std::vector<std::int64_t> dims_;
	std::string input_;
	std::vector<std::string> names_;
};

/** The same on an NPU: all of the model, or the constructor throws. */
class npu_network {
public:
	npu_network(const std::filesystem::path &model, const atom::context &context);

	std::vector<float> run(const std::vector<float> &input);
	[[nodiscard]] std::size_t nodes() const { return nodes_; }
	[[nodiscard]] const atom_onnx::plan &plan() const { return program_.plan(); }

private:
	std::size_t nodes_ = 0;
	atom_onnx::program program_;
	atom::buffer input_;
	atom::buffer output_;
	atom::buffer scratch_;
	atom::queue queue_;
};

} // namespace bench
