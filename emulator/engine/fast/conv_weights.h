/* SPDX-License-Identifier: MIT */
/**
 * @file conv_weights.h
 * @brief Quantisation of a convolution's weights, and what tells them apart.
 */
#pragma once

#include <initializer_list>
#include <vector>

#include "conv_plan.h"
#include "fast/values.h"

namespace atom::engine::fast {

/** Numbers by which what is made of a weight and kept is told apart: types, dimensions and strides, and @p more. */
std::vector<std::uint64_t> weight_form(const conv_plan &p, std::initializer_list<std::uint64_t> more);

struct channel_quant {
	alignas(64) float scales[run_elements]; ///< of the sums: the input's times the channel's
	alignas(64) std::int32_t zero_points[run_elements];
	run_buffers buffers;

	/** Of channels [first, first + n), n at most run_elements, counted along the axis of the quantisation. */
	bool load(const conv_plan &p, memory &mem, std::int64_t first, std::size_t n);
};

} // namespace atom::engine::fast
