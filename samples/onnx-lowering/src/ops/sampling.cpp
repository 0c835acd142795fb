// SPDX-License-Identifier: MIT
// Reading images at computed places: GridSample, DeformConv, RoiAlign. Along each dimension a
// place has neighbours ("taps") with an index and a weight; all combinations are gathered.
#include <functional>
#include <limits>

#include "convolution.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;
using atom::function;

constexpr auto f32 = atom::dtype::f32;

enum class padding {
	zeros,
	border,
	reflection,
};

enum class interpolation {
	nearest,
	linear,
	cubic,
};

/** A neighbour along one dimension, for all places. */
struct tap {
	view index;                 ///< i32, inside of the image
	std::optional<view> weight; ///< f32; absent: 1
};

/** How one dimension of the image is read. */
struct dimension {
	std::int64_t size;
	padding outside;
	bool align_corners; ///< reflection is at the pixels' centres, not at their edges
};

view times(lowering &n, const view &v, double factor) { return n.e.mul(v, n.e.scalar(f32, factor)); }
view plus(lowering &n, const view &v, double summand) { return n.e.add(v, n.e.scalar(f32, summand)); }

// To and fro between the borders.
view reflect(lowering &n, const view &x, const dimension &d)
{
	const double low = d.align_corners ? 0 : -0.5;
	const double range = static_cast<double>(d.size) - (d.align_corners ? 1 : 0);
	if (range == 0)
		return n.e.filled(f32, x.dims, low);
	const view phase = n.e.binary(binary_kind::mod, plus(n, x, -low),
	                              n.e.scalar(f32, 2 * range));
	const view back = plus(n, times(n, phase, -1), 2 * range);
	return plus(n, n.e.binary(binary_kind::min, phase, back), low);
}

view clamp(lowering &n, const view &x, const dimension &d)
{
	return n.e.unary(function::clip, x, 0, static_cast<float>(d.size - 1));
}

tap make_tap(lowering &n, const view &at, std::optional<view> weight, const dimension &d)
{
	view place = at;
	if (d.outside == padding::reflection)
		place = reflect(n, at, d);
	const view inside = clamp(n, place, d);
	if (d.outside == padding::zeros) {
		const view good = n.e.cast(n.e.binary(binary_kind::eq, inside, at), f32);
		weight = weight ? n.e.mul(*weight, good) : good;
	}
	return {n.e.cast(inside, atom::dtype::i32), weight};
}

// Keys' cubic with a = -0.75: weights of the four neighbours of a place t behind the second.
std::vector<view> cubic_weights(lowering &n, const view &t)
{
	constexpr double a = -0.75;
	const auto near = [&](const view &x) { // ((a + 2) x - (a + 3)) x^2 + 1
		return plus(n, n.e.mul(plus(n, times(n, x, a + 2), -(a + 3)), n.e.mul(x, x)), 1);
	};
	const auto far = [&](const view &x) { // ((a x - 5 a) x + 8 a) x - 4 a
		const view inner = n.e.mul(plus(n, times(n, x, a), -5 * a), x);
		return plus(n, n.e.mul(plus(n, inner, 8 * a), x), -4 * a);
	};
	const view rest = plus(n, times(n, t, -1), 1);
	return {far(plus(n, t, 1)), near(t), near(rest), far(plus(n, rest, 1))};
}

std::vector<tap> taps_of(lowering &n, const view &place, const dimension &d, interpolation how)
{
	if (how == interpolation::nearest)
		return {make_tap(n, n.e.unary(function::round, place), std::nullopt, d)};
	const view base = n.e.unary(function::floor, place);
	const view t = n.e.sub(place, base);
	if (how == interpolation::linear)
		return {make_tap(n, base, plus(n, times(n, t, -1), 1), d),
		        make_tap(n, plus(n, base, 1), t, d)};
	std::vector<tap> taps;
	double step = -1;
	for (const view &weight : cubic_weights(n, t))
		taps.push_back(make_tap(n, plus(n, base, step++), weight, d));
	return taps;
}

/** Taps of all dimensions taken together: places in the flat image. */
void for_each_tap(lowering &n, const std::vector<std::vector<tap>> &taps, const shape &sizes,
                  std::size_t level, const tap &so_far, const std::function<void(const tap &)> &use)
{
	if (level == taps.size())
		return use(so_far);
	for (const tap &t : taps[level]) {
		tap both = t;
		if (level > 0) {
			const view width = n.e.scalar(atom::dtype::i32,
			                              static_cast<double>(sizes[level]));
			both.index = n.e.add(n.e.mul(so_far.index, width), t.index);
			if (so_far.weight)
				both.weight = t.weight ? n.e.mul(*so_far.weight, *t.weight)
				                       : *so_far.weight;
		}
		for_each_tap(n, taps, sizes, level + 1, both, use);
	}
}

// Image [N, C, spatial..] at places of [N, points]: [N, points, C].
view sample(lowering &n, const view &image, const std::vector<std::vector<tap>> &taps,
            std::int64_t points)
{
	std::vector<unsigned> order{0};
	for (unsigned d = 2; d < image.rank(); ++d)
		order.push_back(d);
	order.push_back(1);
	const shape sizes = spatial_of(image.dims);
	const view pixels = n.e.reshape(permute(image, order),
	                                {image.dims[0], count_of(sizes), image.dims[1]});
	std::optional<view> sum;
	for_each_tap(n, taps, sizes, 0, {}, [&](const tap &t) {
		const view index = unsqueeze(broadcast(t.index, {image.dims[0], points}), 2);
		view part = n.e.gather_nd(pixels, index, 1);
		if (t.weight)
			part = n.e.mul(part, unsqueeze(*t.weight, 2));
		sum = sum ? n.e.add(*sum, part) : part;
	});
	return *sum;
}

interpolation interpolation_of(lowering &n)
{
	const std::string mode = n.attr("mode", n.opset() < 20 ? "bilinear" : "linear");
	if (mode == "nearest")
		return interpolation::nearest;
	if (mode == "linear" || mode == "bilinear")
		return interpolation::linear;
	n.only_if(mode == "cubic" || mode == "bicubic", "this mode");
	return interpolation::cubic;
}

padding padding_of(lowering &n)
{
	const std::string mode = n.attr("padding_mode", "zeros");
	if (mode == "zeros")
		return padding::zeros;
	n.only_if(mode == "border" || mode == "reflection", "this padding_mode");
	return mode == "border" ? padding::border : padding::reflection;
}

void lower_grid_sample(lowering &n)
{
	n.require_inputs(2);
	const view image = n.plain(0);
	const view grid = n.e.cast(n.plain(1), f32);
	const unsigned spatial = image.rank() < 3 ? 0 : image.rank() - 2;
	if (spatial == 0 || grid.rank() != image.rank() || grid.dims.back() != spatial ||
	    grid.dims[0] != image.dims[0])
		n.invalid("the shapes");
	const interpolation how = interpolation_of(n);
	const bool aligned = n.attr("align_corners", std::int64_t{0}) != 0;
	const shape out(grid.dims.begin() + 1, grid.dims.end() - 1);
	const std::int64_t points = count_of(out);
	std::vector<std::vector<tap>> taps;
	for (unsigned d = 0; d < spatial; ++d) {
		// The grid tells the last dimension first, from -1 to 1.
		const view told = n.e.reshape(
			squeeze(slice(grid, grid.rank() - 1, spatial - 1 - d, 1), grid.rank() - 1),
			{grid.dims[0], points});
		const dimension dim{image.dims[d + 2], padding_of(n), aligned};
		const auto size = static_cast<double>(dim.size);
		view place = aligned ? times(n, plus(n, told, 1), (size - 1) / 2)
		                     : times(n, plus(n, times(n, plus(n, told, 1), size), -1), 0.5);
		if (how == interpolation::nearest)
			place = n.e.unary(function::round, place);
		if (dim.outside == padding::border)
			place = clamp(n, place, dim);
		if (dim.outside == padding::reflection)
			place = reflect(n, place, dim);
		taps.push_back(taps_of(n, place, dim, how));
	}
	const view sampled = sample(n, image, taps, points);
	shape dims{image.dims[0], image.dims[1]};
	dims.insert(dims.end(), out.begin(), out.end());
	n.set(0, n.e.reshape(permute(sampled, {0, 2, 1}), dims));
}

/** A DeformConv node for images. */
struct deformed {
	view x;
	view weight;
	window over;
	std::int64_t groups;
	std::int64_t offset_groups;
	std::int64_t rows;
	std::int64_t columns;

	[[nodiscard]] std::int64_t kernel() const { return over.kernel[0] * over.kernel[1]; }
	[[nodiscard]] std::int64_t points() const { return kernel() * rows * columns; }
};

deformed read_deformed(lowering &n)
{
	n.require_inputs(3);
	n.only_if(n.rank(0) == 4, "other than two spatial dimensions");
	if (n.rank(1) != 4 || n.rank(2) != 4)
		n.invalid("the ranks");
	deformed d{n.plain(0),
	           n.plain(1),
	           read_window(n, spatial_of(n.dims(1)), spatial_of(n.dims(0))),
	           n.attr("group", std::int64_t{1}),
	           n.attr("offset_group", std::int64_t{1}),
	           n.dims(2)[2],
	           n.dims(2)[3]};
	const shape out = window_output(n, d.over, spatial_of(d.x.dims), false);
	if (d.groups < 1 || d.offset_groups < 1 || d.weight.dims[1] * d.groups != d.x.dims[1] ||
	    d.weight.dims[0] % d.groups != 0 || d.x.dims[1] % d.offset_groups != 0 ||
	    out != shape{d.rows, d.columns} ||
	    n.dims(2) != shape{d.x.dims[0], d.offset_groups * d.kernel() * 2, d.rows, d.columns})
		n.invalid("the shapes");
	return d;
}

// Where the kernel's elements lie without offsets, [kernel, rows, columns] in one dimension.
view regular_places(lowering &n, const deformed &d, unsigned axis)
{
	std::vector<double> places;
	for (std::int64_t k = 0; k < d.kernel(); ++k)
		for (std::int64_t r = 0; r < d.rows; ++r)
			for (std::int64_t c = 0; c < d.columns; ++c) {
				const std::int64_t tap =
					axis == 0 ? k / d.over.kernel[1] : k % d.over.kernel[1];
				places.push_back(static_cast<double>(
					(axis == 0 ? r : c) * d.over.strides[axis] -
					d.over.before[axis] + tap * d.over.dilations[axis]));
			}
	return n.e.constant(f32, {d.points()}, places);
}

// What the kernel sees of one offset group: [N, kernel * rows * columns, channels].
view deformed_columns(lowering &n, const deformed &d, std::int64_t group)
{
	const std::int64_t batch = d.x.dims[0];
	const std::int64_t channels = d.x.dims[1] / d.offset_groups;
	const view offsets = n.e.reshape(n.e.cast(n.plain(2), f32),
	                                 {batch, d.offset_groups, d.kernel(), 2, d.rows * d.columns});
	std::vector<std::vector<tap>> taps;
	for (unsigned axis = 0; axis < 2; ++axis) {
		const view own = squeeze(slice(offsets, 1, group, 1), 1);
		const view offset = n.e.reshape(squeeze(slice(own, 2, axis, 1), 2),
		                                {batch, d.points()});
		const view place = n.e.add(offset, regular_places(n, d, axis));
		taps.push_back(taps_of(n, place, {d.x.dims[axis + 2], padding::zeros, true},
		                       interpolation::linear));
	}
	view columns = sample(n, slice(d.x, 1, group * channels, channels), taps, d.points());
	if (n.has(4)) {
		const view mask = n.e.reshape(n.plain(4), {batch, d.offset_groups, d.points(), 1});
		columns = n.e.mul(columns, squeeze(slice(mask, 1, group, 1), 1));
	}
	return columns;
}

void lower_deform_conv(lowering &n)
{
	const deformed d = read_deformed(n);
	const std::int64_t batch = d.x.dims[0];
	std::vector<view> parts;
	for (std::int64_t g = 0; g < d.offset_groups; ++g)
		parts.push_back(deformed_columns(n, d, g));
	const std::int64_t places = d.rows * d.columns;
	const view columns = n.e.reshape(parts.size() == 1 ? parts[0] : n.e.concat(parts, 2),
	                                 {batch, d.kernel(), places, d.x.dims[1]});
	const std::int64_t in = d.weight.dims[1];
	const std::int64_t out = d.weight.dims[0] / d.groups;
	std::vector<view> results;
	for (std::int64_t g = 0; g < d.groups; ++g) {
		const view seen = n.e.reshape(
			permute(slice(columns, 3, g * in, in), {0, 2, 1, 3}),
			{batch, places, d.kernel() * in});
		const view w = n.e.reshape(slice(d.weight, 0, g * out, out), {out, in, d.kernel()});
		matrix_options o;
		if (n.has(3))
			o.after.bias = slice(n.e.cast(n.plain(3), f32), 0, g * out, out);
		results.push_back(n.e.gemm(
			seen, n.e.reshape(permute(w, {2, 1, 0}), {d.kernel() * in, out}), o));
	}
	const view all = results.size() == 1 ? results[0] : n.e.concat(results, 2);
	n.set(0, n.e.reshape(permute(all, {0, 2, 1}),
	                     {batch, d.weight.dims[0], d.rows, d.columns}));
}

} // namespace

operator_list sampling_operators()
{
	return {{"GridSample", lower_grid_sample}, {"DeformConv", lower_deform_conv}};
}

} // namespace atom_onnx
