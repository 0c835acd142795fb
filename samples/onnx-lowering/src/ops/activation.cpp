// SPDX-License-Identifier: MIT
// Activation functions: one value, with parameters. They also fit into epilogues.
#include "activation.hpp"

#include <limits>
#include <map>

#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::function;

activation gelu(const lowering &n)
{
	return {n.attr("approximate", "none") == "tanh" ? function::gelu_tanh : function::gelu_erf};
}

// lambd and bias: y = x + bias below -lambd, x - bias above lambd.
activation shrink(const lowering &n)
{
	return {function::shrink, n.attr("lambd", 0.5F), n.attr("bias", 0.0F)};
}

using describe = activation (*)(const lowering &);

const std::map<std::string_view, describe> &table()
{
	using low = const lowering &;
	static const std::map<std::string_view, describe> all{
		{"Relu", [](low) { return activation{function::relu}; }},
		{"Sigmoid", [](low) { return activation{function::sigmoid}; }},
		{"Tanh", [](low) { return activation{function::tanh}; }},
		{"Softplus", [](low) { return activation{function::softplus}; }},
		{"Softsign", [](low) { return activation{function::softsign}; }},
		{"Mish", [](low) { return activation{function::mish}; }},
		{"HardSwish", [](low) { return activation{function::hard_swish}; }},
		{"Gelu", gelu},
		{"Shrink", shrink},
		{"LeakyRelu",
	         [](low n) { return activation{function::leaky_relu, n.attr("alpha", 0.01F)}; }},
		{"Elu", [](low n) { return activation{function::elu, n.attr("alpha", 1.0F)}; }},
		{"Celu", [](low n) { return activation{function::celu, n.attr("alpha", 1.0F)}; }},
		{"Swish", [](low n) { return activation{function::silu, n.attr("alpha", 1.0F)}; }},
		{"ThresholdedRelu",
	         [](low n) {
			 return activation{function::thresholded_relu, n.attr("alpha", 1.0F)};
		 }},
		{"HardSigmoid",
	         [](low n) {
			 return activation{function::hard_sigmoid, n.attr("alpha", 0.2F),
		                           n.attr("beta", 0.5F)};
		 }},
		{"Selu",
	         [](low n) {
			 return activation{function::selu, n.attr("alpha", 1.67326319217681884765625F),
		                           n.attr("gamma", 1.05070102214813232421875F)};
		 }},
	};
	return all;
}

void lower_activation(lowering &n)
{
	const activation a = *activation_of(n);
	n.set(0, n.e.unary(a.fn, n.in(0), a.p0, a.p1));
}

std::optional<activation> clip_of(const lowering &n)
{
	const float none = std::numeric_limits<float>::infinity();
	activation a{function::clip, -none, none};
	if (n.opset() < 11)
		return activation{function::clip, n.attr("min", -none), n.attr("max", none)};
	if ((n.has(1) && !n.known(1)) || (n.has(2) && !n.known(2)))
		return std::nullopt;
	if (n.has(1))
		a.p0 = static_cast<float>(n.number(1));
	if (n.has(2))
		a.p1 = static_cast<float>(n.number(2));
	return a;
}

} // namespace

std::optional<activation> activation_of(const lowering &n)
{
	if (!n.node().domain.empty())
		return std::nullopt;
	if (n.node().op_type == "Clip")
		return clip_of(n);
	const auto found = table().find(n.node().op_type);
	if (found == table().end())
		return std::nullopt;
	return found->second(n);
}

operator_list activation_operators()
{
	operator_list list;
	for (const auto &[name, unused] : table())
		list.push_back({name, lower_activation});
	return list;
}

} // namespace atom_onnx
