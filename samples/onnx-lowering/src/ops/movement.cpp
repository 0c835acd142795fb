// SPDX-License-Identifier: MIT
// Operators that copy: joining, repeating, padding, masking.
#include <algorithm>

#include "registry.hpp"

namespace atom_onnx {
namespace {

constexpr std::int64_t repeats_max = 1 << 16; // of a dimension, each a copy

void lower_concat(lowering &n)
{
	std::vector<view> parts;
	for (unsigned i = 0; i < n.inputs(); ++i)
		parts.push_back(n.plain(i));
	if (parts.empty())
		n.invalid("no inputs");
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{1}), parts.front().rank());
	for (const view &p : parts) {
		shape dims = p.dims;
		if (dims.size() == parts.front().rank())
			dims[axis] = parts.front().dims[axis];
		if (dims != parts.front().dims || p.type != parts.front().type)
			n.invalid("inputs of different shapes or types");
	}
	n.set(0, n.e.concat(parts, axis), n.type(0));
}

// Each dimension is preceded by one that repeats it.
void lower_tile(lowering &n)
{
	const view in = n.plain(0);
	const std::vector<std::int64_t> repeats = n.integers(1);
	if (repeats.size() != in.rank())
		n.invalid("repeats do not fit the rank");
	view v = in;
	shape dims = in.dims;
	shape split;
	for (unsigned d = 0; d < in.rank(); ++d) {
		v = unsqueeze(v, 2 * d);
		split.push_back(repeats[d]);
		split.push_back(in.dims[d]);
		dims[d] = count_of({in.dims[d], repeats[d]});
	}
	n.set(0, n.e.reshape(broadcast(v, split), dims), n.type(0));
}

// One dimension of a Pad node that repeats the input.
view pad_axis(lowering &n, const view &v, unsigned axis, std::int64_t before, std::int64_t after,
              const std::string &mode)
{
	const std::int64_t size = v.dims[axis];
	if (size == 0 && (before > 0 || after > 0))
		n.invalid("padding repeats a dimension of 0");
	if (mode != "edge" && size > 0 && (before + after) / size > repeats_max)
		n.invalid("padding repeats a dimension too often");
	std::vector<view> parts;
	const auto edge = [&](std::int64_t at, std::int64_t count) {
		shape dims = v.dims;
		dims[axis] = count;
		parts.push_back(broadcast(slice(v, axis, at, 1), dims));
	};
	if (mode == "edge") {
		if (before > 0)
			edge(0, before);
		parts.push_back(v);
		if (after > 0)
			edge(size - 1, after);
		return n.e.concat(parts, axis);
	}
	if (mode == "wrap") {
		for (std::int64_t at = -before; at < size + after;) {
			const std::int64_t from = (at % size + size) % size;
			const std::int64_t count = std::min(size - from, size + after - at);
			parts.push_back(slice(v, axis, from, count));
			at += count;
		}
		return n.e.concat(parts, axis);
	}
	if (mode != "reflect")
		n.refuse(reason::not_lowered, "mode " + mode);
	// Walks to and fro between the ends, which are not repeated.
	const std::int64_t period = std::max<std::int64_t>(2 * (size - 1), 1);
	for (std::int64_t at = -before; at < size + after;) {
		const std::int64_t phase = (at % period + period) % period;
		const bool forth = phase < size - 1 || size == 1;
		const std::int64_t run = forth ? std::max<std::int64_t>(size - 1 - phase, 1)
		                               : period - phase;
		const std::int64_t count = std::min(run, size + after - at);
		parts.push_back(forth ? slice(v, axis, phase, count)
		                      : slice(v, axis, period - phase, count, -1));
		at += count;
	}
	return n.e.concat(parts, axis);
}

void lower_pad(lowering &n)
{
	const view in = n.plain(0);
	const std::vector<std::int64_t> pads =
		n.opset() < 11 ? n.attr("pads", std::vector<std::int64_t>()) : n.integers(1);
	std::vector<unsigned> axes;
	for (unsigned d = 0; d < in.rank(); ++d)
		axes.push_back(d);
	if (n.has(3))
		axes = n.axes(n.integers(3), in.rank());
	if (pads.size() != axes.size() * 2)
		n.invalid("pads do not fit the axes");
	shape before(in.rank(), 0);
	shape after(in.rank(), 0);
	view v = in;
	for (std::size_t i = 0; i < axes.size(); ++i) {
		before[axes[i]] = pads[i];
		after[axes[i]] = pads[i + axes.size()];
	}
	// Negative padding cuts.
	for (unsigned d = 0; d < in.rank(); ++d) {
		const std::int64_t front = std::max<std::int64_t>(-before[d], 0);
		const std::int64_t back = std::max<std::int64_t>(-after[d], 0);
		if (front > v.dims[d] - back)
			n.invalid("pads cut more than there is");
		v = slice(v, d, front, v.dims[d] - front - back);
		before[d] = std::max<std::int64_t>(before[d], 0);
		after[d] = std::max<std::int64_t>(after[d], 0);
	}
	const std::string mode = n.attr("mode", "constant");
	if (mode == "constant") {
		double value = n.attr("value", 0.0F);
		if (n.has(2))
			value = n.number(2);
		v = n.e.pad_constant(v, before, after, value);
	} else {
		for (unsigned d = 0; d < in.rank(); ++d)
			if (before[d] > 0 || after[d] > 0)
				v = pad_axis(n, v, d, before[d], after[d], mode);
	}
	n.set(0, v, n.type(0));
}

// What Pad with axes and Slice would do around the centre.
void lower_center_crop_pad(lowering &n)
{
	view v = n.plain(0);
	const std::vector<std::int64_t> sizes = n.integers(1);
	std::vector<unsigned> axes;
	for (unsigned d = 0; d < v.rank(); ++d)
		axes.push_back(d);
	if (n.find("axes") != nullptr)
		axes = n.axes(n.attr("axes", std::vector<std::int64_t>()), v.rank());
	if (sizes.size() != axes.size())
		n.invalid("the sizes do not fit the axes");
	shape before(v.rank(), 0);
	shape after(v.rank(), 0);
	for (std::size_t i = 0; i < axes.size(); ++i) {
		const unsigned d = axes[i];
		count_of({sizes[i]});
		const std::int64_t more = sizes[i] - v.dims[d];
		if (more < 0)
			v = slice(v, d, -more / 2, sizes[i]);
		before[d] = std::max<std::int64_t>(more, 0) / 2;
		after[d] = std::max<std::int64_t>(more, 0) - before[d];
	}
	n.set(0, n.e.pad_constant(v, before, after, 0), n.type(0));
}

// A mask that the host makes: 1 where keep(row, column).
template <class Keep>
view make_mask(lowering &n, std::int64_t rows, std::int64_t columns, Keep keep)
{
	std::vector<double> mask;
	for (std::int64_t r = 0; r < rows; ++r)
		for (std::int64_t c = 0; c < columns; ++c)
			mask.push_back(keep(r, c) ? 1 : 0);
	return n.e.constant(atom::dtype::u8, {rows, columns}, mask);
}

void lower_trilu(lowering &n)
{
	const view in = n.plain(0);
	if (in.rank() < 2)
		n.invalid("the rank");
	const std::int64_t k = n.has(1) ? n.integer(1) : 0;
	const bool upper = n.attr("upper", std::int64_t{1}) != 0;
	const view mask = make_mask(n, in.dims[in.rank() - 2], in.dims.back(),
	                            [=](std::int64_t r, std::int64_t c) {
					    return upper ? c - r >= k : c - r <= k;
				    });
	if (count_of(in.dims) == 0) {
		n.set(0, in, n.type(0));
		return;
	}
	n.set(0, n.e.select(mask, in, n.e.scalar(in.type, 0)), n.type(0));
}

void lower_eye_like(lowering &n)
{
	const shape &dims = n.dims(0);
	if (dims.size() != 2)
		n.invalid("the rank");
	const std::int64_t k = n.attr("k", std::int64_t{0});
	const auto told = static_cast<element_type>(
		n.attr("dtype", static_cast<std::int64_t>(n.type(0))));
	if (!device_type(told))
		n.refuse(reason::dtype, name_of(told));
	std::vector<double> values;
	for (std::int64_t r = 0; r < dims[0]; ++r)
		for (std::int64_t c = 0; c < dims[1]; ++c)
			values.push_back(c - r == k ? 1 : 0);
	n.set(0, host_tensor::of(told, dims, values));
}

} // namespace

operator_list movement_operators()
{
	return {
		{"Concat", lower_concat},
		{"Tile", lower_tile},
		{"Pad", lower_pad},
		{"CenterCropPad", lower_center_crop_pad},
		{"Trilu", lower_trilu},
		{"EyeLike", lower_eye_like},
	};
}

} // namespace atom_onnx
