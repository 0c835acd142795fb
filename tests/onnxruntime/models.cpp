// SPDX-License-Identifier: MIT
#include "models.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <vector>

#include "onnx/onnx_pb.h"

namespace models {
namespace {

constexpr int opset = 17;

class builder {
public:
	builder()
	{
		model_.set_ir_version(8);
		model_.add_opset_import()->set_version(opset);
		model_.mutable_graph()->set_name("test");
	}

	/** @param dims -1: any */
	builder &input(const std::string &name, int type, const std::vector<std::int64_t> &dims)
	{
		describe(*model_.mutable_graph()->add_input(), name, type, dims);
		return *this;
	}
	builder &output(const std::string &name, int type, const std::vector<std::int64_t> &dims)
	{
		describe(*model_.mutable_graph()->add_output(), name, type, dims);
		return *this;
	}
	onnx::NodeProto &node(const std::string &type, const std::vector<std::string> &inputs,
	                      const std::string &output)
	{
		onnx::NodeProto &n = *model_.mutable_graph()->add_node();
		n.set_op_type(type);
		n.set_name(type + "_" + output);
		for (const std::string &i : inputs)
			n.add_input(i);
		n.add_output(output);
		return n;
	}
	template <class T>
	void constant(const std::string &name, int type, const std::vector<std::int64_t> &dims,
	              const std::vector<T> &values)
	{
		onnx::TensorProto &t = *model_.mutable_graph()->add_initializer();
		t.set_name(name);
		t.set_data_type(type);
		for (const std::int64_t d : dims)
			t.add_dims(d);
		t.set_raw_data(values.data(), values.size() * sizeof(T));
	}
	std::string bytes() const { return model_.SerializeAsString(); }

private:
	static void describe(onnx::ValueInfoProto &v, const std::string &name, int type,
	                     const std::vector<std::int64_t> &dims)
	{
		v.set_name(name);
		auto &tensor = *v.mutable_type()->mutable_tensor_type();
		tensor.set_elem_type(type);
		tensor.mutable_shape();
		for (const std::int64_t d : dims) {
			auto &dim = *tensor.mutable_shape()->add_dim();
			if (d >= 0)
				dim.set_dim_value(d);
		}
	}

	onnx::ModelProto model_;
};

void set(onnx::NodeProto &n, const std::string &name, std::int64_t value)
{
	onnx::AttributeProto &a = *n.add_attribute();
	a.set_name(name);
	a.set_type(onnx::AttributeProto::INT);
	a.set_i(value);
}

constexpr int f32 = onnx::TensorProto::FLOAT;
constexpr int f64 = onnx::TensorProto::DOUBLE;
constexpr int i64 = onnx::TensorProto::INT64;
constexpr int i32 = onnx::TensorProto::INT32;
constexpr int i8 = onnx::TensorProto::INT8;

/** A convolution of int8 between int8 values of scale 1/32, channel by channel. */
void quantised_convolution(builder &b, const std::string &name, const std::string &in,
                           const std::string &out, std::int64_t channels, std::mt19937 &bits)
{
	std::vector<std::int8_t> weights(static_cast<std::size_t>(channels * channels * 9));
	for (std::int8_t &w : weights)
		w = static_cast<std::int8_t>(static_cast<int>(bits() % 255) - 127);
	std::vector<float> scales;
	std::vector<std::int32_t> bias;
	for (std::int64_t c = 0; c < channels; ++c) {
		scales.push_back(0.0005F + 0.0001F * static_cast<float>(c));
		bias.push_back(static_cast<std::int32_t>(bits() % 2000) - 1000);
	}
	std::vector<float> bias_scales;
	for (const float s : scales)
		bias_scales.push_back(s / 32);
	const std::vector<std::int8_t> zeros(static_cast<std::size_t>(channels), 0);
	b.constant(name + "_w", i8, {channels, channels, 3, 3}, weights);
	b.constant(name + "_ws", f32, {channels}, scales);
	b.constant(name + "_wz", i8, {channels}, zeros);
	b.constant(name + "_b", i32, {channels}, bias);
	b.constant(name + "_bs", f32, {channels}, bias_scales);
	set(b.node("DequantizeLinear", {name + "_w", name + "_ws", name + "_wz"}, name + "_wf"),
	    "axis", 0);
	set(b.node("DequantizeLinear", {name + "_b", name + "_bs"}, name + "_bf"), "axis", 0);
	b.node("DequantizeLinear", {in, "scale", "zero"}, name + "_x");
	onnx::NodeProto &conv =
		b.node("Conv", {name + "_x", name + "_wf", name + "_bf"}, name + "_y");
	onnx::AttributeProto &pads = *conv.add_attribute();
	pads.set_name("pads");
	pads.set_type(onnx::AttributeProto::INTS);
	for (int i = 0; i < 4; ++i)
		pads.add_ints(1);
	b.node("Relu", {name + "_y"}, name + "_r");
	b.node("QuantizeLinear", {name + "_r", "scale", "zero"}, out);
}

} // namespace

std::string multiply()
{
	builder b;
	b.input("x", f32, {-1, 64}).output("y", f32, {-1, 512});
	std::vector<float> w(64 * 512);
	for (std::size_t i = 0; i < w.size(); ++i)
		w[i] = static_cast<float>(i % 17) / 16 - 0.5F;
	b.constant("w", f32, {64, 512}, w);
	b.node("MatMul", {"x", "w"}, "product");
	b.node("Relu", {"product"}, "y");
	return b.bytes();
}

std::string with_f64_inside()
{
	builder b;
	b.input("x", f32, {4, 8}).output("y", f32, {4, 8});
	b.node("Relu", {"x"}, "r");
	set(b.node("Cast", {"x"}, "wide"), "to", f64);
	b.node("Sin", {"wide"}, "sine");
	set(b.node("Cast", {"sine"}, "narrow"), "to", f32);
	b.node("Mul", {"r", "narrow"}, "y");
	return b.bytes();
}

std::string columns_as_told()
{
	builder b;
	b.input("x", f32, {4, 6}).input("first", i64, {1}).input("end", i64, {1});
	b.output("y", f32, {4, 2});
	b.constant<std::int64_t>("axes", i64, {1}, {1});
	b.node("Relu", {"x"}, "r");
	b.node("Slice", {"r", "first", "end", "axes"}, "y");
	return b.bytes();
}

std::string quantised_convolutions()
{
	builder b;
	std::mt19937 bits(7);
	b.input("x", f32, {1, 8, 20, 20}).output("y", f32, {1, 8, 20, 20});
	b.constant<float>("scale", f32, {}, {1.0F / 32});
	b.constant<std::int8_t>("zero", i8, {}, {-3});
	b.node("QuantizeLinear", {"x", "scale", "zero"}, "q0");
	quantised_convolution(b, "first", "q0", "q1", 8, bits);
	quantised_convolution(b, "second", "q1", "q2", 8, bits);
	b.node("DequantizeLinear", {"q2", "scale", "zero"}, "y");
	return b.bytes();
}

std::string with_random_weights(const std::string &file)
{
	onnx::ModelProto model;
	std::ifstream in(file, std::ios::binary);
	if (!model.ParseFromIstream(&in))
		return {};
	onnx::GraphProto &g = *model.mutable_graph();
	std::map<std::string, std::vector<std::int64_t>> shapes;
	for (const onnx::TensorProto &t : g.initializer()) {
		if (t.data_type() != i64)
			continue;
		std::vector<std::int64_t> &dims = shapes[t.name()];
		dims.assign(t.int64_data().begin(), t.int64_data().end());
		if (!dims.empty())
			continue;
		dims.resize(t.raw_data().size() / sizeof(std::int64_t));
		std::memcpy(dims.data(), t.raw_data().data(), dims.size() * sizeof(std::int64_t));
	}
	std::mt19937 bits(3);
	google::protobuf::RepeatedPtrField<onnx::NodeProto> kept;
	for (const onnx::NodeProto &n : g.node()) {
		if (n.op_type() != "ConstantOfShape") {
			*kept.Add() = n;
			continue;
		}
		const std::vector<std::int64_t> &dims = shapes.at(n.input(0));
		onnx::TensorProto &weights = *g.add_initializer();
		weights.set_name(n.output(0));
		weights.set_data_type(f32);
		std::size_t count = 1;
		for (const std::int64_t d : dims) {
			weights.add_dims(d);
			count *= static_cast<std::size_t>(d);
		}
		// Scales, shifts and variances around 1; else such that sums stay as large as what is summed.
		const bool vector = dims.size() < 2;
		const float range =
			vector ? 0.5F
			       : std::sqrt(3.0F * static_cast<float>(dims[0]) / static_cast<float>(count));
		std::uniform_real_distribution<float> number(vector ? 0.5F : -range,
		                                             vector ? 1.5F : range);
		for (std::size_t i = 0; i < count; ++i)
			weights.add_float_data(number(bits));
	}
	g.mutable_node()->Swap(&kept);
	return model.SerializeAsString();
}

} // namespace models
