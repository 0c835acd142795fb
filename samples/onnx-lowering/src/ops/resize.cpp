// SPDX-License-Identifier: MIT
// Resize and Upsample: one command for two dimensions, more of them one after the other.
#include <algorithm>
#include <cmath>
#include <map>

#include "convolution.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

/** What a Resize node does, for all dimensions of its input. */
struct resizing {
	shape out;
	std::vector<double> scales;
	std::vector<double> start; ///< region of interest
	std::vector<double> end;
	atom::resize2d_options options;
};

template <class T>
T named(const lowering &n, const std::map<std::string, T> &names, const std::string &name)
{
	const auto found = names.find(name);
	n.only_if(found != names.end(), name.c_str());
	return found->second;
}

atom::resize2d_options read_options(const lowering &n)
{
	using atom::resize_coordinate;
	using atom::resize_mode;
	using atom::resize_nearest;
	static const std::map<std::string, resize_mode> modes{{"nearest", resize_mode::nearest},
	                                                      {"linear", resize_mode::linear},
	                                                      {"cubic", resize_mode::cubic}};
	static const std::map<std::string, resize_coordinate> coordinates{
		{"half_pixel", resize_coordinate::half_pixel},
		{"asymmetric", resize_coordinate::asymmetric},
		{"align_corners", resize_coordinate::align_corners},
		{"pytorch_half_pixel", resize_coordinate::pytorch_half_pixel},
		{"half_pixel_symmetric", resize_coordinate::half_pixel_symmetric},
		{"tf_crop_and_resize", resize_coordinate::crop_and_resize},
	};
	static const std::map<std::string, resize_nearest> nearest{
		{"round_prefer_floor", resize_nearest::round_prefer_floor},
		{"round_prefer_ceil", resize_nearest::round_prefer_ceil},
		{"floor", resize_nearest::floor},
		{"ceil", resize_nearest::ceil},
	};
	atom::resize2d_options o;
	o.mode = named(n, modes, n.attr("mode", "nearest"));
	if (n.opset() < 11) {
		o.coordinate = resize_coordinate::asymmetric;
		o.nearest = resize_nearest::floor;
		return o;
	}
	o.coordinate = named(n, coordinates,
	                     n.attr("coordinate_transformation_mode", "half_pixel"));
	if (o.mode == resize_mode::nearest)
		o.nearest = named(n, nearest, n.attr("nearest_mode", "round_prefer_floor"));
	if (o.mode == resize_mode::cubic)
		o.cubic_coeff = n.attr("cubic_coeff_a", -0.75F);
	o.exclude_outside = n.attr("exclude_outside", std::int64_t{0}) != 0;
	o.antialias = n.attr("antialias", std::int64_t{0}) != 0 && o.mode != resize_mode::nearest;
	if (o.coordinate == resize_coordinate::crop_and_resize)
		o.extrapolation = n.attr("extrapolation_value", 0.0F);
	return o;
}

// One scale for all axes, so that the picture keeps its proportions.
void keep_proportions(const std::string &policy, const shape &in,
                      const std::vector<unsigned> &axes, resizing &r)
{
	double scale = r.scales[axes.front()];
	for (const unsigned axis : axes)
		scale = policy == "not_larger" ? std::min(scale, r.scales[axis])
		                               : std::max(scale, r.scales[axis]);
	for (const unsigned axis : axes) {
		r.scales[axis] = scale;
		r.out[axis] = static_cast<std::int64_t>(
			std::floor(scale * static_cast<double>(in[axis]) + 0.5));
	}
}

void by_sizes(lowering &n, unsigned input, const shape &in, const std::vector<unsigned> &axes,
              resizing &r)
{
	const shape sizes = n.integers(input);
	if (sizes.size() != axes.size())
		n.invalid("sizes do not fit the axes");
	for (std::size_t i = 0; i < axes.size(); ++i) {
		if (sizes[i] < 1 || in[axes[i]] < 1)
			n.invalid("a size below 1");
		r.out[axes[i]] = sizes[i];
		r.scales[axes[i]] = static_cast<double>(sizes[i]) / static_cast<double>(in[axes[i]]);
	}
	const std::string policy = n.attr("keep_aspect_ratio_policy", "stretch");
	if (policy != "stretch")
		keep_proportions(policy, in, axes, r);
}

void by_scales(lowering &n, const std::vector<double> &scales, const shape &in,
               const std::vector<unsigned> &axes, resizing &r)
{
	if (scales.size() != axes.size())
		n.invalid("scales do not fit the axes");
	for (std::size_t i = 0; i < axes.size(); ++i) {
		const std::int64_t size = in[axes[i]];
		auto length = static_cast<double>(size);
		if (r.options.coordinate == atom::resize_coordinate::crop_and_resize)
			length *= r.end[axes[i]] - r.start[axes[i]];
		length = std::floor(length * scales[i]);
		if (!(scales[i] > 0) || !(length >= 1) || length > 1e12)
			n.invalid("a scale");
		r.scales[axes[i]] = scales[i];
		r.out[axes[i]] = static_cast<std::int64_t>(length);
	}
}

resizing read_resize(lowering &n)
{
	const shape &in = n.dims(0);
	resizing r{in, std::vector<double>(in.size(), 1), std::vector<double>(in.size(), 0),
	           std::vector<double>(in.size(), 1), read_options(n)};
	std::vector<unsigned> axes;
	for (unsigned d = 0; d < in.size(); ++d)
		axes.push_back(d);
	if (n.find("axes") != nullptr)
		axes = n.axes(n.attr("axes", std::vector<std::int64_t>()), n.rank(0));
	if (n.opset() < 11) {
		std::vector<double> scales;
		if (const attribute *a = n.find("scales"))
			if (const auto *told = std::get_if<std::vector<float>>(&a->value))
				scales.assign(told->begin(), told->end());
		by_scales(n, scales.empty() ? n.host(1).reals() : scales, in, axes, r);
		return r;
	}
	if (r.options.coordinate == atom::resize_coordinate::crop_and_resize) {
		const std::vector<double> roi = n.host(1).reals();
		if (roi.size() != 2 * axes.size())
			n.invalid("roi does not fit the axes");
		for (std::size_t i = 0; i < axes.size(); ++i) {
			r.start[axes[i]] = roi[i];
			r.end[axes[i]] = roi[i + axes.size()];
		}
	}
	if (n.has(2) && count_of(n.dims(2)) > 0)
		by_scales(n, n.host(2).reals(), in, axes, r);
	else
		by_sizes(n, 3, in, axes, r);
	return r;
}

// Dimensions h and w of v; the others are one dimension before and none behind.
view resize_pair(lowering &n, const view &v, unsigned h, unsigned w, const resizing &r, bool last)
{
	atom::resize2d_options o = r.options;
	o.scale_h = static_cast<float>(r.scales[h]);
	o.scale_w = static_cast<float>(r.scales[w]);
	if (o.coordinate == atom::resize_coordinate::crop_and_resize)
		o.roi = {static_cast<float>(r.start[h]), static_cast<float>(r.start[w]),
		         static_cast<float>(r.end[h]), static_cast<float>(r.end[w])};
	shape dims = v.dims;
	dims[h] = r.out[h];
	dims[w] = r.out[w];
	if (v.rank() == 4 && h == 2 && w == 3) {
		view out = last ? allocate_result(n, n.result(), v.type, dims)
		                      : allocate_image(n.e, v.type, dims);
		n.e.resize(to_nhwc(v), to_nhwc(out), o);
		return out;
	}
	std::vector<unsigned> order;
	shape others;
	for (unsigned d = 0; d < v.rank(); ++d)
		if (d != h && d != w) {
			order.push_back(d);
			others.push_back(v.dims[d]);
		}
	order.insert(order.end(), {h, w});
	const view in = n.e.reshape(permute(v, order), {count_of(others), v.dims[h], v.dims[w], 1});
	const view out = n.e.allocate(v.type, {in.dims[0], dims[h], dims[w], 1});
	n.e.resize(in, out, o);
	others.insert(others.end(), {dims[h], dims[w]});
	std::vector<unsigned> back(order.size());
	for (unsigned i = 0; i < order.size(); ++i)
		back[order[i]] = i;
	return permute(n.e.reshape(out, others), back);
}

void lower_resize(lowering &n)
{
	view v = n.plain(0);
	const resizing r = read_resize(n);
	std::vector<unsigned> changed;
	for (unsigned d = 0; d < v.rank(); ++d)
		if (r.out[d] != v.dims[d] || r.scales[d] != 1 || r.start[d] != 0 || r.end[d] != 1)
			changed.push_back(d);
	if (count_of(v.dims) == 0 || changed.empty()) {
		n.set(0, v, n.type(0));
		return;
	}
	// One that stays as it is makes up the pair.
	if (changed.size() % 2 != 0) {
		for (unsigned d = v.rank(); d-- > 0;)
			if (std::find(changed.begin(), changed.end(), d) == changed.end()) {
				changed.push_back(d);
				break;
			}
	}
	n.only_if(changed.size() % 2 == 0, "an odd number of dimensions");
	for (std::size_t i = 0; i < changed.size(); i += 2) {
		const unsigned h = std::min(changed[i], changed[i + 1]);
		const unsigned w = std::max(changed[i], changed[i + 1]);
		v = resize_pair(n, v, h, w, r, i + 2 == changed.size());
	}
	n.set(0, v, n.type(0));
}

} // namespace

operator_list resize_operators() { return {{"Resize", lower_resize}, {"Upsample", lower_resize}}; }

} // namespace atom_onnx
