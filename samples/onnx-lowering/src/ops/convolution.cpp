// SPDX-License-Identifier: MIT
// Conv: one command for one and two spatial dimensions, sums of them for three. Norms before
// and activations behind it become part of it.
#include "convolution.hpp"

#include <algorithm>

#include "channel_affine.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

/** Weights and bias of a Conv with the norms and scales behind it folded in. */
struct kernel {
	view weight;              ///< [O, C / groups, spatial..]
	std::optional<view> bias; ///< [O]; f32, or i32 to be added to sums of integers
	value_id result;          ///< what the convolution with the norm gives
};

kernel plain_kernel(lowering &n)
{
	kernel k{n.in(1), std::nullopt, n.result()};
	if (!n.has(2))
		return k;
	if (const view in = n.in(0); in.rank() < 5 && n.known(2) && sums_integers(in, k.weight))
		k.bias = integer_bias(n, in, k.weight, n.host(2));
	if (!k.bias)
		k.bias = n.e.cast(n.plain(2), atom::dtype::f32);
	return k;
}

kernel read_kernel(lowering &n)
{
	const bool known = n.known(1) && is_float(n.type(1)) && (!n.has(2) || n.known(2));
	value_id result = n.result();
	const auto a = known && n.state().fuse ? take_affine(n, result, n.rank(0), n.dims(1)[0])
	                                          : std::nullopt;
	if (!a)
		return plain_kernel(n);
	const auto channels = static_cast<std::size_t>(n.dims(1)[0]);
	std::vector<double> weights = n.host(1).reals();
	const std::size_t each = weights.size() / std::max<std::size_t>(channels, 1);
	for (std::size_t i = 0; i < weights.size(); ++i)
		weights[i] *= a->factor[i / each];
	std::vector<double> bias = n.has(2) ? n.host(2).reals() : std::vector<double>(channels, 0);
	if (bias.size() != channels)
		n.invalid("the bias does not fit the channels");
	for (std::size_t c = 0; c < channels; ++c)
		bias[c] = bias[c] * a->factor[c] + a->summand[c];
	return {n.e.constant(host_tensor::of(n.type(1), n.dims(1), weights)),
	        n.e.constant(atom::dtype::f32, {static_cast<std::int64_t>(channels)}, bias), result};
}

// Three spatial dimensions: each slice of the kernel is a convolution of images, added up.
void conv_volume(lowering &n, const convolution &c, const kernel &k, const view &in,
                 const view &out)
{
	const window &w = c.over;
	convolution plane{{{w.kernel[1], w.kernel[2]}, {w.strides[1], w.strides[2]},
	                   {w.dilations[1], w.dilations[2]}, {w.before[1], w.before[2]},
	                   {w.after[1], w.after[2]}},
	                  c.groups,
	                  {c.dims[0], c.dims[1], c.dims[3], c.dims[4]}};
	for (std::int64_t d = 0; d < out.dims[2]; ++d) {
		const view to = squeeze(slice(out, 2, d, 1), 2);
		std::optional<view> sum;
		for (std::int64_t z = 0; z < w.kernel[0]; ++z) {
			const std::int64_t from =
				d * w.strides[0] - w.before[0] + z * w.dilations[0];
			if (from < 0 || from >= in.dims[2])
				continue;
			tail added;
			added.residual = sum;
			const view next = allocate_image(n.e, to.type, to.dims);
			emit_convolution(n, plane, squeeze(slice(in, 2, from, 1), 2),
			                 squeeze(slice(k.weight, 2, z, 1), 2),
			                 sum ? std::nullopt : k.bias, next, added);
			sum = next;
		}
		if (sum)
			n.e.copy(*sum, to);
		else if (k.bias)
			n.e.copy(broadcast(n.e.reshape(n.e.cast(*k.bias, to.type),
			                               {1, c.dims[1], 1, 1}),
			                   to.dims),
			         to);
		else
			n.e.fill(to, 0);
	}
}

void lower_conv(lowering &n)
{
	n.require_inputs(2);
	const convolution c = read_convolution(n, n.dims(0), n.dims(1));
	view in = n.in(0);
	kernel k = read_kernel(n);
	const bool volume = in.rank() == 5;
	// Integers with integers, floats with floats; scales by the output's channel alone.
	const auto kind = view_quantisation::kind::per_channel;
	if (in.quantised() != k.weight.quantised() || in.quant.of == kind ||
	    (k.weight.quant.of == kind && k.weight.quant.axis != 0) || volume) {
		in = n.e.real(in);
		k.weight = n.e.real(k.weight);
	}
	tail t;
	t.result = k.result;
	t.type = n.type(0);
	if (!volume)
		t = follow(n, k.result, t.type, c.dims);
	view out = allocate_result(n, t.result, t.device(), c.dims);
	if (t.quantised)
		out.quant = *t.quantised;
	if (volume)
		conv_volume(n, c, k, in, out);
	else
		emit_convolution(n, c, in, k.weight, k.bias, out, t);
	out.quant = {}; // what a QuantizeLinear node gives are integers
	set_value(n.state(), t.result, out, t.type);
}

} // namespace

shape spatial_of(const shape &dims) { return {dims.begin() + 2, dims.end()}; }

view as_image(const view &v) { return v.rank() == 3 ? unsqueeze(v, 2) : v; }

window as_image(const window &w)
{
	if (w.spatial() != 1)
		return w;
	return {{1, w.kernel[0]}, {1, w.strides[0]}, {1, w.dilations[0]}, {0, w.before[0]},
	        {0, w.after[0]}};
}

convolution read_convolution(lowering &n, const shape &in, const shape &weight)
{
	convolution c;
	c.groups = n.attr("group", std::int64_t{1});
	if (in.size() < 3 || weight.size() != in.size())
		n.invalid("ranks of " + to_string(in) + " and " + to_string(weight));
	if (c.groups < 1 || weight[1] * c.groups != in[1] || weight[0] % c.groups != 0)
		n.invalid("the channels do not fit the groups");
	n.only_if(in.size() <= 5, "more than three spatial dimensions");
	c.over = read_window(n, spatial_of(weight), spatial_of(in));
	c.dims = {in[0], weight[0]};
	for (const std::int64_t d : window_output(n, c.over, spatial_of(in), false))
		c.dims.push_back(d);
	return c;
}

void emit_convolution(lowering &n, const convolution &c, const view &in, const view &weight,
                      const std::optional<view> &bias, const view &out, const tail &t)
{
	if (count_of(out.dims) == 0)
		return;
	window_options o;
	o.window = to_window2d(as_image(c.over), 0);
	o.groups = static_cast<std::uint32_t>(c.groups);
	if (bias)
		o.after.bias = n.e.reshape(*bias, {1, 1, 1, c.dims[1]});
	if (t.residual)
		o.after.residual = to_nhwc(as_image(*t.residual));
	o.after.activation = t.activation;
	o.after.p0 = t.p0;
	o.after.p1 = t.p1;
	// Constant weights are put into the device's order once, here.
	const view kernel = n.e.contiguous(to_nhwc(as_image(weight)));
	n.e.conv(to_nhwc(as_image(in)), kernel, to_nhwc(as_image(out)), o);
}

view allocate_result(lowering &n, value_id result, atom::dtype type, const shape &dims)
{
	return n.state().is_output[static_cast<std::size_t>(result)]
	               ? n.e.allocate(type, dims)
	               : allocate_image(n.e, type, dims);
}

operator_list convolution_operators() { return {{"Conv", lower_conv}}; }

} // namespace atom_onnx
