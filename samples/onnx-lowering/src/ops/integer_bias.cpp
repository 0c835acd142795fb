// SPDX-License-Identifier: MIT
// A bias of integers: the device adds it to the sums, which is one rounding less than a bias of
// reals added to the scaled sums.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "convolution.hpp"

namespace atom_onnx {
namespace {

using kind = view_quantisation::kind;

bool is_byte(const view &v) { return v.type == atom::dtype::i8 || v.type == atom::dtype::u8; }

// What a step of the sums of each channel stands for.
std::vector<float> steps_of(lowering &n, const view &in, const view &weight)
{
	std::vector<float> steps(static_cast<std::size_t>(weight.dims[0]), weight.quant.scale);
	if (weight.quant.of == kind::per_channel) {
		const auto storage = static_cast<std::size_t>(weight.quant.scales);
		const auto &data = n.state().commands.storages()[storage].data;
		if (data.size() < steps.size() * sizeof(float))
			return {};
		std::memcpy(steps.data(), data.data(), steps.size() * sizeof(float));
	}
	for (float &step : steps)
		step *= in.quant.scale;
	return steps;
}

} // namespace

bool sums_integers(const view &in, const view &weight)
{
	return in.quant.of == kind::per_tensor && weight.quantised() && is_byte(in) &&
	       is_byte(weight) &&
	       (weight.quant.of == kind::per_tensor || weight.quant.axis == 0);
}

std::optional<view> integer_bias(lowering &n, const view &in, const view &weight,
                                 const host_tensor &bias)
{
	const std::vector<float> steps = steps_of(n, in, weight);
	const std::vector<double> reals = bias.reals();
	if (reals.empty() || reals.size() != steps.size())
		return std::nullopt;
	// Sums with the bias stay below 2^31: each term is below 2^16.
	const std::int64_t terms = count_of(weight.dims) / weight.dims[0];
	const double most = 0x1p31 - std::min(static_cast<double>(terms), 0x1p15) * 0x1p16;
	std::vector<std::int64_t> integers(reals.size());
	for (std::size_t c = 0; c < reals.size(); ++c) {
		const double steps_up = std::nearbyint(reals[c] / steps[c]);
		if (!(std::fabs(steps_up) < most) ||
		    static_cast<float>(steps_up) * steps[c] != static_cast<float>(reals[c]))
			return std::nullopt;
		integers[c] = static_cast<std::int64_t>(steps_up);
	}
	return n.e.constant(host_tensor::of(element_type::i32, bias.dims(), integers));
}

} // namespace atom_onnx
