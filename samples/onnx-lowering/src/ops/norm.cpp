// SPDX-License-Identifier: MIT
// Norms, softmax and its relatives.
#include "channel_affine.hpp"
#include "fusion.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

std::vector<unsigned> from_axis(unsigned first, unsigned rank)
{
	std::vector<unsigned> axes;
	for (unsigned d = first; d < rank; ++d)
		axes.push_back(d);
	return axes;
}

// A value for each channel, in the shape of the input.
view by_channel(lowering &n, unsigned input, unsigned rank)
{
	shape dims(rank, 1);
	const view v = n.plain(input);
	if (v.rank() != 1 || v.dims[0] != n.dims(0)[1])
		n.invalid("input " + std::to_string(input) + " is not one value a channel");
	dims[1] = v.dims[0];
	return n.e.reshape(v, dims);
}

// One command, with the scales and the activation behind it.
void set_affine(lowering &n, const view &in, channel_affine a)
{
	shape dims(in.rank(), 1);
	dims[1] = in.dims[1];
	value_id result = n.result();
	if (n.state().fuse)
		if (const auto more = take_affine(n, result, in.rank(), in.dims[1]))
			for (std::size_t c = 0; c < a.factor.size(); ++c) {
				a.factor[c] *= more->factor[c];
				a.summand[c] = a.summand[c] * more->factor[c] + more->summand[c];
			}
	const tail t = follow(n, result, n.type(0), in.dims);
	finish after;
	after.residual = n.e.constant(atom::dtype::f32, dims, a.summand);
	if (t.residual)
		after.residual = n.e.add(*after.residual, *t.residual);
	after.activation = t.activation;
	after.p0 = t.p0;
	after.p1 = t.p1;
	view out = n.e.allocate_like(t.device(), in.dims, in);
	if (t.quantised)
		out.quant = *t.quantised;
	n.e.binary_into(atom::binary_kind::mul, in, n.e.constant(atom::dtype::f32, dims, a.factor),
	                out, after);
	out.quant = {};
	set_value(n.state(), t.result, out, t.type);
}

void lower_batch_norm(lowering &n)
{
	n.require_inputs(5);
	if (n.attr("training_mode", std::int64_t{0}) != 0 || n.wants(1))
		n.refuse(reason::training, "training_mode");
	const view in = n.plain(0);
	if (in.rank() < 2)
		n.invalid("the rank");
	const auto channels = static_cast<std::size_t>(in.dims[1]);
	if (const auto known = affine_of(n, n.node().inputs[0], in.rank(), channels)) {
		set_affine(n, in, *known);
		return;
	}
	const view scale = by_channel(n, 1, in.rank());
	const view variance = by_channel(n, 4, in.rank());
	const view epsilon = n.e.scalar(variance.type, n.attr("epsilon", 1e-5F));
	const view inverse = n.e.unary(atom::function::rsqrt, n.e.add(variance, epsilon));
	const view factor = n.e.mul(scale, inverse);
	const view shift = n.e.sub(by_channel(n, 2, in.rank()),
	                           n.e.mul(by_channel(n, 3, in.rank()), factor));
	finish after;
	after.residual = shift;
	n.set(0, n.e.binary(atom::binary_kind::mul, in, factor, after));
}

void lower_instance_norm(lowering &n)
{
	n.require_inputs(3);
	const view in = n.plain(0);
	if (in.rank() < 3)
		n.invalid("the rank");
	norm_parameters o;
	o.eps = n.attr("epsilon", 1e-5F);
	o.gamma = by_channel(n, 1, in.rank());
	o.beta = by_channel(n, 2, in.rank());
	n.set(0, n.e.norm(atom::norm_kind::layer, in, from_axis(2, in.rank()), o));
}

void lower_group_norm(lowering &n)
{
	n.require_inputs(3);
	const view in = n.plain(0);
	const std::int64_t groups = n.attr("num_groups", std::int64_t{0});
	if (in.rank() < 2 || groups < 1 || in.dims[1] % groups != 0)
		n.invalid("num_groups");
	n.only_if(n.opset() >= 21, "scale and bias by group (opset 18)");
	norm_parameters o;
	o.eps = n.attr("epsilon", 1e-5F);
	o.gamma = by_channel(n, 1, in.rank());
	o.beta = by_channel(n, 2, in.rank());
	o.groups = static_cast<std::uint32_t>(groups);
	o.group_axis = 1;
	n.set(0, n.e.norm(atom::norm_kind::layer, in, from_axis(2, in.rank()), o));
}

void lower_row_norm(lowering &n, atom::norm_kind kind)
{
	const view in = n.plain(0);
	const unsigned first = n.axis(n.attr("axis", std::int64_t{-1}), in.rank());
	norm_parameters o;
	o.eps = n.attr("epsilon", 1e-5F);
	if (n.has(1))
		o.gamma = n.plain(1);
	if (n.has(2))
		o.beta = n.plain(2);
	shape dims = in.dims;
	for (unsigned d = first; d < in.rank(); ++d)
		dims[d] = 1;
	if (n.wants(1))
		o.mean = n.e.allocate(atom::dtype::f32, dims);
	if (n.wants(2))
		o.inverse = n.e.allocate(atom::dtype::f32, dims);
	n.set(0, n.e.norm(kind, in, from_axis(first, in.rank()), o));
	if (o.mean)
		n.set(1, *o.mean);
	if (o.inverse)
		n.set(2, *o.inverse);
}

void lower_layer_norm(lowering &n) { lower_row_norm(n, atom::norm_kind::layer); }
void lower_rms_norm(lowering &n) { lower_row_norm(n, atom::norm_kind::rms); }

void lower_lp_norm(lowering &n)
{
	const view in = n.plain(0);
	const std::int64_t p = n.attr("p", std::int64_t{2});
	n.only_if(p == 1 || p == 2, "a p other than 1 and 2");
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{-1}), in.rank());
	n.set(0, n.e.norm(p == 1 ? atom::norm_kind::l1 : atom::norm_kind::l2, in, {axis}, {}));
}

void lower_mean_variance_norm(lowering &n)
{
	const view in = n.plain(0);
	norm_parameters o;
	o.eps = 1e-18F; // ONNX adds 1e-9 to the deviation
	const auto told = n.attr("axes", std::vector<std::int64_t>{0, 2, 3});
	n.set(0, n.e.norm(atom::norm_kind::layer, in, n.axes(told, in.rank()), o));
}

void lower_lrn(lowering &n)
{
	const view in = n.plain(0);
	if (in.rank() < 2)
		n.invalid("the rank");
	norm_parameters o;
	o.lrn.alpha = n.attr("alpha", 1e-4F);
	o.lrn.beta = n.attr("beta", 0.75F);
	o.lrn.bias = n.attr("bias", 1.0F);
	o.lrn.size = static_cast<std::uint32_t>(n.attr("size", std::int64_t{1}));
	n.set(0, n.e.norm(atom::norm_kind::lrn, in, {1}, o));
}

// Before opset 13 the dimensions from the axis on are one row.
struct rows {
	view in;
	unsigned axis;
};

rows read_rows(lowering &n)
{
	const view in = n.plain(0);
	if (n.opset() >= 13)
		return {in, n.axis(n.attr("axis", std::int64_t{-1}), in.rank())};
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{1}), in.rank());
	const shape outer(in.dims.begin(), in.dims.begin() + axis);
	const shape inner(in.dims.begin() + axis, in.dims.end());
	return {n.e.reshape(in, {count_of(outer), count_of(inner)}), 1};
}

void lower_softmax(lowering &n)
{
	const rows r = read_rows(n);
	softmax_parameters o;
	o.log = n.node().op_type == "LogSoftmax";
	n.set(0, n.e.reshape(n.e.softmax(r.in, r.axis, o), n.dims(0)));
}

void lower_hardmax(lowering &n)
{
	const rows r = read_rows(n);
	const view best = n.e.arg(atom::reduce_kind::argmax, r.in, r.axis, false, atom::dtype::i32);
	shape dims(r.in.rank(), 1);
	dims[r.axis] = r.in.dims[r.axis];
	std::vector<double> steps;
	for (std::int64_t i = 0; i < dims[r.axis]; ++i)
		steps.push_back(static_cast<double>(i));
	const view is_best = n.e.binary(atom::binary_kind::eq, best,
	                                n.e.constant(atom::dtype::i32, dims, steps));
	n.set(0, n.e.reshape(n.e.cast(is_best, r.in.type), n.dims(0)));
}

} // namespace

operator_list norm_operators()
{
	return {
		{"BatchNormalization", lower_batch_norm},
		{"InstanceNormalization", lower_instance_norm},
		{"GroupNormalization", lower_group_norm},
		{"LayerNormalization", lower_layer_norm},
		{"RMSNormalization", lower_rms_norm},
		{"LpNormalization", lower_lp_norm},
		{"MeanVarianceNormalization", lower_mean_variance_norm},
		{"LRN", lower_lrn},
		{"Softmax", lower_softmax},
		{"LogSoftmax", lower_softmax},
		{"Hardmax", lower_hardmax},
	};
}

} // namespace atom_onnx
