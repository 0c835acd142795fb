// SPDX-License-Identifier: MIT
#include "resnet50.hpp"

#include <cmath>
#include <fstream>
#include <random>
#include <stdexcept>

#include "onnx/onnx_pb.h"
#include "tensors.hpp"

namespace bench {
namespace {

constexpr int opset = 13; // scales for each channel
constexpr int ir_version = 7;

// Distribution of a parameter by the place where it is read.
struct role {
	float mean;
	float deviation;
	bool positive = false;
};

role role_of(const onnx::NodeProto &node, int input, const std::vector<std::int64_t> &dims)
{
	constexpr role norm[] = {{}, {0.8F, 0.1F}, {0.0F, 0.1F}, {0.0F, 0.1F}, {1.0F, 0.1F, true}};
	if (node.op_type() == "BatchNormalization")
		return norm[input];
	if (input == 2)
		return {0.0F, 0.1F};
	// He: what a Relu halves is made good.
	const auto fan_in = static_cast<float>(count_of(dims) / dims[0]);
	return {0.0F, std::sqrt((node.op_type() == "Conv" ? 2.0F : 1.0F) / fan_in)};
}

bool has_parameters(const onnx::NodeProto &node)
{
	return node.op_type() == "Conv" || node.op_type() == "BatchNormalization" || node.op_type() == "Gemm";
}

std::vector<float> random_values(std::size_t count, const role &r, std::mt19937 &random)
{
	std::normal_distribution<float> draw(r.mean, r.deviation);
	std::vector<float> values(count);
	for (float &v : values) {
		v = draw(random);
		if (r.positive)
			v = std::max(v, 0.1F);
	}
	return values;
}

// Dimensions of each constant: those of initialisers, and those that ConstantOfShape fills.
std::map<std::string, std::vector<std::int64_t>> constant_dims(const onnx::GraphProto &graph)
{
	std::map<std::string, std::vector<std::int64_t>> dims;
	for (const onnx::TensorProto &t : graph.initializer())
		dims[t.name()] = {t.dims().begin(), t.dims().end()};
	for (const onnx::NodeProto &node : graph.node())
		if (node.op_type() == "ConstantOfShape")
			dims[node.output(0)] = integers_of(find_initialiser(graph, node.input(0)));
	return dims;
}

} // namespace

onnx::ModelProto read_resnet50(const std::string &file)
{
	onnx::ModelProto light;
	std::ifstream in(file, std::ios::binary);
	if (!in || !light.ParseFromIstream(&in))
		throw std::runtime_error(file + " cannot be read");
	const auto dims = constant_dims(light.graph());
	onnx::ModelProto model;
	model.set_ir_version(ir_version);
	model.add_opset_import()->set_version(opset);
	onnx::GraphProto &graph = *model.mutable_graph();
	graph.set_name("resnet50");
	*graph.add_input() = light.graph().input(0);
	*graph.mutable_output() = light.graph().output();
	std::mt19937 random(50);
	for (const onnx::NodeProto &node : light.graph().node()) {
		if (node.op_type() == "ConstantOfShape")
			continue;
		*graph.add_node() = node;
		for (int i = 1; i < node.input_size(); ++i) {
			if (!has_parameters(node)) {
				if (dims.count(node.input(i)) != 0)
					*graph.add_initializer() = find_initialiser(light.graph(), node.input(i));
				continue;
			}
			const auto &shape = dims.at(node.input(i));
			add_floats(graph, node.input(i), shape,
			           random_values(count_of(shape), role_of(node, i, shape), random));
		}
	}
	return model;
}

onnx::ModelProto fold_norms(const onnx::ModelProto &model)
{
	onnx::ModelProto folded = model;
	onnx::GraphProto &graph = *folded.mutable_graph();
	graph.clear_node();
	graph.clear_initializer();
	const onnx::GraphProto &from = model.graph();
	for (int i = 0; i < from.node_size(); ++i) {
		onnx::NodeProto &node = *graph.add_node();
		node = from.node(i);
		if (node.op_type() != "Conv" || from.node(i + 1).op_type() != "BatchNormalization") {
			for (const std::string &name : node.input())
				if (is_initialiser(from, name))
					*graph.add_initializer() = find_initialiser(from, name);
			continue;
		}
		const onnx::NodeProto &norm = from.node(++i);
		const auto scale = floats_of(find_initialiser(from, norm.input(1)));
		const auto shift = floats_of(find_initialiser(from, norm.input(2)));
		const auto mean = floats_of(find_initialiser(from, norm.input(3)));
		const auto variance = floats_of(find_initialiser(from, norm.input(4)));
		const onnx::TensorProto &weight = find_initialiser(from, node.input(1));
		auto weights = floats_of(weight);
		std::vector<float> bias(scale.size());
		const std::size_t each = weights.size() / scale.size();
		for (std::size_t c = 0; c < scale.size(); ++c) {
			const float factor = scale[c] / std::sqrt(variance[c] + 1e-5F);
			for (std::size_t k = 0; k < each; ++k)
				weights[c * each + k] *= factor;
			bias[c] = shift[c] - mean[c] * factor;
		}
		node.add_input(node.input(1) + "_bias");
		node.set_output(0, norm.output(0));
		add_floats(graph, node.input(1), {weight.dims().begin(), weight.dims().end()}, weights);
		add_floats(graph, node.input(2), {static_cast<std::int64_t>(bias.size())}, bias);
	}
	return folded;
}

onnx::ModelProto with_all_outputs(const onnx::ModelProto &model)
{
	onnx::ModelProto all = model;
	onnx::GraphProto &graph = *all.mutable_graph();
	graph.clear_output();
	for (const onnx::NodeProto &node : graph.node()) {
		onnx::ValueInfoProto &output = *graph.add_output();
		output.set_name(node.output(0));
		output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
	}
	return all;
}

} // namespace bench
