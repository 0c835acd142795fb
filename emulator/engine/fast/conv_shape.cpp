/* SPDX-License-Identifier: MIT */
#include <algorithm>

#include "cut.h"
#include "fast/conv.h"
#include "fast/depthwise_vectors.h"
#include "fast/stream.h"
#include "kernels/gemm.h"

namespace atom::engine::fast {

namespace {

/* More than these are for the reference, which keeps its sums when a tile is interrupted. */
constexpr std::int64_t taps_max = 1024, terms_max = 1 << 17, phases_max = 64;
constexpr std::int64_t image_elements_max = 4 << 20;
/* Tiles are not made smaller than this, some ten microseconds, to have several. */
constexpr std::int64_t macs_min = 1 << 20;
constexpr std::int64_t tiles_wanted = 4;
/* Pixels from which packing the weights again does not matter. */
constexpr std::int64_t many_pixels = 512;
constexpr std::int64_t few_channels = 64;
constexpr std::int64_t channels_max = static_cast<std::int64_t>(run_elements);
constexpr auto lanes = static_cast<std::int64_t>(depthwise_lanes);

std::vector<axis_phase> phases_of(const conv_plan &p, const window_axis &axis, std::int64_t outputs)
{
	std::vector<axis_phase> phases;
	if (!p.transposed) {
		axis_phase one;
		one.count = outputs;
		one.in_step = axis.stride;
		for (std::int64_t k = 0; k < axis.kernel; ++k)
			one.taps.push_back({k, k * axis.dilation - axis.pad_before});
		phases.push_back(one);
		return phases;
	}
	for (std::int64_t first = 0; first < std::min(axis.stride, outputs); ++first) {
		axis_phase phase;
		phase.first = first;
		phase.step = axis.stride;
		phase.count = parts(outputs - first, axis.stride);
		for (std::int64_t k = 0; k < axis.kernel; ++k) {
			const std::int64_t steps = first + axis.pad_before - k * axis.dilation;
			if (steps % axis.stride == 0)
				phase.taps.push_back({k, steps / axis.stride});
		}
		phases.push_back(phase);
	}
	return phases;
}

/* A kernel of one tap reads every stride-th element: as a tensor of those. */
void drop_stride(tensor &in, window_axis &axis, std::size_t dim, std::int64_t outputs)
{
	if (axis.kernel != 1 || axis.pad_before != 0 || (outputs - 1) * axis.stride >= in.dims[dim])
		return;
	in.dims[dim] = outputs;
	in.strides[dim] *= axis.stride;
	axis.stride = 1;
}

/* Makes dimension @dim part of the next one, if every tensor is walked so. */
void join(conv_plan &p, std::size_t dim)
{
	for (const tensor *t : {&p.in, &p.out, &p.tail.bias, &p.tail.residual})
		if (*t && t->dims[dim] != 1 && t->strides[dim] != t->strides[dim + 1] * t->dims[dim + 1])
			return;
	for (tensor *t : {&p.in, &p.out, &p.tail.bias, &p.tail.residual})
		if (*t) {
			t->dims[dim + 1] *= t->dims[dim];
			t->dims[dim] = 1;
			t->strides[dim] = 0;
		}
}

bool quantised_along(const tensor &t, std::size_t first, std::size_t last)
{
	return t.quant.kind == ATOM_QUANT_PER_CHANNEL && t.quant.axis >= first && t.quant.axis <= last;
}

} // namespace

std::int64_t axis_phase::least() const
{
	std::int64_t offset = taps.empty() ? 0 : taps.front().offset;
	for (const axis_tap &t : taps)
		offset = std::min(offset, t.offset);
	return offset;
}

bool axis_phase::inside(std::int64_t output, const axis_tap &tap, std::int64_t inputs) const
{
	const std::int64_t at = output * in_step + tap.offset;
	return at >= 0 && at < inputs;
}

std::int64_t axis_phase::reach(std::int64_t outputs) const
{
	std::int64_t greatest = least();
	for (const axis_tap &t : taps)
		greatest = std::max(greatest, t.offset);
	return (outputs - 1) * in_step + greatest - least() + 1;
}

conv_shape::conv_shape(const conv_plan &plan) : p_(plan)
{
	window_plan &window = p_.window;
	for (const std::size_t dim : {2, 3}) /* a stride that nobody takes may be anything */
		if (p_.in.dims[dim] == 1)
			p_.in.strides[dim] = 0;
	if (window.h.kernel > taps_max || window.w.kernel > taps_max || window.taps() > taps_max ||
	    window.taps() * p_.in_channels > terms_max ||
	    (p_.transposed && (window.h.stride > phases_max || window.w.stride > phases_max ||
			       window.h.stride * window.w.stride > phases_max)) ||
	    !kernels::gemm_supports(static_cast<atom_dtype>(p_.in.dtype), static_cast<atom_dtype>(p_.weight.dtype)))
		return;
	if (!p_.transposed) {
		drop_stride(p_.in, window.h, 2, p_.out.dims[2]);
		drop_stride(p_.in, window.w, 3, p_.out.dims[3]);
	}
	const auto one_to_one = [&](const window_axis &axis, std::size_t dim) {
		return axis.kernel == 1 && axis.stride == 1 && axis.pad_before == 0 && p_.in.dims[dim] == p_.out.dims[dim];
	};
	if (one_to_one(window.h, 2) && one_to_one(window.w, 3) && !quantised_along(p_.out, 1, 3) &&
	    !quantised_along(p_.tail.residual, 1, 3)) {
		join(p_, 2);
		if (p_.out.dims[2] == 1) { /* the images of a batch as rows of one */
			for (tensor *t : {&p_.in, &p_.out, &p_.tail.bias, &p_.tail.residual}) {
				std::swap(t->dims[1], t->dims[2]);
				std::swap(t->strides[1], t->strides[2]);
			}
			join(p_, 2);
		}
	}
	h_ = phases_of(p_, window.h, p_.out.dims[2]);
	w_ = phases_of(p_, window.w, p_.out.dims[3]);
	depthwise_ = p_.in_channels == 1 && p_.out_channels == 1 && p_.groups > 1 &&
		     (!p_.integer || window.taps() <= depthwise_exact_taps);
	const bool bf16 = p_.in.dtype == ATOM_DTYPE_BF16 && p_.weight.dtype == ATOM_DTYPE_BF16;
	/* About a millisecond; depthwise, about a tenth of the speed. */
	const std::int64_t most = std::int64_t{1} << ((p_.integer ? 28 : bf16 ? 27 : 26) - (depthwise_ ? 4 : 0));
	const std::int64_t least = depthwise_ ? macs_min >> 3 : macs_min;
	const __int128 all = static_cast<__int128>(p_.pixels()) * p_.out.dims[4] * window.taps() * p_.in_channels;
	cut(static_cast<std::int64_t>(std::clamp<__int128>(all / tiles_wanted, least, most)));
}

void conv_shape::cut(std::int64_t macs)
{
	const auto most_taps = [](const std::vector<axis_phase> &phases) {
		std::size_t most = 1;
		for (const axis_phase &phase : phases)
			most = std::max(most, phase.taps.size());
		return static_cast<std::int64_t>(most);
	};
	const std::int64_t terms = most_taps(h_) * most_taps(w_) * p_.in_channels;
	rows_ = h_[0].count;
	columns_ = w_[0].count;
	groups_ = depthwise_ ? std::min(p_.groups, channels_max) : p_.groups;
	channels_ = std::min(p_.out_channels, channels_max);
	const std::int64_t least_groups = depthwise_ ? few_channels : 1;
	const auto halve_pixels = [&] { (rows_ > 1 ? rows_ : columns_) = parts(rows_ > 1 ? rows_ : columns_, 2); };
	const auto area = [&] { return static_cast<__int128>(rows_) * columns_; };
	const auto too_much = [&](std::int64_t least_pixels) {
		return area() > least_pixels && area() * groups_ * channels_ * terms > macs;
	};
	while (too_much(many_pixels))
		halve_pixels();
	while (groups_ > least_groups && too_much(0))
		groups_ = parts(groups_, 2);
	while (channels_ > few_channels && too_much(0))
		channels_ = parts(channels_, 2);
	while (too_much(16))
		halve_pixels();
	while (groups_ > 1 && too_much(0))
		groups_ = parts(groups_, 2);
	const auto image = [&] {
		std::int64_t most = 0;
		for (const axis_phase &h : h_)
			for (const axis_phase &w : w_)
				most = std::max(most, std::min(h.reach(rows_), image_elements_max) *
							      std::min(w.reach(columns_), image_elements_max));
		/* Fewer channels than a vector has are filled up. */
		return static_cast<__int128>(most) * (depthwise_ ? std::max(groups_, lanes) : groups_) * p_.in_channels;
	};
	while (image() > image_elements_max) {
		if (area() > 1)
			halve_pixels();
		else if (groups_ > 1)
			groups_ = parts(groups_, 2);
		else
			return;
	}
	const std::int64_t rows = rows_, columns = columns_, groups = groups_;
	constexpr std::int64_t register_rows = 14, panel = 32;
	rows_ = even_part(h_[0].count, rows_, 1, channels_max);
	columns_ = even_part(w_[0].count, columns_, columns_ < w_[0].count ? register_rows : 1, channels_max);
	groups_ = even_part(p_.groups, groups_, depthwise_ ? lanes : 1, channels_max);
	if (image() > image_elements_max) { /* outputs far apart: one more is much more */
		rows_ = rows;
		columns_ = columns;
		groups_ = groups;
	}
	channels_ = even_part(p_.out_channels, channels_, panel, channels_max);
	row_parts_ = parts(h_[0].count, rows_);
	column_parts_ = parts(w_[0].count, columns_);
	group_parts_ = parts(p_.groups, groups_);
	channel_parts_ = parts(p_.out_channels, channels_);
	tiles_ = static_cast<std::uint64_t>(p_.out.dims[1] * row_parts_ * column_parts_ * group_parts_ * channel_parts_) *
		 h_.size() * w_.size();
}

conv_part conv_shape::part(std::uint64_t tile) const
{
	const auto take = [&](std::int64_t of) {
		const auto n = static_cast<std::uint64_t>(of);
		const auto i = static_cast<std::int64_t>(tile % n);
		tile /= n;
		return i;
	};
	conv_part part;
	part.channel = take(channel_parts_) * channels_;
	part.channels = std::min(channels_, p_.out_channels - part.channel);
	part.group = take(group_parts_) * groups_;
	part.groups = std::min(groups_, p_.groups - part.group);
	part.w = &w_[static_cast<std::size_t>(take(static_cast<std::int64_t>(w_.size())))];
	part.x = take(column_parts_) * columns_;
	part.columns = std::min(columns_, part.w->count - part.x);
	part.h = &h_[static_cast<std::size_t>(take(static_cast<std::int64_t>(h_.size())))];
	part.y = take(row_parts_) * rows_;
	part.rows = std::min(rows_, part.h->count - part.y);
	part.image = static_cast<std::int64_t>(tile);
	return part;
}

} // namespace atom::engine::fast
