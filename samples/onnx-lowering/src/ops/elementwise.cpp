// SPDX-License-Identifier: MIT
// Operators of one, two and three values without parameters of their own.
#include <cmath>
#include <limits>
#include <map>

#include "fusion.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;
using atom::function;

template <function Fn>
void lower_unary(lowering &n)
{
	n.set(0, n.e.unary(Fn, n.in(0)));
}

template <function Fn>
void lower_truth(lowering &n)
{
	n.set(0, n.e.unary(Fn, n.in(0)), element_type::boolean);
}

template <binary_kind Kind>
void lower_binary(lowering &n)
{
	n.require_inputs(2);
	n.set(0, n.e.binary(Kind, n.in(0), n.in(1)));
}

// On reals an activation, a residual and quantisation behind it become part of it.
template <binary_kind Kind>
void lower_arithmetic(lowering &n)
{
	n.require_inputs(2);
	const view a = n.in(0);
	const view b = n.in(1);
	const auto type = [](const view &v) {
		return v.quantised() ? element_type::f32 : element_of(v.type);
	};
	if (!a.is_real() || !b.is_real() || type(a) != type(b) || !n.wants(0)) {
		n.set(0, n.e.binary(Kind, a, b));
		return;
	}
	const shape dims = broadcast_shape(a.dims, b.dims);
	const tail t = follow(n, n.result(), type(a), dims);
	view out = n.e.allocate_like(t.device(), dims, a.dims == dims ? a : b);
	if (t.quantised)
		out.quant = *t.quantised;
	n.e.binary_into(Kind, a, b, out, {std::nullopt, t.residual, t.activation, t.p0, t.p1});
	out.quant = {}; // what a QuantizeLinear node gives are integers
	set_value(n.state(), t.result, out, t.type);
}

template <binary_kind Kind>
void lower_comparison(lowering &n)
{
	n.require_inputs(2);
	n.set(0, n.e.binary(Kind, n.in(0), n.in(1)), element_type::boolean);
}

// Sum, Min, Max of any number of inputs.
template <binary_kind Kind>
void lower_variadic(lowering &n)
{
	view result = n.in(0);
	for (unsigned i = 1; i < n.inputs(); ++i)
		result = n.e.binary(Kind, result, n.in(i));
	n.set(0, result);
}

void lower_sum(lowering &n)
{
	if (n.inputs() == 2)
		lower_arithmetic<binary_kind::add>(n);
	else
		lower_variadic<binary_kind::add>(n);
}

void lower_mean(lowering &n)
{
	view result = n.in(0);
	refuse_i64(result, "a mean");
	for (unsigned i = 1; i < n.inputs(); ++i)
		result = n.e.add(result, n.in(i));
	n.set(0, n.e.mul(result, n.e.scalar(result.type, 1.0 / n.inputs())));
}

// Before opset 7 a vector of slopes stood for the channels.
void lower_prelu(lowering &n)
{
	n.require_inputs(2);
	view slope = n.plain(1);
	if (n.opset() < 7 && slope.rank() == 1)
		for (unsigned d = 2; d < n.rank(0); ++d)
			slope = unsqueeze(slope, slope.rank());
	n.set(0, n.e.binary(binary_kind::prelu, n.in(0), slope));
}

void lower_mod(lowering &n)
{
	const bool truncated = n.attr("fmod", std::int64_t{0}) != 0;
	n.set(0, n.e.binary(truncated ? binary_kind::fmod : binary_kind::mod, n.in(0), n.in(1)));
}

// The result has the type of the base; integers are raised as floats where the types differ.
void lower_pow(lowering &n)
{
	const view base = n.in(0);
	const view exponent = n.in(1);
	refuse_i64(base, "arithmetic");
	if (base.type == exponent.type) {
		n.set(0, n.e.binary(binary_kind::pow, base, exponent));
		return;
	}
	const view real_base = base.is_real() ? base : n.e.cast(base, atom::dtype::f32);
	const view real_exponent =
		exponent.is_real() ? exponent : n.e.cast(exponent, atom::dtype::f32);
	const view result = n.e.binary(binary_kind::pow, real_base, real_exponent);
	n.set(0, n.e.cast(result, base.type));
}

void lower_shift(lowering &n)
{
	const std::string direction = n.attr("direction", "");
	if (direction != "LEFT" && direction != "RIGHT")
		n.invalid("direction " + direction);
	const bool left = direction == "LEFT";
	const view value = n.in(0);
	const view by = n.in(1);
	const view shifted = n.e.binary(left ? binary_kind::shl : binary_kind::shr, value, by);
	// The device shifts by the low bits of the count; in ONNX nothing is left of the value.
	const view limit = n.e.scalar(by.type, block_bytes(value.type) * 8.0);
	const view inside = n.e.binary(binary_kind::lt, by, limit);
	n.set(0, n.e.select(inside, shifted, n.e.scalar(value.type, 0)));
}

void lower_is_inf(lowering &n)
{
	const auto flag = [&](const char *name) {
		return n.attr(name, std::int64_t{1}) != 0 ? 1.0F : 0.0F;
	};
	n.set(0,
	      n.e.unary(function::is_inf, n.in(0), flag("detect_negative"), flag("detect_positive")),
	      element_type::boolean);
}

void lower_where(lowering &n)
{
	n.require_inputs(3);
	if (n.type(0) != element_type::boolean)
		n.invalid("a condition of " + name_of(n.type(0)));
	n.set(0, n.e.select(n.in(0), n.in(1), n.in(2)), n.type(1));
}

void lower_clip(lowering &n)
{
	view result = n.in(0);
	const bool by_input = n.opset() >= 11;
	if (!by_input || (result.is_real() && (!n.has(1) || n.known(1)) && (!n.has(2) || n.known(2)))) {
		const float none = std::numeric_limits<float>::infinity();
		const auto bound = [&](unsigned input, const char *name, float otherwise) {
			if (!by_input)
				return n.attr(name, otherwise);
			return n.has(input) ? static_cast<float>(n.number(input)) : otherwise;
		};
		n.set(0, n.e.unary(function::clip, result, bound(1, "min", -none),
		                   bound(2, "max", none)));
		return;
	}
	if (n.has(1))
		result = n.e.binary(binary_kind::max, result, n.in(1));
	if (n.has(2))
		result = n.e.binary(binary_kind::min, result, n.in(2));
	n.set(0, result);
}

void lower_cast(lowering &n)
{
	const auto to = static_cast<element_type>(
		n.node().op_type == "CastLike" ? static_cast<std::int64_t>(n.type(1))
					       : n.attr("to", std::int64_t{0}));
	const auto type = device_type(to);
	if (!type)
		n.refuse(to == element_type::string ? reason::string : reason::dtype,
		         "a cast to " + name_of(to));
	const view from = n.in(0);
	if (to == element_type::boolean && n.type(0) != element_type::boolean) {
		n.set(0, n.e.binary(binary_kind::ne, from, n.e.scalar(from.type, 0)), to);
		return;
	}
	n.set(0, n.e.cast(from, *type), to);
}

} // namespace

operator_list elementwise_operators()
{
	return {
		{"Abs", lower_unary<function::abs>},
		{"Neg", lower_unary<function::neg>},
		{"Sign", lower_unary<function::sign>},
		{"Exp", lower_unary<function::exp>},
		{"Log", lower_unary<function::log>},
		{"Sqrt", lower_unary<function::sqrt>},
		{"Reciprocal", lower_unary<function::reciprocal>},
		{"Floor", lower_unary<function::floor>},
		{"Ceil", lower_unary<function::ceil>},
		{"Round", lower_unary<function::round>},
		{"Erf", lower_unary<function::erf>},
		{"Sin", lower_unary<function::sin>},
		{"Cos", lower_unary<function::cos>},
		{"Tan", lower_unary<function::tan>},
		{"Asin", lower_unary<function::asin>},
		{"Acos", lower_unary<function::acos>},
		{"Atan", lower_unary<function::atan>},
		{"Sinh", lower_unary<function::sinh>},
		{"Cosh", lower_unary<function::cosh>},
		{"Asinh", lower_unary<function::asinh>},
		{"Acosh", lower_unary<function::acosh>},
		{"Atanh", lower_unary<function::atanh>},
		{"BitwiseNot", lower_unary<function::bitwise_not>},
		{"Not", lower_truth<function::logical_not>},
		{"IsNaN", lower_truth<function::is_nan>},
		{"IsInf", lower_is_inf},
		{"Add", lower_arithmetic<binary_kind::add>},
		{"Sub", lower_arithmetic<binary_kind::sub>},
		{"Mul", lower_arithmetic<binary_kind::mul>},
		{"Div", lower_arithmetic<binary_kind::div>},
		{"PRelu", lower_prelu},
		{"BitwiseAnd", lower_binary<binary_kind::bitwise_and>},
		{"BitwiseOr", lower_binary<binary_kind::bitwise_or>},
		{"BitwiseXor", lower_binary<binary_kind::bitwise_xor>},
		{"Equal", lower_comparison<binary_kind::eq>},
		{"Less", lower_comparison<binary_kind::lt>},
		{"LessOrEqual", lower_comparison<binary_kind::le>},
		{"Greater", lower_comparison<binary_kind::gt>},
		{"GreaterOrEqual", lower_comparison<binary_kind::ge>},
		{"And", lower_comparison<binary_kind::logical_and>},
		{"Or", lower_comparison<binary_kind::logical_or>},
		{"Xor", lower_comparison<binary_kind::logical_xor>},
		{"Sum", lower_sum},
		{"Min", lower_variadic<binary_kind::min>},
		{"Max", lower_variadic<binary_kind::max>},
		{"Mean", lower_mean},
		{"Mod", lower_mod},
		{"Pow", lower_pow},
		{"BitShift", lower_shift},
		{"Where", lower_where},
		{"Clip", lower_clip},
		{"Cast", lower_cast},
		{"CastLike", lower_cast},
	};
}

} // namespace atom_onnx
