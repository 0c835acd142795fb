/* SPDX-License-Identifier: MIT */
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "harness.h"
#include "numeric/half.h"

namespace atom::engine::test {
namespace {

class Elementwise : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Engine, Elementwise, testing::Bool(),
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

TEST_P(Elementwise, AddBroadcastsByStridesOfZero)
{
	arena mem(16384);
	put<float>(mem, 0, {1, 2, 3, 4, 5, 6});
	put<std::uint16_t>(mem, 1024, {f32_to_f16(10), f32_to_f16(20), f32_to_f16(30)});
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.kind = ATOM_BINARY_ADD;
	c.a = dense(ATOM_DTYPE_F32, 0, {2, 3});
	c.b = dense(ATOM_DTYPE_F16, 1024, {2, 3});
	c.b.strides[0] = 0;
	c.out = dense(ATOM_DTYPE_F32, 4096, {2, 3});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<float>(mem, 4096, 6), (std::vector<float>{11, 22, 33, 14, 25, 36}));
}

TEST_P(Elementwise, TheEpilogueAddsTheResidualThenActivates)
{
	arena mem(16384);
	put<float>(mem, 0, {1, -2, 3});
	put<float>(mem, 1024, {1, 1, 1});
	put<std::int8_t>(mem, 2048, {-6, 2, 4});
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.kind = ATOM_BINARY_MUL;
	c.a = dense(ATOM_DTYPE_F32, 0, {3});
	c.b = dense(ATOM_DTYPE_F32, 1024, {3});
	c.out = dense(ATOM_DTYPE_F32, 4096, {3});
	c.epilogue.residual = quantised(dense(ATOM_DTYPE_I8, 2048, {3}), 0.5f, 0);
	c.epilogue.activation = ATOM_FN_RELU;
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<float>(mem, 4096, 3), (std::vector<float>{0, 0, 5}));
}

TEST_P(Elementwise, TheLookUpTableIsIndexedByTheQuantisedResult)
{
	arena mem(16384);
	put<float>(mem, 0, {1, -1, 100});
	put<float>(mem, 1024, {0, 0, 0});
	for (unsigned i = 0; i < 256; ++i)
		*mem.at<std::uint8_t>(8192 + i) = static_cast<std::uint8_t>(255 - i);
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.kind = ATOM_BINARY_ADD;
	c.a = dense(ATOM_DTYPE_F32, 0, {3});
	c.b = dense(ATOM_DTYPE_F32, 1024, {3});
	c.out = quantised(dense(ATOM_DTYPE_I8, 4096, {3}), 0.5f, 1);
	c.epilogue.activation = ATOM_FN_LUT;
	c.epilogue.lut.slot = 1;
	c.epilogue.lut.offset = 8192;
	expect_good(c, mem, GetParam());
	/* q = 3, -1 (index 255), 127 */
	EXPECT_EQ(take<std::uint8_t>(mem, 4096, 3), (std::vector<std::uint8_t>{252, 0, 128}));
}

TEST_P(Elementwise, PlainIntegersAreExactModuloTheirWidth)
{
	arena mem(16384);
	put<std::int32_t>(mem, 0, {INT32_MAX, 16777217, -7, INT32_MIN});
	put<std::int32_t>(mem, 1024, {1, 16777217, 0, -1});
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.a = dense(ATOM_DTYPE_I32, 0, {4});
	c.b = dense(ATOM_DTYPE_I32, 1024, {4});
	c.out = dense(ATOM_DTYPE_I32, 4096, {4});
	const auto is = [&](unsigned kind, std::vector<std::int32_t> expected) {
		c.kind = kind;
		expect_good(c, mem, GetParam());
		EXPECT_EQ(take<std::int32_t>(mem, 4096, 4), expected) << kind;
	};
	is(ATOM_BINARY_ADD, {INT32_MIN, 33554434, -7, INT32_MAX});
	is(ATOM_BINARY_MUL, {INT32_MAX, 33554433, 0, INT32_MIN});
	is(ATOM_BINARY_DIV, {INT32_MAX, 1, 0, INT32_MIN});
	is(ATOM_BINARY_MOD, {0, 0, 0, 0});
	is(ATOM_BINARY_POW, {INT32_MAX, 16777217, 1, 0});
	is(ATOM_BINARY_SHR, {1073741823, 8388608, -7, -1});
	is(ATOM_BINARY_XOR, {2147483646, 0, -7, INT32_MAX});
	c.out = dense(ATOM_DTYPE_U8, 4096, {4});
	c.kind = ATOM_BINARY_GE;
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::uint8_t>(mem, 4096, 4), (std::vector<std::uint8_t>{1, 1, 0, 0}));
	c.kind = ATOM_BINARY_LOGICAL_AND;
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::uint8_t>(mem, 4096, 4), (std::vector<std::uint8_t>{1, 1, 0, 1}));
}

TEST_P(Elementwise, QuantisedIntegersAreComputedAsReals)
{
	arena mem(16384);
	put<std::uint8_t>(mem, 0, {130, 126, 255});
	put<std::int8_t>(mem, 1024, {4, 4, 127});
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.kind = ATOM_BINARY_ADD;
	c.a = quantised(dense(ATOM_DTYPE_U8, 0, {3}), 0.5f, 128); /* 1, -1, 63.5 */
	c.b = quantised(dense(ATOM_DTYPE_I8, 1024, {3}), 0.25f, 0); /* 1, 1, 31.75 */
	c.out = quantised(dense(ATOM_DTYPE_I8, 4096, {3}), 0.5f, -2);
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int8_t>(mem, 4096, 3), (std::vector<std::int8_t>{2, -2, 127}));
}

TEST_P(Elementwise, ComparisonsOfFloatsWriteTruthValues)
{
	const float nan = std::numeric_limits<float>::quiet_NaN();
	arena mem(16384);
	put<float>(mem, 0, {1, nan, -0.0f, 2});
	put<float>(mem, 1024, {2, nan, 0.0f, 2});
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.a = dense(ATOM_DTYPE_F32, 0, {4});
	c.b = dense(ATOM_DTYPE_F32, 1024, {4});
	c.out = dense(ATOM_DTYPE_U8, 4096, {4});
	const auto is = [&](unsigned kind, std::vector<std::uint8_t> expected) {
		c.kind = kind;
		expect_good(c, mem, GetParam());
		EXPECT_EQ(take<std::uint8_t>(mem, 4096, 4), expected) << kind;
	};
	is(ATOM_BINARY_EQ, {0, 0, 1, 1});
	is(ATOM_BINARY_NE, {1, 1, 0, 0});
	is(ATOM_BINARY_LT, {1, 0, 0, 0});
	is(ATOM_BINARY_GE, {0, 0, 1, 1});
	is(ATOM_BINARY_LOGICAL_OR, {1, 1, 0, 1});
}

TEST_P(Elementwise, InPlaceWorks)
{
	arena mem(1 << 20);
	for (unsigned i = 0; i < 100000; ++i)
		mem.at<float>(0)[i] = static_cast<float>(i);
	auto c = command<atom_cmd_binary>(ATOM_OP_BINARY);
	c.kind = ATOM_BINARY_MUL;
	c.a = c.b = c.out = dense(ATOM_DTYPE_F32, 0, {100000});
	expect_good(c, mem, GetParam());
	for (unsigned i = 0; i < 100000; ++i)
		ASSERT_EQ(mem.at<float>(0)[i], static_cast<float>(i) * static_cast<float>(i));
}

TEST_P(Elementwise, UnaryOnFloatsQuantisedAndPlainIntegers)
{
	arena mem(16384);
	put<std::uint16_t>(mem, 0, {f32_to_bf16(-4), f32_to_bf16(4)});
	auto c = command<atom_cmd_unary>(ATOM_OP_UNARY);
	c.function = ATOM_FN_SQRT;
	c.in = dense(ATOM_DTYPE_BF16, 0, {2});
	c.out = dense(ATOM_DTYPE_F32, 4096, {2});
	expect_good(c, mem, GetParam());
	EXPECT_TRUE(std::isnan(mem.at<float>(4096)[0]));
	EXPECT_EQ(mem.at<float>(4096)[1], 2);

	put<std::int8_t>(mem, 0, {-128, 5});
	c.function = ATOM_FN_ABS;
	c.in = dense(ATOM_DTYPE_I8, 0, {2});
	c.out = dense(ATOM_DTYPE_I8, 4096, {2});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int8_t>(mem, 4096, 2), (std::vector<std::int8_t>{-128, 5}));
	c.in = quantised(c.in, 0.5f, 0);
	c.out = quantised(c.out, 0.5f, -28);
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::int8_t>(mem, 4096, 2), (std::vector<std::int8_t>{100, -23}));
	c.function = ATOM_FN_LOGICAL_NOT;
	c.out = dense(ATOM_DTYPE_U8, 4096, {2});
	expect_good(c, mem, GetParam());
	EXPECT_EQ(take<std::uint8_t>(mem, 4096, 2), (std::vector<std::uint8_t>{0, 0}));
}

} // namespace
} // namespace atom::engine::test
