// SPDX-License-Identifier: MIT
#include "network.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace serve {
namespace {

using atom::dtype, atom::slot, atom::tensor;

dense_layer make_layer(std::size_t inputs, std::size_t outputs, std::minstd_rand &random)
{
	const auto value = [&](float range) {
		const auto share = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
		return range * share;
	};
	dense_layer layer{inputs, outputs, std::vector<float>(inputs * outputs), std::vector<float>(outputs)};
	const float range = 2.0F / std::sqrt(static_cast<float>(inputs));
	std::generate(layer.weights.begin(), layer.weights.end(), [&] { return value(range); });
	std::generate(layer.bias.begin(), layer.bias.end(), [&] { return value(0.1F); });
	return layer;
}

std::vector<float> apply(const dense_layer &layer, const float *in)
{
	std::vector<float> out = layer.bias;
	for (std::size_t i = 0; i < layer.inputs; ++i)
		for (std::size_t o = 0; o < layer.outputs; ++o)
			out[o] += in[i] * layer.weights[i * layer.outputs + o];
	return out;
}

/** A buffer that holds @p values; the tensor keeps it alive. */
tensor upload(const atom::context &ctx, const std::vector<float> &values, std::initializer_list<std::uint64_t> dims)
{
	const atom::buffer memory(ctx, values.size() * sizeof(float));
	std::copy(values.begin(), values.end(), memory.map().as<float>().begin());
	return {memory, dtype::f32, dims};
}

tensor rows(unsigned number, std::size_t batch, std::size_t columns) { return {slot(number), dtype::f32, {batch, columns}}; }

} // namespace

weights make_weights()
{
	std::minstd_rand random(1);
	dense_layer first = make_layer(input_size, hidden_size, random);
	return {std::move(first), make_layer(hidden_size, output_size, random)};
}

output expected_scores(const weights &w, const input &in)
{
	std::vector<float> hidden = apply(w.first, in.data());
	for (float &h : hidden)
		h = std::max(h, 0.0F);
	std::vector<float> scores = apply(w.second, hidden.data());
	const float largest = *std::max_element(scores.begin(), scores.end());
	for (float &s : scores)
		s = std::exp(s - largest);
	const float sum = std::accumulate(scores.begin(), scores.end(), 0.0F);
	output out;
	std::transform(scores.begin(), scores.end(), out.begin(), [sum](float s) { return s / sum; });
	return out;
}

network::layer_memory::layer_memory(const atom::context &ctx, const dense_layer &layer)
	: weights(upload(ctx, layer.weights, {layer.inputs, layer.outputs})), bias(upload(ctx, layer.bias, {1, layer.outputs}))
{
}

network::network(const atom::context &ctx)
	: context_(ctx), first_(ctx, make_weights().first), second_(ctx, make_weights().second), commands_(batch_max + 1)
{
}

const atom::command_buffer &network::commands(std::size_t batch)
{
	if (!commands_[batch])
		commands_[batch] = build(batch);
	return commands_[batch];
}

atom::command_buffer network::build(std::size_t batch) const
{
	const tensor in = rows(1, batch, input_size);
	const tensor hidden = rows(2, batch, hidden_size);
	const tensor scores = rows(3, batch, output_size);
	const auto dense = [](const layer_memory &layer, const tensor &out, atom::function activation) {
		atom::gemm_options options;
		options.constant_b = true; // upload() has made a buffer for them alone
		options.epilogue.bias = tensor(layer.bias).broadcast_to(out.dims());
		options.epilogue.activation = activation;
		return options;
	};
	return atom::command_builder(context_)
	        .gemm(in, first_.weights, hidden, dense(first_, hidden, atom::function::relu))
	        .barrier()
	        .gemm(hidden, second_.weights, scores, dense(second_, scores, atom::function::identity))
	        .barrier()
	        .softmax(scores, scores, 1)
	        .finish();
}

batch_memory::batch_memory(const atom::context &ctx)
	: queue(ctx), inputs(ctx, batch_max * input_size * sizeof(float)), hidden(ctx, batch_max * hidden_size * sizeof(float)),
	  scores(ctx, batch_max * output_size * sizeof(float)), inputs_mapped(inputs.map()), scores_mapped(scores.map()),
	  arguments{inputs, hidden, scores}
{
}

} // namespace serve
