// SPDX-License-Identifier: MIT
#include "window.hpp"

#include <algorithm>
#include <limits>

namespace atom_onnx {
namespace {

constexpr std::int64_t field_max = std::numeric_limits<std::int32_t>::max();

void require(const lowering &n, const shape &values, std::size_t count, std::int64_t least,
             const char *what)
{
	if (values.size() != count ||
	    std::any_of(values.begin(), values.end(),
	                [=](std::int64_t v) { return v < least || v > field_max; }))
		n.invalid(std::string(what) + " " + to_string(values));
}

} // namespace

window read_window(const lowering &n, const shape &kernel, const shape &in)
{
	const std::size_t spatial = in.size();
	window w;
	w.kernel = kernel;
	w.strides = n.attr("strides", shape(spatial, 1));
	w.dilations = n.attr("dilations", shape(spatial, 1));
	require(n, w.kernel, spatial, 1, "kernel_shape");
	require(n, w.strides, spatial, 1, "strides");
	require(n, w.dilations, spatial, 1, "dilations");
	const std::string automatic = n.attr("auto_pad", "NOTSET");
	const shape pads = n.attr("pads", shape(spatial * 2, 0));
	require(n, pads, spatial * 2, 0, "pads");
	w.before.assign(spatial, 0);
	w.after.assign(spatial, 0);
	for (unsigned d = 0; d < spatial; ++d) {
		if (automatic == "NOTSET") {
			w.before[d] = pads[d];
			w.after[d] = pads[d + spatial];
		} else if (automatic != "VALID") {
			const std::int64_t out = (in[d] + w.strides[d] - 1) / w.strides[d];
			const std::int64_t total = std::max<std::int64_t>(
				(out - 1) * w.strides[d] + w.span(d) - in[d], 0);
			const std::int64_t half = total / 2;
			w.before[d] = automatic == "SAME_LOWER" ? total - half : half;
			w.after[d] = total - w.before[d];
		}
	}
	return w;
}

shape window_output(const lowering &n, const window &w, const shape &in, bool ceil_mode)
{
	shape out(in.size());
	for (unsigned d = 0; d < in.size(); ++d) {
		const std::int64_t room = in[d] + w.before[d] + w.after[d] - w.span(d);
		if (room < 0)
			n.invalid("the kernel is larger than the image");
		out[d] = (room + (ceil_mode ? w.strides[d] - 1 : 0)) / w.strides[d] + 1;
		// A window that starts behind the image and its padding before does not count.
		if (ceil_mode && (out[d] - 1) * w.strides[d] >= in[d] + w.before[d])
			--out[d];
	}
	return out;
}

atom::window2d to_window2d(const window &w, unsigned first)
{
	const auto u = [](std::int64_t v) { return static_cast<std::uint32_t>(v); };
	const unsigned second = first + 1;
	return {{u(w.strides[first]), u(w.strides[second])},
	        {u(w.dilations[first]), u(w.dilations[second])},
	        {u(w.before[first]), u(w.before[second]), u(w.after[first]), u(w.after[second])}};
}

view to_nhwc(const view &v) { return permute(v, {0, 2, 3, 1}); }
view to_nchw(const view &v) { return permute(v, {0, 3, 1, 2}); }

view allocate_image(emitter &e, atom::dtype type, const shape &dims)
{
	std::vector<unsigned> order{0};
	for (unsigned d = 2; d < dims.size(); ++d)
		order.push_back(d);
	order.push_back(1);
	return e.allocate(type, dims, order);
}

} // namespace atom_onnx
