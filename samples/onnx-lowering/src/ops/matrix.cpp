// SPDX-License-Identifier: MIT
// MatMul and Gemm, with what follows them in the epilogue.
#include "fusion.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

// Integers with integers, floats with floats; scales by the output's column alone.
void make_alike(lowering &n, view &a, view &b)
{
	const auto channels = view_quantisation::kind::per_channel;
	const bool good = a.quantised() == b.quantised() && a.quant.of != channels &&
	                  (b.quant.of != channels || b.quant.axis + 1 == b.rank());
	if (good)
		return;
	a = n.e.real(a);
	b = n.e.real(b);
}

finish to_finish(const tail &t)
{
	finish f;
	f.residual = t.residual;
	f.activation = t.activation;
	f.p0 = t.p0;
	f.p1 = t.p1;
	return f;
}

struct product {
	view a; ///< [.., M, K]
	view b; ///< [.., K, N]
	bool drop_row = false;    ///< a was a vector
	bool drop_column = false; ///< b was one
};

// Without its dimensions of 1 that stand for vectors.
view without_vectors(const product &p, view v)
{
	if (p.drop_column)
		v = squeeze(v, v.rank() - 1);
	if (p.drop_row)
		v = squeeze(v, v.rank() - (p.drop_column ? 1 : 2));
	return v;
}

view with_vectors(const product &p, view v)
{
	if (p.drop_row)
		v = unsqueeze(v, v.rank() - (p.drop_column ? 0 : 1));
	if (p.drop_column)
		v = unsqueeze(v, v.rank());
	return v;
}

void lower_matmul(lowering &n)
{
	n.require_inputs(2);
	product p{n.in(0), n.in(1)};
	if (p.a.rank() == 0 || p.b.rank() == 0)
		n.invalid("a product of a scalar");
	make_alike(n, p.a, p.b);
	p.drop_row = p.a.rank() == 1;
	p.drop_column = p.b.rank() == 1;
	if (p.drop_row)
		p.a = unsqueeze(p.a, 0);
	if (p.drop_column)
		p.b = unsqueeze(p.b, 1);
	if (p.a.dims.back() != p.b.dims[p.b.rank() - 2])
		n.invalid("inner dimensions of " + to_string(n.dims(0)) + " and " +
		          to_string(n.dims(1)));
	refuse_i64(p.a, "a matrix product");
	n.only_if(p.a.is_real(), "integers without quantisation");
	shape dims = broadcast_shape(shape(p.a.dims.begin(), p.a.dims.end() - 2),
	                             shape(p.b.dims.begin(), p.b.dims.end() - 2));
	dims.push_back(p.a.dims[p.a.rank() - 2]);
	dims.push_back(p.b.dims.back());
	const bool quantised = p.a.quantised();
	const element_type type =
		quantised ? n.type(0) : element_of(p.a.type);
	view shaped = n.e.allocate(*device_type(type), dims);
	const tail t = follow(n, n.result(), type, without_vectors(p, shaped).dims);
	if (t.type != type)
		shaped = n.e.allocate(t.device(), dims);
	if (t.quantised)
		shaped.quant = *t.quantised;
	matrix_options o;
	o.after = to_finish(t);
	if (o.after.residual)
		o.after.residual = with_vectors(p, *o.after.residual);
	n.e.gemm_into(p.a, p.b, shaped, o);
	shaped.quant = {};
	set_value(n.state(), t.result, without_vectors(p, shaped), t.type);
}

void lower_gemm(lowering &n)
{
	n.require_inputs(2);
	const auto matrix = [&](unsigned input, const char *transposed) {
		const view v = n.in(input);
		if (v.rank() != 2)
			n.invalid("input " + std::to_string(input) + " is no matrix");
		return n.attr(transposed, std::int64_t{0}) != 0 ? permute(v, {1, 0}) : v;
	};
	view a = matrix(0, "transA");
	view b = matrix(1, "transB");
	make_alike(n, a, b);
	if (a.dims[1] != b.dims[0])
		n.invalid("inner dimensions of " + to_string(a.dims) + " and " + to_string(b.dims));
	n.only_if(a.is_real(), "integers without quantisation");
	const shape dims{a.dims[0], b.dims[1]};
	matrix_options o;
	o.alpha = n.attr("alpha", 1.0F);
	const float beta = n.attr("beta", 1.0F);
	std::optional<view> added;
	if (n.has(2) && beta != 0) {
		view c = n.e.cast(n.plain(2), atom::dtype::f32);
		if (beta != 1)
			c = n.e.mul(c, n.e.scalar(atom::dtype::f32, beta));
		added = broadcast(c, dims);
	}
	const element_type type = a.quantised() ? n.type(0) : element_of(a.type);
	const tail t = follow(n, n.result(), type, dims);
	o.after = to_finish(t);
	o.after.bias = added;
	view out = n.e.allocate(t.device(), dims);
	if (t.quantised)
		out.quant = *t.quantised;
	n.e.gemm_into(a, n.known(1) ? n.e.contiguous(b) : b, out, o);
	out.quant = {};
	set_value(n.state(), t.result, out, t.type);
}

} // namespace

operator_list matrix_operators()
{
	return {{"MatMul", lower_matmul}, {"Gemm", lower_gemm}};
}

} // namespace atom_onnx
