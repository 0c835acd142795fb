// SPDX-License-Identifier: MIT
// Products and convolutions of integers: with scales as one command that quantises, without them
// with sums in i32.
#include <cmath>

#include "convolution.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;
using kind = view_quantisation::kind;

/** Where an operand's scale and zero point stand among the inputs. */
struct operand {
	unsigned value;
	unsigned scale;
	unsigned zero;
};

// Scales that the host must know; along @p axis if there is one a channel.
view_quantisation read_quantisation(lowering &n, const operand &o, unsigned axis, std::int64_t size)
{
	const std::vector<double> scales = n.host(o.scale).reals();
	std::vector<std::int64_t> zeros(scales.size(), 0);
	if (n.has(o.zero))
		zeros = n.integers(o.zero);
	if (zeros.size() == 1 && scales.size() > 1)
		zeros.assign(scales.size(), zeros[0]);
	if (zeros.size() != scales.size() || scales.empty())
		n.invalid("scales and zero points of different shapes");
	for (const double s : scales)
		if (!(s > 0) || !std::isfinite(static_cast<float>(s)))
			n.invalid("a scale that is not above 0");
	view_quantisation q;
	if (scales.size() == 1) {
		q.of = kind::per_tensor;
		q.scale = static_cast<float>(scales[0]);
		q.zero_point = static_cast<std::int32_t>(zeros[0]);
		return q;
	}
	if (static_cast<std::int64_t>(scales.size()) != size)
		n.invalid("the scales do not fit the channels");
	q.of = kind::per_channel;
	q.axis = axis;
	q.scales = n.e.constant(atom::dtype::f32, {size}, scales).storage;
	q.zero_points =
		n.e.constant(host_tensor::of(element_type::i32, {size}, zeros)).storage;
	return q;
}

view quantised(lowering &n, const operand &o, unsigned channel_axis)
{
	view v = n.plain(o.value);
	if (v.type != atom::dtype::i8 && v.type != atom::dtype::u8)
		n.refuse(reason::dtype, "an operand of " + name_of(n.type(o.value)));
	if (channel_axis >= v.rank())
		n.invalid("the rank of input " + std::to_string(o.value));
	v.quant = read_quantisation(n, o, channel_axis, v.dims[channel_axis]);
	return v;
}

void lower_qlinear_matmul(lowering &n)
{
	n.require_inputs(8);
	const unsigned last_of_b = n.rank(3) > 0 ? n.rank(3) - 1 : 0;
	const view a = quantised(n, {0, 1, 2}, 0);
	const view b = quantised(n, {3, 4, 5}, last_of_b);
	if (a.rank() < 2 || b.rank() < 2 || a.dims.back() != b.dims[b.rank() - 2])
		n.invalid("the shapes");
	n.only_if(a.quant.of == kind::per_tensor, "scales by row");
	shape dims = broadcast_shape(shape(a.dims.begin(), a.dims.end() - 2),
	                             shape(b.dims.begin(), b.dims.end() - 2));
	dims.push_back(a.dims[a.rank() - 2]);
	dims.push_back(b.dims.back());
	const auto type = device_type(n.type(7));
	if (!type)
		n.refuse(reason::dtype, name_of(n.type(7)));
	view out = n.e.allocate(*type, dims);
	out.quant = read_quantisation(n, {0, 6, 7}, 0, 0);
	n.e.gemm_into(a, b, out);
	out.quant = {};
	n.set(0, out);
}

void lower_qlinear_conv(lowering &n)
{
	n.require_inputs(8);
	const convolution c = read_convolution(n, n.dims(0), n.dims(3));
	n.only_if(c.dims.size() < 5, "three spatial dimensions");
	const view in = quantised(n, {0, 1, 2}, 1);
	const view weight = quantised(n, {3, 4, 5}, 0);
	n.only_if(in.quant.of == kind::per_tensor, "scales by input channel");
	const auto type = device_type(n.type(7));
	if (!type)
		n.refuse(reason::dtype, name_of(n.type(7)));
	view out = allocate_result(n, n.result(), *type, c.dims);
	out.quant = read_quantisation(n, {0, 6, 7}, 0, 0);
	std::optional<view> bias;
	if (n.has(8))
		bias = n.plain(8);
	emit_convolution(n, c, in, weight, bias, out);
	out.quant = {};
	n.set(0, out);
}

// Zero points as quantisation of scale 1: an output of i32 is then the plain sum.
void set_zero_point(lowering &n, view &v, unsigned input, unsigned axis)
{
	v.quant.of = kind::per_tensor;
	if (!n.has(input))
		return;
	const std::vector<std::int64_t> zeros = n.integers(input);
	if (zeros.size() == 1) {
		v.quant.zero_point = static_cast<std::int32_t>(zeros[0]);
		return;
	}
	const auto count = static_cast<std::int64_t>(zeros.size());
	if (count != v.dims[axis])
		n.invalid("the zero points do not fit the channels");
	v.quant.of = kind::per_channel;
	v.quant.axis = axis;
	v.quant.scales = n.e.constant(atom::dtype::f32, {count},
	                              std::vector<double>(zeros.size(), 1))
	                         .storage;
	v.quant.zero_points =
		n.e.constant(host_tensor::of(element_type::i32, {count}, zeros)).storage;
}

void lower_conv_integer(lowering &n)
{
	n.require_inputs(2);
	const convolution c = read_convolution(n, n.dims(0), n.dims(1));
	n.only_if(c.dims.size() < 5, "three spatial dimensions");
	view in = n.plain(0);
	view weight = n.plain(1);
	set_zero_point(n, in, 2, 1);
	set_zero_point(n, weight, 3, 0);
	n.only_if(in.quant.of == kind::per_tensor, "zero points by input channel");
	const view out = allocate_result(n, n.result(), atom::dtype::i32, c.dims);
	emit_convolution(n, c, in, weight, std::nullopt, out);
	n.set(0, out);
}

// The sum over one dimension of a matrix, as a product with ones.
view sum_of(lowering &n, const view &matrix, bool rows)
{
	const std::int64_t k = rows ? matrix.dims.back() : matrix.dims[matrix.rank() - 2];
	const view ones = broadcast(n.e.scalar(atom::dtype::u8, 1), rows ? shape{k, 1} : shape{1, k});
	return rows ? n.e.gemm(matrix, ones) : n.e.gemm(ones, matrix);
}

// Zero points that the device computes: sum((a - za) (b - zb)) = ab - za sum(b) - zb sum(a) + k za zb.
view product_of_dynamic(lowering &n, const view &a, const view &b)
{
	const auto zero = [&](unsigned input, bool rows) {
		view z = n.e.cast(n.plain(input), atom::dtype::i32);
		if (rows && z.rank() == 1 && z.dims[0] > 1)
			z = unsqueeze(z, 1);
		return z;
	};
	view result = n.e.gemm(a, b);
	const auto subtract = [&](const view &z, const view &sums) {
		result = n.e.sub(result, n.e.mul(z, sums));
	};
	if (n.has(2))
		subtract(zero(2, true), sum_of(n, b, false));
	if (n.has(3))
		subtract(zero(3, false), sum_of(n, a, true));
	if (n.has(2) && n.has(3)) {
		const view both = n.e.mul(zero(2, true), zero(3, false));
		const auto k = static_cast<double>(a.dims.back());
		result = n.e.add(result, n.e.mul(both, n.e.scalar(atom::dtype::i32, k)));
	}
	return result;
}

void lower_matmul_integer(lowering &n)
{
	n.require_inputs(2);
	view a = n.plain(0);
	view b = n.plain(1);
	n.only_if(a.rank() >= 2 && b.rank() >= 2, "vectors");
	const bool known = (!n.has(2) || (n.known(2) && n.host(2).count() == 1)) &&
	                   (!n.has(3) || (n.known(3) && n.rank(3) < 2));
	if (!known) {
		n.set(0, product_of_dynamic(n, a, b));
		return;
	}
	set_zero_point(n, a, 2, 0);
	set_zero_point(n, b, 3, b.rank() - 1);
	shape dims = broadcast_shape(shape(a.dims.begin(), a.dims.end() - 2),
	                             shape(b.dims.begin(), b.dims.end() - 2));
	dims.push_back(a.dims[a.rank() - 2]);
	dims.push_back(b.dims.back());
	const view out = n.e.allocate(atom::dtype::i32, dims);
	n.e.gemm_into(a, b, out);
	n.set(0, out);
}

} // namespace

operator_list integer_operators()
{
	return {
		{"QLinearMatMul", lower_qlinear_matmul},
		{"QLinearConv", lower_qlinear_conv},
		{"MatMulInteger", lower_matmul_integer},
		{"ConvInteger", lower_conv_integer},
	};
}

} // namespace atom_onnx
