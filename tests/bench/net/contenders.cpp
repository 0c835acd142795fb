// SPDX-License-Identifier: MIT
#include "contenders.hpp"

#include <algorithm>
#include <cstring>

#include "atom_onnx_import/import.hpp"

namespace bench {
namespace {

Ort::SessionOptions options_for(int threads)
{
	Ort::SessionOptions options;
	options.SetIntraOpNumThreads(threads);
	options.SetInterOpNumThreads(1);
	options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
	return options;
}

atom_onnx::program make_program(const atom::context &context, const atom_onnx::graph &graph, std::size_t &nodes)
{
	nodes = graph.nodes.size();
	return {context, atom_onnx::lower(graph)};
}

atom::buffer make_buffer(const atom::context &context, std::uint64_t bytes)
{
	atom::buffer_options options;
	options.placement = atom::placement::local;
	return bytes == 0 ? atom::buffer() : atom::buffer(context, bytes, options);
}

} // namespace

cpu_network::cpu_network(const std::filesystem::path &model, int threads)
	: env_(ORT_LOGGING_LEVEL_ERROR, "bench"), session_(env_, model.c_str(), options_for(threads))
{
	Ort::AllocatorWithDefaultOptions allocator;
	input_ = session_.GetInputNameAllocated(0, allocator).get();
	dims_ = session_.GetInputTypeInfo(0).GetTensorTypeAndShapeInfo().GetShape();
	for (std::size_t i = 0; i < session_.GetOutputCount(); ++i)
		names_.emplace_back(session_.GetOutputNameAllocated(i, allocator).get());
}

std::vector<Ort::Value> cpu_network::outputs(std::vector<float> &input)
{
	const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
	const auto value =
		Ort::Value::CreateTensor<float>(memory, input.data(), input.size(), dims_.data(), dims_.size());
	std::vector<const char *> names;
	for (const std::string &name : names_)
		names.push_back(name.c_str());
	const char *in = input_.c_str();
	return session_.Run(Ort::RunOptions{nullptr}, &in, &value, 1, names.data(), names.size());
}

std::vector<float> cpu_network::run(std::vector<float> &input)
{
	const auto results = outputs(input);
	const auto *data = results[0].GetTensorData<float>();
	return {data, data + results[0].GetTensorTypeAndShapeInfo().GetElementCount()};
}

value_ranges cpu_network::ranges(std::vector<float> &input)
{
	value_ranges all;
	const auto [low, high] = std::minmax_element(input.begin(), input.end());
	all[input_] = {*low, *high};
	const auto results = outputs(input);
	for (std::size_t i = 0; i < results.size(); ++i) {
		const auto *data = results[i].GetTensorData<float>();
		const auto [least, most] =
			std::minmax_element(data, data + results[i].GetTensorTypeAndShapeInfo().GetElementCount());
		all[names_[i]] = {*least, *most};
	}
	return all;
}

npu_network::npu_network(const std::filesystem::path &model, const atom::context &context)
	: program_(make_program(context, atom_onnx::read_model(model), nodes_)),
	  input_(make_buffer(context, plan().inputs()[0].bytes)),
	  output_(make_buffer(context, plan().outputs()[0].bytes)),
	  scratch_(make_buffer(context, plan().scratch_bytes())), queue_(context)
{
}

std::vector<float> npu_network::run(const std::vector<float> &input)
{
	std::memcpy(input_.map().data(), input.data(), input.size() * sizeof(float));
	const atom::args args = program_.arguments({input_}, {output_}, scratch_);
	queue_.run({program_.commands(), args});
	const atom::mapping results = output_.map();
	const auto values = results.as<float>();
	return {values.begin(), values.end()};
}

} // namespace bench
