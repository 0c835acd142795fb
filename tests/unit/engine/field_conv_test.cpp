/* SPDX-License-Identifier: MIT */
#include "fields.h"

namespace atom::engine::test {
namespace {

atom_cmd_conv2d conv_command()
{
	auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	c.window = {2, 3, 2, 1, 1, 2, 1, 2, 0, 1};
	c.groups = 2;
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 5, 6, 4});
	c.weight = dense(ATOM_DTYPE_F16, 1024, {6, 2, 3, 2});
	/* (5 + 1 - 2) / 2 + 1, (6 + 3 - 5) / 1 + 1 */
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 3, 5, 6});
	c.epilogue.bias = dense(ATOM_DTYPE_F32, 8192, {2, 3, 5, 6});
	c.epilogue.residual = dense(ATOM_DTYPE_BF16, 12288, {2, 3, 5, 6});
	return c;
}

atom_cmd_conv2d transposed_command()
{
	auto c = command<atom_cmd_conv2d>(ATOM_OP_CONVT2D);
	c.window = {2, 3, 2, 3, 1, 2, 1, 0, 0, 1};
	c.groups = 2;
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 3, 4, 4});
	c.weight = dense(ATOM_DTYPE_F16, 1024, {4, 2, 3, 3});
	/* 2 * 2 - 1 + 2 .. + 1, 3 * 3 - 1 + 5 .. + 2 */
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 6, 14, 6});
	return c;
}

atom_cmd_conv2d integer_conv_command()
{
	auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	c.window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
	c.groups = 1;
	c.in = quantised(dense(ATOM_DTYPE_I8, 0, {1, 2, 3, 4}), 0.5f, 3);
	c.weight = dense(ATOM_DTYPE_U8, 1024, {5, 1, 1, 4});
	c.weight.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 0, .slot = 1, .scale = 0, .zero_point = 0,
			  .flags = ATOM_QUANT_ZERO_POINTS, .scale_offset = 2048, .zero_point_offset = 3072};
	c.out = quantised(dense(ATOM_DTYPE_I8, 4096, {1, 2, 3, 5}), 0.25f, -3);
	c.epilogue.bias = dense(ATOM_DTYPE_I32, 8192, {1, 2, 3, 5});
	return c;
}

void window_fields(const wrong_field<atom_cmd_conv2d> &w)
{
	for (std::size_t i = 0; i < sizeof(atom_window); i += 4) {
		const std::size_t at = offsetof(atom_cmd_conv2d, window) + i;
		for (const std::uint32_t value : {1u << 31, UINT32_MAX})
			w.expect(at, value, ATOM_FAULT_BAD_FIELD);
		if (i < offsetof(atom_window, pad_top))
			w.expect(at, 0u, ATOM_FAULT_BAD_FIELD);
	}
	w.expect(offsetof(atom_cmd_conv2d, window.kernel_h), 3u, ATOM_FAULT_BAD_SHAPE, offsetof(atom_cmd_conv2d, weight.dims[1]));
	w.expect(offsetof(atom_cmd_conv2d, window.kernel_w), 2u, ATOM_FAULT_BAD_SHAPE, offsetof(atom_cmd_conv2d, weight.dims[2]));
	w.expect(offsetof(atom_cmd_conv2d, window.stride_h), 1u, ATOM_FAULT_BAD_SHAPE, offsetof(atom_cmd_conv2d, out.dims[1]));
	w.expect(offsetof(atom_cmd_conv2d, window.stride_w), 2u, ATOM_FAULT_BAD_SHAPE, offsetof(atom_cmd_conv2d, out.dims[2]));
	w.expect(offsetof(atom_cmd_conv2d, window.dilation_w), 1u, ATOM_FAULT_BAD_SHAPE, offsetof(atom_cmd_conv2d, out.dims[2]));
	/* As far as numbers go. */
	for (const std::size_t i : {offsetof(atom_window, stride_h), offsetof(atom_window, dilation_h),
				    offsetof(atom_window, pad_top), offsetof(atom_window, pad_bottom)})
		w.expect(offsetof(atom_cmd_conv2d, window) + i, std::uint32_t{INT32_MAX}, ATOM_FAULT_BAD_SHAPE,
			 offsetof(atom_cmd_conv2d, out.dims[1]));
	for (const std::size_t i : {offsetof(atom_window, dilation_w), offsetof(atom_window, pad_left),
				    offsetof(atom_window, pad_right)})
		w.expect(offsetof(atom_cmd_conv2d, window) + i, std::uint32_t{INT32_MAX}, ATOM_FAULT_BAD_SHAPE,
			 offsetof(atom_cmd_conv2d, out.dims[2]));
}

void conv_fields(const atom_cmd_conv2d &c)
{
	const wrong_field w(c);
	header_fields(w, 2);
	w.expect(offsetof(atom_cmd_header, flags), std::uint16_t{ATOM_CONV_WEIGHT_CONSTANT}, ATOM_FAULT_NONE, 0);
	w.expect(offsetof(atom_cmd_header, flags), std::uint16_t{0xffff ^ ATOM_CONV_WEIGHT_CONSTANT}, ATOM_FAULT_BAD_FIELD);
	window_fields(w);
	for (const std::uint32_t groups : {0u, 3u, 4u, UINT32_MAX})
		if (groups != 4 || c.out.dims[3] % 4)
			w.expect(offsetof(atom_cmd_conv2d, groups), groups, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_conv2d, groups), 1u, ATOM_FAULT_BAD_SHAPE, offsetof(atom_cmd_conv2d, weight.dims[3]));
	w.expect(offsetof(atom_cmd_conv2d, reserved), 1u, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_conv2d, in), false);
	tensor_fields(w, offsetof(atom_cmd_conv2d, weight), false);
	tensor_fields(w, offsetof(atom_cmd_conv2d, out), true);
	for (const std::size_t tensor : {offsetof(atom_cmd_conv2d, in), offsetof(atom_cmd_conv2d, weight),
					 offsetof(atom_cmd_conv2d, out)}) {
		auto flat = c;
		auto *t = reinterpret_cast<atom_tensor *>(reinterpret_cast<char *>(&flat) + tensor);
		t->rank = 3;
		t->dims[3] = t->strides[3] = 0;
		EXPECT_EQ(decode_fault(bytes_of(flat)).code, ATOM_FAULT_BAD_SHAPE);
		EXPECT_EQ(decode_fault(bytes_of(flat)).field, tensor + offsetof(atom_tensor, rank));
	}
	for (const std::size_t dtype : {offsetof(atom_cmd_conv2d, in.dtype), offsetof(atom_cmd_conv2d, weight.dtype)}) {
		w.expect(dtype, std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_DTYPE);
		w.expect(dtype, std::uint8_t{ATOM_DTYPE_I64}, ATOM_FAULT_BAD_DTYPE);
		w.expect(dtype, std::uint8_t{ATOM_DTYPE_Q8_0}, ATOM_FAULT_BAD_DTYPE);
		w.expect(dtype, std::uint8_t{ATOM_DTYPE_U8}, ATOM_FAULT_BAD_DTYPE, offsetof(atom_cmd_conv2d, weight.dtype));
	}
	for (const unsigned i : {0, 1, 2, 3})
		w.expect(offsetof(atom_cmd_conv2d, weight.dims) + 8 * i, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	for (const unsigned i : {0, 1, 2})
		w.expect(offsetof(atom_cmd_conv2d, out.dims) + 8 * i, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_conv2d, out.dims[3]), std::uint64_t{5}, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_conv2d, groups));
	w.expect(offsetof(atom_cmd_conv2d, out.dims[3]), std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE,
		 offsetof(atom_cmd_conv2d, weight.dims) + (c.header.opcode == ATOM_OP_CONV2D ? 0 : 24));
	w.expect(offsetof(atom_cmd_conv2d, out.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_QUANT,
		 offsetof(atom_cmd_conv2d, out.quant.kind));
	for (const std::uint64_t input : {0, 1024})
		w.expect(offsetof(atom_cmd_conv2d, out.offset), input, ATOM_FAULT_OVERLAP);
}

TEST(Fields, Conv)
{
	conv_fields(conv_command());
	const wrong_field w(conv_command());
	epilogue_fields(w, offsetof(atom_cmd_conv2d, epilogue));
	tensor_fields(w, offsetof(atom_cmd_conv2d, epilogue.bias), false, true);
	tensor_fields(w, offsetof(atom_cmd_conv2d, epilogue.residual), false, true);
	w.expect(offsetof(atom_cmd_conv2d, epilogue.bias.dims[1]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_conv2d, epilogue.bias.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	for (const std::uint64_t input : {8192, 12288})
		w.expect(offsetof(atom_cmd_conv2d, out.offset), input, ATOM_FAULT_OVERLAP);
	/* A window larger than the padded input. */
	w.expect(offsetof(atom_cmd_conv2d, window.dilation_h), 6u, ATOM_FAULT_BAD_SHAPE, offsetof(atom_cmd_conv2d, out.dims[1]));
}

TEST(Fields, TransposedConv)
{
	conv_fields(transposed_command());
	const wrong_field w(transposed_command());
	/* Output padding is below the stride. */
	constexpr std::size_t height = offsetof(atom_cmd_conv2d, out.dims[1]), width = offsetof(atom_cmd_conv2d, out.dims[2]);
	w.expect(height, std::uint64_t{5}, ATOM_FAULT_NONE, 0);
	w.expect(height, std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE);
	w.expect(height, std::uint64_t{7}, ATOM_FAULT_BAD_STRIDE, offsetof(atom_cmd_conv2d, out.strides[0]));
	w.expect(width, std::uint64_t{13}, ATOM_FAULT_NONE, 0);
	w.expect(width, std::uint64_t{12}, ATOM_FAULT_BAD_SHAPE);
	auto c = transposed_command();
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 7, 16, 6});
	EXPECT_EQ(decode_fault(bytes_of(c)).field, height);
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 6, 16, 6});
	EXPECT_EQ(decode_fault(bytes_of(c)).field, width);
}

TEST(Fields, ConvOfIntegers)
{
	const wrong_field w(integer_conv_command());
	per_tensor_fields(w, offsetof(atom_cmd_conv2d, in));
	per_tensor_fields(w, offsetof(atom_cmd_conv2d, out));
	per_channel_fields(w, offsetof(atom_cmd_conv2d, weight));
	for (const std::uint8_t axis : {1, 2, 3})
		w.expect(offsetof(atom_cmd_conv2d, weight.quant.axis), axis, ATOM_FAULT_BAD_QUANT);
	w.expect(offsetof(atom_cmd_conv2d, weight.dtype), std::uint8_t{ATOM_DTYPE_F32}, ATOM_FAULT_BAD_STRIDE,
		 offsetof(atom_cmd_conv2d, weight.strides[3]));
	auto c = integer_conv_command();
	c.in.quant = c.weight.quant;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_conv2d, in.quant.kind));
	c = integer_conv_command();
	c.out.quant = {};
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_conv2d, out.quant.kind));
	/* Transposed, the outputs are the last dimension of the weights. */
	c = integer_conv_command();
	c.header.opcode = ATOM_OP_CONVT2D;
	swap_dims(c.weight, 0, 3);
	c.weight.quant.axis = 3;
	const wrong_field transposed(c);
	for (const std::uint8_t axis : {0, 1, 2})
		transposed.expect(offsetof(atom_cmd_conv2d, weight.quant.axis), axis, ATOM_FAULT_BAD_QUANT);
}

TEST(Fields, TheWorkOfAConvIsLimited)
{
	auto c = conv_command(); /* 2 * 3 * 5 * 6 outputs of 2 * 3 * 2 terms: 2160 */
	EXPECT_EQ(decode_fault(bytes_of(c), 12).code, ATOM_FAULT_NONE);
	EXPECT_EQ(decode_fault(bytes_of(c), 11).code, ATOM_FAULT_TOO_LARGE);
	EXPECT_EQ(decode_fault(bytes_of(c), 11).field, offsetof(atom_cmd_conv2d, out.dims));
	/* Terms of one output beyond 64 bits, on a few bytes. */
	c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	c.window = {INT32_MAX, INT32_MAX, 1, 1, 1, 1, 0, 0, 0, 0};
	c.groups = 1;
	c.in = dense(ATOM_DTYPE_F32, 0, {1, 1, 1, 1});
	c.weight = dense(ATOM_DTYPE_F32, 1024, {1, 1, 1, 1});
	c.in.dims[1] = c.in.dims[2] = c.weight.dims[1] = c.weight.dims[2] = INT32_MAX;
	c.in.dims[3] = c.weight.dims[3] = std::uint64_t{1} << 47;
	for (atom_tensor *t : {&c.in, &c.weight})
		std::fill(t->strides, t->strides + 4, 0);
	c.out = dense(ATOM_DTYPE_F32, 4096, {1, 1, 1, 1});
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_TOO_LARGE);
	/* Inputs beyond 64 bits that pads cut off again. */
	c.header.opcode = ATOM_OP_CONVT2D;
	c.window = {1, 1, 1, 1, 1, 1, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
	c.in.dims[1] = c.in.dims[2] = (std::uint64_t{INT32_MAX} << 1) + 1;
	c.weight.dims[1] = c.weight.dims[2] = 1;
	c.in.dims[3] = c.weight.dims[0] = 1 << 20;
	c.weight.dims[3] = 1;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_NONE);
}

} // namespace
} // namespace atom::engine::test
