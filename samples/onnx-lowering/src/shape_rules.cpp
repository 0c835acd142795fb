// SPDX-License-Identifier: MIT
// Shapes that nodes tell by attributes or known inputs; used on the host and for views.
#include <algorithm>

#include "host_shape.hpp"

namespace atom_onnx {

shape reshape_dims(const lowering &n)
{
	shape dims = n.opset() < 5 ? n.attr("shape", shape()) : n.integers(1);
	const bool allow_zero = n.attr("allowzero", std::int64_t{0}) != 0;
	std::int64_t known = 1;
	int open = -1;
	for (std::size_t i = 0; i < dims.size(); ++i) {
		if (dims[i] == 0 && !allow_zero) {
			if (i >= n.rank(0))
				n.invalid("a dimension of 0 beyond the input's rank");
			dims[i] = n.dims(0)[i];
		}
		if (dims[i] == -1 && open < 0)
			open = static_cast<int>(i);
		else if (dims[i] < 0)
			n.invalid("the shape " + to_string(dims));
		else
			known = count_of({known, dims[i]});
	}
	if (open >= 0) {
		const std::int64_t count = count_of(n.dims(0));
		if (known == 0 || count % known != 0)
			n.invalid("no dimension fits for -1");
		dims[static_cast<std::size_t>(open)] = count / known;
	}
	return dims;
}

std::vector<std::int64_t> told_axes(const lowering &n)
{
	return n.has(1) ? n.integers(1) : n.attr("axes", std::vector<std::int64_t>());
}

shape squeezed_dims(const lowering &n)
{
	const shape &in = n.dims(0);
	const bool all = !n.has(1) && n.find("axes") == nullptr;
	std::vector<bool> away(in.size(), false);
	for (std::size_t i = 0; all && i < in.size(); ++i)
		away[i] = in[i] == 1;
	if (!all)
		for (const unsigned axis : n.axes(told_axes(n), n.rank(0)))
			away[axis] = true;
	shape dims;
	for (std::size_t i = 0; i < in.size(); ++i) {
		if (away[i] && in[i] != 1)
			n.invalid("dimension " + std::to_string(i) + " is not 1");
		if (!away[i])
			dims.push_back(in[i]);
	}
	return dims;
}

shape unsqueezed_dims(const lowering &n)
{
	const std::vector<std::int64_t> told = told_axes(n);
	const unsigned rank = n.rank(0) + static_cast<unsigned>(told.size());
	std::vector<unsigned> axes = n.axes(told, rank);
	std::sort(axes.begin(), axes.end());
	shape dims = n.dims(0);
	for (const unsigned axis : axes)
		dims.insert(dims.begin() + axis, 1);
	return dims;
}

std::vector<slice_range> slice_ranges(const lowering &n)
{
	const bool by_input = n.opset() >= 10;
	const std::vector<std::int64_t> starts = by_input ? n.integers(1) : n.attr("starts", shape());
	const std::vector<std::int64_t> ends = by_input ? n.integers(2) : n.attr("ends", shape());
	std::vector<std::int64_t> told;
	if (by_input && n.has(3))
		told = n.integers(3);
	else if (!by_input && n.find("axes") != nullptr)
		told = n.attr("axes", shape());
	else
		for (std::size_t i = 0; i < starts.size(); ++i)
			told.push_back(static_cast<std::int64_t>(i));
	std::vector<std::int64_t> steps(starts.size(), 1);
	if (by_input && n.has(4))
		steps = n.integers(4);
	const std::vector<unsigned> axes = n.axes(told, n.rank(0));
	if (ends.size() != starts.size() || axes.size() != starts.size() ||
	    steps.size() != starts.size())
		n.invalid("starts, ends, axes and steps of different lengths");
	std::vector<slice_range> ranges;
	for (std::size_t i = 0; i < starts.size(); ++i) {
		const std::int64_t size = n.dims(0)[axes[i]];
		const std::int64_t step = steps[i];
		if (step == 0 || step == INT64_MIN)
			n.invalid("a step of 0");
		const auto clamp = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
			return std::clamp(at < 0 ? at + size : at, low, high);
		};
		const std::int64_t low = step > 0 ? 0 : -1;
		const std::int64_t high = step > 0 ? size : size - 1;
		const std::int64_t start = clamp(starts[i], step > 0 ? 0 : std::min<std::int64_t>(0, high),
		                                 high);
		// An end before the first element of a walk backwards is told as a large negative.
		const std::int64_t end = clamp(ends[i], low, high);
		const std::int64_t distance = step > 0 ? end - start : start - end;
		const std::int64_t stride = std::abs(step);
		const std::int64_t count =
			distance <= 0 || size == 0 ? 0 : (distance - 1) / stride + 1;
		// A step beyond the size gives one element; a small one keeps strides small.
		ranges.push_back({axes[i], count > 0 ? start : 0, count,
		                  count > 1 ? step : 1});
	}
	return ranges;
}

} // namespace atom_onnx
