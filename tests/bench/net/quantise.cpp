// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <set>

#include "onnx/onnx_pb.h"
#include "resnet50.hpp"
#include "tensors.hpp"

namespace bench {
namespace {

class quantiser {
public:
	quantiser(const onnx::ModelProto &model, const value_ranges &ranges)
		: from_(model.graph()), ranges_(ranges), model_(model), graph_(*model_.mutable_graph())
	{
		graph_.clear_node();
		graph_.clear_initializer();
	}

	onnx::ModelProto run()
	{
		add_pair(from_.input(0).name());
		for (int i = 0; i < from_.node_size(); ++i)
			add_node(from_.node(i), i + 1 < from_.node_size() && from_.node(i + 1).op_type() == "Relu");
		return model_;
	}

private:
	void add_node(const onnx::NodeProto &node, bool before_relu)
	{
		onnx::NodeProto to = node;
		const bool weighted = node.op_type() == "Conv" || node.op_type() == "Gemm";
		if (node.op_type() == "Sum")
			to.set_op_type("Add");
		for (int i = 0; i < node.input_size(); ++i) {
			const std::string &name = node.input(i);
			if (quantised_.count(name) != 0)
				to.set_input(i, name + "_dq");
			else if (weighted && i == 1)
				to.set_input(i, add_weights(name));
			else if (weighted && i == 2)
				to.set_input(i, add_bias(name, node.input(0), node.input(1)));
			else if (is_initialiser(from_, name))
				*graph_.add_initializer() = find_initialiser(from_, name);
		}
		*graph_.add_node() = to;
		if (!before_relu && node.op_type() != "Softmax")
			add_pair(node.output(0), keeps_range(node) ? node.input(0) : node.output(0));
	}

	// What only moves elements has the scale of its input.
	static bool keeps_range(const onnx::NodeProto &node)
	{
		return node.op_type() == "MaxPool" || node.op_type() == "Reshape";
	}

	// name -> QuantizeLinear -> DequantizeLinear -> name_dq, with the range of the value @p like.
	void add_pair(const std::string &name, const std::string &like = {})
	{
		const std::string &source = like.empty() ? name : like;
		if (source == name) {
			const auto [low, high] = ranges_.at(name);
			const float least = std::min(low, 0.0F);
			scales_[name] = std::max((std::max(high, 0.0F) - least) / 255, 1e-6F);
			zeros_[name] = static_cast<std::int32_t>(std::lround(-least / scales_[name]));
		} else {
			scales_[name] = scales_.at(source);
			zeros_[name] = zeros_.at(source);
		}
		add_floats(graph_, name + "_scale", {}, {scales_[name]});
		add_integers(graph_, name + "_zero", onnx::TensorProto::UINT8, {}, {zeros_[name]});
		add_linear("QuantizeLinear", name, name + "_q", name);
		add_linear("DequantizeLinear", name + "_q", name + "_dq", name);
		quantised_.insert(name);
	}

	onnx::NodeProto &add_linear(const char *op, const std::string &in, const std::string &out, const std::string &by)
	{
		onnx::NodeProto &node = *graph_.add_node();
		node.set_op_type(op);
		node.set_name(out);
		node.add_input(in);
		node.add_input(by + "_scale");
		node.add_input(by + "_zero");
		node.add_output(out);
		return node;
	}

	std::string add_weights(const std::string &name)
	{
		const onnx::TensorProto &tensor = find_initialiser(from_, name);
		const auto values = floats_of(tensor);
		const auto channels = static_cast<std::size_t>(tensor.dims(0));
		const std::size_t each = values.size() / channels;
		std::vector<float> &scales = weight_scales_[name];
		std::vector<std::int32_t> integers(values.size());
		for (std::size_t c = 0; c < channels; ++c) {
			float largest = 1e-6F;
			for (std::size_t k = 0; k < each; ++k)
				largest = std::max(largest, std::fabs(values[c * each + k]));
			scales.push_back(largest / 127);
			for (std::size_t k = 0; k < each; ++k)
				integers[c * each + k] = static_cast<std::int32_t>(
					std::lround(values[c * each + k] / scales[c]));
		}
		return add_constant(name, onnx::TensorProto::INT8, {tensor.dims().begin(), tensor.dims().end()}, integers,
		                    scales);
	}

	std::string add_bias(const std::string &name, const std::string &input, const std::string &weight)
	{
		const auto values = floats_of(find_initialiser(from_, name));
		std::vector<float> scales = weight_scales_.at(weight);
		std::vector<std::int32_t> integers(values.size());
		for (std::size_t c = 0; c < values.size(); ++c) {
			scales[c] *= scales_.at(input);
			integers[c] = static_cast<std::int32_t>(std::lround(values[c] / scales[c]));
		}
		return add_constant(name, onnx::TensorProto::INT32, {static_cast<std::int64_t>(values.size())}, integers,
		                    scales);
	}

	// Integers with a DequantizeLinear that has a scale for each element of dimension 0.
	std::string add_constant(const std::string &name, int type, const std::vector<std::int64_t> &dims,
	                         const std::vector<std::int32_t> &integers, const std::vector<float> &scales)
	{
		const auto channels = static_cast<std::int64_t>(scales.size());
		add_integers(graph_, name + "_q", type, dims, integers);
		add_floats(graph_, name + "_scale", {channels}, scales);
		add_integers(graph_, name + "_zero", type, {channels}, std::vector<std::int32_t>(scales.size()));
		onnx::AttributeProto &axis = *add_linear("DequantizeLinear", name + "_q", name + "_dq", name).add_attribute();
		axis.set_name("axis");
		axis.set_type(onnx::AttributeProto::INT);
		axis.set_i(0);
		return name + "_dq";
	}

	const onnx::GraphProto &from_;
	const value_ranges &ranges_;
	onnx::ModelProto model_;
	onnx::GraphProto &graph_;
	std::set<std::string> quantised_;
	std::map<std::string, float> scales_;
	std::map<std::string, std::int32_t> zeros_;
	std::map<std::string, std::vector<float>> weight_scales_;
};

} // namespace

onnx::ModelProto quantise(const onnx::ModelProto &model, const value_ranges &ranges)
{
	return quantiser(model, ranges).run();
}

} // namespace bench
