/* SPDX-License-Identifier: MIT */
#include "fast/conv_weights.h"

#include <utility>

namespace atom::engine::fast {

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
