// SPDX-License-Identifier: MIT
#include "emitter.hpp"

namespace ggml_atom {
namespace {

using atom::binary_kind;
using atom::function;

bool binary(emitter &e, const ggml_tensor *node, binary_kind kind)
{
	const ggml_tensor *a = node->src[0];
	const ggml_tensor *b = node->src[1];
	if (!is_float(a) || !is_float(b) || !is_float(node))
		return false;
	const std::optional<nest> walk = tiled(node, {a, b});
	return walk && walk->split(atom::rank_max, 1, [&](const std::vector<shape> &s) {
		e.commands.binary(kind, e.at(a, s[1]), e.at(b, s[2]), e.at(node, s[0]));
	});
}

bool unary(emitter &e, const ggml_tensor *node, function fn, float p0 = 0, float p1 = 0)
{
	if (!is_float(node->src[0]) || !is_float(node))
		return false;
	e.commands.unary(fn, e.at(node->src[0]), e.at(node), p0, p1);
	return true;
}

bool unary(emitter &e, const ggml_tensor *node)
{
	switch (ggml_get_unary_op(node)) {
	case GGML_UNARY_OP_ABS:
		return unary(e, node, function::abs);
	case GGML_UNARY_OP_SGN:
		return unary(e, node, function::sign);
	case GGML_UNARY_OP_NEG:
		return unary(e, node, function::neg);
	case GGML_UNARY_OP_TANH:
		return unary(e, node, function::tanh);
	case GGML_UNARY_OP_ELU:
		return unary(e, node, function::elu, 1);
	case GGML_UNARY_OP_RELU:
		return unary(e, node, function::relu);
	case GGML_UNARY_OP_SIGMOID:
		return unary(e, node, function::sigmoid);
	case GGML_UNARY_OP_GELU:
		return unary(e, node, function::gelu_tanh);
	case GGML_UNARY_OP_GELU_QUICK:
		return unary(e, node, function::gelu_quick);
	case GGML_UNARY_OP_GELU_ERF:
		return unary(e, node, function::gelu_erf);
	case GGML_UNARY_OP_SILU:
		return unary(e, node, function::silu, 1);
	case GGML_UNARY_OP_HARDSWISH:
		return unary(e, node, function::hard_swish);
	case GGML_UNARY_OP_HARDSIGMOID:
		return unary(e, node, function::hard_sigmoid, 1.0F / 6, 0.5F);
	case GGML_UNARY_OP_EXP:
		return unary(e, node, function::exp);
	case GGML_UNARY_OP_EXPM1:
		return unary(e, node, function::expm1);
	case GGML_UNARY_OP_SOFTPLUS:
		return unary(e, node, function::softplus);
	case GGML_UNARY_OP_FLOOR:
		return unary(e, node, function::floor);
	case GGML_UNARY_OP_CEIL:
		return unary(e, node, function::ceil);
	case GGML_UNARY_OP_TRUNC:
		return unary(e, node, function::trunc);
	default: // ROUND: ggml's rounds ties away from zero
		return false;
	}
}

/** x * scale + bias. */
bool scale(emitter &e, const ggml_tensor *node)
{
	const ggml_tensor *in = node->src[0];
	if (!is_float(in) || !is_float(node))
		return false;
	const shape s = shape_of(node);
	atom::epilogue after;
	if (const float bias = float_param(node, 1); bias != 0)
		after.residual = e.constant(bias, s);
	e.commands.binary(binary_kind::mul, e.at(in), e.constant(float_param(node, 0), s),
	                  e.at(node, s), after);
	return true;
}

bool glu(emitter &e, const ggml_tensor *node)
{
	const ggml_tensor *gate = node->src[0];
	const ggml_tensor *value = node->src[1];
	function fn = function::identity;
	atom::glu_options options;
	switch (ggml_get_glu_op(node)) {
	case GGML_GLU_OP_REGLU:
		fn = function::relu;
		break;
	case GGML_GLU_OP_GEGLU:
		fn = function::gelu_tanh;
		break;
	case GGML_GLU_OP_GEGLU_ERF:
		fn = function::gelu_erf;
		break;
	case GGML_GLU_OP_GEGLU_QUICK:
		fn = function::gelu_quick;
		break;
	case GGML_GLU_OP_SWIGLU:
		fn = function::silu;
		options.p0 = 1;
		break;
	case GGML_GLU_OP_SWIGLU_OAI:
		fn = function::silu;
		options.p0 = float_param(node, 2);
		options.limit = float_param(node, 3);
		options.bias = 1;
		if (!(options.limit > 0))
			return false; // 0 means none to the device, and nothing at all to ggml
		break;
	default:
		return false;
	}
	if (value != nullptr) {
		e.commands.glu(fn, e.at(gate), e.at(value), e.at(node), options);
	} else {
		options.swapped = int_param(node, 1) != 0;
		e.commands.glu(fn, e.at(gate), e.at(node), options);
	}
	return true;
}

} // namespace

bool lower_elementwise(emitter &e, const ggml_tensor *node)
{
	switch (node->op) {
	case GGML_OP_ADD:
	case GGML_OP_ADD1:
		return binary(e, node, binary_kind::add);
	case GGML_OP_SUB:
		return binary(e, node, binary_kind::sub);
	case GGML_OP_MUL:
		return binary(e, node, binary_kind::mul);
	case GGML_OP_DIV:
		return binary(e, node, binary_kind::div);
	case GGML_OP_SQR:
		return unary(e, node, function::square);
	case GGML_OP_SQRT:
		return unary(e, node, function::sqrt);
	case GGML_OP_LOG:
		return unary(e, node, function::log);
	case GGML_OP_SIN:
		return unary(e, node, function::sin);
	case GGML_OP_COS:
		return unary(e, node, function::cos);
	case GGML_OP_CLAMP:
		return unary(e, node, function::clip, float_param(node, 0), float_param(node, 1));
	case GGML_OP_LEAKY_RELU:
		return unary(e, node, function::leaky_relu, float_param(node, 0));
	case GGML_OP_UNARY:
		return unary(e, node);
	case GGML_OP_SCALE:
		return scale(e, node);
	case GGML_OP_GLU:
		return glu(e, node);
	default:
		return false;
	}
}

} // namespace ggml_atom
