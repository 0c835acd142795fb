/* SPDX-License-Identifier: MIT */
#include "fields.h"

namespace atom::engine::test {
namespace {

atom_cmd_pool2d pool_command()
{
	auto c = command<atom_cmd_pool2d>(ATOM_OP_POOL2D);
	c.window = {3, 2, 2, 1, 1, 1, 1, 0, 1, 0};
	c.in = dense(ATOM_DTYPE_F16, 0, {2, 6, 5, 8});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 3, 4, 8});
	c.index = dense(ATOM_DTYPE_I32, 16384, {2, 3, 4, 8});
	return c;
}

TEST(Fields, Pool)
{
	const wrong_field w(pool_command());
	header_fields(w, 2);
	header_fields(w, ATOM_POOL_COUNT_PAD); /* not an average */
	constexpr std::size_t window = offsetof(atom_cmd_pool2d, window);
	for (std::size_t i = 0; i < 10; ++i) {
		w.expect(window + 4 * i, 1u << 31, ATOM_FAULT_BAD_FIELD);
		if (i < 6)
			w.expect(window + 4 * i, 0u, ATOM_FAULT_BAD_FIELD);
	}
	for (const unsigned kind : {3u, 1u << 31})
		w.expect(offsetof(atom_cmd_pool2d, kind), kind, ATOM_FAULT_BAD_FIELD);
	for (const float p : {1.0f, nan, -0.0f})
		w.expect(offsetof(atom_cmd_pool2d, p), p, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_pool2d, in), false);
	tensor_fields(w, offsetof(atom_cmd_pool2d, out), true);
	tensor_fields(w, offsetof(atom_cmd_pool2d, index), true, true);
	epilogue_fields(w, offsetof(atom_cmd_pool2d, epilogue));
	absent_tensor(w, offsetof(atom_cmd_pool2d, epilogue.bias));
	w.expect(offsetof(atom_cmd_pool2d, epilogue.bias.dtype), std::uint8_t{ATOM_DTYPE_F32}, ATOM_FAULT_BAD_DTYPE);
	absent_tensor(w, offsetof(atom_cmd_pool2d, epilogue.residual));
	for (const unsigned i : {0, 1, 2, 3}) {
		w.expect(offsetof(atom_cmd_pool2d, out.dims) + 8 * i, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
		w.expect(offsetof(atom_cmd_pool2d, index.dims) + 8 * i, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	}
	/* 2.5 windows fit down the height: 3 and, the last one cut off, 4. Nothing is cut off across. */
	for (const auto &[height, width, field] :
	     {std::array<std::size_t, 3>{3, 4, 0}, {4, 4, 0}, {2, 4, offsetof(atom_cmd_pool2d, out.dims[1])},
	      {5, 4, offsetof(atom_cmd_pool2d, out.dims[1])}, {3, 5, offsetof(atom_cmd_pool2d, out.dims[2])},
	      {3, 3, offsetof(atom_cmd_pool2d, out.dims[2])}}) {
		auto c = pool_command();
		c.out = dense(ATOM_DTYPE_F32, 4096, {2, height, width, 8});
		c.index = {};
		EXPECT_EQ(decode_fault(bytes_of(c)).code, field ? ATOM_FAULT_BAD_SHAPE : ATOM_FAULT_NONE) << height << width;
		EXPECT_EQ(decode_fault(bytes_of(c)).field, field) << height << width;
	}
	w.expect(offsetof(atom_cmd_pool2d, in.dtype), std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_pool2d, out.dtype));
	w.expect(offsetof(atom_cmd_pool2d, out.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_QUANT,
		 offsetof(atom_cmd_pool2d, out.quant.kind));
	for (const unsigned kind : {ATOM_POOL_AVERAGE + 0u, ATOM_POOL_LP + 0u}) {
		auto c = pool_command();
		c.kind = kind;
		c.p = kind == ATOM_POOL_LP ? 2 : 0;
		EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_pool2d, index.dtype));
		c.index = {};
		c.in = dense(ATOM_DTYPE_I16, 0, {2, 6, 5, 8});
		EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_QUANT);
		EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_pool2d, in.quant.kind));
	}
	w.expect(offsetof(atom_cmd_pool2d, index.dtype), std::uint8_t{ATOM_DTYPE_F32}, ATOM_FAULT_BAD_DTYPE);
	for (const std::uint64_t at : {0, 16384})
		w.expect(offsetof(atom_cmd_pool2d, out.offset), at, ATOM_FAULT_OVERLAP);
	w.expect(offsetof(atom_cmd_pool2d, index.offset), std::uint64_t{0}, ATOM_FAULT_OVERLAP);
	/* 192 outputs of 6 taps. */
	EXPECT_EQ(decode_fault(bytes_of(pool_command()), 10).code, ATOM_FAULT_TOO_LARGE);
	EXPECT_EQ(decode_fault(bytes_of(pool_command()), 11).code, ATOM_FAULT_NONE);
}

TEST(Fields, PoolOfIntegers)
{
	auto c = pool_command();
	c.in = dense(ATOM_DTYPE_I8, 0, {2, 6, 5, 8});
	c.out = dense(ATOM_DTYPE_I8, 4096, {2, 3, 4, 8});
	const wrong_field w(c);
	w.expect(offsetof(atom_cmd_pool2d, out.dtype), std::uint8_t{ATOM_DTYPE_U8}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_pool2d, epilogue.activation), std::uint16_t{ATOM_FN_RELU}, ATOM_FAULT_BAD_FIELD);
	c.out = quantised(c.out, 1, 0);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_pool2d, out.quant.kind));
	c.in.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 3, .slot = 1, .scale = 0, .zero_point = 0, .flags = 0,
		      .scale_offset = 32768, .zero_point_offset = 0};
	const wrong_field channels(c);
	per_tensor_fields(channels, offsetof(atom_cmd_pool2d, out));
	channels.expect(offsetof(atom_cmd_pool2d, in.quant.axis), std::uint8_t{2}, ATOM_FAULT_BAD_QUANT);
	/* An image of more pixels than an i32 can count. */
	c = pool_command();
	c.window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
	c.window.stride_h = 1 << 20;
	c.in.dims[0] = c.out.dims[0] = c.index.dims[0] = 1;
	c.in.dims[1] = std::uint64_t{1} << 31;
	c.in.strides[1] = 0;
	c.out.dims[1] = c.index.dims[1] = 2048;
	c.in.dims[2] = c.out.dims[2] = c.index.dims[2] = 1;
	c.in.dims[3] = c.out.dims[3] = c.index.dims[3] = 1;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_DTYPE);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_pool2d, index.dtype));
}

} // namespace
} // namespace atom::engine::test
