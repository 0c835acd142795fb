// SPDX-License-Identifier: MIT
#include "networks.hpp"

#include <cmath>

namespace bench {

namespace {

/** 1 x 1, 3 x 3 (which has the stride: that is v1.5), 1 x 1, and the way around. */
value bottleneck(stream &s, const value &in, std::uint64_t width, std::uint64_t stride, bool widen, const std::string &name)
{
	s.layer(name + " a 1x1", "1x1 convolution");
	const value a = s.conv(in, {width, 1, 1, 0});
	s.layer(name + " b 3x3", "3x3 convolution");
	const value b = s.conv(a, {width, 3, stride, 1});
	s.done(a);
	value around = in;
	if (widen) {
		s.layer(name + " shortcut", "1x1 convolution");
		around = s.conv(in, {4 * width, 1, stride, 0, false});
		s.done(in);
	}
	s.layer(name + " c 1x1", "1x1 convolution");
	const value out = s.conv(b, {4 * width, 1, 1, 0}, &around);
	s.done(b);
	s.done(around);
	return out;
}

struct attention_shape {
	std::int64_t element, hidden, heads, sequence;
	std::int64_t head() const { return hidden / heads; }
};

/** Heads are views of the products' rows: nothing is moved for them. */
value attention(stream &s, std::uint8_t dtype, const value &qkv, const value &mask, const attention_shape &a,
		const std::string &name)
{
	const auto heads = static_cast<std::uint64_t>(a.heads), n = static_cast<std::uint64_t>(a.sequence);
	const auto head = static_cast<std::uint64_t>(a.head());
	const std::int64_t row = 3 * a.hidden * a.element, step = a.head() * a.element;
	const auto part = [&](std::int64_t which) { return static_cast<std::uint64_t>(which * a.hidden * a.element); };
	const value q = qkv.view(part(0), {heads, n, head}, {step, row, a.element});
	const value k = qkv.view(part(1), {heads, head, n}, {step, a.element, row});
	const value v = qkv.view(part(2), {heads, n, head}, {step, row, a.element});

	s.layer(name + " scores", "attention scores");
	const value scores = s.make(dtype, {heads, n, n});
	s.matmul(q, k, scores);
	s.layer(name + " softmax", "softmax");
	const value weights = s.softmax(scores, mask.view(0, {heads, n, n}, {0, 0, 4}), 1 / std::sqrt(static_cast<float>(head)));
	s.done(scores);
	s.layer(name + " context", "attention context");
	const value context = s.make(dtype, {n, heads * head});
	s.matmul(weights, v, context.view(0, {heads, n, head}, {step, a.hidden * a.element, a.element}));
	s.done(weights);
	s.done(qkv);
	return context;
}

value add_and_norm(stream &s, const value &in, std::uint64_t hidden, const value &around, const std::string &name,
		   const std::string &kind)
{
	s.layer(name + " " + kind, kind);
	const value sum = s.linear(in, hidden, ATOM_FN_IDENTITY, &around);
	s.done(in);
	s.done(around);
	s.layer(name + " norm", "norm");
	const value out = s.norm(sum);
	s.done(sum);
	return out;
}

} // namespace

stream resnet50(std::uint8_t dtype, std::uint64_t batch)
{
	stream s(dtype);
	const bool quantised = dtype == ATOM_DTYPE_I8;
	const value image = s.host(quantised ? ATOM_DTYPE_I8 : ATOM_DTYPE_F32, {batch, 224, 224, 3});
	s.layer("image", "transfer");
	value x = quantised ? s.load(image) : s.cast(image);
	s.fence();
	s.layer("conv1 7x7", "7x7 convolution");
	value y = s.conv(x, {64, 7, 2, 3});
	s.done(x);
	s.layer("max pool", "pool");
	x = s.max_pool(y, 3, 2, 1);
	s.done(y);
	const std::uint64_t blocks[] = {3, 4, 6, 3};
	for (std::uint64_t stage = 0; stage < 4; ++stage) {
		for (std::uint64_t block = 0; block < blocks[stage]; ++block) {
			const std::string name = "conv" + std::to_string(stage + 2) + "." + std::to_string(block + 1);
			x = bottleneck(s, x, 64ull << stage, stage > 0 && block == 0 ? 2 : 1, block == 0, name);
		}
	}
	s.layer("average pool", "pool");
	y = s.average_pool(x);
	s.layer("fc", "fully connected");
	const value logits = s.linear(y.view(0, {batch, 2048}, {2048 * (quantised ? 1 : 2), quantised ? 1 : 2}), 1000,
				      ATOM_FN_IDENTITY, nullptr, quantised ? ATOM_DTYPE_I8 : ATOM_DTYPE_F32);
	s.layer("logits", "transfer");
	s.store(logits);
	return s;
}

stream bert(std::uint8_t dtype, const bert_shape &b)
{
	stream s(dtype);
	const attention_shape a{dtype == ATOM_DTYPE_I8 ? 1 : 2, static_cast<std::int64_t>(b.hidden),
				static_cast<std::int64_t>(b.heads), static_cast<std::int64_t>(b.sequence)};
	s.layer("inputs", "transfer");
	const value words = s.load(s.host(ATOM_DTYPE_I32, {b.sequence}));
	const value segments = s.load(s.host(ATOM_DTYPE_I32, {b.sequence}));
	const value mask = s.load(s.host(ATOM_DTYPE_F32, {b.sequence}));
	s.fence();
	s.layer("embedding rows", "embedding");
	const value word = s.gather(words, 30522, b.hidden);
	const value segment = s.gather(segments, 2, b.hidden);
	s.fence();
	s.layer("embedding sum", "embedding");
	const value sum = s.add_with_table(word, segment);
	s.done(word);
	s.done(segment);
	s.layer("embedding norm", "norm");
	value x = s.norm(sum);
	s.done(sum);
	for (std::uint64_t layer = 0; layer < b.layers; ++layer) {
		const std::string name = "layer " + std::to_string(layer);
		s.layer(name + " qkv", "query, key, value");
		const value qkv = s.linear(x, 3 * b.hidden);
		const value context = attention(s, dtype, qkv, mask, a, name);
		x = add_and_norm(s, context, b.hidden, x, name, "projection");
		s.layer(name + " feed-forward 1", "feed-forward 1");
		const value wide = s.linear(x, b.feed_forward, ATOM_FN_GELU_ERF);
		x = add_and_norm(s, wide, b.hidden, x, name, "feed-forward 2");
	}
	s.layer("answer", "fully connected");
	const value answer = s.linear(x, 2, ATOM_FN_IDENTITY, nullptr, ATOM_DTYPE_F32);
	s.layer("answer out", "transfer");
	s.store(answer);
	return s;
}

} // namespace bench
