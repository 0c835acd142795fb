/* SPDX-License-Identifier: MIT */
/**
 * @file weights_ahead.h
 * @brief Weights that are brought into the second cache while others are multiplied.
 *
 * Where there are few pixels, weights that are needed next are waited for. So each tile fetches some rows of the next block:
 * ahead_bytes of each with every segment. Of weights to be packed, rows are columns and segments as many groups; of panels, any
 * bytes.
 */
#pragma once

#include <algorithm>

#include "driver.h"

namespace atom::engine::kernels {

inline constexpr std::size_t ahead_groups = ahead_bytes / 4;

class weights_ahead {
public:
	weights_ahead() = default;
	/** Rows @p stride bytes apart, in runs of so many, shared out among so many tiles. */
	weights_ahead(const std::byte *from, std::ptrdiff_t stride, std::size_t rows, std::ptrdiff_t run_stride,
		      std::size_t runs, std::size_t tiles)
	    : run_(from), from_(from), stride_(stride), run_stride_(run_stride), rows_(rows), left_(rows), runs_left_(runs),
	      share_(divide_up(rows, std::max(tiles / runs, std::size_t{1})))
	{
	}

	void give_share(tile_args &t)
	{
		if (left_ == 0 && runs_left_ > 1) {
			--runs_left_;
			from_ = run_ += run_stride_;
			left_ = rows_;
		}
		t.ahead_rows = static_cast<unsigned>(std::min(share_, left_));
		t.ahead = from_;
		t.ahead_stride = stride_;
		from_ += static_cast<std::ptrdiff_t>(t.ahead_rows) * stride_;
		left_ -= t.ahead_rows;
	}

private:
	const std::byte *run_ = nullptr, *from_ = nullptr;
	std::ptrdiff_t stride_ = 0, run_stride_ = 0;
	std::size_t rows_ = 0, left_ = 0, runs_left_ = 0, share_ = 0;
};

} // namespace atom::engine::kernels
