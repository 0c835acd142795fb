/* SPDX-License-Identifier: MIT */
#include "fast/pool.h"

#include <algorithm>
#include <cstdlib>

namespace atom::engine::fast {

namespace {

using along = pool_shape::along;

/* Fewer outputs in a tile would make its runs short. */
constexpr std::uint64_t outputs_per_tile_min = 64;
/* A run of fewer elements is not worth a loop if there is a longer one. */
constexpr std::int64_t long_enough = 16;
/* A gather over larger steps touches a cache line for each element. */
constexpr std::int64_t near_bytes = 64;

along choose(const pool_plan &p)
{
	const std::int64_t size = p.in.element_bytes, channels = p.in.dims[4];
	const bool near = std::abs(p.in.strides[3]) <= near_bytes;
	if (channels >= long_enough && p.in.strides[4] == size)
		return along::channels;
	if (near && p.out.dims[3] >= long_enough)
		return along::columns;
	if (near && p.window.w.kernel >= long_enough)
		return along::taps;
	return channels >= p.out.dims[3] || !near ? along::channels : along::columns;
}

/* The outputs in the order in which they are walked, the run's dimension last. */
index5 walked(index5 of, along run)
{
	if (run == along::columns)
		std::swap(of[3], of[4]);
	else if (run == along::taps)
		of = {of[1], of[2], of[3], of[4], of[0]};
	return of;
}

stream walked(const tensor &t, along run)
{
	stream s = make_stream(t);
	s.t.dims = walked(s.t.dims, run);
	s.t.strides = walked(s.t.strides, run);
	s.channels = walked(s.channels, run);
	return s;
}

/* See pooling::input() for what the index counts. */
stream input_walk(const pool_plan &p, along run)
{
	stream s = make_stream(p.in);
	const index5 from = p.in.strides, channels = s.channels;
	index5 &to = s.t.strides;
	switch (run) {
	case along::channels:
		break;
	case along::columns:
		to = {from[3], from[1], from[2], from[4], from[3] * p.window.w.stride};
		s.channels = {0, 0, 0, channels[4], 0};
		break;
	case along::taps:
		to = {from[4], from[1], from[2], from[3], from[3] * p.window.w.dilation};
		s.channels = {channels[4], 0, 0, 0, 0};
	}
	return s;
}

} // namespace

pool_shape cut(const pool_plan &p)
{
	pool_shape s;
	s.run = choose(p);
	s.dims = walked(p.out.dims, s.run);
	s.out = walked(p.out, s.run);
	s.index = walked(p.index, s.run);
	s.in = input_walk(p, s.run);
	s.outputs = elements(s.dims);
	const std::uint64_t least = std::min(static_cast<std::uint64_t>(s.dims.back()), outputs_per_tile_min);
	s.per_tile = std::max(static_cast<std::uint64_t>(pool_taps_per_tile / p.window.taps()), least);
	s.tiles = (s.outputs + s.per_tile - 1) / s.per_tile;
	return s;
}

output_place place_of(const index5 &i, along run)
{
	switch (run) {
	case along::channels:
		return {i[1], i[2], i[3], i[4]};
	case along::columns:
		return {i[1], i[2], i[4], i[3]};
	default:
		return {i[0], i[1], i[2], i[3]};
	}
}

byte_range inputs_of(const pool_plan &p, const pool_shape &shape, std::uint64_t first, std::uint64_t last)
{
	const output_place a = place_of(index_at(first, shape.dims), shape.run);
	const output_place b = place_of(index_at(last - 1, shape.dims), shape.run);
	const std::int64_t height = p.in.dims[2];
	const auto row = [&](std::int64_t y) { return std::clamp<std::int64_t>(y, 0, height - 1); };
	index5 low{}, high = p.in.dims;
	for (std::int64_t &i : high)
		--i;
	low[1] = a.n;
	high[1] = b.n;
	if (a.n == b.n) {
		low[2] = row(p.window.h.at(a.y, 0));
		high[2] = row(p.window.h.at(b.y, p.window.h.kernel - 1));
	}
	return range_of(p.in, low, high);
}

} // namespace atom::engine::fast
