/* SPDX-License-Identifier: MIT */
#include "fast/conv_weights.h"

#include <utility>

namespace atom::engine::fast {

std::vector<std::uint64_t> weight_form(const conv_plan &p, std::initializer_list<std::uint64_t> more)
{
	std::vector<std::uint64_t> form = {p.in.dtype, p.weight.dtype};
	for (std::size_t i = 1; i < 5; ++i) {
		form.push_back(static_cast<std::uint64_t>(p.weight.dims[i]));
		form.push_back(static_cast<std::uint64_t>(p.weight.strides[i]));
	}
	form.insert(form.end(), more);
	return form;
}

bool channel_quant::load(const conv_plan &p, memory &mem, std::int64_t first, std::size_t n)
{
	/* Runs go along dimension 4: there the channels must be. */
	stream s = make_stream(p.weight);
	const std::size_t axis = p.transposed ? 4 : 1;
	std::swap(s.channels[axis], s.channels[4]);
	run_quant quant;
	quant.open(mem, s);
	if (!quant.load({0, 0, 0, 0, first}, n, buffers))
		return false;
	for (std::size_t i = 0; i < n; ++i) {
		scales[i] = p.in.quant.scale * (quant.varies() ? buffers.scales[i] : quant.scale());
		zero_points[i] = quant.varies() ? buffers.zero_points[i] : quant.zero_point();
	}
	return true;
}

} // namespace atom::engine::fast
