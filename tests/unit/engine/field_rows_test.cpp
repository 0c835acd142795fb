/* SPDX-License-Identifier: MIT */
/* The fields of SOFTMAX, NORM and REDUCE, one at a time. */
#include "fields.h"

namespace atom::engine::test {
namespace {

constexpr std::size_t dtype_at = offsetof(atom_tensor, dtype);
constexpr std::size_t rank_at = offsetof(atom_tensor, rank);
constexpr std::size_t dims_at = offsetof(atom_tensor, dims);
constexpr std::size_t quant_kind_at = offsetof(atom_tensor, quant) + offsetof(atom_quant, kind);

atom_cmd_softmax softmax_command()
{
	auto c = command<atom_cmd_softmax>(ATOM_OP_SOFTMAX, ATOM_SOFTMAX_CAUSAL | ATOM_SOFTMAX_LOG);
	c.axis = 3;
	c.scale = 0.5f;
	c.causal_offset = 2;
	c.max_bias = 8;
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 3, 4, 5});
	c.mask = dense(ATOM_DTYPE_F16, 1024, {2, 3, 4, 5});
	c.sinks = dense(ATOM_DTYPE_F32, 2048, {3});
	c.out = dense(ATOM_DTYPE_BF16, 4096, {2, 3, 4, 5});
	return c;
}

TEST(Fields, Softmax)
{
	const wrong_field w(softmax_command());
	constexpr std::size_t in = offsetof(atom_cmd_softmax, in), mask = offsetof(atom_cmd_softmax, mask),
			      sinks = offsetof(atom_cmd_softmax, sinks), out = offsetof(atom_cmd_softmax, out);
	header_fields(w, 4);
	for (const unsigned axis : {4u, 1u, 0u, 0xffffffffu}) /* 1 is the heads */
		w.expect(offsetof(atom_cmd_softmax, axis), axis, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_softmax, axis), 2u, ATOM_FAULT_NONE, 0);
	for (const float scale : {nan, inf, -inf})
		w.expect(offsetof(atom_cmd_softmax, scale), scale, ATOM_FAULT_BAD_FIELD);
	for (const std::int64_t offset : {std::int64_t{1} << 49, -(std::int64_t{1} << 49), INT64_MAX, INT64_MIN})
		w.expect(offsetof(atom_cmd_softmax, causal_offset), offset, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_softmax, causal_offset), std::int64_t{-7}, ATOM_FAULT_NONE, 0);
	for (const float max_bias : {nan, inf, -1.0f})
		w.expect(offsetof(atom_cmd_softmax, max_bias), max_bias, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_softmax, reserved), 1u, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, in, false);
	tensor_fields(w, mask, false, true);
	tensor_fields(w, sinks, false, true);
	tensor_fields(w, out, true);
	w.expect(in + dtype_at, std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_QUANT, in + quant_kind_at);
	w.expect(in + dtype_at, std::uint8_t{ATOM_DTYPE_I64}, ATOM_FAULT_BAD_DTYPE);
	w.expect(mask + dtype_at, std::uint8_t{ATOM_DTYPE_BF16}, ATOM_FAULT_BAD_DTYPE);
	w.expect(sinks + dtype_at, std::uint8_t{ATOM_DTYPE_F16}, ATOM_FAULT_BAD_DTYPE);
	w.expect(out + dtype_at, std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_QUANT, out + quant_kind_at);
	w.expect(mask + dims_at + 8, std::uint64_t{2}, ATOM_FAULT_BAD_SHAPE);
	w.expect(sinks + dims_at, std::uint64_t{2}, ATOM_FAULT_BAD_SHAPE);
	w.expect(out + dims_at + 24, std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE);
	w.expect(out + offsetof(atom_tensor, offset), std::uint64_t{4}, ATOM_FAULT_OVERLAP);
	w.expect(out + offsetof(atom_tensor, offset), std::uint64_t{2048}, ATOM_FAULT_OVERLAP);
}

TEST(Fields, SoftmaxThatDoNotGoTogether)
{
	auto c = softmax_command();
	c.header.flags = 0;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_softmax, causal_offset));
	c.causal_offset = 0;
	c.mask = {};
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_softmax, max_bias));
	c.max_bias = 0;
	c.axis = 1;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_softmax, axis)) << "of the heads, which the sinks have";
	c.sinks = {};
	absent_tensor(wrong_field(c), offsetof(atom_cmd_softmax, mask));
	absent_tensor(wrong_field(c), offsetof(atom_cmd_softmax, sinks));
	/* In place of either input. */
	c.out = c.in;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_NONE);
	c.in.offset += 2048;
	c.mask = c.out;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_NONE);
	c.in = dense(ATOM_DTYPE_F32, 0, {4, 5});
	c.mask = c.in;
	c.out = dense(ATOM_DTYPE_F32, 4096, {4, 5});
	c.max_bias = 1;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_softmax, in.rank));
	c.max_bias = 0;
	EXPECT_EQ(decode_fault(bytes_of(c), 4).code, ATOM_FAULT_TOO_LARGE);
	EXPECT_EQ(decode_fault(bytes_of(c), 4).field, offsetof(atom_cmd_softmax, out.dims));
}

atom_cmd_norm norm_command()
{
	auto c = command<atom_cmd_norm>(ATOM_OP_NORM);
	c.kind = ATOM_NORM_LAYER;
	c.axes = 4;
	c.groups = 2;
	c.group_axis = 1;
	c.eps = 1e-5f;
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 4, 5});
	c.gamma = dense(ATOM_DTYPE_F16, 1024, {2, 4, 5});
	c.beta = dense(ATOM_DTYPE_BF16, 2048, {2, 4, 5});
	c.out = dense(ATOM_DTYPE_BF16, 4096, {2, 4, 5});
	c.mean = dense(ATOM_DTYPE_F32, 8192, {2, 2, 1});
	c.inverse = dense(ATOM_DTYPE_F32, 12288, {2, 2, 1});
	return c;
}

TEST(Fields, Norm)
{
	const wrong_field w(norm_command());
	constexpr std::size_t in = offsetof(atom_cmd_norm, in), gamma = offsetof(atom_cmd_norm, gamma),
			      beta = offsetof(atom_cmd_norm, beta), out = offsetof(atom_cmd_norm, out),
			      mean = offsetof(atom_cmd_norm, mean), inverse = offsetof(atom_cmd_norm, inverse);
	header_fields(w, 1);
	for (const unsigned kind : {5u, 0xffffffffu})
		w.expect(offsetof(atom_cmd_norm, kind), kind, ATOM_FAULT_BAD_FIELD);
	for (const unsigned axes : {8u, 32u, 0x80000000u})
		w.expect(offsetof(atom_cmd_norm, axes), axes, ATOM_FAULT_BAD_FIELD);
	for (const unsigned groups : {3u, 8u, 0xffffffffu})
		w.expect(offsetof(atom_cmd_norm, groups), groups, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_norm, groups), 0u, ATOM_FAULT_BAD_FIELD, offsetof(atom_cmd_norm, group_axis));
	for (const unsigned axis : {2u, 3u, 0xffffffffu}) /* 2 is normalised over */
		w.expect(offsetof(atom_cmd_norm, group_axis), axis, ATOM_FAULT_BAD_FIELD);
	for (const float eps : {nan, inf, -1.0f})
		w.expect(offsetof(atom_cmd_norm, eps), eps, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_norm, lrn_alpha), 1.0f, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_norm, lrn_beta), 1.0f, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_norm, lrn_bias), 1.0f, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_norm, lrn_size), 1u, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_norm, reserved), 1u, ATOM_FAULT_BAD_FIELD);
	tensor_fields(w, in, false);
	tensor_fields(w, gamma, false, true);
	tensor_fields(w, beta, false, true);
	tensor_fields(w, out, true);
	tensor_fields(w, mean, true, true);
	tensor_fields(w, inverse, true, true);
	w.expect(in + dtype_at, std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_QUANT, in + quant_kind_at);
	w.expect(gamma + dtype_at, std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_DTYPE);
	w.expect(out + dtype_at, std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_QUANT, out + quant_kind_at);
	w.expect(gamma + dims_at, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	w.expect(out + dims_at + 16, std::uint64_t{4}, ATOM_FAULT_BAD_SHAPE);
	for (const std::size_t t : {mean, inverse}) {
		w.expect(t + dtype_at, std::uint8_t{ATOM_DTYPE_F16}, ATOM_FAULT_BAD_DTYPE);
		w.expect(t + dims_at + 8, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
		w.expect(t + dims_at, std::uint64_t{1}, ATOM_FAULT_BAD_SHAPE);
	}
	w.expect(out + offsetof(atom_tensor, offset), std::uint64_t{2}, ATOM_FAULT_OVERLAP);
	w.expect(mean + offsetof(atom_tensor, offset), std::uint64_t{1024}, ATOM_FAULT_OVERLAP);
	w.expect(inverse + offsetof(atom_tensor, offset), std::uint64_t{8192}, ATOM_FAULT_OVERLAP,
		 mean + offsetof(atom_tensor, offset));
}

TEST(Fields, NormThatDoNotGoTogether)
{
	auto c = norm_command();
	c.kind = ATOM_NORM_RMS;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_norm, mean.dtype));
	c.mean = {};
	absent_tensor(wrong_field(c), offsetof(atom_cmd_norm, mean));
	c.axes = 0;
	c.inverse.dims[2] = 5;
	c.inverse.strides[1] = 20;
	c.inverse.strides[0] = 40;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_NONE);
	c.in.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 1, .slot = 1, .scale = 0, .zero_point = 0, .flags = 0,
		      .scale_offset = 16384, .zero_point_offset = 0};
	c.in.dtype = ATOM_DTYPE_I32;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_norm, in.quant.axis)) << "channels of what is split";
	c.in.quant.axis = 0;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_NONE);
	c.groups = c.group_axis = 0;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_norm, axes));
	c = norm_command();
	c.in = dense(ATOM_DTYPE_F32, 0, {1, 4, 1, 1, 1});
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_norm, in.rank));
	c = norm_command();
	EXPECT_EQ(decode_fault(bytes_of(c), 5).code, ATOM_FAULT_TOO_LARGE);
	EXPECT_EQ(decode_fault(bytes_of(c), 5).field, offsetof(atom_cmd_norm, out.dims));
}

TEST(Fields, Lrn)
{
	auto c = command<atom_cmd_norm>(ATOM_OP_NORM);
	c.kind = ATOM_NORM_LRN;
	c.axes = 2;
	c.lrn_alpha = 1e-4f;
	c.lrn_beta = 0.75f;
	c.lrn_bias = 1;
	c.lrn_size = 5;
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 4, 5});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 4, 5});
	const wrong_field w(c);
	for (const unsigned axes : {0u, 3u, 8u})
		w.expect(offsetof(atom_cmd_norm, axes), axes, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_norm, groups), 1u, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_norm, eps), 1.0f, ATOM_FAULT_BAD_FIELD);
	for (const float value : {nan, inf}) {
		w.expect(offsetof(atom_cmd_norm, lrn_alpha), value, ATOM_FAULT_BAD_FIELD);
		w.expect(offsetof(atom_cmd_norm, lrn_beta), value, ATOM_FAULT_BAD_FIELD);
		w.expect(offsetof(atom_cmd_norm, lrn_bias), value, ATOM_FAULT_BAD_FIELD);
	}
	for (const unsigned size : {0u, 1025u, 0xffffffffu})
		w.expect(offsetof(atom_cmd_norm, lrn_size), size, ATOM_FAULT_BAD_FIELD);
	for (const std::size_t t : {offsetof(atom_cmd_norm, gamma), offsetof(atom_cmd_norm, beta),
				    offsetof(atom_cmd_norm, mean), offsetof(atom_cmd_norm, inverse)})
		w.expect(t + dtype_at, std::uint8_t{ATOM_DTYPE_F32}, ATOM_FAULT_BAD_DTYPE);
	w.expect(offsetof(atom_cmd_norm, out.offset), std::uint64_t{0}, ATOM_FAULT_OVERLAP);
	EXPECT_EQ(decode_fault(bytes_of(c), 7).code, ATOM_FAULT_TOO_LARGE) << "200 terms";
}

TEST(Fields, Reduce)
{
	auto c = command<atom_cmd_reduce>(ATOM_OP_REDUCE);
	c.kind = ATOM_REDUCE_MEAN;
	c.axes = 5;
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 4, 5});
	c.out = dense(ATOM_DTYPE_F16, 4096, {1, 4, 1});
	const wrong_field w(c);
	constexpr std::size_t in = offsetof(atom_cmd_reduce, in), out = offsetof(atom_cmd_reduce, out);
	header_fields(w, 2);
	w.expect(offsetof(atom_cmd_header, flags), std::uint16_t{ATOM_REDUCE_LAST_INDEX}, ATOM_FAULT_BAD_FIELD);
	for (const unsigned kind : {12u, 0xffffffffu})
		w.expect(offsetof(atom_cmd_reduce, kind), kind, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_reduce, kind), unsigned{ATOM_REDUCE_ARGMAX}, ATOM_FAULT_BAD_FIELD,
		 offsetof(atom_cmd_reduce, axes));
	for (const unsigned axes : {8u, 13u, 0x80000000u})
		w.expect(offsetof(atom_cmd_reduce, axes), axes, ATOM_FAULT_BAD_FIELD);
	w.expect(offsetof(atom_cmd_reduce, axes), 1u, ATOM_FAULT_BAD_SHAPE, out + dims_at + 16);
	w.expect(offsetof(atom_cmd_reduce, axes), 7u, ATOM_FAULT_BAD_SHAPE, out + dims_at + 8);
	tensor_fields(w, in, false);
	tensor_fields(w, out, true);
	w.expect(in + dtype_at, std::uint8_t{ATOM_DTYPE_I64}, ATOM_FAULT_BAD_DTYPE);
	w.expect(in + dtype_at, std::uint8_t{ATOM_DTYPE_I32}, ATOM_FAULT_BAD_DTYPE, out + dtype_at);
	w.expect(out + dtype_at, std::uint8_t{ATOM_DTYPE_I16}, ATOM_FAULT_BAD_QUANT, out + quant_kind_at);
	w.expect(out + dims_at, std::uint64_t{2}, ATOM_FAULT_BAD_SHAPE);
	w.expect(out + offsetof(atom_tensor, offset), std::uint64_t{158}, ATOM_FAULT_OVERLAP);
}

TEST(Fields, ReduceThatDoNotGoTogether)
{
	auto c = command<atom_cmd_reduce>(ATOM_OP_REDUCE, ATOM_REDUCE_LAST_INDEX);
	c.kind = ATOM_REDUCE_ARGMIN;
	c.axes = 2;
	c.in = dense(ATOM_DTYPE_I8, 0, {2, 4});
	c.out = dense(ATOM_DTYPE_I32, 4096, {2, 1});
	const wrong_field indices(c);
	for (const unsigned axes : {0u, 3u})
		indices.expect(offsetof(atom_cmd_reduce, axes), axes, ATOM_FAULT_BAD_FIELD);
	for (const unsigned dtype : {ATOM_DTYPE_I8, ATOM_DTYPE_F32})
		indices.expect(offsetof(atom_cmd_reduce, out.dtype), static_cast<std::uint8_t>(dtype), ATOM_FAULT_BAD_DTYPE);
	c.in.strides[1] = 0;
	c.in.dims[1] = (1ull << 31) + 1;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_reduce, in.dims) + 8) << "beyond an i32";
	c.out = dense(ATOM_DTYPE_I64, 4096, {2, 1});
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_NONE);
	EXPECT_EQ(decode_fault(bytes_of(c), 32).code, ATOM_FAULT_TOO_LARGE) << "counted by elements of the input";
	EXPECT_EQ(decode_fault(bytes_of(c), 32).field, offsetof(atom_cmd_reduce, out.dims));
	c.header.flags = 0;
	c.in.dims[1] = 4;
	for (const unsigned kind : {ATOM_REDUCE_L2, ATOM_REDUCE_LOG_SUM, ATOM_REDUCE_LOG_SUM_EXP}) {
		c.kind = kind;
		EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_reduce, in.dtype)) << "integers have none";
	}
	c.kind = ATOM_REDUCE_SUM;
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_NONE);
	c.out.dtype = ATOM_DTYPE_I16;
	EXPECT_EQ(decode_fault(bytes_of(c)).field, offsetof(atom_cmd_reduce, out.dtype));
	/* Dimensions whose product is beyond all numbers. */
	c.in = dense(ATOM_DTYPE_F32, 0, {1, 1, 1, 1, 1});
	c.out = dense(ATOM_DTYPE_F32, 4096, {1, 1, 1, 1, 1});
	c.axes = 31;
	for (unsigned i = 0; i < 5; ++i) {
		c.in.dims[i] = 1ull << 48;
		c.in.strides[i] = 0;
	}
	EXPECT_EQ(decode_fault(bytes_of(c)).code, ATOM_FAULT_TOO_LARGE);
}

} // namespace
} // namespace atom::engine::test
