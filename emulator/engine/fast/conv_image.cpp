/* SPDX-License-Identifier: MIT */
#include "fast/conv_image.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "fast/stream.h"

namespace atom::engine::fast {

namespace {

class image_maker {
public:
	image_maker(const tensor &in, const conv_part &part, const image_channels &channels, const pixel_format &format,
		    memory &mem, scratch &work, conv_image &to)
		: in_(in), part_(part), channels_(channels), format_(format), mem_(mem), work_(work), to_(to),
		  y_(part.y * part.h->in_step + part.h->least()), x_(part.x * part.w->in_step + part.w->least())
	{
		to_.rows = part.h->reach(part.rows);
		to_.columns = part.w->reach(part.columns);
		to_.channels = (channels.each + format.multiple - 1) / format.multiple * format.multiple;
		const auto in_reach = [](std::int64_t from, std::int64_t count, std::int64_t stride) {
			constexpr __int128 most = std::int64_t{1} << 60;
			const __int128 steps = std::max(std::abs(from), std::abs(from + count));
			return steps * std::abs(stride) < most;
		};
		addressable_ = in_reach(y_, to_.rows, in_.strides[2]) && in_reach(x_, to_.columns, in_.strides[3]);
		inside_ = y_ >= 0 && x_ >= 0 && y_ + to_.rows <= in_.dims[2] && x_ + to_.columns <= in_.dims[3];
	}

	bool run()
	{
		const bool as_it_lies = format_.in_place && (inside_ || (format_.pads_unused && addressable_)) && to_.channels == channels_.each &&
					(in_.strides[4] == in_.element_bytes || channels_.all() == 1);
		return (as_it_lies && use_in_place()) || (!mem_.failed() && copy());
	}

private:
	index5 at(std::int64_t row, std::int64_t column) const
	{
		return {0, part_.image, y_ + row, x_ + column, channels_.first};
	}
	/* The lowest and highest byte from inputs @first to @last, both in the image. */
	std::byte *map(const index5 &first, const index5 &last)
	{
		std::int64_t low = offset_of(first, in_.strides), high = low + in_.element_bytes;
		for (std::size_t i = 2; i < 5; ++i) {
			const std::int64_t step = (last[i] - first[i]) * in_.strides[i];
			(step < 0 ? low : high) += step;
		}
		std::byte *p = mem_.map(in_.operand, low, high, ATOM_ACCESS_READ);
		return p ? p - low : nullptr;
	}

	bool use_in_place()
	{
		index5 first = at(std::max<std::int64_t>(0, -y_), std::max<std::int64_t>(0, -x_));
		index5 last = at(std::min(to_.rows, in_.dims[2] - y_) - 1, std::min(to_.columns, in_.dims[3] - x_) - 1);
		last[4] += channels_.all() - 1;
		if (first[2] > last[2] || first[3] > last[3])
			return false;
		const std::byte *base = map(first, last);
		if (!base)
			return false;
		to_.data = base + offset_of(at(0, 0), in_.strides);
		to_.in_place = true;
		to_.element_bytes = in_.element_bytes;
		to_.row_stride = in_.strides[2];
		to_.column_stride = in_.strides[3];
		to_.group_stride = channels_.each * in_.element_bytes;
		return true;
	}

	void fill(std::byte *to, std::size_t bytes) const
	{
		if (format_.bytes == 2 && format_.fill)
			for (std::size_t i = 0; i < bytes; i += 2) {
				const auto value = static_cast<std::int16_t>(format_.fill);
				std::memcpy(to + i, &value, 2);
			}
		else
			std::memset(to, format_.fill & 0xff, bytes);
	}

	/* All but rows [top, bottom) of columns [left, right). */
	void fill_pads(std::byte *data, std::size_t size, std::int64_t top, std::int64_t bottom, std::int64_t left,
		       std::int64_t right) const
	{
		std::byte *from = data;
		for (std::int64_t row = top; row < bottom; ++row) {
			std::byte *inside = data + row * to_.row_stride + left * to_.column_stride;
			fill(from, static_cast<std::size_t>(inside - from));
			from = inside + (right - left) * to_.column_stride;
		}
		fill(from, static_cast<std::size_t>(data + size - from));
	}

	bool copy()
	{
		const auto bytes = static_cast<std::int64_t>(format_.bytes);
		to_.element_bytes = bytes;
		to_.group_stride = to_.channels * bytes;
		to_.column_stride = channels_.groups * to_.group_stride;
		to_.row_stride = to_.columns * to_.column_stride;
		const auto size = static_cast<std::size_t>(to_.rows * to_.row_stride + format_.behind);
		std::byte *data = work_.get(1, size);
		to_.data = data;
		const bool filled_up = to_.channels != channels_.each;
		const std::int64_t top = std::max<std::int64_t>(0, -y_), left = std::max<std::int64_t>(0, -x_);
		const std::int64_t bottom = std::min(to_.rows, in_.dims[2] - y_), right = std::min(to_.columns, in_.dims[3] - x_);
		const bool nothing = top >= bottom || left >= right;
		if (nothing || filled_up)
			fill(data, size);
		else
			fill_pads(data, size, top, bottom, left, right);
		if (nothing)
			return true;
		index5 last = at(bottom - 1, right - 1);
		last[4] += channels_.all() - 1;
		stream_.t = in_;
		if (!window_.open(mem_, stream_, range_of(in_, at(top, left), last), ATOM_ACCESS_READ))
			return false;
		base_ = window_.base();
		const bool runs = in_.strides[4] == in_.element_bytes && !filled_up;
		const bool rows = runs && in_.strides[3] == channels_.all() * in_.element_bytes;
		const bool words = format_.same_bytes && base_ && channels_.groups == 1 && to_.group_stride == 8 &&
				   in_.strides[4] == in_.element_bytes &&
				   in_.strides[3] + channels_.each * in_.element_bytes >= 8;
		const bool planes = base_ && !runs && in_.strides[3] == in_.element_bytes && in_.strides[4] != in_.element_bytes;
		for (std::int64_t row = top; row < bottom; ++row) {
			std::byte *to = data + row * to_.row_stride + left * to_.column_stride;
			if (rows) {
				if (!run(at(row, left), (right - left) * channels_.all(), to))
					return false;
				continue;
			}
			if (planes) {
				row_of_planes(at(row, left), right - left, to);
				continue;
			}
			std::int64_t column = left;
			if (words) {
				const std::byte *from = base_ + offset_of(at(row, column), in_.strides);
				for (; column + 1 < right; ++column, to += 8, from += in_.strides[3])
					copy_word(from, to);
			}
			for (; column < right; ++column, to += to_.column_stride)
				if (!pixel(at(row, column), runs, to))
					return false;
		}
		return true;
	}

	/* @count pixels whose channels are images of their own: channel by channel. */
	void row_of_planes(index5 index, std::int64_t count, std::byte *to)
	{
		for (std::int64_t group = 0; group < channels_.groups; ++group, to += to_.group_stride) {
			std::byte *place = to;
			for (std::int64_t channel = 0; channel < channels_.each; ++channel, ++index[4], place += format_.bytes)
				plane(base_ + offset_of(index, in_.strides), count, place);
		}
	}

	void plane(const std::byte *from, std::int64_t count, std::byte *to)
	{
		constexpr auto most = static_cast<std::int64_t>(run_elements);
		std::byte *converted = work_.get(2, run_elements * 4);
		while (count > 0) {
			const std::int64_t some = std::min(most, count);
			format_.convert(from, static_cast<std::size_t>(some), converted);
			if (format_.bytes == 1)
				spread<std::uint8_t>(converted, some, to);
			else if (format_.bytes == 2)
				spread<std::uint16_t>(converted, some, to);
			else
				spread<std::uint32_t>(converted, some, to);
			from += some * in_.element_bytes;
			to += some * to_.column_stride;
			count -= some;
		}
	}

	template <class T> void spread(const std::byte *from, std::int64_t count, std::byte *to) const
	{
		const std::ptrdiff_t step = to_.column_stride;
		for (; count > 0; --count, from += sizeof(T), to += step)
			std::memcpy(to, from, sizeof(T));
	}

	/* A pixel of few channels, with what follows it in the image, in place of which the filling stays. */
	void copy_word(const std::byte *from, std::byte *to) const
	{
		const std::uint64_t mine = ~std::uint64_t{0} >> (64 - 8 * channels_.each * in_.element_bytes);
		std::uint64_t word, filling;
		std::memcpy(&word, from, sizeof word);
		std::memcpy(&filling, to, sizeof filling);
		word = (word & mine) | (filling & ~mine);
		std::memcpy(to, &word, sizeof word);
	}

	bool pixel(index5 index, bool whole, std::byte *to)
	{
		if (whole)
			return run(index, channels_.all(), to);
		for (std::int64_t group = 0; group < channels_.groups; ++group) {
			if (!run(index, channels_.each, to))
				return false;
			index[4] += channels_.each;
			to += to_.group_stride;
		}
		return true;
	}

	/* @count elements from @index on, along the channels or through dense pixels. */
	bool run(index5 index, std::int64_t count, std::byte *to)
	{
		if (base_ && (in_.strides[4] == in_.element_bytes || count == 1)) {
			format_.convert(base_ + offset_of(index, in_.strides), static_cast<std::size_t>(count), to);
			return true;
		}
		constexpr auto most = static_cast<std::int64_t>(run_elements);
		for (std::int64_t done = 0; done < count; done += most, index[4] += most) {
			const auto some = static_cast<std::size_t>(std::min(most, count - done));
			const std::byte *from = window_.read(index, some, work_.get(2, run_elements * 4));
			if (!from)
				return false;
			format_.convert(from, some, to + done * format_.bytes);
		}
		return true;
	}

	const tensor &in_;
	const conv_part &part_;
	const image_channels &channels_;
	const pixel_format &format_;
	memory &mem_;
	scratch &work_;
	conv_image &to_;
	std::int64_t y_, x_; /* of the input */
	bool inside_;      /* all of it */
	bool addressable_; /* with pads */
	const std::byte *base_ = nullptr;
	stream stream_;
	window window_;
};

} // namespace

bool make_image(const tensor &in, const conv_part &part, const image_channels &channels, const pixel_format &format,
		memory &mem, scratch &work, conv_image &to)
{
	return image_maker(in, part, channels, format, mem, work, to).run();
}

} // namespace atom::engine::fast
