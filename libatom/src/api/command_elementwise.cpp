// SPDX-License-Identifier: MIT
// The commands that work element by element.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/encoder.hpp"

namespace atom {
inline namespace v1 {
namespace {

using core::command;
using use = core::command::use;

bool is_float(const tensor &t)
{
	return t.type() == dtype::f16 || t.type() == dtype::bf16 || t.type() == dtype::f32;
}

// What both forms of glu() share; the caller encodes gate and value.
void check_glu(const command &c, function fn, const tensor &out, const glu_options &options)
{
	switch (fn) {
	case function::identity:
	case function::relu:
	case function::sigmoid:
	case function::gelu_erf:
	case function::gelu_tanh:
	case function::silu:
	case function::gelu_quick:
		break;
	default:
		c.fail(errc::invalid_argument,
		       "the function of a gate is relu, sigmoid, silu, gelu_erf, gelu_tanh, "
		       "gelu_quick or identity");
	}
	c.check(is_float(out), "out is no float");
	c.check(!std::isnan(options.limit) && options.limit >= 0, "limit is below 0");
	c.check(std::isfinite(options.bias), "bias is not finite");
}

void append_glu(command &c, function fn, atom_cmd_glu &e, const tensor &out,
                const glu_options &options)
{
	e.function = static_cast<std::uint32_t>(fn);
	e.p0 = options.p0;
	e.limit = options.limit;
	e.bias = options.bias;
	e.out = c.encode(out, use::output, "out");
	c.append(e, options.swapped ? ATOM_GLU_SWAPPED : 0);
}

} // namespace

command_builder &command_builder::binary(binary_kind kind, const tensor &a, const tensor &b,
                                         const tensor &out, const epilogue &after)
{
	command c(impl_, "binary", ATOM_OP_BINARY);
	c.check_same_dims(a, out, "a and out");
	c.check_same_dims(b, out, "b and out");
	c.check(!after.bias, "its epilogue has no bias: use a residual");
	atom_cmd_binary e{};
	e.kind = static_cast<std::uint32_t>(kind);
	e.a = c.encode(a, use::input, "a");
	e.b = c.encode(b, use::input, "b");
	e.out = c.encode(out, use::output, "out");
	e.epilogue = c.encode(after, out);
	c.append(e);
	return *this;
}

command_builder &command_builder::unary(function fn, const tensor &in, const tensor &out, float p0,
                                        float p1)
{
	command c(impl_, "unary", ATOM_OP_UNARY);
	c.check_known(fn);
	c.check(fn != function::lut, "function::lut needs an epilogue's table");
	c.check_same_dims(in, out, "in and out");
	atom_cmd_unary e{};
	e.function = static_cast<std::uint32_t>(fn);
	e.p0 = p0;
	e.p1 = p1;
	e.in = c.encode(in, use::input, "in");
	e.out = c.encode(out, use::output, "out");
	c.append(e);
	return *this;
}

command_builder &command_builder::select(const tensor &cond, const tensor &a, const tensor &b,
                                         const tensor &out)
{
	command c(impl_, "select", ATOM_OP_SELECT);
	c.check(cond.type() == dtype::u8, "cond is not of type u8");
	c.check(a.type() == out.type() && b.type() == out.type(),
	        "a, b and out differ in type: use cast()");
	c.check_same_dims(cond, out, "cond and out");
	c.check_same_dims(a, out, "a and out");
	c.check_same_dims(b, out, "b and out");
	atom_cmd_select e{};
	e.cond = c.encode(cond, use::input, "cond");
	e.a = c.encode(a, use::input, "a");
	e.b = c.encode(b, use::input, "b");
	e.out = c.encode(out, use::output, "out");
	c.append(e);
	return *this;
}

command_builder &command_builder::glu(function fn, const tensor &gate, const tensor &value,
                                      const tensor &out, const glu_options &options)
{
	command c(impl_, "glu", ATOM_OP_GLU);
	check_glu(c, fn, out, options);
	c.check(is_float(gate) && is_float(value), "gate or value is no float");
	c.check(!options.swapped, "swapped is for packed input: exchange gate and value");
	c.check_same_dims(gate, out, "gate and out");
	c.check_same_dims(value, out, "value and out");
	atom_cmd_glu e{};
	e.gate = c.encode(gate, use::input, "gate");
	e.value = c.encode(value, use::input, "value");
	append_glu(c, fn, e, out, options);
	return *this;
}

command_builder &command_builder::glu(function fn, const tensor &packed, const tensor &out,
                                      const glu_options &options)
{
	command c(impl_, "glu", ATOM_OP_GLU);
	check_glu(c, fn, out, options);
	c.check(is_float(packed), "packed is no float");
	c.check(out.rank() >= 1, "out is a scalar, which has no last dimension");
	std::array<std::uint64_t, rank_max> needed{};
	std::copy(out.dims().begin(), out.dims().end(), needed.begin());
	needed[out.rank() - 1] *= 2;
	c.check_dims(packed, {needed.data(), out.rank()}, "packed");
	atom_cmd_glu e{};
	e.gate = c.encode(packed, use::input, "packed");
	append_glu(c, fn, e, out, options);
	return *this;
}

} // namespace v1
} // namespace atom
