// SPDX-License-Identifier: MIT
// ConvTranspose: one command for images, sums of them for volumes.
#include <algorithm>

#include "convolution.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

// Pads and output of a transposed convolution; what the kernels do not reach is told apart.
struct geometry {
	window over;
	shape out;   ///< spatial dimensions
	shape extra; ///< of them, those at the end that are beyond the kernel's reach
};

geometry read_geometry(lowering &n, const shape &in, const shape &kernel)
{
	const auto spatial = static_cast<unsigned>(in.size());
	geometry g{read_window(n, kernel, in), shape(spatial), shape(spatial, 0)};
	window &w = g.over;
	const shape padding = n.attr("output_padding", shape(spatial, 0));
	const shape told = n.attr("output_shape", shape());
	const std::string automatic = n.attr("auto_pad", "NOTSET");
	if (padding.size() != spatial || (!told.empty() && told.size() < spatial))
		n.invalid("output_padding or output_shape");
	for (unsigned d = 0; d < spatial; ++d) {
		if (padding[d] < 0)
			n.invalid("output_padding");
		const std::int64_t whole = w.strides[d] * (in[d] - 1) + w.span(d);
		const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
		if (same || !told.empty()) {
			g.out[d] = told.empty() ? in[d] * w.strides[d]
			                        : told[told.size() - spatial + d];
			const std::int64_t total = std::max<std::int64_t>(
				whole + padding[d] - g.out[d], 0);
			w.before[d] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
			w.after[d] = total - w.before[d];
		} else {
			g.out[d] = whole + padding[d] - w.before[d] - w.after[d];
		}
		// The device knows padding at the end up to a stride; more is filled.
		const std::int64_t reach = whole - w.before[d] - w.after[d];
		if (g.out[d] < 1 || reach < 1)
			n.invalid("an output without elements");
		g.extra[d] = std::max<std::int64_t>(g.out[d] - reach - (w.strides[d] - 1), 0);
	}
	return g;
}

// One image: in [N, C, H, W], weight [C, O / groups, KH, KW], out [N, O, H', W'].
void transpose_image(lowering &n, const window &w, std::int64_t groups, const view &in,
                     const view &weight, const view &out, const finish &after)
{
	window_options o;
	o.window = to_window2d(w, 0);
	o.groups = static_cast<std::uint32_t>(groups);
	o.after = after;
	n.e.conv_transpose(to_nhwc(in), n.e.contiguous(to_nhwc(weight)), to_nhwc(out), o);
}

// Each output plane is a sum over the planes of input and kernel that meet there.
void transpose_volume(lowering &n, const geometry &g, std::int64_t groups, const view &in,
                      const view &weight, const view &out, const std::optional<view> &bias)
{
	const window &w = g.over;
	const window plane{{w.kernel[1], w.kernel[2]}, {w.strides[1], w.strides[2]},
	                   {w.dilations[1], w.dilations[2]}, {w.before[1], w.before[2]},
	                   {w.after[1], w.after[2]}};
	for (std::int64_t d = 0; d < out.dims[2]; ++d) {
		const view to = squeeze(slice(out, 2, d, 1), 2);
		std::optional<view> sum;
		for (std::int64_t z = 0; z < w.kernel[0]; ++z) {
			const std::int64_t at = d + w.before[0] - z * w.dilations[0];
			if (at < 0 || at % w.strides[0] != 0 || at / w.strides[0] >= in.dims[2])
				continue;
			finish after;
			after.bias = sum ? std::nullopt : bias;
			if (sum)
				after.residual = to_nhwc(*sum);
			const view next = allocate_image(n.e, to.type, to.dims);
			transpose_image(n, plane, groups,
			                squeeze(slice(in, 2, at / w.strides[0], 1), 2),
			                squeeze(slice(weight, 2, z, 1), 2), next, after);
			sum = next;
		}
		if (sum)
			n.e.copy(*sum, to);
		else if (bias)
			n.e.copy(broadcast(to_nchw(n.e.cast(*bias, to.type)), to.dims), to);
		else
			n.e.fill(to, 0);
	}
}

void lower_conv_transpose(lowering &n)
{
	n.require_inputs(2);
	const view in = n.plain(0);
	const view weight = n.plain(1);
	const std::int64_t groups = n.attr("group", std::int64_t{1});
	if (in.rank() < 3 || weight.rank() != in.rank() || groups < 1 ||
	    weight.dims[0] != in.dims[1] || in.dims[1] % groups != 0)
		n.invalid("shapes " + to_string(in.dims) + " and " + to_string(weight.dims));
	n.only_if(in.rank() <= 5, "more than three spatial dimensions");
	const geometry g = read_geometry(n, spatial_of(in.dims), spatial_of(weight.dims));
	n.only_if(std::all_of(g.extra.begin(), g.extra.end(),
	                      [](std::int64_t extra) { return extra == 0; }),
	          "padding of the output beyond the stride");
	shape dims{in.dims[0], weight.dims[1] * groups};
	dims.insert(dims.end(), g.out.begin(), g.out.end());
	finish after;
	if (n.has(2))
		after.bias = n.e.reshape(n.e.cast(n.plain(2), atom::dtype::f32),
		                         {1, 1, 1, dims[1]});
	const bool volume = in.rank() == 5;
	tail t;
	t.result = n.result();
	t.type = n.type(0);
	if (!volume)
		t = follow(n, t.result, t.type, dims);
	view out = allocate_result(n, t.result, t.device(), dims);
	if (t.quantised)
		out.quant = *t.quantised;
	if (t.residual)
		after.residual = to_nhwc(as_image(*t.residual));
	after.activation = t.activation;
	after.p0 = t.p0;
	after.p1 = t.p1;
	if (volume)
		transpose_volume(n, g, groups, in, weight, out, after.bias);
	else
		transpose_image(n, as_image(g.over), groups, as_image(in), as_image(weight),
		                as_image(out), after);
	out.quant = {};
	set_value(n.state(), t.result, out, t.type);
}

} // namespace

operator_list convolution_transpose_operators()
{
	return {{"ConvTranspose", lower_conv_transpose}};
}

} // namespace atom_onnx
