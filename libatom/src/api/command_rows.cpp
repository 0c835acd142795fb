// SPDX-License-Identifier: MIT
// The commands that combine elements along dimensions.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/encoder.hpp"

namespace atom {
inline namespace v1 {
namespace {

using core::command;
using use = core::command::use;

static_assert(static_cast<int>(reduce_kind::argmin) == ATOM_REDUCE_ARGMIN &&
              static_cast<int>(reduce_kind::sum_square) == ATOM_REDUCE_SUM_SQUARE);
static_assert(static_cast<int>(norm_kind::l2) == ATOM_NORM_L2 &&
              static_cast<int>(norm_kind::lrn) == ATOM_NORM_LRN);

void check_axes(const command &c, const tensor &in, axis_set axes)
{
	c.check(axes.bits() != 0, "it names no dimension");
	c.check(axes.bits() >> in.rank() == 0, "it names a dimension that in does not have");
}

/** @p out must be as @p in with dimensions of 1 in @p axes. */
void check_reduced(const command &c, const tensor &in, const tensor &out, axis_set axes,
                   const char *part)
{
	std::array<std::uint64_t, rank_max> needed{};
	for (unsigned i = 0; i < in.rank(); ++i)
		needed[i] = axes.contains(i) ? 1 : in.dims()[i];
	c.check_dims(out, {needed.data(), in.rank()}, part);
}

void check_f32(const command &c, const std::optional<tensor> &t, const char *why)
{
	c.check(!t || t->type() == dtype::f32, why);
}

void check_softmax(const command &c, const tensor &in, unsigned axis,
                   const softmax_options &options)
{
	c.check(axis < in.rank(), "in does not have the dimension");
	c.check(std::isfinite(options.scale), "scale is not finite");
	c.check(!options.causal || axis > 0, "causal needs a dimension before the axis");
	c.check(options.causal || options.causal_offset == 0, "causal_offset is of causal");
	c.check(options.max_bias >= 0 && std::isfinite(options.max_bias), "max_bias is below 0");
	c.check(options.max_bias == 0 || options.mask, "max_bias needs a mask");
	const bool heads = options.max_bias != 0 || options.sinks;
	c.check(!heads || in.rank() >= 3, "max_bias and sinks need heads, dimension rank - 3");
	if (options.mask) {
		c.check_same_dims(*options.mask, in, "mask and in (see tensor::broadcast())");
		c.check(options.mask->type() == dtype::f16 || options.mask->type() == dtype::f32,
		        "mask is neither f16 nor f32");
	}
	check_f32(c, options.sinks, "sinks is not f32");
	if (options.sinks)
		c.check_dims(*options.sinks, in.dims().subspan(in.rank() - 3, 1), "sinks");
}

void check_norm(const command &c, norm_kind kind, const tensor &in, axis_set axes,
                const norm_options &options)
{
	check_axes(c, in, axes);
	c.check(options.eps >= 0 && std::isfinite(options.eps), "eps is below 0");
	if (kind == norm_kind::lrn) {
		c.check(std::has_single_bit(axes.bits()), "lrn normalises over one dimension");
		c.check(options.lrn.size != 0, "lrn needs a size");
	} else {
		c.check(options.lrn.size == 0, "lrn is of norm_kind::lrn");
	}
	if (options.groups != 0) {
		c.check(options.group_axis < in.rank(), "in does not have the group_axis");
		c.check(in.dims()[options.group_axis] % options.groups == 0,
		        "groups does not divide the group_axis");
	}
	if (options.gamma)
		c.check_same_dims(*options.gamma, in, "gamma and in (see tensor::broadcast())");
	if (options.beta)
		c.check_same_dims(*options.beta, in, "beta and in (see tensor::broadcast())");
	check_f32(c, options.mean, "mean is not f32");
	check_f32(c, options.inverse, "inverse is not f32");
	// With groups the device knows better.
	if (options.mean && options.groups == 0)
		check_reduced(c, in, *options.mean, axes, "mean");
	if (options.inverse && options.groups == 0)
		check_reduced(c, in, *options.inverse, axes, "inverse");
}

void check_table(const command &c, const tensor &in, const tensor &table, std::uint64_t pairs,
                 bool by_position, const char *part)
{
	std::array<std::uint64_t, rank_max> needed{};
	std::copy(in.dims().begin(), in.dims().end(), needed.begin());
	unsigned rank = in.rank();
	if (by_position) {
		rank = 2;
		needed[0] = table.rank() == 2 ? table.dims()[0] : 1; // as many as there are
	}
	needed[rank - 1] = pairs;
	c.check_dims(table, {needed.data(), rank}, part);
}

void check_rope(const command &c, const tensor &in, std::uint64_t rotary,
                const rope_options &options)
{
	c.check(rotary % 2 == 0 && rotary <= in.dims()[in.rank() - 1],
	        "rotary_dims is odd or more than the last dimension");
	c.check(options.position_axis < in.rank(), "in does not have the position_axis");
	c.check(options.cos.has_value() == options.sin.has_value(), "cos and sin go together");
	c.check(options.positions || options.cos, "it needs positions or tables");
	c.check(options.base > 0 && std::isfinite(options.base), "base is not greater than 0");
	if (options.positions) {
		c.check_index(*options.positions, "positions");
		c.check_dims(*options.positions, in.dims().subspan(options.position_axis, 1),
		             "positions");
	}
	check_f32(c, options.factors, "factors is not f32");
	if (options.factors)
		c.check_dims(*options.factors, {rotary / 2}, "factors");
	if (options.cos) {
		const bool by_position = options.positions.has_value();
		check_table(c, in, *options.cos, rotary / 2, by_position, "cos");
		check_table(c, in, *options.sin, rotary / 2, by_position, "sin");
	}
}

} // namespace

command_builder &command_builder::reduce(reduce_kind kind, const tensor &in, const tensor &out,
                                         axis_set axes, const reduce_options &options)
{
	command c(impl_, "reduce", ATOM_OP_REDUCE);
	check_axes(c, in, axes);
	check_reduced(c, in, out, axes, "out");
	const bool index = kind == reduce_kind::argmax || kind == reduce_kind::argmin;
	if (index) {
		c.check(std::has_single_bit(axes.bits()), "argmax and argmin take one dimension");
		c.check_index(out, "out");
	}
	c.check(index || !options.last_index, "last_index is of argmax and argmin");
	atom_cmd_reduce e{};
	e.kind = static_cast<std::uint32_t>(kind);
	e.axes = axes.bits();
	e.in = c.encode(in, use::input, "in");
	e.out = c.encode(out, use::output, "out");
	c.append(e, options.last_index ? ATOM_REDUCE_LAST_INDEX : 0);
	return *this;
}

command_builder &command_builder::softmax(const tensor &in, const tensor &out, unsigned axis,
                                          const softmax_options &options)
{
	command c(impl_, "softmax", ATOM_OP_SOFTMAX);
	c.check_same_dims(in, out, "in and out");
	check_softmax(c, in, axis, options);
	atom_cmd_softmax e{};
	e.axis = axis;
	e.scale = options.scale;
	e.causal_offset = static_cast<std::uint64_t>(options.causal_offset);
	e.max_bias = options.max_bias;
	e.in = c.encode(in, use::input, "in");
	e.mask = c.encode(options.mask, use::input, "mask");
	e.sinks = c.encode(options.sinks, use::input, "sinks");
	e.out = c.encode(out, use::output, "out");
	c.append(e, static_cast<std::uint16_t>((options.log ? ATOM_SOFTMAX_LOG : 0) |
	                                       (options.causal ? ATOM_SOFTMAX_CAUSAL : 0)));
	return *this;
}

command_builder &command_builder::norm(norm_kind kind, const tensor &in, const tensor &out,
                                       axis_set axes, const norm_options &options)
{
	command c(impl_, "norm", ATOM_OP_NORM);
	c.check_same_dims(in, out, "in and out");
	check_norm(c, kind, in, axes, options);
	atom_cmd_norm e{};
	e.kind = static_cast<std::uint32_t>(kind);
	e.axes = axes.bits();
	e.groups = options.groups;
	e.group_axis = options.group_axis;
	e.eps = options.eps;
	e.lrn_alpha = options.lrn.alpha;
	e.lrn_beta = options.lrn.beta;
	e.lrn_bias = options.lrn.bias;
	e.lrn_size = options.lrn.size;
	e.in = c.encode(in, use::input, "in");
	e.gamma = c.encode(options.gamma, use::input, "gamma");
	e.beta = c.encode(options.beta, use::input, "beta");
	e.out = c.encode(out, use::output, "out");
	e.mean = c.encode(options.mean, use::output, "mean");
	e.inverse = c.encode(options.inverse, use::output, "inverse");
	c.append(e);
	return *this;
}

command_builder &command_builder::rope(const tensor &in, const tensor &out,
                                       const rope_options &options)
{
	command c(impl_, "rope", ATOM_OP_ROPE);
	c.check_same_dims(in, out, "in and out");
	c.check(in.rank() >= 2, "in needs a dimension of positions and one of elements");
	const std::uint64_t last = in.dims()[in.rank() - 1];
	const std::uint64_t rotary = options.rotary_dims != 0 ? options.rotary_dims : last;
	c.check(rotary <= UINT32_MAX, "the last dimension is too large");
	check_rope(c, in, rotary, options);
	atom_cmd_rope e{};
	e.rotary_dims = static_cast<std::uint32_t>(rotary);
	if (!options.cos) { // tables say the angles, and all parameters are zero
		e.original_context = options.yarn.original_context;
		e.base = options.base;
		e.frequency_scale = options.frequency_scale;
		e.extrapolation = options.yarn.extrapolation;
		e.attention = options.attention;
		e.beta_fast = options.yarn.beta_fast;
		e.beta_slow = options.yarn.beta_slow;
	}
	e.in = c.encode(in, use::input, "in");
	e.positions = c.encode(options.positions, use::input, "positions");
	e.factors = c.encode(options.factors, use::input, "factors");
	e.cos = c.encode(options.cos, use::input, "cos");
	e.sin = c.encode(options.sin, use::input, "sin");
	e.out = c.encode(out, use::output, "out");
	e.position_axis = options.position_axis;
	c.append(e, static_cast<std::uint16_t>((options.interleaved ? ATOM_ROPE_INTERLEAVED : 0) |
	                                       (options.inverse ? ATOM_ROPE_INVERSE : 0)));
	return *this;
}

} // namespace v1
} // namespace atom
