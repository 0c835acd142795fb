// SPDX-License-Identifier: MIT
// Operators that only look at a tensor in another way: changes of a view, mostly without commands.
#include <algorithm>

#include "host_shape.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

void lower_identity(lowering &n) { n.set(0, n.in(0), n.type(0)); }

// A tensor is always there; type() refuses an optional.
void lower_has_element(lowering &n)
{
	const std::int64_t there = n.has(0) && n.type(0) != element_type::undefined;
	n.set(0, host_tensor::of(element_type::boolean, {}, std::vector{there}));
}

void lower_reshape(lowering &n)
{
	n.set(0, n.e.reshape(n.in(0), reshape_dims(n)), n.type(0));
}

void lower_squeeze(lowering &n)
{
	n.set(0, n.e.reshape(n.in(0), squeezed_dims(n)), n.type(0));
}

void lower_unsqueeze(lowering &n)
{
	n.set(0, n.e.reshape(n.in(0), unsqueezed_dims(n)), n.type(0));
}

void lower_flatten(lowering &n)
{
	const view in = n.in(0);
	const std::int64_t told = n.attr("axis", std::int64_t{1});
	const std::int64_t axis = told < 0 ? told + in.rank() : told;
	if (axis < 0 || axis > in.rank())
		n.invalid("axis " + std::to_string(told));
	const std::int64_t outer = count_of(shape(in.dims.begin(), in.dims.begin() + axis));
	const std::int64_t inner = count_of(shape(in.dims.begin() + axis, in.dims.end()));
	n.set(0, n.e.reshape(in, {outer, inner}), n.type(0));
}

void lower_transpose(lowering &n)
{
	const view in = n.in(0);
	std::vector<std::int64_t> told = n.attr("perm", std::vector<std::int64_t>());
	if (told.empty())
		for (std::int64_t d = in.rank(); d-- > 0;)
			told.push_back(d);
	const std::vector<unsigned> order = n.axes(told, in.rank());
	if (order.size() != in.rank())
		n.invalid("perm does not fit the rank");
	n.set(0, permute(in, order), n.type(0));
}

void lower_slice(lowering &n)
{
	view v = n.in(0);
	for (const slice_range &r : slice_ranges(n))
		v = slice(v, r.axis, r.start, r.count, r.step);
	n.set(0, v, n.type(0));
}

std::vector<std::int64_t> split_sizes(const lowering &n, std::int64_t size)
{
	if (n.opset() >= 13 && n.has(1))
		return n.integers(1);
	if (n.find("split") != nullptr)
		return n.attr("split", std::vector<std::int64_t>());
	// Equal parts; the last one is smaller if need be.
	const auto parts = static_cast<std::int64_t>(n.outputs());
	const std::int64_t each = (size + parts - 1) / parts;
	std::vector<std::int64_t> sizes;
	for (std::int64_t i = 0; i < parts; ++i)
		sizes.push_back(std::clamp<std::int64_t>(size - i * each, 0, each));
	return sizes;
}

void lower_split(lowering &n)
{
	const view in = n.in(0);
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{0}), in.rank());
	const std::vector<std::int64_t> sizes = split_sizes(n, in.dims[axis]);
	std::int64_t start = 0;
	if (sizes.size() != n.outputs())
		n.invalid("the parts do not fit the outputs");
	for (unsigned i = 0; i < n.outputs(); ++i) {
		if (sizes[i] < 0 || sizes[i] > in.dims[axis] - start)
			n.invalid("the parts do not fit the dimension");
		n.set(i, slice(in, axis, start, sizes[i]), n.type(0));
		start += sizes[i];
	}
}

void lower_expand(lowering &n)
{
	const view in = n.in(0);
	n.set(0, broadcast(in, broadcast_shape(in.dims, n.integers(1))), n.type(0));
}

// As in inference: nothing is dropped.
void lower_dropout(lowering &n)
{
	if (n.has(2) && n.integer(2) != 0 && !(n.has(1) && n.number(1) == 0))
		n.refuse(reason::training, "training_mode");
	n.set(0, n.in(0), n.type(0));
	if (n.wants(1)) {
		const view mask = n.e.scalar(atom::dtype::u8, 1);
		n.set(1, broadcast(mask, n.dims(0)), element_type::boolean);
	}
}

// [N, C, H, W] with blocks of pixels in the channels, and back.
void lower_depth_to_space(lowering &n)
{
	const view in = n.in(0);
	const std::int64_t b = n.attr("blocksize", std::int64_t{1});
	if (in.rank() != 4 || b < 1 || b > 65536 || in.dims[1] % (b * b) != 0)
		n.invalid("blocksize");
	const std::int64_t c = in.dims[1] / (b * b);
	const bool columns_first = n.attr("mode", "DCR") == "CRD";
	const shape parts = columns_first ? shape{in.dims[0], c, b, b, in.dims[2], in.dims[3]}
	                                  : shape{in.dims[0], b, b, c, in.dims[2], in.dims[3]};
	const view split = n.e.reshape(in, parts);
	const view moved = columns_first ? permute(split, {0, 1, 4, 2, 5, 3})
	                                 : permute(split, {0, 3, 4, 1, 5, 2});
	n.set(0, n.e.reshape(moved, {in.dims[0], c, in.dims[2] * b, in.dims[3] * b}), n.type(0));
}

void lower_space_to_depth(lowering &n)
{
	const view in = n.in(0);
	const std::int64_t b = n.attr("blocksize", std::int64_t{1});
	if (in.rank() != 4 || b < 1 || b > 65536 || in.dims[2] % b != 0 || in.dims[3] % b != 0)
		n.invalid("blocksize");
	const std::int64_t h = in.dims[2] / b;
	const std::int64_t w = in.dims[3] / b;
	const view split = n.e.reshape(in, {in.dims[0], in.dims[1], h, b, w, b});
	n.set(0,
	      n.e.reshape(permute(split, {0, 3, 5, 1, 2, 4}), {in.dims[0], in.dims[1] * b * b, h, w}),
	      n.type(0));
}

} // namespace

operator_list shape_operators()
{
	return {
		{"Identity", lower_identity},
		{"OptionalGetElement", lower_identity}, // of a tensor; an optional is refused
		{"OptionalHasElement", lower_has_element},
		{"Reshape", lower_reshape},
		{"Squeeze", lower_squeeze},
		{"Unsqueeze", lower_unsqueeze},
		{"Flatten", lower_flatten},
		{"Transpose", lower_transpose},
		{"Slice", lower_slice},
		{"Split", lower_split},
		{"Expand", lower_expand},
		{"Dropout", lower_dropout},
		{"DepthToSpace", lower_depth_to_space},
		{"SpaceToDepth", lower_space_to_depth},
	};
}

} // namespace atom_onnx
