// SPDX-License-Identifier: MIT
// Quantisation. With scales that the host knows, DequantizeLinear is a view that the device reads
// as reals; else it is arithmetic.
#include <algorithm>
#include <cmath>

#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;
using kind = view_quantisation::kind;

bool is_scale(double s) { return s > 0 && std::isfinite(static_cast<float>(s)); }

// Scales of inputs `scale` and `zero` as the device can read them; empty: they are arithmetic.
std::optional<view_quantisation> known_quantisation(lowering &n, const view &v, unsigned scale,
                                                    unsigned zero)
{
	if (!n.known(scale) || (n.has(zero) && !n.known(zero)))
		return std::nullopt;
	const std::vector<double> scales = n.host(scale).reals();
	if (!std::all_of(scales.begin(), scales.end(), is_scale))
		return std::nullopt;
	std::vector<std::int64_t> zeros(scales.size(), 0);
	if (n.has(zero))
		zeros = n.integers(zero);
	if (zeros.size() != scales.size())
		n.invalid("scales and zero points of different shapes");
	view_quantisation q;
	if (scales.size() == 1) {
		q.of = kind::per_tensor;
		q.scale = static_cast<float>(scales[0]);
		q.zero_point = static_cast<std::int32_t>(zeros[0]);
		return q;
	}
	if (n.rank(scale) != 1 || n.attr("block_size", std::int64_t{0}) != 0)
		return std::nullopt;
	q.of = kind::per_channel;
	q.axis = n.axis(n.attr("axis", std::int64_t{1}), v.rank());
	if (v.dims[q.axis] != static_cast<std::int64_t>(scales.size()))
		n.invalid("the scales do not fit the axis");
	const shape dims{static_cast<std::int64_t>(scales.size())};
	q.scales = n.e.constant(atom::dtype::f32, dims, scales).storage;
	if (std::any_of(zeros.begin(), zeros.end(), [](std::int64_t z) { return z != 0; }))
		q.zero_points =
			n.e.constant(host_tensor::of(element_type::i32, dims, zeros)).storage;
	return q;
}

// A scale or zero point in the shape of the tensor: of one element, an axis, or blocks of it.
view spread(lowering &n, unsigned input, const view &like)
{
	const view v = n.e.cast(n.in(input), atom::dtype::f32);
	if (count_of(v.dims) == 1)
		return n.e.reshape(v, {});
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{1}), like.rank());
	const std::int64_t block = n.attr("block_size", std::int64_t{0});
	if (block == 0) {
		shape dims(like.rank(), 1);
		if (v.rank() != 1)
			n.invalid("the rank of the scale");
		dims[axis] = v.dims[0];
		return n.e.reshape(v, dims);
	}
	if (v.rank() != like.rank() || block < 1 ||
	    v.dims[axis] != (like.dims[axis] - 1) / block + 1)
		n.invalid("the scales do not fit the blocks");
	view repeated = unsqueeze(v, axis + 1);
	shape dims = repeated.dims;
	dims[axis + 1] = block;
	repeated = broadcast(repeated, dims);
	shape joined = v.dims;
	joined[axis] *= block;
	return slice(n.e.reshape(repeated, joined), axis, 0, like.dims[axis]);
}

bool is_integer_type(element_type t)
{
	return t == element_type::i8 || t == element_type::u8 || t == element_type::i16 ||
	       t == element_type::i32;
}

// A bias and the like: integers that the host knows, with scales of their own, are constants.
constexpr std::int64_t folded_max = 1 << 16;

std::optional<host_tensor> fold_dequantize(const lowering &n)
{
	if (!n.known(0) || n.type(0) != element_type::i32 || n.rank(0) > 1 ||
	    n.host(0).count() > folded_max || !n.known(1) || (n.has(2) && !n.known(2)))
		return std::nullopt;
	const auto values = n.integers(0);
	const auto scales = n.host(1).reals();
	std::vector<std::int64_t> zeros(scales.size(), 0);
	if (n.has(2))
		zeros = n.integers(2);
	if ((scales.size() != 1 && scales.size() != values.size()) || zeros.size() != scales.size())
		return std::nullopt;
	std::vector<double> reals(values.size());
	for (std::size_t i = 0; i < values.size(); ++i) {
		const std::size_t at = scales.size() == 1 ? 0 : i;
		reals[i] = static_cast<float>(values[i] - zeros[at]) * static_cast<float>(scales[at]);
	}
	return host_tensor::of(element_type::f32, n.dims(0), reals);
}

void lower_dequantize(lowering &n)
{
	n.require_inputs(2);
	if (const auto folded = n.type(1) == element_type::f32 ? fold_dequantize(n) : std::nullopt) {
		n.set(0, *folded);
		return;
	}
	view v = n.plain(0);
	const element_type type =
		n.attr("output_dtype", std::int64_t{0}) != 0
			? static_cast<element_type>(n.attr("output_dtype", std::int64_t{0}))
			: n.type(1);
	if (!device_type(type) || !is_integer_type(n.type(0)))
		n.refuse(reason::dtype, name_of(n.type(0)) + " to " + name_of(type));
	if (type == element_type::f32)
		if (const auto q = known_quantisation(n, v, 1, 2)) {
			v.quant = *q;
			n.set(0, v, type);
			return;
		}
	view real = n.e.cast(v, atom::dtype::f32);
	if (n.has(2))
		real = n.e.sub(real, spread(n, 2, v));
	n.set(0, n.e.cast(n.e.mul(real, spread(n, 1, v)), *device_type(type)));
}

struct range {
	float low;
	float high;
};

range range_of(lowering &n, element_type type)
{
	switch (type) {
	case element_type::u8:
		return {0, 255};
	case element_type::i8:
		return {-128, 127};
	case element_type::i16:
		return {-32768, 32767};
	default:
		n.refuse(reason::dtype, "quantising to " + name_of(type));
	}
}

bool is_same(const view &v, atom::dtype type, const view_quantisation &q)
{
	return v.type == type && v.quant.of == kind::per_tensor && q.of == kind::per_tensor &&
	       v.quant.scale == q.scale && v.quant.zero_point == q.zero_point;
}

void lower_quantize(lowering &n)
{
	n.require_inputs(2);
	view in = n.in(0);
	const std::int64_t told = n.attr("output_dtype", std::int64_t{0});
	element_type type = told != 0 ? static_cast<element_type>(told) : element_type::u8;
	if (n.has(2))
		type = n.type(2);
	const range limits = range_of(n, type);
	if (const auto q = known_quantisation(n, in, 1, 2)) {
		// What was only moved since it was dequantised is there already.
		view out = is_same(in, *device_type(type), *q)
		                   ? in
		                   : n.e.quantise(in, *device_type(type), *q);
		out.quant = {};
		n.set(0, out, type);
		return;
	}
	in = n.e.real(in);
	const view scaled = n.e.div(n.e.cast(in, atom::dtype::f32), spread(n, 1, in));
	view rounded = n.e.unary(atom::function::round, scaled);
	if (n.has(2))
		rounded = n.e.add(rounded, spread(n, 2, in));
	const view cut = n.e.unary(atom::function::clip, rounded, limits.low, limits.high);
	n.set(0, n.e.cast(cut, *device_type(type)), type);
}

void lower_dynamic_quantize(lowering &n)
{
	const view in = n.e.cast(n.plain(0), atom::dtype::f32);
	const view flat = n.e.reshape(in, {count_of(in.dims)});
	const view zero = n.e.scalar(in.type, 0);
	const auto end = [&](atom::reduce_kind by, binary_kind with_zero) {
		return n.e.binary(with_zero, n.e.reshape(n.e.reduce(by, flat, {0}), {}), zero);
	};
	const view low = end(atom::reduce_kind::min, binary_kind::min);
	const view high = end(atom::reduce_kind::max, binary_kind::max);
	const view scale = n.e.div(n.e.sub(high, low), n.e.scalar(in.type, 255));
	const auto byte = [&](const view &v) {
		return n.e.unary(atom::function::clip, v, 0, 255);
	};
	const view zero_point = byte(n.e.unary(
		atom::function::round, n.e.div(n.e.unary(atom::function::neg, low), scale)));
	const view y = n.e.add(n.e.unary(atom::function::round, n.e.div(in, scale)), zero_point);
	n.set(0, n.e.cast(byte(y), atom::dtype::u8));
	n.set(1, scale);
	n.set(2, n.e.cast(zero_point, atom::dtype::u8));
}

} // namespace

operator_list quantise_operators()
{
	return {
		{"DequantizeLinear", lower_dequantize},
		{"QuantizeLinear", lower_quantize},
		{"DynamicQuantizeLinear", lower_dynamic_quantize},
	};
}

} // namespace atom_onnx
