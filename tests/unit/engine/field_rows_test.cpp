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

} // namespace
} // namespace atom::engine::test
