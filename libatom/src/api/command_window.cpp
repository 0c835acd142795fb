// SPDX-License-Identifier: MIT
// The commands that work on images [N, H, W, C].
#include <cmath>
#include <string>

#include "core/encoder.hpp"

namespace atom {
inline namespace v1 {
namespace {

using core::command;
using use = core::command::use;

static_assert(static_cast<int>(pool_kind::lp) == ATOM_POOL_LP);
static_assert(static_cast<int>(resize_mode::cubic) == ATOM_RESIZE_CUBIC);
static_assert(static_cast<int>(resize_coordinate::align_corners) == ATOM_COORD_ALIGN_CORNERS &&
              static_cast<int>(resize_coordinate::crop_and_resize) == ATOM_COORD_CROP_AND_RESIZE);
static_assert(static_cast<int>(resize_nearest::ceil) == ATOM_NEAREST_CEIL);

// Dimensions have 64 bits, sizes of windows 32: sums and products need more.
__extension__ using wide = __int128;

/** One direction of a window. */
struct axis {
	std::uint32_t kernel;
	std::uint32_t stride;
	std::uint32_t dilation;
	wide padding; // of both ends

	[[nodiscard]] wide reach() const { return wide{dilation} * (kernel - 1) + 1; }
	/** Whether windows over @p in give @p out elements; a last one may lack some if @p up. */
	[[nodiscard]] bool fits(std::uint64_t in, std::uint64_t out, bool up) const
	{
		const wide room = in + padding - reach();
		return room >= 0 && (out == room / stride + 1 ||
		                     (up && out == (room + stride - 1) / stride + 1));
	}
	/** Whether @p in windows can cover @p out elements. */
	[[nodiscard]] bool covers(std::uint64_t in, std::uint64_t out) const
	{
		const wide least = (wide{in} - 1) * stride + reach() - padding;
		return out >= least && out < least + stride;
	}
};

axis height_of(const atom_window &w)
{
	return {w.kernel_h, w.stride_h, w.dilation_h, wide{w.pad_top} + w.pad_bottom};
}

axis width_of(const atom_window &w)
{
	return {w.kernel_w, w.stride_w, w.dilation_w, wide{w.pad_left} + w.pad_right};
}

atom_window encode(const command &c, const size2d &kernel, const window2d &w)
{
	c.check(kernel.h != 0 && kernel.w != 0, "a size of the kernel is 0");
	c.check(w.stride.h != 0 && w.stride.w != 0, "a stride is 0");
	c.check(w.dilation.h != 0 && w.dilation.w != 0, "a dilation is 0");
	atom_window e{};
	e.kernel_h = kernel.h;
	e.kernel_w = kernel.w;
	e.stride_h = w.stride.h;
	e.stride_w = w.stride.w;
	e.dilation_h = w.dilation.h;
	e.dilation_w = w.dilation.w;
	e.pad_top = w.padding.top;
	e.pad_left = w.padding.left;
	e.pad_bottom = w.padding.bottom;
	e.pad_right = w.padding.right;
	return e;
}

void check_images(const command &c, const tensor &in, const tensor &out)
{
	c.check(in.rank() == 4 && out.rank() == 4, "in and out must be [N, H, W, C]");
	c.check(in.dims()[0] == out.dims()[0], "in and out differ in the number of images");
}

[[noreturn]] void fail_convolution(const command &c, const tensor &in, const tensor &weight,
                                   const tensor &out, const char *needed)
{
	c.fail(errc::invalid_argument, "dimensions do not fit: in " + core::to_string(in.dims()) +
	                                       ", weight " + core::to_string(weight.dims()) +
	                                       ", out " + core::to_string(out.dims()) +
	                                       "; needed: " + needed);
}

void append_convolution(command &c, const tensor &in, const tensor &weight, const tensor &out,
                        const conv2d_options &options)
{
	check_images(c, in, out);
	c.check(weight.rank() == 4, "weight must have 4 dimensions");
	const std::uint64_t groups = options.groups;
	const auto channels = in.dims()[3];
	const auto results = out.dims()[3];
	c.check(groups != 0 && channels % groups == 0 && results % groups == 0,
	        "groups does not divide the channels of in and out");
	c.check(weight.dims()[1] <= UINT32_MAX && weight.dims()[2] <= UINT32_MAX,
	        "the kernel is too large");
	atom_cmd_conv2d e{};
	e.window = encode(c,
	                  {static_cast<std::uint32_t>(weight.dims()[1]),
	                   static_cast<std::uint32_t>(weight.dims()[2])},
	                  options.window);
	const axis height = height_of(e.window);
	const axis width = width_of(e.window);
	const bool transposed = c.opcode() == ATOM_OP_CONVT2D;
	if (transposed) {
		if (weight.dims()[0] != channels || weight.dims()[3] != results / groups ||
		    !height.covers(in.dims()[1], out.dims()[1]) ||
		    !width.covers(in.dims()[2], out.dims()[2]))
			fail_convolution(
				c, in, weight, out,
				"weight [C, KH, KW, O / groups], out [N, H', W', O] with "
				"H' = (H - 1) * stride - padding + dilation * (KH - 1) + 1 "
				"to stride - 1 more");
	} else if (weight.dims()[0] != results || weight.dims()[3] != channels / groups ||
	           !height.fits(in.dims()[1], out.dims()[1], false) ||
	           !width.fits(in.dims()[2], out.dims()[2], false)) {
		fail_convolution(c, in, weight, out,
		                 "weight [O, KH, KW, C / groups], out [N, H', W', O] with "
		                 "H' = (H + padding - dilation * (KH - 1) - 1) / stride + 1");
	}
	e.groups = options.groups;
	e.in = c.encode(in, use::input, "in");
	e.weight = c.encode(weight, use::input, "weight");
	e.out = c.encode(out, use::output, "out");
	e.epilogue = c.encode(options.epilogue, out);
	c.append(e, options.constant_weight ? ATOM_CONV_WEIGHT_CONSTANT : 0);
}

float scale_of(const command &c, float asked, std::uint64_t in, std::uint64_t out)
{
	const float scale = asked != 0 ? asked : static_cast<float>(out) / static_cast<float>(in);
	c.check(scale > 0 && std::isfinite(scale), "a scale is not greater than 0 and finite");
	return scale;
}

} // namespace

command_builder &command_builder::conv2d(const tensor &in, const tensor &weight, const tensor &out,
                                         const conv2d_options &options)
{
	command c(impl_, "conv2d", ATOM_OP_CONV2D);
	append_convolution(c, in, weight, out, options);
	return *this;
}

command_builder &command_builder::conv_transpose2d(const tensor &in, const tensor &weight,
                                                   const tensor &out, const conv2d_options &options)
{
	command c(impl_, "conv_transpose2d", ATOM_OP_CONVT2D);
	append_convolution(c, in, weight, out, options);
	return *this;
}

command_builder &command_builder::pool2d(pool_kind kind, const tensor &in, const tensor &out,
                                         const pool2d_options &options)
{
	command c(impl_, "pool2d", ATOM_OP_POOL2D);
	check_images(c, in, out);
	c.check(in.dims()[3] == out.dims()[3], "in and out differ in the number of channels");
	atom_cmd_pool2d e{};
	e.window = encode(c, options.kernel, options.window);
	if (!height_of(e.window).fits(in.dims()[1], out.dims()[1], true) ||
	    !width_of(e.window).fits(in.dims()[2], out.dims()[2], true))
		c.fail(errc::invalid_argument, "dimensions do not fit: in " +
		                                       core::to_string(in.dims()) + ", out " +
		                                       core::to_string(out.dims()) +
		                                       "; needed: H' = (H + padding - dilation * "
		                                       "(KH - 1) - 1) / stride + 1, "
		                                       "rounded down or up");
	if (kind == pool_kind::lp)
		c.check(options.p > 0 && std::isfinite(options.p), "p is not greater than 0");
	else
		c.check(options.p == 0, "p is of pool_kind::lp");
	c.check(!options.count_padding || kind == pool_kind::average,
	        "count_padding is of pool_kind::average");
	c.check(!options.epilogue.bias && !options.epilogue.residual,
	        "its epilogue has no bias and no residual");
	if (options.index) {
		c.check(kind == pool_kind::max, "index is of pool_kind::max");
		c.check_index(*options.index, "index");
		c.check_same_dims(*options.index, out, "index and out");
	}
	e.kind = static_cast<std::uint32_t>(kind);
	e.p = options.p;
	e.in = c.encode(in, use::input, "in");
	e.out = c.encode(out, use::output, "out");
	e.index = c.encode(options.index, use::output, "index");
	e.epilogue = c.encode(options.epilogue, out);
	c.append(e, options.count_padding ? ATOM_POOL_COUNT_PAD : 0);
	return *this;
}

command_builder &command_builder::resize2d(const tensor &in, const tensor &out,
                                           const resize2d_options &options)
{
	command c(impl_, "resize2d", ATOM_OP_RESIZE2D);
	check_images(c, in, out);
	c.check(in.dims()[3] == out.dims()[3], "in and out differ in the number of channels");
	atom_cmd_resize2d e{};
	e.mode = static_cast<std::uint8_t>(options.mode);
	e.coordinate = static_cast<std::uint8_t>(options.coordinate);
	e.nearest = static_cast<std::uint8_t>(options.nearest);
	e.scale_h = scale_of(c, options.scale_h, in.dims()[1], out.dims()[1]);
	e.scale_w = scale_of(c, options.scale_w, in.dims()[2], out.dims()[2]);
	e.cubic_coeff = options.cubic_coeff;
	e.roi[0] = options.roi.start_h;
	e.roi[1] = options.roi.start_w;
	e.roi[2] = options.roi.end_h;
	e.roi[3] = options.roi.end_w;
	e.extrapolation = options.extrapolation;
	e.in = c.encode(in, use::input, "in");
	e.out = c.encode(out, use::output, "out");
	c.append(e, static_cast<std::uint16_t>(
			    (options.exclude_outside ? ATOM_RESIZE_EXCLUDE_OUTSIDE : 0) |
			    (options.antialias ? ATOM_RESIZE_ANTIALIAS : 0)));
	return *this;
}

} // namespace v1
} // namespace atom
