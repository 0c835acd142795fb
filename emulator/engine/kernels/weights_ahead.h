/* SPDX-License-Identifier: MIT */
/**
 * @file weights_ahead.h
 * @brief Weights that are brought into the second cache while others are multiplied.
 *
 * Where there are few pixels, packing the weights waits for memory. So each tile fetches some columns of the next block:
 * ahead_bytes of each with every segment, which is as many groups.
 */
#pragma once

#include <algorithm>

#include "kernel_table.h"

namespace atom::engine::kernels {

inline constexpr std::size_t ahead_groups = ahead_bytes / 4;

class weights_ahead {
public:
	weights_ahead() = default;
	/** Columns @p stride bytes apart, shared out among so many tiles. */
	weights_ahead(const std::byte *from, std::ptrdiff_t stride, std::size_t columns, std::size_t tiles)
	    : from_(from), stride_(stride), left_(columns), share_((columns + tiles - 1) / tiles)
	{
	}

	void give_share(tile_args &t)
	{
		t.ahead_rows = static_cast<unsigned>(std::min(share_, left_));
		t.ahead = from_;
		t.ahead_stride = stride_;
		from_ += static_cast<std::ptrdiff_t>(t.ahead_rows) * stride_;
		left_ -= t.ahead_rows;
	}

private:
	const std::byte *from_ = nullptr;
	std::ptrdiff_t stride_ = 0;
	std::size_t left_ = 0, share_ = 0;
};

} // namespace atom::engine::kernels
