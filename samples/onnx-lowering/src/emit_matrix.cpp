// SPDX-License-Identifier: MIT
// Matrix products and windows over images.
#include "atom_onnx/unsupported.hpp"
#include "emitter.hpp"

namespace atom_onnx {
namespace {

bool is_byte(atom::dtype type) { return type == atom::dtype::i8 || type == atom::dtype::u8; }

/** Inputs and output, then bias and residual where there are any, in the output's shape. */
std::vector<view> with_epilogue(std::vector<view> views, const finish &after)
{
	const shape dims = views.back().dims;
	for (const auto &part : {after.bias, after.residual})
		if (part)
			views.push_back(broadcast(*part, dims));
	return views;
}

atom::epilogue epilogue_of(const finish &after, const std::vector<view> &views,
                           const placement_map &at)
{
	atom::epilogue e;
	e.activation = after.activation;
	e.p0 = after.p0;
	e.p1 = after.p1;
	std::size_t next = 3;
	if (after.bias)
		e.bias = at(views[next++]);
	if (after.residual)
		e.residual = at(views[next]);
	return e;
}

std::vector<view> reads_of(const std::vector<view> &views)
{
	std::vector<view> reads = views;
	reads.erase(reads.begin() + 2);
	return reads;
}

// Merges leading dimensions of a, b, out, .. and splits what stays above the device's rank.
void in_batches(std::vector<view> views, const std::function<void(const std::vector<view> &)> &use)
{
	for (unsigned axis = views.front().rank() - 2; axis-- > 0;)
		if (views.front().dims[axis] == 1)
			for (view &v : views)
				v = squeeze(v, axis);
	for (unsigned axis = views.front().rank() - 2; axis-- > 1;) {
		bool continues = true;
		for (const view &v : views)
			continues &= v.strides[axis - 1] == v.strides[axis] * v.dims[axis];
		if (continues)
			for (view &v : views)
				v = merge(v, axis - 1);
	}
	if (views.front().rank() <= atom::rank_max)
		return use(views);
	for (std::int64_t i = 0; i < views.front().dims[0]; ++i) {
		std::vector<view> part;
		for (const view &v : views)
			part.push_back(squeeze(slice(v, 0, i, 1), 0));
		in_batches(part, use);
	}
}

view broadcast_batch(const view &v, const shape &batch)
{
	shape dims = batch;
	dims.insert(dims.end(), v.dims.end() - 2, v.dims.end());
	return broadcast(v, dims);
}

} // namespace

void emitter::gemm_into(const view &a, const view &b, const view &out,
                        const matrix_options &options)
{
	const shape batch(out.dims.begin(), out.dims.end() - 2);
	if (count_of(out.dims) == 0)
		return;
	if (a.dims.back() == 0)
		return fill(out, 0);
	const std::vector<view> views = with_epilogue(
		{broadcast_batch(a, batch), broadcast_batch(b, batch), out}, options.after);
	const bool constant = recorder_.is_constant(b);
	in_batches(views, [&](const std::vector<view> &part) {
		recorder_.add(
			[options, constant, part](atom::command_builder &builder,
		                                  const placement_map &at) {
				atom::gemm_options o;
				o.alpha = options.alpha;
				o.constant_b = constant;
				o.epilogue = epilogue_of(options.after, part, at);
				builder.gemm(at(part[0]), at(part[1]), at(part[2]), o);
			},
			reads_of(part), {part[2]});
	});
}

view emitter::gemm(const view &a, const view &b, const matrix_options &options)
{
	refuse_i64(a, "a matrix product");
	if (a.rank() < 2 || b.rank() < 2)
		throw unsupported(reason::invalid_model, "a product of " + to_string(a.dims) +
		                                                 " and " + to_string(b.dims));
	const shape batch = broadcast_shape(shape(a.dims.begin(), a.dims.end() - 2),
	                                    shape(b.dims.begin(), b.dims.end() - 2));
	shape dims = batch;
	dims.push_back(a.dims[a.rank() - 2]);
	dims.push_back(b.dims[b.rank() - 1]);
	if (a.dims[a.rank() - 1] != b.dims[b.rank() - 2])
		throw unsupported(reason::invalid_model, "a product of " + to_string(a.dims) +
		                                                 " and " + to_string(b.dims));
	atom::dtype type = a.type;
	if (is_byte(a.type) && is_byte(b.type))
		type = a.quantised() || b.quantised() ? atom::dtype::f32 : atom::dtype::i32;
	const view out = allocate(type, dims);
	gemm_into(a, b, out, options);
	return out;
}

void emitter::conv(const view &in, const view &weight, const view &out,
                   const window_options &options)
{
	const std::vector<view> views = with_epilogue({in, weight, out}, options.after);
	const bool constant = recorder_.is_constant(weight);
	recorder_.add(
		[options, constant, views](atom::command_builder &b, const placement_map &at) {
			b.conv2d(at(views[0]), at(views[1]), at(views[2]),
		                 {options.window, options.groups,
		                  epilogue_of(options.after, views, at), constant});
		},
		reads_of(views), {out});
}

void emitter::conv_transpose(const view &in, const view &weight, const view &out,
                             const window_options &options)
{
	const std::vector<view> views = with_epilogue({in, weight, out}, options.after);
	const bool constant = recorder_.is_constant(weight);
	recorder_.add(
		[options, constant, views](atom::command_builder &b, const placement_map &at) {
			b.conv_transpose2d(at(views[0]), at(views[1]), at(views[2]),
		                           {options.window, options.groups,
		                            epilogue_of(options.after, views, at),
		                            constant});
		},
		reads_of(views), {out});
}

void emitter::pool(atom::pool_kind kind, const view &in, const view &out,
                   const pooling_options &options)
{
	std::vector<view> writes{out};
	if (options.index)
		writes.push_back(*options.index);
	recorder_.add(
		[kind, in, out, options](atom::command_builder &b, const placement_map &at) {
			atom::pool2d_options o;
			o.kernel = options.kernel;
			o.window = options.window;
			o.p = options.p;
			o.count_padding = options.count_padding;
			if (options.index)
				o.index = at(*options.index);
			b.pool2d(kind, at(in), at(out), o);
		},
		{in}, writes);
}

void emitter::resize(const view &in, const view &out, const atom::resize2d_options &options)
{
	recorder_.add([in, out, options](atom::command_builder &b,
	                                 const placement_map &at) {
		b.resize2d(at(in), at(out), options);
	}, {in}, {out});
}

} // namespace atom_onnx
