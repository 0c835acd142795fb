// SPDX-License-Identifier: MIT
// Functions of one, two and three values, and how any rank fits into the device's.
#include "atom_onnx/unsupported.hpp"
#include "emitter.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;

bool keeps(const view &v, unsigned axis)
{
	return v.quant.of == view_quantisation::kind::per_channel && v.quant.axis == axis;
}

bool any_keeps(const std::vector<view> &views, unsigned axis)
{
	for (const view &v : views)
		if (keeps(v, axis))
			return true;
	return false;
}

// Whether dimension axis + 1 continues dimension axis in all views.
bool mergeable(const std::vector<view> &views, unsigned axis)
{
	for (const view &v : views)
		if (v.strides[axis] != v.strides[axis + 1] * v.dims[axis + 1])
			return false;
	return !any_keeps(views, axis) && !any_keeps(views, axis + 1);
}

void in_parts(const std::vector<view> &views,
              const std::function<void(const std::vector<view> &)> &use)
{
	if (views.back().rank() <= atom::rank_max)
		return use(views);
	const unsigned axis = any_keeps(views, 0) ? 1 : 0;
	for (std::int64_t i = 0; i < views.back().dims[axis]; ++i) {
		std::vector<view> parts;
		parts.reserve(views.size());
		for (const view &v : views)
			parts.push_back(squeeze(slice(v, axis, i, 1), axis));
		in_parts(parts, use);
	}
}

bool gives_truth(binary_kind kind)
{
	return kind >= binary_kind::eq && kind <= binary_kind::logical_xor;
}

atom::dtype real_type(const view &v) { return v.quantised() ? atom::dtype::f32 : v.type; }

} // namespace

void refuse_i64(const view &v, const char *work)
{
	if (v.type == atom::dtype::i64)
		throw unsupported(reason::dtype, std::string(work) + " on i64");
}

void in_device_rank(std::vector<view> views,
                    const std::function<void(const std::vector<view> &)> &use)
{
	if (count_of(views.back().dims) == 0)
		return;
	const std::vector<unsigned> order = memory_order(views.back());
	for (view &v : views)
		v = permute(v, order);
	for (unsigned axis = views.back().rank(); axis-- > 0;)
		if (views.back().dims[axis] == 1 && !any_keeps(views, axis))
			for (view &v : views)
				v = squeeze(v, axis);
	for (unsigned axis = views.back().rank(); axis-- > 1;)
		if (mergeable(views, axis - 1))
			for (view &v : views)
				v = merge(v, axis - 1);
	in_parts(views, use);
}

view emitter::unary(atom::function fn, const view &v, float p0, float p1)
{
	if (v.type == atom::dtype::i64 && fn == atom::function::neg)
		return wide_binary(binary_kind::sub, scalar(v.type, 0), v);
	refuse_i64(v, "this function");
	const bool truth = fn == atom::function::logical_not || fn == atom::function::is_nan ||
	                   fn == atom::function::is_inf;
	view out = allocate_like(truth ? atom::dtype::u8 : real_type(v), v.dims, v);
	in_device_rank({v, out}, [&](const std::vector<view> &part) {
		recorder_.add(
			[fn, p0, p1, in = part[0], out = part[1]](
				atom::command_builder &b, const placement_map &at) {
				b.unary(fn, at(in), at(out), p0, p1);
			},
			{part[0]}, {part[1]});
	});
	return out;
}

void emitter::binary_into(binary_kind kind, const view &a, const view &b, const view &out,
                          const finish &after)
{
	std::vector<view> views{broadcast(a, out.dims), broadcast(b, out.dims)};
	if (after.residual)
		views.push_back(broadcast(*after.residual, out.dims));
	views.push_back(out);
	in_device_rank(views, [&](const std::vector<view> &part) {
		const std::vector<view> reads(part.begin(), part.end() - 1);
		recorder_.add(
			[kind, after, part](atom::command_builder &builder,
		                            const placement_map &at) {
				atom::epilogue e;
				e.activation = after.activation;
				e.p0 = after.p0;
				e.p1 = after.p1;
				if (after.residual)
					e.residual = at(part[2]);
				builder.binary(kind, at(part[0]), at(part[1]), at(part.back()), e);
			},
			reads, {part.back()});
	});
}

view emitter::binary(binary_kind kind, const view &a, const view &b, const finish &after)
{
	if (a.type == atom::dtype::i64 || b.type == atom::dtype::i64)
		return wide_binary(kind, a, b);
	view left = a;
	view right = b;
	if (!a.is_real() && b.is_real())
		left = cast(a, real_type(b));
	if (a.is_real() && !b.is_real())
		right = cast(b, real_type(a));
	if (!left.is_real() && left.type != right.type)
		right = cast(right, left.type);
	const shape dims = broadcast_shape(a.dims, b.dims);
	const atom::dtype type = gives_truth(kind) ? atom::dtype::u8 : real_type(left);
	view out = allocate_like(type, dims, left.dims == dims ? left : right);
	binary_into(kind, left, right, out, after);
	return out;
}

view emitter::select(const view &condition, const view &a, const view &b)
{
	const view left = real(a);
	const view right = real(b);
	const shape dims = broadcast_shape(condition.dims, broadcast_shape(left.dims, right.dims));
	view out = allocate_like(left.type, dims, left.dims == dims ? left : right);
	in_device_rank(
		{broadcast(condition, dims), broadcast(left, dims), broadcast(right, dims), out},
		[&](const std::vector<view> &part) {
			recorder_.add(
				[part](atom::command_builder &builder, const placement_map &at) {
					builder.select(at(part[0]), at(part[1]), at(part[2]),
				                       at(part[3]));
				},
				{part[0], part[1], part[2]}, {part[3]});
		});
	return out;
}

view emitter::add(const view &a, const view &b) { return binary(binary_kind::add, a, b); }
view emitter::sub(const view &a, const view &b) { return binary(binary_kind::sub, a, b); }
view emitter::mul(const view &a, const view &b) { return binary(binary_kind::mul, a, b); }
view emitter::div(const view &a, const view &b) { return binary(binary_kind::div, a, b); }

} // namespace atom_onnx
