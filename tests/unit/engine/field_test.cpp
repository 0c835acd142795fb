/* SPDX-License-Identifier: MIT */
/*
 * Each command is made valid, then one field at a time is made wrong: the fault
 * must name that field and say what kind of wrong it is.
 */
#include "fields.h"

namespace atom::engine::test {
namespace {

atom_cmd_copy copy_command()
{
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY);
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 3, 4});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 3, 4});
	return c;
}

atom_cmd_cast cast_command()
{
	auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 3, 4});
	c.out = dense(ATOM_DTYPE_I16, 4096, {2, 3, 4});
	return c;
}

atom_cmd_unary unary_command()
{
	auto c = command<atom_cmd_unary>(ATOM_OP_UNARY);
	c.function = ATOM_FN_EXP;
	c.in = dense(ATOM_DTYPE_F32, 0, {5, 7});
	c.out = dense(ATOM_DTYPE_F16, 4096, {5, 7});
	return c;
}

atom_cmd_binary binary_command()
{
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.a = dense(ATOM_DTYPE_F32, 0, {5, 7});
	c.b = dense(ATOM_DTYPE_BF16, 1024, {5, 7});
	c.out = dense(ATOM_DTYPE_F32, 4096, {5, 7});
	c.epilogue.residual = dense(ATOM_DTYPE_F16, 8192, {5, 7});
	return c;
}

atom_cmd_gemm gemm_command()
{
	auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	c.alpha = 1;
	c.a = dense(ATOM_DTYPE_F32, 0, {2, 4, 8});
	c.b = dense(ATOM_DTYPE_F16, 1024, {2, 8, 6});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 4, 6});
	c.epilogue.bias = dense(ATOM_DTYPE_F32, 8192, {2, 4, 6});
	c.epilogue.residual = dense(ATOM_DTYPE_BF16, 12288, {2, 4, 6});
	return c;
}

atom_cmd_gemm integer_gemm_command()
{
	auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	c.alpha = 1;
	c.a = quantised(dense(ATOM_DTYPE_I8, 0, {4, 8}), 0.5f, 3);
	c.b = dense(ATOM_DTYPE_I8, 1024, {8, 6});
	c.b.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 1, .slot = 1, .scale = 0, .zero_point = 0,
		     .flags = ATOM_QUANT_ZERO_POINTS, .scale_offset = 2048, .zero_point_offset = 3072};
	c.out = quantised(dense(ATOM_DTYPE_I8, 4096, {4, 6}), 0.25f, -3);
	c.epilogue.bias = dense(ATOM_DTYPE_I32, 8192, {4, 6});
	return c;
}

TEST(Fields, NopFenceAndTimestamp)
{
	header_fields(wrong_field(command<atom_cmd_nop>(ATOM_OP_NOP)), 1);
	header_fields(wrong_field(command<atom_cmd_fence>(ATOM_OP_FENCE)), 0x8000);
	auto c = command<atom_cmd_timestamp>(ATOM_OP_TIMESTAMP);
	c.out.slot = 1;
	c.out.offset = 16;
	const wrong_field w(c);
	constexpr std::size_t out = offsetof(atom_cmd_timestamp, out);
	header_fields(w, 1);
	w.expect(out + offsetof(atom_ref, slot), std::uint16_t{3}, ATOM_FAULT_BAD_SLOT);
	w.expect(out + offsetof(atom_ref, slot), std::uint16_t{0xffff}, ATOM_FAULT_BAD_SLOT);
	w.expect(out + offsetof(atom_ref, reserved0), std::uint16_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(out + offsetof(atom_ref, reserved1), std::uint32_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(out + offsetof(atom_ref, offset), std::uint64_t{4}, ATOM_FAULT_MISALIGNED);
	w.expect(out + offsetof(atom_ref, offset), field_memory_bytes - 8, ATOM_FAULT_ARG_RANGE);
}

TEST(Fields, Copy)
{
	const wrong_field w(copy_command());
	header_fields(w, 2);
	w.expect(offsetof(atom_cmd_copy, fill), std::uint64_t{1}, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_copy, in), false);
	tensor_fields(w, offsetof(atom_cmd_copy, out), true);
	w.expect(offsetof(atom_cmd_copy, in.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_copy, in.dims[1]), std::uint64_t{2}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_copy, in.quant.scale), nan, ATOM_FAULT_NONE, 0); /* not looked at */
	w.expect(offsetof(atom_cmd_copy, out.offset), std::uint64_t{0}, ATOM_FAULT_OVERLAP);
	w.expect(offsetof(atom_cmd_copy, out.offset), std::uint64_t{92}, ATOM_FAULT_OVERLAP);
}

TEST(Fields, Fill)
{
	auto c = copy_command();
	c.header.flags = ATOM_COPY_FILL;
	c.in = {};
	c.fill = 0xffffffff;
	const wrong_field w(c);
	absent_tensor(w, offsetof(atom_cmd_copy, in));
	w.expect(offsetof(atom_cmd_copy, in.dtype), std::uint8_t{ATOM_DTYPE_F32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_copy, fill), std::uint64_t{1} << 32, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_copy, out), true);
	c.out = dense_blocks(ATOM_DTYPE_Q4_0, 0, {64});
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_DTYPE);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_copy, out.dtype));
}

TEST(Fields, CopyOfBlocks)
{
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY);
	c.in = dense_blocks(ATOM_DTYPE_Q4_1, 0, {3, 64});
	c.out = dense_blocks(ATOM_DTYPE_Q4_1, 4096, {3, 64});
	const wrong_field w(c);
	w.expect(offsetof(atom_cmd_copy, in.quant.kind), std::uint8_t{0}, ATOM_FAULT_BAD_QUANT);
	w.expect(offsetof(atom_cmd_copy, in.quant.axis), std::uint8_t{2}, ATOM_FAULT_BAD_QUANT);
	w.expect(offsetof(atom_cmd_copy, in.dims[1]), std::uint64_t{48}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_copy, in.strides[1]), std::uint64_t{40}, ATOM_FAULT_BAD_STRIDE);
	w.expect(offsetof(atom_cmd_copy, in.strides[0]), std::uint64_t{41}, ATOM_FAULT_BAD_STRIDE);
	w.expect(offsetof(atom_cmd_copy, out.strides[0]), std::uint64_t{38}, ATOM_FAULT_BAD_STRIDE);
	w.expect(offsetof(atom_cmd_copy, in.offset), std::uint64_t{1}, ATOM_FAULT_MISALIGNED);
}

TEST(Fields, Cast)
{
	const wrong_field w(cast_command());
	header_fields(w, 2);
	w.expect(offsetof(atom_cmd_cast, rounding), std::uint32_t{2}, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_cast, reserved), std::uint32_t{1}, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_cast, in), false);
	tensor_fields(w, offsetof(atom_cmd_cast, out), true);
	w.expect(offsetof(atom_cmd_cast, out.dtype), std::uint8_t{ATOM_DTYPE_Q8_0}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_cast, in.dims[2]), std::uint64_t{3}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_cast, out.offset), std::uint64_t{0}, ATOM_FAULT_OVERLAP);

	auto c = cast_command();
	c.out = dense(ATOM_DTYPE_I64, 4096, {2, 3, 4});
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_cast, out.dtype));
	c.in = quantised(dense(ATOM_DTYPE_I32, 0, {2, 3, 4}), 1, 0);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_cast, in.quant.kind));

	c = cast_command();
	c.out = dense(ATOM_DTYPE_BF16, 4096, {2, 3, 4});
	const wrong_field to_float(c);
	to_float.expect(offsetof(atom_cmd_cast, rounding), std::uint32_t{ATOM_ROUND_TOWARD_ZERO},
			ATOM_FAULT_BAD_FIELD);
	to_float.expect(offsetof(atom_cmd_cast, header.flags), std::uint16_t{ATOM_CAST_WRAP}, ATOM_FAULT_BAD_FIELD);
}

TEST(Fields, CastQuantisation)
{
	auto c = cast_command();
	c.out = quantised(dense(ATOM_DTYPE_I8, 4096, {2, 3, 4}), 0.5f, 7);
	const wrong_field w(c);
	per_tensor_fields(w, offsetof(atom_cmd_cast, out));
	w.expect(offsetof(atom_cmd_cast, header.flags), std::uint16_t{ATOM_CAST_WRAP}, ATOM_FAULT_BAD_FIELD);
	c.out.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 2, .slot = 1, .scale = 0, .zero_point = 0,
		       .flags = ATOM_QUANT_ZERO_POINTS, .scale_offset = 2048, .zero_point_offset = 3072};
	const wrong_field channels(c);
	per_channel_fields(channels, offsetof(atom_cmd_cast, out));
	/* The output may not lie over its own scales either. */
	channels.expect(offsetof(atom_cmd_cast, out.offset), std::uint64_t{2048}, ATOM_FAULT_OVERLAP);
	c.out.quant.flags = 0;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_QUANT);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_cast, out.quant.zero_point_offset));
}

TEST(Fields, Unary)
{
	const wrong_field w(unary_command());
	header_fields(w, 1);
	for (const unsigned f : {ATOM_FN_LUT + 0, 21, 31, 60, ATOM_FN_COUNT + 0, 1 << 30})
		w.expect(offsetof(atom_cmd_unary, function), f, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_unary, p0), 1.0f, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_unary, p1), nan, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_unary, reserved), 1u, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_unary, in), false);
	tensor_fields(w, offsetof(atom_cmd_unary, out), true);
	w.expect(offsetof(atom_cmd_unary, function), unsigned{ATOM_FN_BITWISE_NOT}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_unary, in.dtype));
	w.expect(offsetof(atom_cmd_unary, function), unsigned{ATOM_FN_IS_NAN}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_unary, out.dtype));
	w.expect(offsetof(atom_cmd_unary, out.dtype), std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_QUANT,
		 offsetof(atom_cmd_unary, out.quant.kind));
	w.expect(offsetof(atom_cmd_unary, in.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_unary, in.dtype), std::uint8_t{ATOM_DTYPE_I64}, ATOM_FAULT_BAD_DTYPE);

	auto c = unary_command();
	c.function = ATOM_FN_CELU;
	c.p0 = 1;
	const wrong_field celu(c);
	celu.expect(offsetof(atom_cmd_unary, p0), 0.0f, ATOM_FAULT_BAD_FIELD);
	celu.expect(offsetof(atom_cmd_unary, p0), nan, ATOM_FAULT_BAD_FIELD);
}

TEST(Fields, Binary)
{
	const wrong_field w(binary_command());
	header_fields(w, 1);
	for (const unsigned kind : {11, 15, 22, 27, 31, 37, 1 << 31})
		w.expect(offsetof(atom_cmd_binary, kind), kind, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_binary, reserved), 1u, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_binary, a), false);
	tensor_fields(w, offsetof(atom_cmd_binary, b), false);
	tensor_fields(w, offsetof(atom_cmd_binary, out), true);
	epilogue_fields(w, offsetof(atom_cmd_binary, epilogue));
	absent_tensor(w, offsetof(atom_cmd_binary, epilogue.bias));
	w.expect(offsetof(atom_cmd_binary, epilogue.bias.dtype), std::uint8_t{ATOM_DTYPE_F32}, ATOM_FAULT_BAD_DTYPE);
	tensor_fields(w, offsetof(atom_cmd_binary, epilogue.residual), false, true);
	w.expect(offsetof(atom_cmd_binary, a.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_binary, b.dtype));
	w.expect(offsetof(atom_cmd_binary, b.dtype), std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_QUANT,
		 offsetof(atom_cmd_binary, b.quant.kind));
	w.expect(offsetof(atom_cmd_binary, kind), unsigned{ATOM_BINARY_AND}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_binary, a.dtype));
	w.expect(offsetof(atom_cmd_binary, kind), unsigned{ATOM_BINARY_LT}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_binary, out.dtype));
	w.expect(offsetof(atom_cmd_binary, b.dims[1]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_binary, epilogue.residual.dims[0]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_binary, epilogue.residual.dtype), std::uint8_t{ATOM_DTYPE_I16},
		 ATOM_FAULT_BAD_QUANT, offsetof(atom_cmd_binary, epilogue.residual.quant.kind));
	w.expect(offsetof(atom_cmd_binary, out.offset), std::uint64_t{1028}, ATOM_FAULT_OVERLAP);

	/* Of plain integers there is no epilogue. */
	auto c = binary_command();
	c.a.dtype = c.b.dtype = c.out.dtype = ATOM_DTYPE_I32;
	c.b = dense(ATOM_DTYPE_I32, 1024, {5, 7});
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_binary, epilogue.residual.dtype));
	c.epilogue = {};
	const wrong_field integers(c);
	integers.expect(offsetof(atom_cmd_binary, epilogue.activation), std::uint16_t{ATOM_FN_RELU},
			ATOM_FAULT_BAD_FIELD);
	integers.expect(offsetof(atom_cmd_binary, kind), unsigned{ATOM_BINARY_ATAN2}, ATOM_FAULT_BAD_DTYPE,
			offsetof(atom_cmd_binary, a.dtype));
	integers.expect(offsetof(atom_cmd_binary, b.dtype), std::uint8_t{ATOM_DTYPE_F32}, ATOM_FAULT_BAD_DTYPE);
	integers.expect(offsetof(atom_cmd_binary, out.dtype), std::uint8_t{ATOM_DTYPE_F32}, ATOM_FAULT_BAD_DTYPE);
}

TEST(Fields, Gemm)
{
	const wrong_field w(gemm_command());
	header_fields(w, 4);
	header_fields(w, ATOM_GEMM_ACT_Q8); /* no blocks */
	for (const float alpha : {nan, inf, -inf})
		w.expect(offsetof(atom_cmd_gemm, alpha), alpha, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_gemm, reserved), 1u, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, offsetof(atom_cmd_gemm, a), false);
	tensor_fields(w, offsetof(atom_cmd_gemm, b), false);
	tensor_fields(w, offsetof(atom_cmd_gemm, out), true);
	epilogue_fields(w, offsetof(atom_cmd_gemm, epilogue));
	tensor_fields(w, offsetof(atom_cmd_gemm, epilogue.bias), false, true);
	tensor_fields(w, offsetof(atom_cmd_gemm, epilogue.residual), false, true);
	for (const unsigned i : {0, 1})
		w.expect(offsetof(atom_cmd_gemm, a.dims) + 8 * i, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	for (const unsigned i : {0, 1, 2})
		w.expect(offsetof(atom_cmd_gemm, b.dims) + 8 * i, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_gemm, a.dims[2]), std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE,
		 offsetof(atom_cmd_gemm, b.dims[1]));
	w.expect(offsetof(atom_cmd_gemm, epilogue.bias.dims[1]), std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_gemm, epilogue.bias.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_gemm, a.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_gemm, b.dtype), std::uint8_t{ATOM_DTYPE_I8}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_gemm, a.dtype), std::uint8_t{ATOM_DTYPE_I8}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_gemm, b.dtype));
	w.expect(offsetof(atom_cmd_gemm, out.dtype), std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_QUANT,
		 offsetof(atom_cmd_gemm, out.quant.kind));
	for (const std::uint64_t input : {0, 1024, 8192, 12288})
		w.expect(offsetof(atom_cmd_gemm, out.offset), input, ATOM_FAULT_OVERLAP);
}

TEST(Fields, GemmOfIntegers)
{
	const wrong_field w(integer_gemm_command());
	per_tensor_fields(w, offsetof(atom_cmd_gemm, a));
	per_tensor_fields(w, offsetof(atom_cmd_gemm, out));
	per_channel_fields(w, offsetof(atom_cmd_gemm, b));
	w.expect(offsetof(atom_cmd_gemm, b.quant.axis), std::uint8_t{0}, ATOM_FAULT_BAD_QUANT);
	auto c = integer_gemm_command();
	c.a.quant = c.b.quant;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_gemm, a.quant.kind));
	c = integer_gemm_command();
	c.out = dense(ATOM_DTYPE_I8, 4096, {4, 6});
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_gemm, out.quant.kind));
}

TEST(Fields, GemmOfBlocks)
{
	auto c = command<atom_cmd_gemm>(ATOM_OP_GEMM, ATOM_GEMM_ACT_Q8 | ATOM_GEMM_B_CONSTANT);
	c.alpha = 1;
	c.a = dense(ATOM_DTYPE_F32, 0, {3, 64});
	c.b = dense_blocks(ATOM_DTYPE_Q8_0, 1024, {5, 64});
	swap_dims(c.b, 0, 1);
	c.b.quant.axis = 0;
	c.out = dense(ATOM_DTYPE_F32, 4096, {3, 5});
	const wrong_field w(c);
	w.expect(offsetof(atom_cmd_gemm, b.dims[0]), std::uint64_t{96}, ATOM_FAULT_BAD_SHAPE);
	w.expect(offsetof(atom_cmd_gemm, b.quant.axis), std::uint8_t{1}, ATOM_FAULT_BAD_SHAPE,
		 offsetof(atom_cmd_gemm, b.dims[1]));
	w.expect(offsetof(atom_cmd_gemm, a.dtype), std::uint8_t{ATOM_DTYPE_I8}, ATOM_FAULT_BAD_DTYPE,
		 offsetof(atom_cmd_gemm, b.dtype));
	/* Blocks along n are no operand of a product. */
	c.b = dense_blocks(ATOM_DTYPE_Q8_0, 1024, {64, 32});
	c.out = dense(ATOM_DTYPE_F32, 8192, {3, 32});
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_QUANT);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_gemm, b.quant.axis));
}

TEST(Fields, LookUpTable)
{
	auto c = integer_gemm_command();
	c.epilogue.activation = ATOM_FN_LUT;
	c.epilogue.lut.slot = 1;
	c.epilogue.lut.offset = 16384;
	const wrong_field w(c);
	constexpr std::size_t lut = offsetof(atom_cmd_gemm, epilogue.lut);
	w.expect(lut + offsetof(atom_ref, slot), std::uint16_t{9}, ATOM_FAULT_BAD_SLOT);
	w.expect(lut + offsetof(atom_ref, reserved0), std::uint16_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(lut + offsetof(atom_ref, reserved1), std::uint32_t{1}, ATOM_FAULT_BAD_FIELD);
	w.expect(lut + offsetof(atom_ref, offset), field_memory_bytes - 255, ATOM_FAULT_ARG_RANGE);
	w.expect(offsetof(atom_cmd_gemm, out.offset), std::uint64_t{16639}, ATOM_FAULT_OVERLAP);
	c.out = quantised(dense(ATOM_DTYPE_I16, 4096, {4, 6}), 1, 0);
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_BAD_DTYPE);
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_gemm, out.dtype));
}

TEST(Fields, TheWorkOfACommandIsLimited)
{
	auto c = gemm_command(); /* 2 * 4 * 6 * 8 = 384 multiply-accumulates */
	EXPECT_EQ(decode_fault(bytes_of(c), 9).code, ATOM_FAULT_NONE);
	EXPECT_EQ(decode_fault(bytes_of(c), 8).code, ATOM_FAULT_TOO_LARGE);
	EXPECT_EQ(decode_fault(bytes_of(c), 8).field, offsetof(atom_cmd_gemm, out.dims));
	const auto u = unary_command(); /* 35 elements */
	EXPECT_EQ(decode_fault(bytes_of(u), 6).code, ATOM_FAULT_NONE);
	EXPECT_EQ(decode_fault(bytes_of(u), 5).code, ATOM_FAULT_TOO_LARGE);
	/* Broadcasting makes a small input large; the product of the dims overflows 64 bits. */
	c = gemm_command();
	c.epilogue = {};
	for (atom_tensor *t : {&c.a, &c.b}) {
		const unsigned k = t == &c.a ? 2 : 1;
		t->dims[k] = std::uint64_t{1} << 47;
		t->strides[k] = 0;
	}
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_TOO_LARGE);
}

} // namespace
} // namespace atom::engine::test
