/* SPDX-License-Identifier: MIT */
#include "fast/depthwise.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "fast/conv_work.h"
#include "fast/depthwise_vectors.h"
#include "kernels/kept_once.h"

namespace atom::engine::fast {

namespace {

constexpr auto lanes = static_cast<std::int64_t>(depthwise_lanes);
/* Bytes of the image under a row of outputs that stay in the caches nearby, and channels that are multiplied at a time. */
constexpr std::int64_t row_bytes = 48 << 10, channels_most = 64;
/* Sums of so many outputs stay in the first cache until they are finished. */
constexpr std::size_t sum_elements = 4096;

/* Of images as they lie; nullptr: there are none. */
depthwise_kernels::function kernel_in_place(const conv_plan &p)
{
	const depthwise_kernels &loops = depthwise_vectors();
	switch (p.in.dtype) {
	case ATOM_DTYPE_F32:
		return loops.f32;
	case ATOM_DTYPE_BF16:
		return loops.bf16;
	case ATOM_DTYPE_U8:
		return loops.u8;
	case ATOM_DTYPE_I8:
		return loops.i8;
	default:
		return nullptr;
	}
}

/* As they lie where the loops take that, else f32; of integers without their zero point. */
class pixels final : public pixel_format {
public:
	pixels(const conv_plan &p, std::int64_t channels)
		: type_(p.in.dtype), zero_point_(static_cast<float>(p.in.quant.zero_point))
	{
		pads_unused = true;
		multiple = channels < lanes ? lanes : 1;
		in_place = kernel_in_place(p) != nullptr;
	}
	void convert(const std::byte *from, std::size_t count, std::byte *to) const override
	{
		auto *values = reinterpret_cast<float *>(to);
		vectors().load[type_](from, values, count);
		for (std::size_t i = 0; zero_point_ != 0 && i < count; ++i)
			values[i] -= zero_point_;
	}

private:
	std::uint8_t type_;
	float zero_point_;
};

/* [taps][stride], without zero points. */
bool pack_weights(const conv_plan &p, memory &mem, const conv_part &part, const channel_quant &quant, std::size_t stride,
		  std::byte *to)
{
	stream s;
	s.t = p.weight;
	std::swap(s.t.strides[1], s.t.strides[4]);
	window from;
	from.attach(mem, s);
	const auto n = static_cast<std::size_t>(part.groups);
	alignas(64) std::byte raw[run_elements * 4];
	for (const axis_tap &h : part.h->taps)
		for (const axis_tap &w : part.w->taps) {
			const std::byte *x = from.read({0, 0, h.kernel, w.kernel, part.group}, n, raw);
			if (!x)
				return false;
			auto *values = reinterpret_cast<float *>(to);
			vectors().load[p.weight.dtype](x, values, n);
			for (std::size_t i = 0; p.integer && i < n; ++i)
				values[i] -= static_cast<float>(quant.zero_points[i]);
			std::memset(to + n * 4, 0, (stride - n) * 4);
			to += stride * 4;
		}
	return true;
}

bool load_quantisation(const conv_plan &p, memory &mem, const conv_part &part, channel_quant &to)
{
	if (!p.integer)
		return true;
	const auto n = static_cast<std::size_t>(part.groups);
	if (!p.transposed)
		return to.load(p, mem, part.group, n);
	if (!to.load(p, mem, 0, 1))
		return false;
	std::fill_n(to.scales, n, to.scales[0]);
	std::fill_n(to.zero_points, n, to.zero_points[0]);
	return true;
}

class convolution : conv_work {
public:
	using conv_work::conv_work;

	void run()
	{
		if (!load_quantisation(p_, mem_, part_, buf_.weights) || !find_weights() || !open_outputs() ||
		    !make_image(p_.in, part_, {part_.group, 1, part_.groups}, pixels(p_, part_.groups), mem_, work_, image_))
			return;
		make_taps();
		choose_kernel();
		args_.row_stride = part_.h->in_step * image_.row_stride;
		args_.column_stride = part_.w->in_step * image_.column_stride;
		const bool brains = kernel_ == depthwise_vectors().bf16 && p_.out.dtype == ATOM_DTYPE_BF16;
		const bool direct = !p_.integer && (brains || p_.out.dtype == ATOM_DTYPE_F32) && !p_.tail.residual &&
				    image_.channels == part_.groups;
		kernels::tile_output to;
		if (direct && !end_.direct(part_.at(p_, 0, 0, 0, 0), static_cast<std::size_t>(part_.groups), part_.w->step, nullptr, to))
			return;
		if (to.to && brains)
			kernel_ = depthwise_vectors().bf16_to_bf16;
		const std::int64_t step = channels_at_a_time();
		for (std::int64_t channel = 0; channel < part_.groups; channel += step) {
			if (mem_.interrupted())
				return;
			const std::int64_t n = std::min(step, part_.groups - channel);
			/* A vector has to be full: of channels before, or of what the image is filled up with. */
			const std::int64_t first = std::max<std::int64_t>(0, std::min(channel, part_.groups - lanes));
			args_.channels = static_cast<std::size_t>(std::max(channel + n - first, lanes));
			args_.image = image_.data + first * image_.element_bytes;
			args_.weights = weights_ + first;
			if (to.to)
				to_outputs(to, first);
			else if (!to_sums(first, channel, n))
				return;
		}
	}

private:
	std::int64_t channels_at_a_time() const
	{
		const std::int64_t pixels = part_.h->reach(1) * image_.columns;
		return std::clamp(row_bytes / (pixels * image_.element_bytes) / lanes * lanes, lanes, channels_most);
	}

	bool find_weights()
	{
		args_.weight_stride = static_cast<std::size_t>((part_.groups + lanes - 1) / lanes * lanes);
		args_.tap_columns = part_.w->taps.size();
		const std::size_t bytes = (part_.h->taps.size() * args_.tap_columns * args_.weight_stride + 1) * 4;
		const auto pack = [&](std::byte *to) {
			weights_ = reinterpret_cast<const float *>(to);
			return pack_weights(p_, mem_, part_, buf_.weights, args_.weight_stride, to);
		};
		if (std::byte *state = find_kept(bytes)) {
			std::byte *kept = state + kernels::kept_state_bytes;
			if (kernels::made_once(*reinterpret_cast<std::uint32_t *>(state), [&] { return pack(kept); })) {
				weights_ = reinterpret_cast<const float *>(kept);
				return true;
			}
		}
		return !mem_.failed() && pack(work_.get(3, bytes));
	}

	/* Room for a state and the packed weights of this part. */
	std::byte *find_kept(std::size_t bytes)
	{
		/* Zero points of channels are an operand of their own, which may change when the weights do not. */
		if (!p_.constant_weight || p_.transposed || p_.weight.quant.has_zero_points)
			return nullptr;
		const auto form = weight_form(p_, {static_cast<std::uint64_t>(part_.group), static_cast<std::uint64_t>(part_.groups),
						   static_cast<std::uint64_t>(p_.weight.quant.zero_point)});
		return mem_.keep(p_.weight.operand, form, kernels::kept_state_bytes + bytes);
	}

	void choose_kernel()
	{
		if (image_.in_place)
			kernel_ = kernel_in_place(p_);
		else
			kernel_ = p_.integer ? depthwise_vectors().f32_to_i32 : depthwise_vectors().f32;
		args_.zero = image_.in_place && p_.integer ? static_cast<float>(p_.in.quant.zero_point) : 0;
	}

	void make_taps()
	{
		/* Taps outside of the input add nothing. */
		const std::vector<axis_tap> &taps = part_.h->taps;
		for (std::int64_t y = 0; y < part_.rows; ++y)
			row_taps_.push_back(trimmed(taps.size(), 0, [&](std::size_t tap) {
				return part_.h->inside(part_.y + y, taps[tap], p_.in.dims[2]);
			}));
		for (const axis_tap &t : taps)
			row_offsets_.push_back((t.offset - part_.h->least()) * image_.row_stride);
		for (const axis_tap &t : part_.w->taps)
			column_offsets_.push_back((t.offset - part_.w->least()) * image_.column_stride);
		args_.rows = row_taps_.size();
		args_.row_taps = row_taps_.data();
		args_.row_offsets = row_offsets_.data();
		args_.column_offsets = column_offsets_.data();
		cut_columns();
	}

	/* Into blocks of about equal size. */
	void cut_columns()
	{
		const auto columns = static_cast<std::size_t>(part_.columns), most = depthwise_vectors().columns;
		const std::size_t count = (columns + most - 1) / most, size = (columns + count - 1) / count;
		const std::size_t taps = args_.tap_columns;
		skips_.reserve(count * taps);
		for (std::size_t x = 0; x < columns; x += size) {
			blocks_.push_back({x, std::min(size, columns - x), skips_.data() + skips_.size()});
			for (std::size_t tap = 0; tap < taps; ++tap)
				skips_.push_back(skipped(blocks_.back(), part_.w->taps[tap]));
		}
		args_.blocks = blocks_.data();
		args_.block_count = blocks_.size();
	}

	/* Of a block those that read outside of the input where a tap is. */
	column_skip skipped(const column_block &block, const axis_tap &tap) const
	{
		const kernels::tap_range left = trimmed(block.count, 0, [&](std::size_t i) {
			return part_.w->inside(part_.x + static_cast<std::int64_t>(block.first + i), tap, p_.in.dims[3]);
		});
		return {static_cast<std::uint8_t>(left.first), static_cast<std::uint8_t>(block.count - left.last)};
	}

	void to_outputs(const kernels::tile_output &to, std::int64_t first)
	{
		args_.out = to.to + first * p_.out.element_bytes;
		args_.out_row_stride = part_.h->step * p_.out.strides[2];
		args_.out_column_stride = to.stride;
		args_.bias = to.bias ? to.bias + first : nullptr;
		args_.low = to.low;
		args_.high = to.high;
		kernel_(args_);
	}

	/* Some blocks of a row at a time, channels @first on, of which those from @channel on are outputs. */
	bool to_sums(std::int64_t first, std::int64_t channel, std::int64_t n)
	{
		const std::size_t block = depthwise_vectors().columns;
		const std::size_t blocks = std::max<std::size_t>(sum_elements / (block * args_.channels), 1);
		depthwise_args some = args_;
		some.rows = 1;
		some.out = work_.get(4, blocks * block * args_.channels * 4);
		some.out_column_stride = static_cast<std::ptrdiff_t>(args_.channels) * 4;
		some.low = -std::numeric_limits<float>::infinity();
		some.high = std::numeric_limits<float>::infinity();
		for (std::int64_t y = 0; y < part_.rows; ++y, ++some.row_taps, some.image += some.row_stride)
			for (std::size_t i = 0; i < blocks_.size(); i += blocks) {
				if (mem_.interrupted())
					return false;
				some.blocks = &blocks_[i];
				some.block_count = std::min(blocks, blocks_.size() - i);
				some.first_column = some.blocks->first;
				const column_block &last = some.blocks[some.block_count - 1];
				kernel_(some);
				const sums all{some.out + (channel - first) * 4, args_.channels, last.first + last.count - some.first_column,
					       static_cast<std::size_t>(n), p_.integer ? buf_.weights.scales + channel : nullptr};
				if (!end_.finish(part_.at(p_, y, static_cast<std::int64_t>(some.first_column), channel, 0), all, part_.w->step))
					return false;
			}
		return true;
	}

	depthwise_args args_;
	depthwise_kernels::function kernel_ = nullptr;
	const float *weights_ = nullptr;
	std::vector<kernels::tap_range> row_taps_;
	std::vector<column_skip> skips_;
	std::vector<column_block> blocks_;
	std::vector<std::ptrdiff_t> row_offsets_, column_offsets_;
};

} // namespace

void depthwise(const conv_plan &p, memory &mem, scratch &work, const conv_part &part)
{
	convolution(p, mem, work, part).run();
}

} // namespace atom::engine::fast
