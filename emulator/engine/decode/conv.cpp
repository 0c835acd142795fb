/* SPDX-License-Identifier: MIT */
#include "decode/decoders.h"

#include <algorithm>

#include "conv_plan.h"
#include "cut.h"
#include "decode/window.h"
#include "fast/conv.h"
#include "reference/conv.h"

namespace atom::engine {

namespace {

constexpr std::size_t kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);
constexpr std::size_t axis_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, axis);
constexpr std::size_t dtype_at = offsetof(atom_tensor, dtype);
constexpr std::size_t rank_at = offsetof(atom_tensor, rank);

class conv_operation : public operation {
protected:
	conv_operation(parser &in, const conv_plan &plan) : plan_(plan)
	{
		operands_ = in.take_operands();
		cost_.where = cost::unit::matrix;
		cost_.dtype = std::max(plan.in.dtype, plan.weight.dtype);
		cost_.elements = elements(plan.out.dims);
		/*
		 * The matrix product behind it; transposed, each input pixel makes all taps of
		 * all outputs. Pixels cut off by pads are as many as anyone likes.
		 */
		const auto groups = static_cast<std::uint64_t>(plan.groups);
		const auto taps = static_cast<std::uint64_t>(plan.window.taps());
		cost_.m = static_cast<std::uint64_t>(plan.pixels());
		cost_.n = static_cast<std::uint64_t>(plan.out_channels);
		cost_.k = static_cast<std::uint64_t>(plan.in_channels);
		if (plan.transposed) {
			const index5 &d = plan.in.dims;
			cost_.m = static_cast<std::uint64_t>(
				std::min<__int128>(static_cast<__int128>(d[1]) * d[2] * d[3], plan.pixels()));
			cost_.n *= taps;
		} else {
			cost_.k *= taps;
		}
		cost_.macs = cost_.m * cost_.n * cost_.k * groups;
	}

	conv_plan plan_;
};

class fast_conv final : public conv_operation {
public:
	fast_conv(parser &in, const conv_plan &plan, const fast::conv_shape &shape)
		: conv_operation(in, plan), shape_(shape)
	{
		tiles_ = shape_.tiles();
	}
	void run(std::uint64_t tile, memory &mem, scratch &work) const override { fast::conv(shape_, mem, work, tile); }

private:
	fast::conv_shape shape_;
};

class reference_conv final : public conv_operation {
public:
	reference_conv(parser &in, const conv_plan &plan)
		: conv_operation(in, plan), pixels_(std::min(reference::conv_pixels, plan.pixels())),
		  channels_(std::min(reference::conv_channels, plan.out_channels))
	{
		/* Many terms make smaller tiles; very many are what interrupted() is for. */
		const std::int64_t terms = plan.window.taps() * plan.in_channels;
		while (channels_ > 8 && pixels_ * channels_ > (std::int64_t{1} << 20) / terms)
			channels_ /= 2;
		tiles_ = static_cast<std::uint64_t>(parts(plan.pixels(), pixels_) * plan.groups *
						    parts(plan.out_channels, channels_));
	}
	void run(std::uint64_t tile, memory &mem, scratch &work) const override
	{
		const auto across = static_cast<std::uint64_t>(parts(plan_.out_channels, channels_));
		const auto groups = static_cast<std::uint64_t>(plan_.groups);
		reference::conv_tile t;
		t.first_channel = static_cast<std::int64_t>(tile % across) * channels_;
		t.channels = std::min(channels_, plan_.out_channels - t.first_channel);
		tile /= across;
		t.group = static_cast<std::int64_t>(tile % groups);
		t.first_pixel = static_cast<std::int64_t>(tile / groups) * pixels_;
		t.pixels = std::min(pixels_, plan_.pixels() - t.first_pixel);
		reference::conv(plan_, mem, work, t);
	}

private:
	std::int64_t pixels_;
	std::int64_t channels_;
};

bool dim_is(parser &in, const tensor &t, unsigned i, std::int64_t is)
{
	return in.require(t.dims[i + 1] == is, ATOM_FAULT_BAD_SHAPE, t.field + offsetof(atom_tensor, dims) + 8 * i);
}

/* Elements of the output along one axis. */
bool check_extent(parser &in, const conv_plan &p, const window_axis &w, unsigned i)
{
	const __int128 size = p.in.dims[i + 1], out = p.out.dims[i + 1], pads = w.pad_before + w.pad_after;
	const __int128 steps = size + pads - w.reach(), least = (size - 1) * w.stride - pads + w.reach();
	const bool good = p.transposed ? out >= least && out < least + w.stride
				       : steps >= 0 && out == steps / w.stride + 1;
	return in.require(good, ATOM_FAULT_BAD_SHAPE, p.out.field + offsetof(atom_tensor, dims) + 8 * i);
}

bool check_shapes(parser &in, conv_plan &p)
{
	for (const tensor *t : {&p.in, &p.weight, &p.out})
		if (!in.require(t->rank == 4, ATOM_FAULT_BAD_SHAPE, t->field + rank_at))
			return false;
	const std::int64_t from = p.in.dims[4], to = p.out.dims[4];
	if (!in.require(from % p.groups == 0 && to % p.groups == 0, ATOM_FAULT_BAD_FIELD,
			offsetof(atom_cmd_conv2d, groups)))
		return false;
	p.in_channels = from / p.groups;
	p.out_channels = to / p.groups;
	return dim_is(in, p.weight, 0, p.transposed ? from : to) && dim_is(in, p.weight, 1, p.window.h.kernel) &&
	       dim_is(in, p.weight, 2, p.window.w.kernel) &&
	       dim_is(in, p.weight, 3, p.transposed ? p.out_channels : p.in_channels) &&
	       dim_is(in, p.out, 0, p.in.dims[1]) && check_extent(in, p, p.window.h, 1) &&
	       check_extent(in, p, p.window.w, 2);
}

bool check_input_types(parser &in, conv_plan &p)
{
	const auto small = [](const tensor &t) {
		return t.dtype == ATOM_DTYPE_I8 || t.dtype == ATOM_DTYPE_U8;
	};
	p.integer = small(p.in);
	const unsigned channel_axis = p.transposed ? 4 : 1;
	return in.require(small(p.weight) == p.integer, ATOM_FAULT_BAD_DTYPE, p.weight.field + dtype_at) &&
	       in.require(p.in.quant.kind != ATOM_QUANT_PER_CHANNEL, ATOM_FAULT_BAD_QUANT, p.in.field + kind_at) &&
	       in.require(p.weight.quant.kind != ATOM_QUANT_PER_CHANNEL || p.weight.quant.axis == channel_axis,
			  ATOM_FAULT_BAD_QUANT, p.weight.field + axis_at);
}

/* Terms of each output, or more than any command may have. */
std::int64_t terms(const conv_plan &p)
{
	const __int128 n = static_cast<__int128>(p.window.taps()) * p.in_channels;
	return static_cast<std::int64_t>(std::min<__int128>(n, INT64_MAX));
}

} // namespace

std::unique_ptr<operation> decode_conv(parser &in)
{
	atom_cmd_conv2d c;
	if (!in.command(c, ATOM_CONV_WEIGHT_CONSTANT))
		return nullptr;
	conv_plan p;
	p.transposed = c.header.opcode == ATOM_OP_CONVT2D;
	p.constant_weight = c.header.flags & ATOM_CONV_WEIGHT_CONSTANT;
	p.groups = c.groups;
	constexpr std::uint32_t inputs = float_dtypes | dtype_bit(ATOM_DTYPE_I8) | dtype_bit(ATOM_DTYPE_U8);
	constexpr std::uint32_t outputs = float_dtypes | small_integer_dtypes;
	if (!read_window(in, c.window, offsetof(atom_cmd_conv2d, window), p.window) ||
	    !in.require(c.groups >= 1, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_conv2d, groups)) ||
	    !in.require(c.reserved == 0, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_conv2d, reserved)) ||
	    !in.read_tensor(c.in, offsetof(atom_cmd_conv2d, in), {.dtypes = inputs}, p.in) ||
	    !in.read_tensor(c.weight, offsetof(atom_cmd_conv2d, weight), {.dtypes = inputs}, p.weight) ||
	    !in.read_tensor(c.out, offsetof(atom_cmd_conv2d, out), {.dtypes = outputs, .output = true}, p.out) ||
	    !check_shapes(in, p) || !check_input_types(in, p) || !in.check_work(p.out, terms(p)) ||
	    !read_product_epilogue(in, c.epilogue, offsetof(atom_cmd_conv2d, epilogue), p.integer, p.out, p.tail,
				   p.exact) ||
	    !in.check_overlap(p.out, {}))
		return nullptr;
	if (!in.how().reference) {
		const fast::conv_shape shape(p);
		if (shape.possible())
			return std::make_unique<fast_conv>(in, p, shape);
	}
	return std::make_unique<reference_conv>(in, p);
}

} // namespace atom::engine
