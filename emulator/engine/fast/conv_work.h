/* SPDX-License-Identifier: MIT */
/**
 * @file conv_work.h
 * @brief What the ways to compute a tile of a convolution have in common.
 */
#pragma once

#include "fast/conv.h"
#include "fast/conv_image.h"
#include "fast/conv_weights.h"
#include "fast/epilogue.h"
#include "kernels/tap_range.h"

namespace atom::engine::fast {

/** Of [0, count) what is left without unwanted ones at both ends, but at least @p least. */
template <class Wanted> kernels::tap_range trimmed(std::size_t count, std::size_t least, const Wanted &wanted)
{
	kernels::tap_range left{0, count};
	while (left.first + least < left.last && !wanted(left.first))
		++left.first;
	while (left.last > left.first + least && !wanted(left.last - 1))
		--left.last;
	return left;
}

/** One tile of a convolution, with the first scratch buffer of its worker. */
class conv_work {
public:
	conv_work(const conv_plan &p, memory &mem, scratch &work, const conv_part &part)
		: p_(p), mem_(mem), work_(work), part_(part),
		  buf_(*reinterpret_cast<buffers *>(work.get(0, sizeof(buffers)))), end_(p.tail, p.out, p.exact, buf_.finish)
	{
	}

protected:
	/** Between these two all outputs are written. False: fault. */
	bool open_outputs()
	{
		return end_.open(mem_, part_.at(p_, 0, 0, 0, part_.channel),
				 part_.at(p_, part_.rows - 1, part_.columns - 1, part_.groups - 1, part_.channel + part_.channels - 1));
	}

	struct buffers {
		finish_buffers finish;
		channel_quant weights;
	};

	const conv_plan &p_;
	memory &mem_;
	scratch &work_;
	const conv_part &part_;
	buffers &buf_;
	finisher end_;
	conv_image image_;
};

} // namespace atom::engine::fast
