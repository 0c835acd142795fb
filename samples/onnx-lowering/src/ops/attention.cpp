// SPDX-License-Identifier: MIT
// Attention and rotary embeddings: products of heads as batches, softmax with mask between them.
#include <cmath>
#include <limits>

#include "order.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;

constexpr double infinity = std::numeric_limits<double>::infinity();

/** Queries, keys and values as [batch, heads, positions, head size]. */
struct heads {
	view q;
	view k;
	view v;
	std::int64_t past = 0; ///< positions before those of this call
	bool flat = false;     ///< the node's tensors have three dimensions

	[[nodiscard]] std::int64_t batch() const { return q.dims[0]; }
	[[nodiscard]] std::int64_t rows() const { return q.dims[2]; }
	[[nodiscard]] std::int64_t columns() const { return k.dims[2]; }
	/** [batch, query heads, rows, columns] */
	[[nodiscard]] shape scores() const
	{
		return {batch(), q.dims[1], rows(), columns()};
	}
};

// [batch, positions, heads * size] as [batch, heads, positions, size].
view by_head(lowering &n, unsigned input, const char *count)
{
	view v = n.plain(input);
	if (v.rank() == 4)
		return v;
	const std::int64_t number = n.attr(count, std::int64_t{0});
	if (v.rank() != 3 || number < 1 || v.dims[2] % number != 0)
		n.invalid(std::string(count) + " or the rank of input " + std::to_string(input));
	return permute(split(v, 2, number), {0, 2, 1, 3});
}

heads read_heads(lowering &n)
{
	n.require_inputs(3);
	heads h{by_head(n, 0, "q_num_heads"), by_head(n, 1, "kv_num_heads"),
	        by_head(n, 2, "kv_num_heads")};
	h.flat = n.rank(0) == 3;
	if (n.has(4) && n.has(5)) {
		const view keys = n.plain(4);
		const view values = n.plain(5);
		if (keys.rank() != 4 || values.rank() != 4)
			n.invalid("the rank of the past");
		h.past = keys.dims[2];
		h.k = n.e.concat({keys, h.k}, 2);
		h.v = n.e.concat({values, h.v}, 2);
	}
	const bool good = h.k.dims[0] == h.batch() && h.v.dims[0] == h.batch() &&
	                  h.k.dims[1] == h.v.dims[1] && h.k.dims[2] == h.v.dims[2] &&
	                  h.q.dims[3] == h.k.dims[3] && h.k.dims[1] > 0 &&
	                  h.q.dims[1] % h.k.dims[1] == 0;
	if (!good)
		n.invalid("shapes " + to_string(h.q.dims) + ", " + to_string(h.k.dims) + ", " +
		          to_string(h.v.dims));
	return h;
}

view minus_infinity_unless(lowering &n, const view &allowed)
{
	return n.e.select(allowed, n.e.scalar(atom::dtype::f32, 0),
	                  n.e.scalar(atom::dtype::f32, -infinity));
}

// The mask input as summand; columns that it does not tell are masked.
std::optional<view> told_mask(lowering &n, const heads &h)
{
	if (!n.has(3))
		return std::nullopt;
	view mask = n.plain(3);
	if (mask.rank() < 1 || mask.dims.back() > h.columns())
		n.invalid("the shape of the mask");
	if (n.type(3) == element_type::boolean)
		mask = minus_infinity_unless(n, mask);
	else if (!mask.is_real())
		n.refuse(reason::dtype, "a mask of " + name_of(n.type(3)));
	const std::int64_t missing = h.columns() - mask.dims.back();
	if (missing == 0)
		return mask;
	shape none(mask.rank(), 0);
	shape more = none;
	more.back() = missing;
	return n.e.pad_constant(mask, none, more, -infinity);
}

view causal_mask(lowering &n, const heads &h)
{
	std::vector<double> mask;
	for (std::int64_t r = 0; r < h.rows(); ++r)
		for (std::int64_t c = 0; c < h.columns(); ++c)
			mask.push_back(c > r + h.past ? -infinity : 0);
	return n.e.constant(atom::dtype::f32, {h.rows(), h.columns()}, mask);
}

// Columns from nonpad_kv_seqlen[batch] on are padding.
view padding_mask(lowering &n, const heads &h)
{
	const view length = n.e.reshape(n.e.cast(n.in(6), atom::dtype::i32), {h.batch(), 1, 1, 1});
	return minus_infinity_unless(n, n.e.binary(binary_kind::lt,
	                                           counted(n.e, atom::dtype::i32, 4, 3,
	                                                   h.columns()),
	                                           length));
}

void sum_into(lowering &n, std::optional<view> &sum, const view &mask)
{
	sum = sum ? n.e.add(*sum, mask) : mask;
}

// Query heads that share a key: [batch, keys, queries of a key, rows, ..].
view grouped(const view &v, std::int64_t keys) { return split(v, 1, keys); }
view product(lowering &n, const heads &h, const view &a, const view &b, const view &out,
             const matrix_options &options)
{
	const std::int64_t keys = h.k.dims[1];
	matrix_options o = options;
	if (o.after.residual)
		o.after.residual = grouped(broadcast(*o.after.residual, out.dims), keys);
	n.e.gemm_into(grouped(a, keys), unsqueeze(b, 2), grouped(out, keys), o);
	return out;
}

void set_result(lowering &n, const heads &h, const view &weights)
{
	// The heads of a position lie side by side, so that they join without a copy.
	const shape dims{h.batch(), h.q.dims[1], h.rows(), h.v.dims[3]};
	const view out = h.flat ? n.e.allocate(h.q.type, dims, {0, 2, 1, 3})
	                        : n.e.allocate(h.q.type, dims);
	product(n, h, weights, h.v, out, {});
	if (h.flat)
		n.set(0, n.e.reshape(permute(out, {0, 2, 1, 3}),
		                     {h.batch(), h.rows(), dims[1] * dims[3]}));
	else
		n.set(0, out);
	n.set(1, h.k);
	n.set(2, h.v);
}

void lower_attention(lowering &n)
{
	const heads h = read_heads(n);
	const float scale =
		n.attr("scale", 1 / std::sqrt(static_cast<float>(std::max<std::int64_t>(h.q.dims[3], 1))));
	const float cap = n.attr("softcap", 0.0F);
	const std::int64_t shown = n.wants(3) ? n.attr("qk_matmul_output_mode", std::int64_t{0}) : -1;
	const bool causal = n.attr("is_causal", std::int64_t{0}) != 0;
	n.only_if(n.find("left_window_size") == nullptr && n.find("right_window_size") == nullptr,
	          "a window of positions");
	// The mask is part of the softmax unless something comes between them.
	const bool bias_first = cap > 0 || shown == 1 || shown == 2;
	std::optional<view> bias = told_mask(n, h);
	if (n.has(6))
		sum_into(n, bias, padding_mask(n, h));
	if (causal && bias_first)
		sum_into(n, bias, causal_mask(n, h));
	matrix_options o;
	o.alpha = scale;
	view scores = n.e.allocate(atom::dtype::f32, h.scores());
	softmax_parameters s;
	if (bias_first && shown == 0) {
		n.set(3, n.e.cast(product(n, h, h.q, permute(h.k, {0, 1, 3, 2}),
		                          n.e.allocate(atom::dtype::f32, h.scores()), o),
		                  h.q.type));
	}
	if (bias_first)
		o.after.residual = bias;
	product(n, h, h.q, permute(h.k, {0, 1, 3, 2}), scores, o);
	if (shown == 1 || (shown == 0 && !bias_first))
		n.set(3, n.e.cast(scores, h.q.type));
	if (cap > 0) {
		const view capped = n.e.unary(
			atom::function::tanh,
			n.e.mul(scores, n.e.scalar(atom::dtype::f32, 1 / cap)));
		scores = n.e.mul(capped, n.e.scalar(atom::dtype::f32, cap));
	}
	if (shown == 2)
		n.set(3, n.e.cast(scores, h.q.type));
	if (!bias_first) {
		s.mask = bias ? std::optional<view>(n.e.cast(*bias, atom::dtype::f32)) : bias;
		s.causal = causal;
		s.causal_offset = causal ? h.past : 0;
	}
	const view weights = n.e.softmax(scores, 3, s);
	if (shown == 3)
		n.set(3, n.e.cast(weights, h.q.type));
	set_result(n, h, weights);
}

// [batch, heads, positions, size], or flat; tables by position, or of each position.
void lower_rotary(lowering &n)
{
	n.require_inputs(3);
	const view in = n.plain(0);
	view x = in.rank() == 4 ? permute(in, {0, 2, 1, 3}) : in;
	if (in.rank() == 3) {
		const std::int64_t heads = n.attr("num_heads", std::int64_t{0});
		if (heads < 1 || in.dims[2] % heads != 0)
			n.invalid("num_heads");
		x = split(in, 2, heads);
	}
	if (x.rank() != 4)
		n.invalid("the rank");
	rotary_parameters o;
	const std::int64_t told = n.attr("rotary_embedding_dim", std::int64_t{0});
	const std::int64_t turned = told > 0 ? told : x.dims[3];
	if (turned > x.dims[3] || turned % 2 != 0)
		n.invalid("rotary_embedding_dim");
	o.rotary_dims = static_cast<std::uint32_t>(turned);
	o.interleaved = n.attr("interleaved", std::int64_t{0}) != 0;
	const auto table = [&](unsigned input) {
		view t = n.e.cast(n.plain(input), atom::dtype::f32);
		if (n.has(3))
			t = n.e.gather_rows(t, n.in(3), 0);
		if (t.rank() != 3 || t.dims[2] * 2 != turned)
			n.invalid("the shape of input " + std::to_string(input));
		return broadcast(unsqueeze(t, 2), {x.dims[0], x.dims[1], x.dims[2], t.dims[2]});
	};
	o.cos = table(1);
	o.sin = table(2);
	const view out = n.e.rope(x, o);
	n.set(0, in.rank() == 4 ? permute(out, {0, 2, 1, 3}) : n.e.reshape(out, in.dims));
}

} // namespace

operator_list attention_operators()
{
	return {{"Attention", lower_attention}, {"RotaryEmbedding", lower_rotary}};
}

} // namespace atom_onnx
