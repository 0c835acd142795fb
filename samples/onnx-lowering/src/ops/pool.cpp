// SPDX-License-Identifier: MIT
// Pools over one to three spatial dimensions. Maximum, average and p-norm are separable, so
// that a volume is pooled over its planes and then along its depth.
#include "convolution.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

shape image_dims(const view &in, const shape &spatial)
{
	shape dims{in.dims[0], in.dims[1]};
	dims.insert(dims.end(), spatial.begin(), spatial.end());
	return dims;
}

pooling_options options_of(const window &w, const pooling_options &base)
{
	pooling_options o = base;
	o.kernel = {static_cast<std::uint32_t>(w.kernel[0]),
	            static_cast<std::uint32_t>(w.kernel[1])};
	o.window = to_window2d(w, 0);
	return o;
}

view pool_volume(lowering &n, atom::pool_kind kind, const window &w, const view &in,
                 const shape &out, const pooling_options &base)
{
	const std::int64_t batch = in.dims[0];
	const std::int64_t channels = in.dims[1];
	const view planes = n.e.reshape(permute(in, {0, 2, 3, 4, 1}),
	                                {batch * in.dims[2], in.dims[3], in.dims[4], channels});
	const window plane{{w.kernel[1], w.kernel[2]}, {w.strides[1], w.strides[2]},
	                   {w.dilations[1], w.dilations[2]}, {w.before[1], w.before[2]},
	                   {w.after[1], w.after[2]}};
	const view pooled = n.e.allocate(in.type, {planes.dims[0], out[1], out[2], channels});
	n.e.pool(kind, planes, pooled, options_of(plane, base));
	const view columns = n.e.reshape(pooled, {batch, in.dims[2], out[1] * out[2], channels});
	const window depth{{w.kernel[0], 1}, {w.strides[0], 1}, {w.dilations[0], 1},
	                   {w.before[0], 0}, {w.after[0], 0}};
	const view result = n.e.allocate(in.type, {batch, out[0], columns.dims[2], channels});
	n.e.pool(kind, columns, result, options_of(depth, base));
	return permute(n.e.reshape(result, {batch, out[0], out[1], out[2], channels}),
	               {0, 4, 1, 2, 3});
}

// The device tells h * W + w; ONNX counts through the whole tensor.
view whole_index(lowering &n, const view &index, const shape &in, bool column_major)
{
	std::vector<double> starts;
	const std::int64_t size = count_of(spatial_of(in));
	for (std::int64_t i = 0; i < in[0] * in[1]; ++i)
		starts.push_back(static_cast<double>(i * size));
	shape lead(in.size(), 1);
	lead[0] = in[0];
	lead[1] = in[1];
	view at = index;
	if (column_major && in.size() == 4) {
		const view width = n.e.scalar(atom::dtype::i32, static_cast<double>(in[3]));
		const view height = n.e.scalar(atom::dtype::i32, static_cast<double>(in[2]));
		const view row = n.e.div(index, width);
		const view column = n.e.binary(atom::binary_kind::mod, index, width);
		at = n.e.add(n.e.mul(column, height), row);
	}
	return n.e.cast(n.e.add(at, n.e.constant(atom::dtype::i32, lead, starts)),
	                atom::dtype::i64);
}

void pool(lowering &n, atom::pool_kind kind, const window &w, bool ceil_mode, pooling_options o)
{
	// The largest integer stands for the largest real: integers are pooled as they are.
	view in = n.in(0);
	const view_quantisation quant = in.quant;
	const bool as_integers = kind == atom::pool_kind::max && in.rank() < 5 &&
	                         quant.of == view_quantisation::kind::per_tensor;
	if (as_integers)
		in.quant = {};
	else if (in.rank() == 5)
		in = n.e.real(in);
	const unsigned rank = in.rank();
	n.only_if(rank <= 5, "more than three spatial dimensions");
	n.only_if(rank < 5 || !n.wants(1), "indices of a volume");
	const shape spatial = window_output(n, w, spatial_of(in.dims), ceil_mode);
	if (rank == 5) {
		n.set(0, pool_volume(n, kind, w, in, spatial, o));
		return;
	}
	const shape dims = image_dims(in, spatial);
	view out = allocate_result(n, n.result(),
	                           in.quantised() ? atom::dtype::f32 : in.type, dims);
	view index;
	const auto image = [](const view &v) { return to_nhwc(as_image(v)); };
	if (n.wants(1)) {
		index = n.e.allocate(atom::dtype::i32, dims);
		o.index = image(index);
	}
	n.e.pool(kind, image(in), image(out), options_of(as_image(w), o));
	if (as_integers)
		out.quant = quant;
	n.set(0, out, as_integers ? n.type(0) : element_type::undefined);
	if (n.wants(1))
		n.set(1, whole_index(n, index, in.dims,
		                     n.attr("storage_order", std::int64_t{0}) != 0));
}

void require_image(const lowering &n)
{
	if (n.rank(0) < 3)
		n.invalid("the rank of " + to_string(n.dims(0)));
}

void lower_pool(lowering &n, atom::pool_kind kind)
{
	require_image(n);
	const window w =
		read_window(n, n.attr("kernel_shape", shape()), spatial_of(n.dims(0)));
	pooling_options o;
	if (kind == atom::pool_kind::lp)
		o.p = static_cast<float>(n.attr("p", std::int64_t{2}));
	if (kind == atom::pool_kind::average)
		o.count_padding = n.attr("count_include_pad", std::int64_t{0}) != 0;
	pool(n, kind, w, n.attr("ceil_mode", std::int64_t{0}) != 0, o);
}

void lower_max_pool(lowering &n) { lower_pool(n, atom::pool_kind::max); }
void lower_average_pool(lowering &n) { lower_pool(n, atom::pool_kind::average); }
void lower_lp_pool(lowering &n) { lower_pool(n, atom::pool_kind::lp); }

void lower_global(lowering &n, atom::reduce_kind kind)
{
	require_image(n);
	std::vector<unsigned> axes;
	for (unsigned d = 2; d < n.rank(0); ++d)
		axes.push_back(d);
	n.set(0, n.e.reduce(kind, n.in(0), axes));
}

void lower_global_lp_pool(lowering &n)
{
	const std::int64_t p = n.attr("p", std::int64_t{2});
	n.only_if(p == 1 || p == 2, "a p other than 1 and 2");
	lower_global(n, p == 1 ? atom::reduce_kind::l1 : atom::reduce_kind::l2);
}

void lower_global_average(lowering &n) { lower_global(n, atom::reduce_kind::mean); }
void lower_global_max(lowering &n) { lower_global(n, atom::reduce_kind::max); }

} // namespace

operator_list pool_operators()
{
	return {
		{"MaxPool", lower_max_pool},
		{"AveragePool", lower_average_pool},
		{"LpPool", lower_lp_pool},
		{"GlobalAveragePool", lower_global_average},
		{"GlobalMaxPool", lower_global_max},
		{"GlobalLpPool", lower_global_lp_pool},
	};
}

} // namespace atom_onnx
