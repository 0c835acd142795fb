// SPDX-License-Identifier: MIT
// Operators about places in images: grids, columns, regions, unpooling.
#include <algorithm>

#include "convolution.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;
using atom::function;

constexpr auto f32 = atom::dtype::f32;

// The place of pixel i of a dimension, from -1 to 1.
double grid_place(std::int64_t i, std::int64_t size, bool aligned)
{
	const auto s = static_cast<double>(size);
	if (aligned)
		return size == 1 ? -1 : -1 + 2 * static_cast<double>(i) / (s - 1);
	return -1 + (2 * static_cast<double>(i) + 1) / s;
}

// Each pixel's place, last dimension first, and 1; times the matrices of the batch.
void lower_affine_grid(lowering &n)
{
	n.require_inputs(2);
	const view theta = n.plain(0);
	const shape size = n.integers(1);
	const auto spatial = static_cast<std::int64_t>(size.size()) - 2;
	if (theta.rank() != 3 || (spatial != 2 && spatial != 3) || theta.dims[1] != spatial ||
	    theta.dims[2] != spatial + 1 || size[0] != theta.dims[0])
		n.invalid("the shapes");
	const bool aligned = n.attr("align_corners", std::int64_t{0}) != 0;
	const shape image(size.begin() + 2, size.end());
	const std::int64_t points = count_of(image);
	if (points > (std::int64_t{1} << 26))
		n.invalid("the size");
	std::vector<double> places;
	for (std::int64_t p = 0; p < points; ++p) {
		std::int64_t rest = p;
		for (std::int64_t d = spatial; d-- > 0;) {
			const std::int64_t length = image[static_cast<std::size_t>(d)];
			places.push_back(grid_place(rest % length, length, aligned));
			rest /= length;
		}
		places.push_back(1);
	}
	const view base = n.e.constant(theta.type, {points, spatial + 1}, places);
	shape dims{size[0]};
	dims.insert(dims.end(), image.begin(), image.end());
	dims.push_back(spatial);
	n.set(0, n.e.reshape(n.e.gemm(base, permute(theta, {0, 2, 1})), dims));
}

// The blocks of each kernel element are added to where they came from.
void lower_col2im(lowering &n)
{
	n.require_inputs(3);
	const view in = n.plain(0);
	const shape image = n.integers(1);
	const window w = read_window(n, n.integers(2), image);
	const shape blocks = window_output(n, w, image, false);
	const std::int64_t kernel = count_of(w.kernel);
	if (in.rank() != 3 || in.dims[1] % kernel != 0 || in.dims[2] != count_of(blocks))
		n.invalid("the shapes");
	shape padded{in.dims[0], in.dims[1] / kernel};
	shape parts{padded[0], padded[1], kernel};
	for (unsigned d = 0; d < w.spatial(); ++d) {
		padded.push_back(image[d] + w.before[d] + w.after[d]);
		parts.push_back(blocks[d]);
	}
	const view columns = n.e.reshape(in, parts);
	view sum = n.e.filled(in.type, padded, 0);
	for (std::int64_t k = 0; k < kernel; ++k) {
		view to = sum;
		std::int64_t rest = k;
		for (unsigned d = w.spatial(); d-- > 0;) {
			const std::int64_t at = rest % w.kernel[d];
			rest /= w.kernel[d];
			to = slice(to, d + 2, at * w.dilations[d], blocks[d], w.strides[d]);
		}
		n.e.binary_into(binary_kind::add, to, squeeze(slice(columns, 2, k, 1), 2), to);
	}
	for (unsigned d = 0; d < w.spatial(); ++d)
		sum = slice(sum, d + 2, w.before[d], image[d]);
	n.set(0, sum);
}

// Indices count through the whole output that the window implies.
void lower_max_unpool(lowering &n)
{
	n.require_inputs(2);
	const view in = n.plain(0);
	if (in.rank() < 3 || n.dims(1) != in.dims)
		n.invalid("the shapes");
	const window w = read_window(n, n.attr("kernel_shape", shape()), spatial_of(in.dims));
	shape dims{in.dims[0], in.dims[1]};
	for (unsigned d = 0; d < w.spatial(); ++d)
		dims.push_back((in.dims[d + 2] - 1) * w.strides[d] - w.before[d] - w.after[d] +
		               w.kernel[d]);
	const std::int64_t count = count_of(in.dims);
	const view flat = broadcast(n.e.scalar(in.type, 0), {count_of(dims)});
	view out = n.e.reshape(n.e.scatter_elements(flat, n.e.reshape(n.in(1), {count}),
	                                            n.e.reshape(in, {count}), {}),
	                       dims);
	if (n.has(2)) {
		const shape told = n.integers(2);
		shape after(dims.size(), 0);
		if (told.size() != dims.size())
			n.invalid("output_shape");
		for (std::size_t d = 0; d < dims.size(); ++d) {
			after[d] = told[d] - dims[d];
			if (after[d] < 0 || count_of({told[d]}) < 0)
				n.invalid("output_shape");
		}
		out = n.e.pad_constant(out, shape(dims.size(), 0), after, 0);
	}
	n.set(0, out);
}

/** One of the two neighbours along a dimension, for samples of all regions. */
struct neighbour {
	view index;  ///< f32 [regions, samples]
	view weight; ///< f32, 0 outside of the image
};

struct roi_axis {
	std::int64_t size;   ///< of the image
	std::int64_t pooled; ///< outputs
	std::int64_t ratio;  ///< samples an output
	unsigned start;      ///< columns of the regions: first and last place
	unsigned end;
};

std::vector<neighbour> roi_neighbours(lowering &n, const view &rois, const roi_axis &a,
                                      float scale, bool half_pixel)
{
	const auto number = [&](double v) { return n.e.scalar(f32, v); };
	const auto column = [&](unsigned c) {
		const view scaled = n.e.mul(slice(rois, 1, c, 1), number(scale));
		return half_pixel ? n.e.sub(scaled, number(0.5)) : scaled;
	};
	const view start = column(a.start);
	view length = n.e.sub(column(a.end), start);
	if (!half_pixel)
		length = n.e.binary(binary_kind::max, length, number(1));
	std::vector<double> steps;
	for (std::int64_t p = 0; p < a.pooled; ++p)
		for (std::int64_t s = 0; s < a.ratio; ++s)
			steps.push_back((static_cast<double>(p) + (static_cast<double>(s) + 0.5) /
			                                                  static_cast<double>(a.ratio)) /
			                static_cast<double>(a.pooled));
	const view step = n.e.constant(f32, {1, a.pooled * a.ratio}, steps);
	const view place = n.e.add(start, n.e.mul(length, step));
	const auto size = static_cast<double>(a.size);
	const view inside = n.e.cast(
		n.e.binary(binary_kind::logical_and,
	                   n.e.binary(binary_kind::ge, place, number(-1)),
	                   n.e.binary(binary_kind::le, place, number(size))),
		f32);
	const auto last = static_cast<float>(a.size - 1);
	const view at = n.e.unary(function::clip, place, 0, last);
	const view low = n.e.unary(function::floor, at);
	const view high = n.e.unary(function::clip, n.e.add(low, number(1)), 0, last);
	const view t = n.e.sub(at, low);
	return {{low, n.e.mul(inside, n.e.sub(number(1), t))}, {high, n.e.mul(inside, t)}};
}

void lower_roi_align(lowering &n)
{
	n.require_inputs(3);
	const view in = n.plain(0);
	const view rois = n.e.cast(n.plain(1), f32);
	if (in.rank() != 4 || rois.rank() != 2 || rois.dims[1] != 4 || n.rank(2) != 1 ||
	    n.dims(2)[0] != rois.dims[0])
		n.invalid("the shapes");
	const std::int64_t ratio = n.attr("sampling_ratio", std::int64_t{0});
	if (ratio == 0)
		n.refuse(reason::data_shape, "sampling_ratio 0: samples depend on the regions");
	const std::int64_t rows = n.attr("output_height", std::int64_t{1});
	const std::int64_t columns = n.attr("output_width", std::int64_t{1});
	if (std::min({ratio, rows, columns}) < 1 || std::max({ratio, rows, columns}) > 4096)
		n.invalid("the sizes");
	const float scale = n.attr("spatial_scale", 1.0F);
	const bool half_pixel =
		n.opset() >= 16 &&
		n.attr("coordinate_transformation_mode", "half_pixel") == "half_pixel";
	const bool largest = n.attr("mode", "avg") == "max";
	const std::int64_t regions = rois.dims[0];
	const auto y = roi_neighbours(n, rois, {in.dims[2], rows, ratio, 1, 3}, scale, half_pixel);
	const auto x = roi_neighbours(n, rois, {in.dims[3], columns, ratio, 0, 2}, scale, half_pixel);
	const view pixels = n.e.reshape(to_nhwc(in), {in.dims[0] * in.dims[2] * in.dims[3],
	                                              in.dims[1]});
	const auto i32 = [&](double v) { return n.e.scalar(atom::dtype::i32, v); };
	const view image = n.e.mul(n.e.reshape(n.e.cast(n.in(2), atom::dtype::i32), {regions, 1, 1}),
	                           i32(static_cast<double>(in.dims[2] * in.dims[3])));
	std::optional<view> samples;
	for (const neighbour &v : y)
		for (const neighbour &h : x) {
			const view line = n.e.mul(n.e.cast(unsqueeze(v.index, 2), atom::dtype::i32),
			                          i32(static_cast<double>(in.dims[3])));
			const view index = n.e.add(
				n.e.add(image, line),
				n.e.cast(unsqueeze(h.index, 1), atom::dtype::i32));
			const view weight = n.e.mul(unsqueeze(v.weight, 2), unsqueeze(h.weight, 1));
			const view part = n.e.mul(n.e.gather_rows(pixels, index, 0),
			                          unsqueeze(weight, 3));
			samples = !samples ? part
			                   : n.e.binary(largest ? binary_kind::max
			                                        : binary_kind::add,
			                                *samples, part);
		}
	const view boxes = n.e.reshape(*samples, {regions, rows, ratio, columns, ratio, in.dims[1]});
	const view pooled = n.e.reduce(largest ? atom::reduce_kind::max : atom::reduce_kind::mean,
	                               boxes, {2, 4});
	n.set(0, to_nchw(n.e.reshape(pooled, {regions, rows, columns, in.dims[1]})));
}

} // namespace

operator_list image_operators()
{
	return {
		{"AffineGrid", lower_affine_grid},
		{"Col2Im", lower_col2im},
		{"MaxUnpool", lower_max_unpool},
		{"RoiAlign", lower_roi_align},
	};
}

} // namespace atom_onnx
