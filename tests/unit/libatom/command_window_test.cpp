// SPDX-License-Identifier: MIT
#include <limits>

#include "command_fixture.hpp"

namespace atom::test {
namespace {

class a_window_command : public a_command {
protected:
	/** A convolution of 1x8x9x4 by 6 kernels of 3x2, with what @p options say. */
	static void convolve(command_builder &b, std::initializer_list<std::uint64_t> out,
	                     const conv2d_options &options,
	                     std::initializer_list<std::uint64_t> weight = {6, 3, 2, 4})
	{
		b.conv2d(f32(1, {1, 8, 9, 4}), f32(2, weight), f32(3, out), options);
	}
};

TEST_F(a_window_command, conv2d_is_encoded_as_the_contract_says)
{
	const conv2d_options o = {
		.window = {.stride = {2, 1}, .dilation = {1, 3}, .padding = {1, 2, 3, 4}},
		.groups = 2,
		.epilogue = {.bias = f32(4, {6}).broadcast_to({1, 5, 12, 6}),
	                     .activation = function::relu}};
	const auto e = built<atom_cmd_conv2d>([&](command_builder &b) {
		convolve(b, {1, 5, 12, 6}, o, {6, 3, 2, 2});
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_CONV2D);
	EXPECT_EQ(e.header.flags, 0U);
	EXPECT_EQ(e.window.kernel_h, 3U);
	EXPECT_EQ(e.window.kernel_w, 2U);
	EXPECT_EQ(e.window.stride_h, 2U);
	EXPECT_EQ(e.window.stride_w, 1U);
	EXPECT_EQ(e.window.dilation_h, 1U);
	EXPECT_EQ(e.window.dilation_w, 3U);
	EXPECT_EQ(e.window.pad_top, 1U);
	EXPECT_EQ(e.window.pad_left, 2U);
	EXPECT_EQ(e.window.pad_bottom, 3U);
	EXPECT_EQ(e.window.pad_right, 4U);
	EXPECT_EQ(e.groups, 2U);
	EXPECT_EQ(e.in.slot, 1U);
	EXPECT_EQ(e.weight.slot, 2U);
	EXPECT_EQ(e.out.slot, 3U);
	EXPECT_EQ(e.epilogue.activation, ATOM_FN_RELU);
	EXPECT_EQ(e.epilogue.bias.strides[3], 4U);
	EXPECT_EQ(e.epilogue.bias.strides[0], 0U);
}

TEST_F(a_window_command, convolutions_pass_the_promise_of_constant_weights_on)
{
	for (const bool promised : {false, true}) {
		const conv2d_options o = {.constant_weight = promised};
		const auto flags = promised ? ATOM_CONV_WEIGHT_CONSTANT : 0U;
		const auto conv = built<atom_cmd_conv2d>([&](command_builder &b) {
			convolve(b, {1, 6, 8, 6}, o);
		});
		EXPECT_EQ(conv.header.flags, flags);
		const auto transposed = built<atom_cmd_conv2d>([&](command_builder &b) {
			b.conv_transpose2d(f32(1, {1, 6, 8, 6}), f32(2, {6, 3, 2, 4}),
			                   f32(3, {1, 8, 9, 4}), o);
		});
		EXPECT_EQ(transposed.header.opcode, ATOM_OP_CONVT2D);
		EXPECT_EQ(transposed.header.flags, flags);
	}
}

TEST_F(a_window_command, conv2d_takes_quantised_images)
{
	tensor in(slot(1), dtype::u8, {2, 4, 4, 8});
	tensor weight(slot(2), dtype::i8, {16, 1, 1, 8});
	tensor out(slot(3), dtype::u8, {2, 4, 4, 16});
	conv2d_options o;
	o.epilogue.bias = tensor(slot(5), dtype::i32, {16}).broadcast_to(out.dims());
	const auto e = built<atom_cmd_conv2d>([&](command_builder &b) {
		b.conv2d(in.quantise(0.5F, 128), weight.quantise(0U, slot(4)),
		         out.quantise(0.25F, 3), o);
	});
	EXPECT_EQ(e.weight.quant.kind, ATOM_QUANT_PER_CHANNEL);
	EXPECT_EQ(e.weight.quant.axis, 0U);
}

TEST_F(a_window_command, conv2d_with_dimensions_that_do_not_fit_is_refused)
{
	EXPECT_EQ(refusal([](command_builder &b) {
			  convolve(b, {1, 6, 9, 6}, {});
		  }),
	          "conv2d (command 1): dimensions do not fit: in [1, 8, 9, 4], weight "
	          "[6, 3, 2, 4], out [1, 6, 9, 6]; needed: weight [O, KH, KW, C / groups], out "
	          "[N, H', W', O] with H' = (H + padding - dilation * (KH - 1) - 1) / stride + 1");
	EXPECT_NO_THROW(built<atom_cmd_conv2d>([](command_builder &b) {
		convolve(b, {1, 6, 8, 6}, {});
	}));
	refusal([](command_builder &b) { convolve(b, {1, 7, 8, 6}, {}); });
	refusal([](command_builder &b) { convolve(b, {2, 6, 8, 6}, {}); });
	refusal([](command_builder &b) { convolve(b, {1, 6, 8, 7}, {}); });
	refusal([](command_builder &b) { convolve(b, {1, 6, 8, 6}, {}, {6, 3, 2, 3}); });
	refusal([](command_builder &b) { convolve(b, {1, 6, 8, 6}, {}, {6, 3, 2}); });
	refusal([](command_builder &b) { convolve(b, {1, 1, 8, 6}, {}, {6, 9, 2, 4}); });
	refusal([](command_builder &b) { convolve(b, {6, 8, 6}, {}); });
}

TEST_F(a_window_command, conv2d_with_impossible_parameters_is_refused)
{
	conv2d_options o;
	const auto refused = [&] {
		const std::string what = refusal([&](command_builder &b) {
			convolve(b, {1, 6, 8, 6}, o);
		});
		o = {};
		return what;
	};
	o.window.stride.w = 0;
	EXPECT_EQ(refused(), "conv2d (command 1): a stride is 0");
	o.window.dilation.h = 0;
	EXPECT_EQ(refused(), "conv2d (command 1): a dilation is 0");
	o.groups = 0;
	refused();
	o.groups = 4;
	EXPECT_EQ(refused(),
	          "conv2d (command 1): groups does not divide the channels of in and out");
	o.window.padding = {UINT32_MAX, 0, UINT32_MAX, 0};
	refused();
	o.window.dilation = {UINT32_MAX, UINT32_MAX};
	refused();
	o.epilogue.bias = f32(4, {6});
	refused();
}

TEST_F(a_window_command, conv_transpose2d_takes_each_output_padding_below_the_stride)
{
	const tensor in = f32(1, {1, 4, 5, 6});
	const tensor weight = f32(2, {6, 3, 3, 4});
	conv2d_options o;
	o.window.stride = {2, 3};
	o.window.padding = {1, 0, 0, 1};
	o.groups = 2;
	for (const std::uint64_t h : {8U, 9U})
		for (const std::uint64_t w : {14U, 15U, 16U}) {
			const auto e = built<atom_cmd_conv2d>([&](command_builder &b) {
				b.conv_transpose2d(in, weight, f32(3, {1, h, w, 8}), o);
			});
			EXPECT_EQ(e.header.opcode, ATOM_OP_CONVT2D);
			EXPECT_EQ(e.out.dims[1], h);
		}
	const auto refused = [&](std::initializer_list<std::uint64_t> out) {
		refusal([&](command_builder &b) {
			b.conv_transpose2d(in, weight, f32(3, out), o);
		});
	};
	refused({1, 7, 14, 8});
	refused({1, 10, 14, 8});
	refused({1, 8, 13, 8});
	refused({1, 8, 17, 8});
	refused({1, 8, 14, 4});
	refusal([&](command_builder &b) {
		b.conv_transpose2d(in, f32(2, {8, 3, 3, 4}), f32(3, {1, 8, 14, 8}), o);
	});
}

TEST_F(a_window_command, pool2d_is_encoded_as_the_contract_says)
{
	pool2d_options o;
	o.kernel = {3, 2};
	o.window.stride = {2, 2};
	o.index = tensor(slot(3), dtype::i64, {2, 3, 4, 5});
	const auto e = built<atom_cmd_pool2d>([&](command_builder &b) {
		b.pool2d(pool_kind::max, f32(1, {2, 7, 8, 5}), f32(2, {2, 3, 4, 5}), o);
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_POOL2D);
	EXPECT_EQ(e.kind, ATOM_POOL_MAX);
	EXPECT_EQ(e.window.kernel_h, 3U);
	EXPECT_EQ(e.window.stride_w, 2U);
	EXPECT_EQ(e.index.slot, 3U);
	o.index.reset();
	o.count_padding = true;
	const auto average = built<atom_cmd_pool2d>([&](command_builder &b) {
		b.pool2d(pool_kind::average, f32(1, {2, 7, 8, 5}), f32(2, {2, 3, 4, 5}), o);
	});
	EXPECT_EQ(average.header.flags, ATOM_POOL_COUNT_PAD);
	EXPECT_EQ(average.index.dtype, ATOM_DTYPE_NONE);
	o.count_padding = false;
	o.p = 3;
	const auto lp = built<atom_cmd_pool2d>([&](command_builder &b) {
		b.pool2d(pool_kind::lp, f32(1, {2, 7, 8, 5}), f32(2, {2, 3, 4, 5}), o);
	});
	EXPECT_EQ(lp.p, 3.0F);
}

TEST_F(a_window_command, pool2d_rounds_sizes_down_or_up)
{
	pool2d_options o;
	o.kernel = {2, 2};
	o.window.stride = {2, 2};
	const auto pool = [&](command_builder &b, std::uint64_t h) {
		b.pool2d(pool_kind::max, f32(1, {1, 7, 8, 1}), f32(2, {1, h, 4, 1}), o);
	};
	EXPECT_NO_THROW(built<atom_cmd_pool2d>([&](command_builder &b) { pool(b, 3); }));
	EXPECT_NO_THROW(built<atom_cmd_pool2d>([&](command_builder &b) { pool(b, 4); }));
	refusal([&](command_builder &b) { pool(b, 2); });
	refusal([&](command_builder &b) { pool(b, 5); });
}

TEST_F(a_window_command, pool2d_with_options_of_another_kind_is_refused)
{
	const auto refused = [&](pool_kind kind, const pool2d_options &o) {
		return refusal([&](command_builder &b) {
			b.pool2d(kind, f32(1, {1, 4, 4, 2}), f32(2, {1, 4, 4, 2}), o);
		});
	};
	pool2d_options o;
	o.count_padding = true;
	EXPECT_EQ(refused(pool_kind::max, o),
	          "pool2d (command 1): count_padding is of pool_kind::average");
	o = {};
	o.p = 2;
	EXPECT_EQ(refused(pool_kind::average, o), "pool2d (command 1): p is of pool_kind::lp");
	o = {};
	refused(pool_kind::lp, o);
	o.index = tensor(slot(3), dtype::i32, {1, 4, 4, 2});
	refused(pool_kind::average, o);
	o.index = tensor(slot(3), dtype::i16, {1, 4, 4, 2});
	EXPECT_EQ(refused(pool_kind::max, o),
	          "pool2d (command 1): index is of type i16, not i32 or i64");
	o.index = tensor(slot(3), dtype::i32, {1, 4, 4, 1});
	refused(pool_kind::max, o);
	o = {};
	o.epilogue.residual = f32(3, {1, 4, 4, 2});
	refused(pool_kind::max, o);
	o = {};
	o.kernel.h = 0;
	EXPECT_EQ(refused(pool_kind::max, o), "pool2d (command 1): a size of the kernel is 0");
}

TEST_F(a_window_command, resize2d_is_encoded_as_the_contract_says)
{
	resize2d_options o;
	o.mode = resize_mode::cubic;
	o.coordinate = resize_coordinate::crop_and_resize;
	o.cubic_coeff = -0.75F;
	o.roi = {0.125F, 0.25F, 0.5F, 1};
	o.extrapolation = 7;
	o.exclude_outside = true;
	o.scale_w = 1.5F;
	const auto e = built<atom_cmd_resize2d>([&](command_builder &b) {
		b.resize2d(f32(1, {1, 4, 6, 3}), f32(2, {1, 8, 9, 3}), o);
	});
	EXPECT_EQ(e.header.opcode, ATOM_OP_RESIZE2D);
	EXPECT_EQ(e.header.flags, ATOM_RESIZE_EXCLUDE_OUTSIDE);
	EXPECT_EQ(e.mode, ATOM_RESIZE_CUBIC);
	EXPECT_EQ(e.coordinate, ATOM_COORD_CROP_AND_RESIZE);
	EXPECT_EQ(e.scale_h, 2.0F) << "of the dimensions, since it is not given";
	EXPECT_EQ(e.scale_w, 1.5F);
	EXPECT_EQ(e.cubic_coeff, -0.75F);
	EXPECT_EQ(e.roi[0], 0.125F);
	EXPECT_EQ(e.roi[1], 0.25F);
	EXPECT_EQ(e.roi[2], 0.5F);
	EXPECT_EQ(e.roi[3], 1.0F);
	EXPECT_EQ(e.extrapolation, 7.0F);
	const auto nearest = built<atom_cmd_resize2d>([&](command_builder &b) {
		b.resize2d(f32(1, {1, 4, 6, 3}), f32(2, {1, 2, 3, 3}),
		           {.coordinate = resize_coordinate::asymmetric,
		            .nearest = resize_nearest::ceil});
	});
	EXPECT_EQ(nearest.nearest, ATOM_NEAREST_CEIL);
	EXPECT_EQ(nearest.scale_h, 0.5F);
}

TEST_F(a_window_command, resize2d_that_changes_images_or_channels_or_has_a_bad_scale_is_refused)
{
	const auto refused = [&](std::initializer_list<std::uint64_t> out, float scale) {
		resize2d_options o;
		o.scale_h = scale;
		refusal([&](command_builder &b) {
			b.resize2d(f32(1, {1, 4, 6, 3}), f32(2, out), o);
		});
	};
	refused({2, 4, 6, 3}, 0);
	refused({1, 4, 6, 4}, 0);
	refused({4, 6, 3}, 0);
	refused({1, 4, 6, 3}, -1);
	refused({1, 4, 6, 3}, std::numeric_limits<float>::infinity());
	refused({1, 4, 6, 3}, std::numeric_limits<float>::quiet_NaN());
}

} // namespace
} // namespace atom::test
