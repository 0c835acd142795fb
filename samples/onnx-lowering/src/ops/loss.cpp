// SPDX-License-Identifier: MIT
// Losses of classifiers: a gather of the target's logarithm, weighted and summed.
#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;

struct target {
	view index;               ///< i32 [N, 1, rest], within the classes
	std::optional<view> kept; ///< u8, the same shape: 0 where it is to be ignored
};

target read_target(lowering &n, const shape &dims)
{
	const view told = n.e.reshape(n.e.cast(n.in(1), atom::dtype::i32), dims);
	if (n.find("ignore_index") == nullptr)
		return {told, std::nullopt};
	const auto ignored = static_cast<double>(n.attr("ignore_index", std::int64_t{0}));
	const view kept = n.e.binary(binary_kind::ne, told, n.e.scalar(atom::dtype::i32, ignored));
	return {n.e.select(kept, told, n.e.scalar(atom::dtype::i32, 0)), kept};
}

// Negative log likelihood of log probabilities [N, C, d..].
void set_loss(lowering &n, const view &log)
{
	if (log.rank() < 2 || n.rank(1) + 1 != log.rank())
		n.invalid("the ranks");
	const shape rest_dims(log.dims.begin() + 2, log.dims.end());
	const std::int64_t batch = log.dims[0];
	const std::int64_t rest = count_of(rest_dims);
	const target t = read_target(n, {batch, 1, rest});
	const view rows = n.e.reshape(log, {batch, log.dims[1], rest});
	view loss = n.e.unary(atom::function::neg, n.e.gather_elements(rows, t.index, 1));
	std::optional<view> weight;
	if (n.has(2))
		weight = n.e.reshape(n.e.gather_rows(n.plain(2), t.index, 0), {batch, 1, rest});
	if (t.kept) {
		const view kept = n.e.cast(*t.kept, log.type);
		weight = weight ? n.e.mul(*weight, kept) : kept;
	}
	if (weight)
		loss = n.e.mul(loss, *weight);
	const std::string reduction = n.attr("reduction", "mean");
	if (reduction == "none") {
		n.set(0, n.e.reshape(loss, n.dims(1)));
		return;
	}
	if (reduction != "mean" && reduction != "sum")
		n.invalid("reduction");
	const auto total = [&](const view &v) {
		return n.e.reshape(n.e.reduce(atom::reduce_kind::sum, v, {0, 1, 2}), {});
	};
	view result = total(loss);
	if (reduction == "mean")
		result = n.e.div(result, weight ? total(*weight)
		                                : n.e.scalar(log.type, static_cast<double>(
									       batch * rest)));
	n.set(0, result);
}

void lower_nll(lowering &n)
{
	n.require_inputs(2);
	set_loss(n, n.plain(0));
}

void lower_cross_entropy(lowering &n)
{
	n.require_inputs(2);
	if (n.rank(0) < 2)
		n.invalid("the rank");
	softmax_parameters o;
	o.log = true;
	const view log = n.e.softmax(n.plain(0), 1, o);
	set_loss(n, log);
	n.set(1, log);
}

} // namespace

operator_list loss_operators()
{
	return {
		{"NegativeLogLikelihoodLoss", lower_nll},
		{"SoftmaxCrossEntropyLoss", lower_cross_entropy},
	};
}

} // namespace atom_onnx
