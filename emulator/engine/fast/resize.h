/* SPDX-License-Identifier: MIT */
/**
 * @file resize.h
 * @brief RESIZE2D in runs of outputs.
 */
#pragma once

#include "fast/stream.h"
#include "resize_plan.h"

namespace atom::engine::fast {

/** How a RESIZE2D is cut. */
struct resize_shape {
	bool columns = false; ///< a run is of outputs of one row, else of channels of one pixel
	index5 dims{};  ///< of the outputs: N, H', and W', C with the run's last
	stream in, out; ///< strides in the same order
	std::uint64_t outputs = 0;
	std::uint64_t per_tile = 0;
	std::uint64_t tiles = 0;
};
resize_shape cut(const resize_plan &p);

void resize(const resize_plan &p, const resize_shape &shape, memory &mem, scratch &work, std::uint64_t tile);

} // namespace atom::engine::fast
