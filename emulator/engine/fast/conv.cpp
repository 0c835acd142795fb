/* SPDX-License-Identifier: MIT */
#include "fast/conv.h"

#include <algorithm>
#include <cstring>

#include "fast/conv_work.h"
#include "fast/depthwise.h"
#include "kernels/windows.h"

namespace atom::engine::fast {

namespace {

/* Products with pads are left out in rows of so many pixels at most, in taps of so many bytes of channels at least. */
constexpr std::int64_t skipping_columns = 28, skipping_bytes = 128;

/* As the matrix kernels want it. */
class kernel_pixels final : public pixel_format {
public:
	kernel_pixels(const conv_plan &p, bool zero_points)
		: type_(static_cast<atom_dtype>(p.in.dtype)), weights_(static_cast<atom_dtype>(p.weight.dtype))
	{
		const kernels::image_format f = kernels::image_format_of(type_, weights_);
		bytes = f.element_bytes;
		behind = 4;
		zero = p.in.quant.zero_point;
		if (f.flipped)
			zero += type_ == ATOM_DTYPE_I8 ? 128 : -128;
		fill = zero;
		/* Beyond the channels, integers may be anything: their weights are 0, unless a sum of a row is needed. */
		multiple = p.integer && !zero_points ? 1 : f.group;
		same_bytes = f.in_place;
		in_place = f.in_place && p.in_channels % f.group == 0;
	}
	void convert(const std::byte *from, std::size_t count, std::byte *to) const override
	{
		kernels::matrix run;
		run.data = from;
		run.column_stride = bytes_of_input();
		run.type = type_;
		kernels::convert_image(weights_, run, count, to);
	}

	std::int32_t zero; ///< point of the converted image

private:
	std::ptrdiff_t bytes_of_input() const { return element_bytes(static_cast<std::uint8_t>(type_)); }

	atom_dtype type_, weights_;
};

class convolution : conv_work {
public:
	using conv_work::conv_work;

	void run()
	{
		if (!find_zero_points())
			return;
		const kernel_pixels format(p_, zero_points_);
		if (!make_image(p_.in, part_, {part_.group * p_.in_channels, part_.groups, p_.in_channels}, format, mem_, work_, image_))
			return;
		args_.a_zero = format.zero;
		if (!make_weights() || !open_outputs())
			return;
		make_taps(format.bytes);
		args_.type = static_cast<atom_dtype>(p_.in.dtype);
		args_.rows = static_cast<std::size_t>(part_.rows);
		args_.columns = static_cast<std::size_t>(part_.columns);
		args_.row_stride = part_.h->in_step * image_.row_stride;
		args_.column_stride = part_.w->in_step * image_.column_stride;
		args_.n = static_cast<std::size_t>(part_.channels);
		args_.b_zero = zero_points_ ? buf_.weights.zero_points : nullptr;
		args_.stop.asked = [](void *m) { return static_cast<memory *>(m)->interrupted(); };
		args_.stop.context = &mem_;
		args_.finish = finish;
		args_.context = this;
		for (group_ = 0; group_ < part_.groups; ++group_) {
			args_.image = image_.data + group_ * image_.group_stride;
			args_.b.data = weights_ + group_ * group_weights_;
			args_.kept = find_kept();
			if ((part_.groups > 1 && !load_quantisation(group_)) || !find_direct_output() ||
			    !kernels::windows(args_, work_.get(4, kernels::windows_workspace(args_))))
				return;
		}
	}

private:
	static bool finish(void *context, std::size_t row, std::size_t column, std::size_t pixels, std::size_t first,
			   std::size_t n, void *of, std::size_t stride)
	{
		auto &c = *static_cast<convolution *>(context);
		const sums all{of, stride, pixels, n, c.p_.integer ? c.buf_.weights.scales + first : nullptr};
		return c.end_.finish(c.part_.at(c.p_, static_cast<std::int64_t>(row), static_cast<std::int64_t>(column),
						c.group_, c.part_.channel + static_cast<std::int64_t>(first)),
				     all, c.part_.w->step);
	}

	/* Rows of the outputs have to follow one another as their pixels do. */
	bool find_direct_output()
	{
		const auto one_behind_the_other = [&](const tensor &t) {
			return !t || part_.rows == 1 ||
			       part_.h->step * t.strides[2] == part_.columns * part_.w->step * t.strides[3];
		};
		args_.direct = {};
		return !one_behind_the_other(p_.out) || !one_behind_the_other(p_.tail.residual) ||
		       end_.direct(part_.at(p_, 0, 0, group_, part_.channel), args_.n, part_.w->step,
				   p_.integer ? buf_.weights.scales : nullptr, args_.direct);
	}

	/* Element of the weights of a channel of the part, counted from its first group's. */
	index5 weight_at(std::int64_t group, std::int64_t channel, std::int64_t kh, std::int64_t kw) const
	{
		if (p_.transposed)
			return {0, (part_.group + group) * p_.in_channels, kh, kw, part_.channel + channel};
		return {0, (part_.group + group) * p_.out_channels + part_.channel + channel, kh, kw, 0};
	}

	bool load_quantisation(std::int64_t group)
	{
		const index5 first = weight_at(group, 0, 0, 0);
		return !p_.integer || buf_.weights.load(p_, mem_, p_.transposed ? first[4] : first[1],
							static_cast<std::size_t>(part_.channels));
	}

	/* Whether any channel of any group has one. */
	bool find_zero_points()
	{
		for (std::int64_t group = 0; group < part_.groups; ++group) {
			if (!load_quantisation(group))
				return false;
			for (std::int64_t i = 0; p_.integer && i < part_.channels; ++i)
				zero_points_ = zero_points_ || buf_.weights.zero_points[i] != 0;
		}
		return true;
	}

	bool make_weights()
	{
		const tensor &w = p_.weight;
		const std::size_t in = p_.transposed ? 1 : 4, out = p_.transposed ? 4 : 1;
		args_.b.type = static_cast<atom_dtype>(w.dtype);
		args_.channels = static_cast<std::size_t>(image_.channels);
		index5 last = weight_at(part_.groups - 1, part_.channels - 1, p_.window.h.kernel - 1, p_.window.w.kernel - 1);
		last[in] += p_.in_channels - 1;
		const index5 first = weight_at(0, 0, 0, 0);
		std::int64_t low = offset_of(first, w.strides), high = low + w.element_bytes;
		for (std::size_t i = 1; i < 5; ++i) {
			const std::int64_t step = (last[i] - first[i]) * w.strides[i];
			(step < 0 ? low : high) += step;
		}
		const std::byte *base = mem_.map(w.operand, low, high, ATOM_ACCESS_READ);
		mapped_ = base;
		if (base)
			base -= low;
		if (!base || image_.channels != p_.in_channels)
			return !mem_.failed() && copy_weights(base);
		weights_ = base + offset_of(first, w.strides);
		args_.b.row_stride = w.strides[in];
		args_.b.column_stride = w.strides[out];
		h_step_ = w.strides[2];
		w_step_ = w.strides[3];
		group_weights_ = p_.transposed ? p_.in_channels * w.strides[1] : p_.out_channels * w.strides[1];
		return true;
	}

	/* Room for the packed weights of this group. */
	std::byte *find_kept()
	{
		const std::size_t first = static_cast<std::size_t>(part_.channel);
		if (!p_.constant_weight || p_.transposed || !mapped_ || args_.taps == 0 || first % kernels::windows_kept_unit(args_) != 0)
			return nullptr;
		args_.kept_columns = static_cast<std::size_t>(p_.out_channels);
		args_.kept_first = first;
		const std::size_t bytes = kernels::windows_kept_bytes(args_, args_.kept_columns);
		const auto form = weight_form(p_, {args_.channels, args_.taps, static_cast<std::uint64_t>(part_.group + group_)});
		return bytes ? mem_.keep(p_.weight.operand, form, bytes) : nullptr;
	}

	/* [groups][channels][kh][kw][input channels, filled up with 0]. */
	bool copy_weights(const std::byte *base)
	{
		const tensor &w = p_.weight;
		const std::int64_t bytes = w.element_bytes;
		const std::size_t in = p_.transposed ? 1 : 4;
		w_step_ = image_.channels * bytes;
		h_step_ = p_.window.w.kernel * w_step_;
		args_.b.row_stride = bytes;
		args_.b.column_stride = p_.window.h.kernel * h_step_;
		group_weights_ = part_.channels * args_.b.column_stride;
		const auto size = static_cast<std::size_t>(part_.groups * group_weights_);
		const auto run = static_cast<std::size_t>(p_.in_channels * bytes);
		std::byte *to = work_.get(3, size);
		weights_ = to;
		if (image_.channels != p_.in_channels)
			std::memset(to, 0, size);
		stream s;
		s.t = w;
		std::swap(s.t.strides[in], s.t.strides[4]);
		const bool runs = base && w.strides[in] == bytes;
		window from;
		from.attach(mem_, s);
		for (std::int64_t group = 0; group < part_.groups; ++group)
			for (std::int64_t channel = 0; channel < part_.channels; ++channel)
				for (std::int64_t kh = 0; kh < p_.window.h.kernel; ++kh)
					for (std::int64_t kw = 0; kw < p_.window.w.kernel; ++kw, to += w_step_) {
						index5 index = weight_at(group, channel, kh, kw);
						if (runs) {
							std::memcpy(to, base + offset_of(index, w.strides), run);
							continue;
						}
						std::swap(index[in], index[4]);
						if (!copy_run(from, index, to))
							return false;
					}
		return true;
	}

	bool copy_run(const window &from, index5 index, std::byte *to)
	{
		constexpr auto most = static_cast<std::int64_t>(run_elements);
		for (std::int64_t done = 0; done < p_.in_channels; done += most, index[4] += most) {
			const std::int64_t some = std::min(most, p_.in_channels - done);
			std::byte *place = to + done * p_.weight.element_bytes;
			const std::byte *p = from.read(index, static_cast<std::size_t>(some), place);
			if (!p)
				return false;
		}
		return true;
	}

	/* Taps that follow one another in the image and in the weights are one with more channels. */
	void make_taps(std::uint32_t bytes)
	{
		const std::int64_t top = part_.h->least(), left = part_.w->least();
		for (const axis_tap &h : part_.h->taps)
			for (const axis_tap &w : part_.w->taps) {
				image_taps_.push_back((h.offset - top) * image_.row_stride + (w.offset - left) * image_.column_stride);
				b_taps_.push_back(h.kernel * h_step_ + w.kernel * w_step_);
			}
		const std::size_t run = part_.w->taps.size();
		const bool apart = make_tap_pixels(bytes);
		bool joined = !apart && run > 1 && !image_taps_.empty() && args_.b.row_stride == p_.weight.element_bytes &&
			      run * args_.channels <= kernels::windows_run_max;
		for (std::size_t i = 1; joined && i < run; ++i)
			joined = image_taps_[i] - image_taps_[i - 1] == image_.channels * bytes &&
				 b_taps_[i] - b_taps_[i - 1] == image_.channels * args_.b.row_stride;
		if (joined) {
			for (std::size_t i = 0; i < part_.h->taps.size(); ++i) {
				image_taps_[i] = image_taps_[i * run];
				b_taps_[i] = b_taps_[i * run];
			}
			image_taps_.resize(part_.h->taps.size());
			b_taps_.resize(part_.h->taps.size());
			args_.channels *= run;
		}
		make_row_taps(joined ? 1 : run);
		args_.taps = image_taps_.size();
		args_.image_taps = image_taps_.data();
		args_.b_taps = b_taps_.data();
	}

	/* Columns of taps left and right of the input are left out, too, where that pays. */
	bool make_tap_pixels(std::uint32_t bytes)
	{
		if (args_.a_zero != 0 || part_.columns > skipping_columns || image_.channels * bytes < skipping_bytes)
			return false;
		bool any = false;
		const auto columns = static_cast<std::size_t>(part_.columns);
		for (std::size_t i = 0; i < part_.h->taps.size(); ++i)
			for (const axis_tap &w : part_.w->taps) {
				const auto inside = [&](std::size_t x) {
					return part_.w->inside(part_.x + static_cast<std::int64_t>(x), w, p_.in.dims[3]);
				};
				const kernels::tap_range pixels = trimmed(columns, 0, inside);
				any = any || pixels.last - pixels.first < columns;
				tap_pixels_.push_back({pixels.first, pixels.last});
			}
		args_.tap_pixels = any ? tap_pixels_.data() : nullptr;
		return any;
	}

	/* Rows of taps above and below the input are left out, where zeros are. */
	void make_row_taps(std::size_t run)
	{
		if (args_.a_zero != 0 || image_taps_.empty())
			return;
		const std::vector<axis_tap> &taps = part_.h->taps;
		for (std::int64_t y = 0; y < part_.rows; ++y) {
			const kernels::tap_range inside = trimmed(taps.size(), 1, [&](std::size_t tap) {
				return part_.h->inside(part_.y + y, taps[tap], p_.in.dims[2]);
			});
			row_taps_.push_back({inside.first * run, inside.last * run});
		}
		args_.row_taps = row_taps_.data();
	}

	kernels::windows_args args_;
	std::vector<std::ptrdiff_t> image_taps_, b_taps_;
	std::vector<kernels::tap_range> row_taps_;
	std::vector<kernels::pixel_range> tap_pixels_;
	const std::byte *weights_ = nullptr;
	std::int64_t h_step_ = 0, w_step_ = 0, group_weights_ = 0;
	std::int64_t group_ = 0;
	bool zero_points_ = false;
	bool mapped_ = false; ///< the weights
};

} // namespace

void conv(const conv_shape &shape, memory &mem, scratch &work, std::uint64_t tile)
{
	const conv_part part = shape.part(tile);
	if (part.rows <= 0 || part.columns <= 0) /* of a phase that is shorter than others */
		return;
	if (shape.depthwise())
		depthwise(shape.plan(), mem, work, part);
	else
		convolution(shape.plan(), mem, work, part).run();
}

} // namespace atom::engine::fast
