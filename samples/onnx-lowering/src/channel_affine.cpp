// SPDX-License-Identifier: MIT
#include "channel_affine.hpp"

#include <cmath>

#include "fusion.hpp"

namespace atom_onnx {
namespace {

std::optional<channel_affine> of_norm(const lowering &n, std::size_t channels)
{
	if (n.inputs() != 5 || n.attr("training_mode", std::int64_t{0}) != 0)
		return std::nullopt;
	for (unsigned i = 1; i < 5; ++i)
		if (!n.has(i) || !n.known(i) || !is_float(n.type(i)) ||
		    n.host(i).count() != static_cast<std::int64_t>(channels))
			return std::nullopt;
	for (unsigned i = 1; i < n.outputs(); ++i)
		if (n.wants(i))
			return std::nullopt;
	const auto scale = n.host(1).reals();
	const auto beta = n.host(2).reals();
	const auto mean = n.host(3).reals();
	const auto variance = n.host(4).reals();
	const double epsilon = n.attr("epsilon", 1e-5F);
	channel_affine a;
	for (std::size_t c = 0; c < channels; ++c) {
		a.factor.push_back(scale[c] / std::sqrt(variance[c] + epsilon));
		a.summand.push_back(beta[c] - mean[c] * a.factor[c]);
	}
	return a;
}

// One number, or one a channel, broadcast by NumPy's rules to a tensor of `rank` dimensions.
std::optional<std::vector<double>> by_channel(const host_tensor &t, std::size_t rank,
                                              std::size_t channels)
{
	const std::vector<double> values = t.reals();
	if (t.dims().size() > rank)
		return std::nullopt;
	if (values.size() == 1)
		return std::vector<double>(channels, values[0]);
	const std::size_t missing = rank - t.dims().size();
	for (std::size_t d = 0; d < t.dims().size(); ++d)
		if (t.dims()[d] != 1 && d + missing != 1)
			return std::nullopt;
	if (values.size() != channels)
		return std::nullopt;
	return values;
}

} // namespace

std::optional<channel_affine> affine_of(const lowering &n, value_id value, std::size_t rank,
                                        std::size_t channels)
{
	const std::string &op = n.node().op_type;
	if (!n.node().domain.empty() || rank < 2)
		return std::nullopt;
	if (op == "BatchNormalization")
		return n.node().inputs[0] == value ? of_norm(n, channels) : std::nullopt;
	if ((op != "Mul" && op != "Add") || n.inputs() != 2 || n.opset() < 7)
		return std::nullopt;
	const unsigned other = n.node().inputs[0] == value ? 1 : 0;
	if (!n.has(other) || n.node().inputs[other] == value || !n.known(other) ||
	    !is_float(n.type(other)))
		return std::nullopt;
	const auto numbers = by_channel(n.host(other), rank, channels);
	if (!numbers)
		return std::nullopt;
	const bool times = op == "Mul";
	return channel_affine{times ? *numbers : std::vector<double>(channels, 1),
	                      times ? std::vector<double>(channels, 0) : *numbers};
}

std::optional<channel_affine> take_affine(lowering &n, value_id &value, std::size_t rank,
                                          std::int64_t channels)
{
	const auto count = static_cast<std::size_t>(channels);
	std::optional<channel_affine> all;
	for (;;) {
		const int reader = only_reader(n.state(), value);
		if (reader < 0 || n.state().done[static_cast<std::size_t>(reader)])
			return all;
		const lowering next(n.state(), reader);
		const auto a = affine_of(next, value, rank, count);
		if (!a || !next.wants(0))
			return all;
		if (!all)
			all = {std::vector<double>(count, 1), std::vector<double>(count, 0)};
		for (std::size_t c = 0; c < count; ++c) {
			all->factor[c] *= a->factor[c];
			all->summand[c] = all->summand[c] * a->factor[c] + a->summand[c];
		}
		n.state().done[static_cast<std::size_t>(reader)] = true;
		value = next.result();
	}
}

} // namespace atom_onnx
