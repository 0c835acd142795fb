// SPDX-License-Identifier: MIT
#include "view.hpp"

#include <algorithm>
#include <numeric>

#include "atom_onnx/unsupported.hpp"

namespace atom_onnx {
namespace {

// Ranks come from models, which may be wrong.
void require_rank(const view &v, std::size_t least)
{
	if (v.rank() < least)
		throw unsupported(reason::invalid_model, "the rank of " + to_string(v.dims));
}

} // namespace

bool view::is_real() const
{
	return quantised() || type == atom::dtype::f32 || type == atom::dtype::f16 ||
	       type == atom::dtype::bf16;
}

shape dense_strides(atom::dtype type, const shape &dims, const std::vector<unsigned> &order)
{
	count_of(dims); // bounds what strides grow to
	shape strides(dims.size());
	std::int64_t stride = block_bytes(type);
	for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
		strides[*axis] = stride;
		stride *= std::max<std::int64_t>(dims[*axis], 1);
	}
	return strides;
}

shape row_major_strides(atom::dtype type, const shape &dims)
{
	std::vector<unsigned> order(dims.size());
	std::iota(order.begin(), order.end(), 0U);
	return dense_strides(type, dims, order);
}

std::vector<unsigned> memory_order(const view &v)
{
	std::vector<unsigned> order(v.rank());
	std::iota(order.begin(), order.end(), 0U);
	std::stable_sort(order.begin(), order.end(), [&](unsigned a, unsigned b) {
		return std::abs(v.strides[a]) > std::abs(v.strides[b]);
	});
	return order;
}

bool is_row_major(const view &v)
{
	const shape expected = row_major_strides(v.type, v.dims);
	for (unsigned i = 0; i < v.rank(); ++i)
		if (v.dims[i] > 1 && v.strides[i] != expected[i])
			return false;
	return true;
}

view permute(const view &v, const std::vector<unsigned> &order)
{
	if (order.size() != v.rank())
		throw unsupported(reason::invalid_model, "the rank of " + to_string(v.dims));
	view out = v;
	for (unsigned i = 0; i < v.rank(); ++i) {
		out.dims[i] = v.dims[order[i]];
		out.strides[i] = v.strides[order[i]];
		if (v.quant.axis == order[i])
			out.quant.axis = i;
	}
	return out;
}

view slice(const view &v, unsigned axis, std::int64_t start, std::int64_t count, std::int64_t step)
{
	require_rank(v, axis + 1);
	// A part of the channels would need a part of the scales.
	if (v.quant.of == view_quantisation::kind::per_channel && v.quant.axis == axis &&
	    (start != 0 || count != v.dims[axis] || step != 1))
		throw unsupported(reason::not_lowered, "a slice of quantised channels");
	view out = v;
	out.offset += start * v.strides[axis];
	out.dims[axis] = count;
	if (count > 1)
		out.strides[axis] *= step;
	return out;
}

shape broadcast_shape(const shape &a, const shape &b)
{
	shape out(std::max(a.size(), b.size()));
	for (std::size_t i = 1; i <= out.size(); ++i) {
		const std::int64_t x = i <= a.size() ? a[a.size() - i] : 1;
		const std::int64_t y = i <= b.size() ? b[b.size() - i] : 1;
		if (x != y && x != 1 && y != 1)
			throw unsupported(reason::invalid_model, "shapes " + to_string(a) + " and " +
			                                                 to_string(b) +
			                                                 " do not broadcast");
		out[out.size() - i] = x == 1 ? y : x;
	}
	return out;
}

view broadcast(const view &v, const shape &dims)
{
	if (v.rank() > dims.size() || broadcast_shape(v.dims, dims) != dims)
		throw unsupported(reason::invalid_model, "the shape " + to_string(v.dims) +
		                                                 " does not broadcast to " +
		                                                 to_string(dims));
	view out = v;
	const auto missing = static_cast<std::ptrdiff_t>(dims.size() - v.rank());
	out.dims = dims;
	out.strides.insert(out.strides.begin(), static_cast<std::size_t>(missing), 0);
	out.quant.axis += static_cast<unsigned>(missing);
	for (unsigned i = 0; i < v.rank(); ++i)
		if (v.dims[i] != dims[i + static_cast<std::size_t>(missing)])
			out.strides[i + static_cast<std::size_t>(missing)] = 0;
	return out;
}

view squeeze(const view &v, unsigned axis)
{
	require_rank(v, axis + 1);
	view out = v;
	out.dims.erase(out.dims.begin() + axis);
	out.strides.erase(out.strides.begin() + axis);
	if (v.quant.axis > axis)
		--out.quant.axis;
	return out;
}

view unsqueeze(const view &v, unsigned axis)
{
	require_rank(v, axis);
	view out = v;
	const std::int64_t stride = axis < v.rank() ? v.dims[axis] * v.strides[axis]
	                                            : std::int64_t{block_bytes(v.type)};
	out.dims.insert(out.dims.begin() + axis, 1);
	out.strides.insert(out.strides.begin() + axis, stride);
	if (v.quant.axis >= axis)
		++out.quant.axis;
	return out;
}

view merge(const view &v, unsigned axis)
{
	require_rank(v, axis + 2);
	view out = v;
	out.dims[axis] *= v.dims[axis + 1];
	out.strides[axis] = v.strides[axis + 1];
	out.dims.erase(out.dims.begin() + axis + 1);
	out.strides.erase(out.strides.begin() + axis + 1);
	if (v.quant.axis > axis)
		--out.quant.axis;
	return out;
}

view split(const view &v, unsigned axis, std::int64_t outer)
{
	require_rank(v, axis + 1);
	view out = v;
	const std::int64_t inner = v.dims[axis] / outer;
	out.dims[axis] = inner;
	out.dims.insert(out.dims.begin() + axis, outer);
	out.strides.insert(out.strides.begin() + axis, v.strides[axis] * inner);
	if (v.quant.axis > axis)
		++out.quant.axis;
	return out;
}

namespace {

/** Dimensions of the old shape that together are dimensions of the new one. */
struct piece {
	std::size_t old_begin, old_end, new_begin, new_end;
};

// Cuts both shapes where their products meet.
std::vector<piece> pieces_of(const shape &from, const shape &to)
{
	std::vector<piece> pieces;
	std::size_t i = 0;
	std::size_t j = 0;
	while (i < from.size() || j < to.size()) {
		piece p{i, i, j, j};
		std::int64_t a = i < from.size() ? from[i++] : 1;
		std::int64_t b = j < to.size() ? to[j++] : 1;
		while (a != b) {
			if (a < b)
				a *= from[i++];
			else
				b *= to[j++];
		}
		p.old_end = i;
		p.new_end = j;
		pieces.push_back(p);
	}
	return pieces;
}

} // namespace

std::optional<view> reshape(const view &v, const shape &dims)
{
	if (count_of(v.dims) != count_of(dims))
		throw unsupported(reason::invalid_model,
		                  "reshape of " + to_string(v.dims) + " to " + to_string(dims));
	view out = v;
	out.dims = dims;
	out.strides = row_major_strides(v.type, dims);
	if (count_of(dims) == 0)
		return out;
	shape old_dims;
	shape old_strides;
	std::vector<unsigned> old_axis;
	for (unsigned i = 0; i < v.rank(); ++i)
		if (v.dims[i] != 1) {
			old_dims.push_back(v.dims[i]);
			old_strides.push_back(v.strides[i]);
			old_axis.push_back(i);
		}
	bool axis_kept = v.quant.of != view_quantisation::kind::per_channel ||
	                 v.dims[v.quant.axis] == 1;
	for (const piece &p : pieces_of(old_dims, dims)) {
		for (std::size_t i = p.old_begin; i + 1 < p.old_end; ++i)
			if (old_strides[i] != old_strides[i + 1] * old_dims[i + 1])
				return std::nullopt;
		std::int64_t stride = p.old_end > p.old_begin ? old_strides[p.old_end - 1] : 0;
		for (std::size_t j = p.new_end; j-- > p.new_begin;) {
			out.strides[j] = stride;
			stride *= dims[j];
			if (p.old_end == p.old_begin + 1 && old_axis[p.old_begin] == v.quant.axis &&
			    dims[j] == old_dims[p.old_begin]) {
				out.quant.axis = static_cast<unsigned>(j);
				axis_kept = true;
			}
		}
	}
	return axis_kept ? std::optional<view>(out) : std::nullopt;
}

extent extent_of(const view &v)
{
	std::int64_t low = v.offset;
	std::int64_t high = v.offset + block_bytes(v.type);
	for (unsigned i = 0; i < v.rank(); ++i) {
		if (v.dims[i] == 0)
			return {v.offset, v.offset};
		const std::int64_t reach = (v.dims[i] - 1) * v.strides[i];
		(reach < 0 ? low : high) += reach;
	}
	return {low, high};
}

} // namespace atom_onnx
