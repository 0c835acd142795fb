// SPDX-License-Identifier: MIT
// Gathering and scattering.
#include <map>

#include "registry.hpp"

namespace atom_onnx {
namespace {

// Indices that walk evenly are a slice, which costs nothing.
std::optional<view> as_slice(lowering &n, const view &data, unsigned axis)
{
	if (!n.known(1) || n.rank(1) > 1)
		return std::nullopt;
	std::vector<std::int64_t> index = n.integers(1);
	const std::int64_t size = data.dims[axis];
	for (std::int64_t &i : index) {
		i = i < 0 ? i + size : i;
		if (i < 0 || i >= size)
			n.invalid("an index out of range");
	}
	const auto count = static_cast<std::int64_t>(index.size());
	const std::int64_t step = count > 1 ? index[1] - index[0] : 1;
	for (std::size_t i = 1; i < index.size(); ++i)
		if (index[i] - index[i - 1] != step)
			return std::nullopt;
	if (count == 0 || (data.quant.of == view_quantisation::kind::per_channel))
		return std::nullopt;
	const view part = slice(data, axis, index[0], count, step);
	return n.rank(1) == 0 ? squeeze(part, axis) : part;
}

void lower_gather(lowering &n)
{
	n.require_inputs(2);
	const view data = n.in(0);
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{0}), data.rank());
	if (const auto part = as_slice(n, data, axis))
		n.set(0, *part, n.type(0));
	else
		n.set(0, n.e.gather_rows(data, n.in(1), axis), n.type(0));
}

void lower_gather_elements(lowering &n)
{
	n.require_inputs(2);
	const view data = n.plain(0);
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{0}), data.rank());
	if (n.rank(1) != data.rank())
		n.invalid("ranks of data and indices");
	n.set(0, n.e.gather_elements(data, n.in(1), axis), n.type(0));
}

void lower_gather_nd(lowering &n)
{
	n.require_inputs(2);
	const view data = n.plain(0);
	const std::int64_t batch = n.attr("batch_dims", std::int64_t{0});
	const view index = n.in(1);
	if (index.rank() == 0 || batch < 0 || batch >= index.rank() || batch >= data.rank() ||
	    index.dims.back() < 1 || index.dims.back() + batch > data.rank())
		n.invalid("batch_dims or indices");
	n.set(0, n.e.gather_nd(data, index, static_cast<unsigned>(batch)), n.type(0));
}

atom::scatter_reduction reduction_of(const lowering &n)
{
	using atom::scatter_reduction;
	static const std::map<std::string, scatter_reduction> names{
		{"none", scatter_reduction::assign}, {"add", scatter_reduction::add},
		{"mul", scatter_reduction::mul},     {"min", scatter_reduction::min},
		{"max", scatter_reduction::max},
	};
	const auto found = names.find(n.attr("reduction", "none"));
	if (found == names.end())
		n.invalid("reduction");
	return found->second;
}

void lower_scatter_elements(lowering &n)
{
	n.require_inputs(3);
	const view data = n.plain(0);
	const scatter_parameters o{reduction_of(n),
	                           n.axis(n.attr("axis", std::int64_t{0}), data.rank())};
	if (n.rank(1) != data.rank() || n.dims(1) != n.dims(2))
		n.invalid("shapes of data, indices and updates");
	if (o.reduction != atom::scatter_reduction::assign)
		refuse_i64(data, "arithmetic");
	n.set(0, n.e.scatter_elements(data, n.in(1), n.plain(2), o), n.type(0));
}

void lower_scatter_nd(lowering &n)
{
	n.require_inputs(3);
	const view data = n.plain(0);
	const view index = n.in(1);
	if (index.rank() == 0 || index.dims.back() < 1 || index.dims.back() > data.rank())
		n.invalid("indices");
	const scatter_parameters o{reduction_of(n)};
	if (o.reduction != atom::scatter_reduction::assign)
		refuse_i64(data, "arithmetic");
	n.set(0, n.e.scatter_nd(data, index, n.plain(2), o), n.type(0));
}

// A cache of [batch, .., positions, ..]: rows from write_indices[batch] on are replaced.
void lower_tensor_scatter(lowering &n)
{
	n.require_inputs(2);
	const view cache = n.plain(0);
	const view update = n.plain(1);
	const unsigned axis = n.axis(n.attr("axis", std::int64_t{-2}), cache.rank());
	const bool circular = n.attr("mode", "linear") == "circular";
	if (axis == 0 || update.rank() != cache.rank())
		n.invalid("axis");
	std::vector<unsigned> order{0, axis};
	for (unsigned d = 1; d < cache.rank(); ++d)
		if (d != axis)
			order.push_back(d);
	const std::int64_t batch = cache.dims[0];
	const std::int64_t rows = update.dims[axis];
	std::vector<double> batches;
	std::vector<double> steps;
	for (std::int64_t b = 0; b < batch; ++b)
		batches.push_back(static_cast<double>(b));
	for (std::int64_t s = 0; s < rows; ++s)
		steps.push_back(static_cast<double>(s));
	view at = n.e.constant(atom::dtype::i32, {1, rows, 1}, steps);
	if (n.has(2)) {
		const view start = n.e.cast(n.in(2), atom::dtype::i32);
		at = n.e.add(n.e.reshape(start, {batch, 1, 1}), at);
	}
	if (circular)
		at = n.e.binary(atom::binary_kind::mod, at,
		                n.e.scalar(atom::dtype::i32,
		                           static_cast<double>(cache.dims[axis])));
	const view who = n.e.constant(atom::dtype::i32, {batch, 1, 1}, batches);
	const view index = n.e.concat(
		{broadcast(who, {batch, rows, 1}), broadcast(at, {batch, rows, 1})}, 2);
	const view result =
		n.e.scatter_nd(permute(cache, order), index, permute(update, order), {});
	std::vector<unsigned> back(order.size());
	for (unsigned i = 0; i < order.size(); ++i)
		back[order[i]] = i;
	n.set(0, permute(result, back), n.type(0));
}

// The first sequence_lens[batch] steps backwards, the rest as they are.
void lower_reverse_sequence(lowering &n)
{
	n.require_inputs(2);
	const view data = n.plain(0);
	const unsigned time = n.axis(n.attr("time_axis", std::int64_t{0}), data.rank());
	const unsigned batch = n.axis(n.attr("batch_axis", std::int64_t{1}), data.rank());
	if (time == batch || data.rank() < 2)
		n.invalid("time_axis and batch_axis");
	shape steps_dims(data.rank(), 1);
	steps_dims[time] = data.dims[time];
	shape length_dims(data.rank(), 1);
	length_dims[batch] = data.dims[batch];
	std::vector<double> counted;
	for (std::int64_t t = 0; t < data.dims[time]; ++t)
		counted.push_back(static_cast<double>(t));
	const view steps = n.e.constant(atom::dtype::i32, steps_dims, counted);
	const view length = n.e.reshape(n.e.cast(n.in(1), atom::dtype::i32), length_dims);
	const view last = n.e.sub(length, n.e.scalar(atom::dtype::i32, 1));
	const view index = n.e.select(n.e.binary(atom::binary_kind::lt, steps, length),
	                              n.e.sub(last, steps), steps);
	n.set(0, n.e.gather_elements(data, broadcast(index, data.dims), time), n.type(0));
}

void lower_feature_extractor(lowering &n)
{
	const view data = n.plain(0);
	if (data.rank() == 0)
		n.invalid("the rank");
	const view row = data.rank() == 1 ? unsqueeze(data, 0) : data;
	const view index = n.e.reshape(n.in(1), {count_of(n.dims(1))});
	n.set(0, n.e.gather_rows(row, index, row.rank() - 1), n.type(0));
}

} // namespace

operator_list index_operators()
{
	return {
		{"Gather", lower_gather},
		{"GatherElements", lower_gather_elements},
		{"GatherND", lower_gather_nd},
		{"Scatter", lower_scatter_elements},
		{"ScatterElements", lower_scatter_elements},
		{"ScatterND", lower_scatter_nd},
		{"TensorScatter", lower_tensor_scatter},
		{"ReverseSequence", lower_reverse_sequence},
		{"ArrayFeatureExtractor", lower_feature_extractor, "ai.onnx.ml"},
	};
}

} // namespace atom_onnx
