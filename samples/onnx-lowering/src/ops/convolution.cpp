// SPDX-License-Identifier: MIT
// Conv: one command for one and two spatial dimensions, sums of them for three. Norms before
// and activations behind it become part of it.
#include <cmath>

#include "fusion.hpp"
#include "registry.hpp"
#include "window.hpp"

namespace atom_onnx {
namespace {

shape spatial_of(const shape &dims) { return {dims.begin() + 2, dims.end()}; }

/** Weights and bias of a Conv with the BatchNormalization behind it folded in. */
struct kernel {
	view weight;              ///< [O, C / groups, spatial..]
	std::optional<view> bias; ///< f32 [O]
	value_id result;          ///< what the convolution with the norm gives
};

// Factor and summand of each channel: y = x * factor + summand.
struct affine {
	std::vector<double> factor;
	std::vector<double> summand;
};

std::optional<affine> affine_of(const lowering &norm, std::size_t channels)
{
	if (norm.node().op_type != "BatchNormalization" || norm.inputs() != 5 ||
	    norm.attr("training_mode", std::int64_t{0}) != 0)
		return std::nullopt;
	for (unsigned i = 1; i < 5; ++i)
		if (!norm.has(i) || !norm.known(i) || !is_float(norm.type(i)) ||
		    norm.host(i).count() != static_cast<std::int64_t>(channels))
			return std::nullopt;
	for (unsigned i = 1; i < norm.outputs(); ++i)
		if (norm.wants(i))
			return std::nullopt;
	const auto scale = norm.host(1).reals();
	const auto beta = norm.host(2).reals();
	const auto mean = norm.host(3).reals();
	const auto variance = norm.host(4).reals();
	const double epsilon = norm.attr("epsilon", 1e-5F);
	affine a;
	for (std::size_t c = 0; c < channels; ++c) {
		a.factor.push_back(scale[c] / std::sqrt(variance[c] + epsilon));
		a.summand.push_back(beta[c] - mean[c] * a.factor[c]);
	}
	return a;
}

kernel plain_kernel(lowering &n)
{
	kernel k{n.in(1), std::nullopt, n.node().outputs[0]};
	if (n.has(2))
		k.bias = n.e.cast(n.plain(2), atom::dtype::f32);
	return k;
}

kernel read_kernel(lowering &n)
{
	const int reader = only_reader(n.state(), n.node().outputs[0]);
	const bool known = n.known(1) && is_float(n.type(1)) && (!n.has(2) || n.known(2));
	if (reader < 0 || !known || !n.state().fuse)
		return plain_kernel(n);
	const lowering norm(n.state(), reader);
	const auto channels = static_cast<std::size_t>(n.dims(1)[0]);
	const std::optional<affine> a = affine_of(norm, channels);
	if (!a)
		return plain_kernel(n);
	std::vector<double> weights = n.host(1).reals();
	const std::size_t each = weights.size() / channels;
	for (std::size_t i = 0; i < weights.size(); ++i)
		weights[i] *= a->factor[i / each];
	std::vector<double> bias = n.has(2) ? n.host(2).reals() : std::vector<double>(channels, 0);
	for (std::size_t c = 0; c < channels; ++c)
		bias[c] = bias[c] * a->factor[c] + a->summand[c];
	n.state().done[static_cast<std::size_t>(reader)] = true;
	return {n.e.constant(host_tensor::of(n.type(1), n.dims(1), weights)),
	        n.e.constant(atom::dtype::f32, {static_cast<std::int64_t>(channels)}, bias),
	        norm.node().outputs[0]};
}

// [N, C, spatial..] with one spatial dimension as an image of height 1.
view as_image(const view &v) { return v.rank() == 3 ? unsqueeze(v, 2) : v; }

window as_image(const window &w)
{
	if (w.spatial() != 1)
		return w;
	return {{1, w.kernel[0]}, {1, w.strides[0]}, {1, w.dilations[0]}, {0, w.before[0]},
	        {0, w.after[0]}};
}

view channel_bias(const view &bias) { return reshape(bias, {1, 1, 1, bias.dims[0]}).value(); }

void conv_image(lowering &n, const window &w, const kernel &k, const view &in, const view &out,
                std::int64_t groups, const tail &t)
{
	window_options o;
	const window image = as_image(w);
	o.window = to_window2d(image, 0);
	o.groups = static_cast<std::uint32_t>(groups);
	if (k.bias)
		o.after.bias = channel_bias(*k.bias);
	if (t.residual)
		o.after.residual = to_nhwc(as_image(*t.residual));
	o.after.activation = t.activation;
	o.after.p0 = t.p0;
	o.after.p1 = t.p1;
	// Constant weights are put into the device's order once, here.
	const view weight = n.e.contiguous(to_nhwc(as_image(k.weight)));
	n.e.conv(to_nhwc(as_image(in)), weight, to_nhwc(as_image(out)), o);
}

// Three spatial dimensions: each slice of the kernel is a convolution of images, added up.
void conv_volume(lowering &n, const window &w, const kernel &k, const view &in, const view &out,
                 std::int64_t groups)
{
	window plane{{w.kernel[1], w.kernel[2]}, {w.strides[1], w.strides[2]},
	             {w.dilations[1], w.dilations[2]}, {w.before[1], w.before[2]},
	             {w.after[1], w.after[2]}};
	for (std::int64_t d = 0; d < out.dims[2]; ++d) {
		const view to = squeeze(slice(out, 2, d, 1), 2);
		std::optional<view> sum;
		for (std::int64_t z = 0; z < w.kernel[0]; ++z) {
			const std::int64_t from =
				d * w.strides[0] - w.before[0] + z * w.dilations[0];
			if (from < 0 || from >= in.dims[2])
				continue;
			kernel part = k;
			part.weight = squeeze(slice(k.weight, 2, z, 1), 2);
			tail rest;
			rest.residual = sum;
			if (sum)
				part.bias.reset();
			const view next = allocate_image(n.e, to.type, to.dims);
			conv_image(n, plane, part, squeeze(slice(in, 2, from, 1), 2), next, groups,
			           rest);
			sum = next;
		}
		if (sum)
			n.e.copy(*sum, to);
		else if (k.bias)
			n.e.copy(n.e.cast(reshape(*k.bias, {1, k.bias->dims[0], 1, 1}).value(),
			                  to.type),
			         to);
		else
			n.e.fill(to, 0);
	}
}

void lower_conv(lowering &n)
{
	n.require_inputs(2);
	const unsigned rank = n.rank(0);
	const std::int64_t groups = n.attr("group", std::int64_t{1});
	if (rank < 3 || n.rank(1) != rank)
		n.invalid("ranks " + to_string(n.dims(0)) + " and " + to_string(n.dims(1)));
	if (groups < 1 || n.dims(1)[1] * groups != n.dims(0)[1] || n.dims(1)[0] % groups != 0)
		n.invalid("channels do not fit the groups");
	n.only_if(rank <= 5, "more than three spatial dimensions");
	const window w = read_window(n, spatial_of(n.dims(1)), spatial_of(n.dims(0)));
	shape dims{n.dims(0)[0], n.dims(1)[0]};
	for (const std::int64_t d : window_output(n, w, spatial_of(n.dims(0)), false))
		dims.push_back(d);
	view in = n.in(0);
	kernel k = read_kernel(n);
	const element_type type = n.type(0);
	// Integers with integers, floats with floats; scales by the output's channel alone.
	const auto kind = view_quantisation::kind::per_channel;
	if (in.quantised() != k.weight.quantised() || in.quant.of == kind ||
	    (k.weight.quant.of == kind && k.weight.quant.axis != 0) || rank == 5) {
		in = n.e.real(in);
		k.weight = n.e.real(k.weight);
	}
	tail t;
	t.result = k.result;
	t.type = type;
	if (rank < 5)
		t = follow(n, k.result, type, dims);
	view out = n.state().is_output[static_cast<std::size_t>(t.result)]
	                   ? n.e.allocate(t.device(), dims)
	                   : allocate_image(n.e, t.device(), dims);
	if (t.quantised)
		out.quant = *t.quantised;
	if (count_of(dims) == 0) {
		set_value(n.state(), t.result, out, t.type);
		return;
	}
	if (rank == 5)
		conv_volume(n, w, k, in, out, groups);
	else
		conv_image(n, w, k, in, out, groups, t);
	out.quant = {}; // what a QuantizeLinear node gives are integers
	set_value(n.state(), t.result, out, t.type);
}

} // namespace

operator_list convolution_operators() { return {{"Conv", lower_conv}}; }

} // namespace atom_onnx
