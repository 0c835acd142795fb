/* SPDX-License-Identifier: MIT */
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "harness.h"
#include "numeric/half.h"

namespace atom::engine::test {
namespace {

/* Both implementations must give the bytes expected. */
class CopyCast : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Engine, CopyCast, testing::Bool(),
			 [](const auto &info) { return info.param ? "Reference" : "Fast"; });

template <class T> void put(arena &mem, std::uint64_t at, std::initializer_list<T> values)
{
	std::copy(values.begin(), values.end(), mem.at<T>(at));
}
template <class T> std::vector<T> take(arena &mem, std::uint64_t at, std::size_t n)
{
	return {mem.at<T>(at), mem.at<T>(at) + n};
}
template <class T> void expect_good(const T &c, arena &mem, bool reference)
{
	const outcome o = run(c, mem, reference);
	EXPECT_TRUE(o.decoded) << "code " << o.why.code << " field " << o.why.field;
	EXPECT_EQ(o.why.code, ATOM_FAULT_NONE);
	EXPECT_EQ(o.breach, "");
}

TEST_P(CopyCast, CopyTransposesBroadcastsAndReverses)
{
	arena mem(8192);
	put<std::int16_t>(mem, 0, {1, 2, 3, 4, 5, 6});
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY);
	c.in = dense(ATOM_DTYPE_I16, 0, {2, 3});
	swap_dims(c.in, 0, 1);
	c.out = dense(ATOM_DTYPE_I16, 4096, {3, 2});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int16_t>(mem, 4096, 7), (std::vector<std::int16_t>{1, 4, 2, 5, 3, 6, -23131}));

	c.in = dense(ATOM_DTYPE_I16, 4, {3, 2}); /* backwards from 3, each twice */
	c.in.strides[0] = -2ull;
	c.in.strides[1] = 0;
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int16_t>(mem, 4096, 6), (std::vector<std::int16_t>{3, 3, 2, 2, 1, 1}));
}

TEST_P(CopyCast, CopyWritesNothingBetweenTheElements)
{
	arena mem(8192);
	for (unsigned i = 0; i < 12; ++i)
		*mem.at<std::uint8_t>(i) = static_cast<std::uint8_t>(i);
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY);
	c.in = dense(ATOM_DTYPE_U8, 0, {3, 4});
	c.out = dense(ATOM_DTYPE_U8, 4096, {3, 4});
	c.out.strides[0] = 6;
	expect_good(c, mem, GetParam());
	const std::uint8_t x = 0xa5;
	EXPECT_EQ(take<std::uint8_t>(mem, 4096, 18),
		  (std::vector<std::uint8_t>{0, 1, 2, 3, x, x, 4, 5, 6, 7, x, x, 8, 9, 10, 11, x, x}));
}

TEST_P(CopyCast, CopyMovesScalarsAndWholeBlocks)
{
	arena mem(8192);
	put<std::int64_t>(mem, 8, {-5});
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY);
	c.in = dense(ATOM_DTYPE_I64, 8, {});
	c.out = dense(ATOM_DTYPE_I64, 4096, {});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(*mem.at<std::int64_t>(4096), -5);

	for (unsigned i = 0; i < 4 * 18; ++i)
		*mem.at<std::uint8_t>(i) = static_cast<std::uint8_t>(i);
	c.in = dense_blocks(ATOM_DTYPE_Q4_0, 0, {2, 64}); /* the second of each row's two blocks */
	c.in.dims[1] = 32;
	c.in.offset = 18;
	c.out = dense_blocks(ATOM_DTYPE_Q4_0, 4096, {2, 32});
	expect_good(c, mem, GetParam());
	for (unsigned i = 0; i < 18; ++i) {
		EXPECT_EQ(*mem.at<std::uint8_t>(4096 + i), 18 + i);
		EXPECT_EQ(*mem.at<std::uint8_t>(4096 + 18 + i), 54 + i);
	}
}

TEST_P(CopyCast, FillPutsTheElementEverywhere)
{
	arena mem(8192);
	auto c = command<atom_cmd_copy>(ATOM_OP_COPY, ATOM_COPY_FILL);
	c.fill = 0xbeef;
	c.out = dense(ATOM_DTYPE_F16, 4096, {3, 2});
	c.out.strides[0] = 8;
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::uint16_t>(mem, 4096, 8),
		  (std::vector<std::uint16_t>{0xbeef, 0xbeef, 0xa5a5, 0xa5a5, 0xbeef, 0xbeef, 0xa5a5, 0xa5a5}));
}

const float inf = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

TEST_P(CopyCast, FloatsRoundSaturateAndWrapToIntegers)
{
	arena mem(8192);
	put<float>(mem, 0, {0.5f, 1.5f, -2.5f, 127.4f, 200.0f, -200.0f, inf, -inf, nan, 300.7f, -1.5f, 1e20f});
	auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
	c.in = dense(ATOM_DTYPE_F32, 0, {12});
	c.out = dense(ATOM_DTYPE_I8, 4096, {12});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int8_t>(mem, 4096, 12),
		  (std::vector<std::int8_t>{0, 2, -2, 127, 127, -128, 127, -128, 0, 127, -2, 127}));
	c.rounding = ATOM_ROUND_TOWARD_ZERO;
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int8_t>(mem, 4096, 12),
		  (std::vector<std::int8_t>{0, 1, -2, 127, 127, -128, 127, -128, 0, 127, -1, 127}));
	c.header.flags = ATOM_CAST_WRAP;
	expect_good(c, mem, GetParam());
	/* 1e20 = 5^20 * 2^20: 0 modulo 256 */
	EXPECT_EQ(take<std::int8_t>(mem, 4096, 12),
		  (std::vector<std::int8_t>{0, 1, -2, 127, -56, 56, 0, 0, 0, 44, -1, 0}));
	c.out = dense(ATOM_DTYPE_I32, 4096, {12});
	c.header.flags = 0;
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int32_t>(mem, 4096, 12),
		  (std::vector<std::int32_t>{0, 1, -2, 127, 200, -200, INT32_MAX, INT32_MIN, 0, 300, -1, INT32_MAX}));
}

TEST_P(CopyCast, IntegersSaturateOrWrapExactly)
{
	arena mem(8192);
	put<std::int64_t>(mem, 0, {INT64_MAX, -1, INT64_C(1) << 32, INT32_MIN, INT64_C(0x123456789)});
	auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
	c.in = dense(ATOM_DTYPE_I64, 0, {5});
	c.out = dense(ATOM_DTYPE_I32, 4096, {5});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int32_t>(mem, 4096, 5),
		  (std::vector<std::int32_t>{INT32_MAX, -1, INT32_MAX, INT32_MIN, INT32_MAX}));
	c.header.flags = ATOM_CAST_WRAP;
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int32_t>(mem, 4096, 5), (std::vector<std::int32_t>{-1, -1, 0, INT32_MIN, 0x23456789}));

	put<std::int32_t>(mem, 0, {-1, 16777217});
	c.header.flags = 0;
	c.in = dense(ATOM_DTYPE_I32, 0, {2});
	c.out = dense(ATOM_DTYPE_U8, 4096, {2});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::uint8_t>(mem, 4096, 2), (std::vector<std::uint8_t>{0, 255}));
	c.out = dense(ATOM_DTYPE_I64, 4096, {2});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int64_t>(mem, 4096, 2), (std::vector<std::int64_t>{-1, 16777217}));
	c.out = dense(ATOM_DTYPE_F32, 4096, {2}); /* 2^24 + 1 is a tie */
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<float>(mem, 4096, 2), (std::vector<float>{-1, 16777216}));
}

TEST_P(CopyCast, FloatsConvertToNarrowerFloats)
{
	arena mem(8192);
	put<float>(mem, 0, {1.00048828125f, 65520, -65519, nan, 0x1p-24f, -0.0f, 0x1p-126f});
	auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
	c.in = dense(ATOM_DTYPE_F32, 0, {7});
	c.out = dense(ATOM_DTYPE_F16, 4096, {7});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::uint16_t>(mem, 4096, 7),
		  (std::vector<std::uint16_t>{0x3c00, 0x7c00, 0xfbff, 0x7e00, 1, 0x8000, 0}));
	c.out = dense(ATOM_DTYPE_BF16, 4096, {7});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::uint16_t>(mem, 4096, 7),
		  (std::vector<std::uint16_t>{0x3f80, 0x4780, 0xc780, 0x7fc0, 0x3380, 0x8000, 0x0080}));
}

TEST_P(CopyCast, ASignallingNaNBecomesQuiet)
{
	arena mem(8192);
	put<std::uint32_t>(mem, 0, {0x7f800001, 0xffa00000});
	auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
	c.in = dense(ATOM_DTYPE_F32, 0, {2});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2});
	expect_good(c, mem, GetParam());
	for (const std::uint32_t bits : take<std::uint32_t>(mem, 4096, 2))
		EXPECT_EQ(bits & 0x7fc00000, 0x7fc00000u);
}

TEST_P(CopyCast, QuantisesPerTensorAndPerChannel)
{
	arena mem(8192);
	put<float>(mem, 0, {1, -1, 0.25f, 100, nan, -0.75f});
	auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
	c.in = dense(ATOM_DTYPE_F32, 0, {2, 3});
	c.out = quantised(dense(ATOM_DTYPE_U8, 4096, {2, 3}), 0.5f, 10);
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::uint8_t>(mem, 4096, 6), (std::vector<std::uint8_t>{12, 8, 10, 210, 10, 8}));

	put<float>(mem, 1024, {0.5f, 0.25f, 2});
	put<std::int32_t>(mem, 2048, {0, 100, -3});
	c.out = dense(ATOM_DTYPE_I8, 4096, {2, 3});
	c.out.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 1, .slot = 1, .scale = 0, .zero_point = 0,
		       .flags = ATOM_QUANT_ZERO_POINTS, .scale_offset = 1024, .zero_point_offset = 2048};
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int8_t>(mem, 4096, 6), (std::vector<std::int8_t>{2, 96, -3, 127, 100, -3}));

	/* And back. */
	auto d = command<atom_cmd_cast>(ATOM_OP_CAST);
	d.in = c.out;
	d.out = dense(ATOM_DTYPE_F32, 0, {2, 3});
	expect_good(d, mem, GetParam());
	EXPECT_EQ(take<float>(mem, 0, 6), (std::vector<float>{1, -1, 0, 63.5f, 0, 0}));

	/* Channels along the outer dimension. */
	d.in.quant.axis = 0;
	expect_good(d, mem, GetParam());
	EXPECT_EQ(take<float>(mem, 0, 6), (std::vector<float>{1, 48, -1.5f, 6.75f, 0, -25.75f}));
}

TEST_P(CopyCast, AnUnusableScaleInAnArrayFaultsWhenItIsRead)
{
	for (const float bad : {0.0f, -1.0f, nan, inf}) {
		arena mem(8192);
		put<float>(mem, 1024, {1, bad, 1});
		auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
		c.in = dense(ATOM_DTYPE_I8, 0, {2, 3});
		c.in.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 1, .slot = 1, .scale = 0, .zero_point = 0,
			      .flags = 0, .scale_offset = 1024, .zero_point_offset = 0};
		c.out = dense(ATOM_DTYPE_F32, 4096, {2, 3});
		const outcome o = run(c, mem, GetParam());
		EXPECT_EQ(o.why.code, ATOM_FAULT_BAD_QUANT);
		EXPECT_EQ(o.why.where, ATOM_WHERE_DATA);
		EXPECT_EQ(o.why.field, offsetof(atom_cmd_cast, in.quant.scale_offset));
		EXPECT_EQ(o.why.va, memory_va + 1028);
	}
	arena mem(8192);
	put<float>(mem, 1024, {1, 1, 1});
	put<std::int32_t>(mem, 2048, {0, 0, 128});
	auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
	c.in = dense(ATOM_DTYPE_I8, 0, {2, 3});
	c.in.quant = {.kind = ATOM_QUANT_PER_CHANNEL, .axis = 1, .slot = 1, .scale = 0, .zero_point = 0,
		      .flags = ATOM_QUANT_ZERO_POINTS, .scale_offset = 1024, .zero_point_offset = 2048};
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 3});
	const outcome o = run(c, mem, GetParam());
	EXPECT_EQ(o.why.code, ATOM_FAULT_BAD_QUANT);
	EXPECT_EQ(o.why.field, offsetof(atom_cmd_cast, in.quant.zero_point_offset));
}

TEST_P(CopyCast, BlocksAreDequantisedAlongAnyDimension)
{
	arena mem(8192);
	for (unsigned b = 0; b < 2; ++b) {
		atom_block_q8_0 block{f32_to_f16(0.5f * (b + 1)), {}};
		for (int i = 0; i < 32; ++i)
			block.q[i] = static_cast<std::int8_t>(i - 16);
		std::memcpy(mem.at<std::byte>(b * 34), &block, 34);
	}
	auto c = command<atom_cmd_cast>(ATOM_OP_CAST);
	c.in = dense_blocks(ATOM_DTYPE_Q8_0, 0, {2, 32});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 32});
	expect_good(c, mem, GetParam());
	for (int b = 0; b < 2; ++b)
		for (int i = 0; i < 32; ++i)
			ASSERT_EQ(mem.at<float>(4096)[b * 32 + i], 0.5f * static_cast<float>((b + 1) * (i - 16)));
	swap_dims(c.in, 0, 1);
	c.in.quant.axis = 0;
	c.out = dense(ATOM_DTYPE_F16, 4096, {32, 2});
	expect_good(c, mem, GetParam());
	for (int b = 0; b < 2; ++b)
		for (int i = 0; i < 32; ++i)
			ASSERT_EQ(f16_to_f32(mem.at<std::uint16_t>(4096)[i * 2 + b]),
				  0.5f * static_cast<float>((b + 1) * (i - 16)));
}

} // namespace
} // namespace atom::engine::test
