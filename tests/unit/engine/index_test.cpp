/* SPDX-License-Identifier: MIT */
/*
 * GATHER and SCATTER: what they mean, by hand and against plain loops, and the
 * fast engine against the reference on random shapes.
 */
#include "fields.h"
#include "random_commands.h"

namespace atom::engine::test {
namespace {

constexpr std::uint64_t data_at = 0, index_at = 8192, out_at = 16384;

template <class T> void put(arena &mem, std::uint64_t at, std::initializer_list<T> values)
{
	std::copy(values.begin(), values.end(), mem.at<T>(at));
}
template <class T> std::vector<T> get(arena &mem, std::uint64_t at, std::size_t count)
{
	return {mem.at<T>(at), mem.at<T>(at) + count};
}

atom_cmd_gather gather_command(unsigned mode, const std::vector<std::uint64_t> &data,
			       const std::vector<std::uint64_t> &index, const std::vector<std::uint64_t> &out)
{
	auto c = command<atom_cmd_gather>(ATOM_OP_GATHER);
	c.mode = mode;
	c.data = dense(ATOM_DTYPE_F32, data_at, data);
	c.index = dense(ATOM_DTYPE_I64, index_at, index);
	c.out = dense(ATOM_DTYPE_F32, out_at, out);
	return c;
}

atom_cmd_scatter scatter_command(unsigned mode, const std::vector<std::uint64_t> &updates,
				 const std::vector<std::uint64_t> &index, const std::vector<std::uint64_t> &out)
{
	auto c = command<atom_cmd_scatter>(ATOM_OP_SCATTER);
	c.mode = mode;
	c.updates = dense(ATOM_DTYPE_F32, data_at, updates);
	c.index = dense(ATOM_DTYPE_I64, index_at, index);
	c.out = dense(ATOM_DTYPE_F32, out_at, out);
	return c;
}

class Index : public testing::TestWithParam<bool> {
protected:
	Index() : mem(65536)
	{
		for (unsigned i = 0; i < 1024; ++i)
			mem.at<float>(data_at)[i] = static_cast<float>(i);
		std::fill_n(mem.at<float>(out_at), 1024, -1.0f);
	}
	template <class C> void good(const C &c)
	{
		const outcome o = run(c, mem, GetParam());
		ASSERT_TRUE(o.decoded) << "code " << o.why.code << " field " << o.why.field;
		ASSERT_EQ(o.why.code, ATOM_FAULT_NONE);
		ASSERT_EQ(o.breach, "");
	}
	using f = std::vector<float>;

	arena mem;
};

TEST_P(Index, GatherRowsTakesSlicesAlongTheAxis)
{
	auto c = gather_command(ATOM_GATHER_ROWS, {2, 3, 2}, {2, 1}, {2, 2, 1, 2});
	c.axis = 1;
	put<std::int64_t>(mem, index_at, {2, 0});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 8), (f{4, 5, 0, 1, 10, 11, 6, 7}));
}

TEST_P(Index, GatherRowsOfAScalarIndexDropsTheDimension)
{
	auto c = gather_command(ATOM_GATHER_ROWS, {3, 2}, {}, {2});
	put<std::int64_t>(mem, index_at, {1});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 3), (f{2, 3, -1}));
}

TEST_P(Index, GatherRowsSharesBatchDimensions)
{
	auto c = gather_command(ATOM_GATHER_ROWS, {2, 3, 2}, {2, 2}, {2, 2, 2});
	c.axis = c.batch_dims = 1;
	put<std::int64_t>(mem, index_at, {2, 2, 0, 1});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 8), (f{4, 5, 4, 5, 6, 7, 8, 9}));
}

TEST_P(Index, GatherElementsReplacesTheCoordinateOnTheAxis)
{
	auto c = gather_command(ATOM_GATHER_ELEMENTS, {3, 3}, {2, 2}, {2, 2});
	put<std::int64_t>(mem, index_at, {2, 1, 0, 2});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 4), (f{6, 4, 0, 7}));
	c.axis = 1;
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 4), (f{2, 1, 3, 5}));
}

TEST_P(Index, GatherNdAddressesLeadingDimensions)
{
	auto c = gather_command(ATOM_GATHER_ND, {2, 3, 2}, {3, 2}, {3, 2});
	put<std::int64_t>(mem, index_at, {1, 2, 0, 0, 1, 0});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 6), (f{10, 11, 0, 1, 6, 7}));
	/* With a batch dimension a tuple addresses what is behind it. */
	c = gather_command(ATOM_GATHER_ND, {2, 3, 2}, {2, 1}, {2, 2});
	c.batch_dims = 1;
	put<std::int64_t>(mem, index_at, {2, 1});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 4), (f{4, 5, 8, 9}));
}

TEST_P(Index, NegativeIndicesCountFromTheEndOnlyIfTheyMay)
{
	auto c = gather_command(ATOM_GATHER_ROWS, {3, 2}, {2}, {2, 2});
	c.index = dense(ATOM_DTYPE_I32, index_at, {2});
	c.header.flags = ATOM_INDEX_WRAP_NEGATIVE;
	put<std::int32_t>(mem, index_at, {-1, -3});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 4), (f{4, 5, 0, 1}));
	for (const bool wraps : {false, true}) {
		c.header.flags = wraps ? ATOM_INDEX_WRAP_NEGATIVE : 0;
		put<std::int32_t>(mem, index_at, {0, wraps ? -4 : -1});
		const outcome o = run(c, mem, GetParam());
		EXPECT_EQ(o.why.code, ATOM_FAULT_INDEX_RANGE);
		EXPECT_EQ(o.why.where, ATOM_WHERE_DATA);
		EXPECT_EQ(o.why.field, offsetof(atom_cmd_gather, index));
		EXPECT_EQ(o.why.va, memory_va + index_at + 4);
	}
}

TEST_P(Index, AnIndexJustBehindTheEndFaults)
{
	for (const std::int64_t bad : {std::int64_t{3}, INT64_MAX, INT64_MIN, std::int64_t{1} << 32}) {
		auto c = gather_command(ATOM_GATHER_ELEMENTS, {3, 2}, {3, 2}, {3, 2});
		put<std::int64_t>(mem, index_at, {0, 2, 1, bad, 0, 0});
		const outcome o = run(c, mem, GetParam());
		EXPECT_EQ(o.why.code, ATOM_FAULT_INDEX_RANGE);
		EXPECT_EQ(o.why.va, memory_va + index_at + 24);
		EXPECT_EQ(o.breach, "");
		auto s = scatter_command(ATOM_GATHER_ND, {6}, {6, 1}, {3});
		EXPECT_EQ(run(s, mem, GetParam()).why.code, ATOM_FAULT_INDEX_RANGE);
	}
}

TEST_P(Index, RowsOfBlocksAreDequantised)
{
	auto c = gather_command(ATOM_GATHER_ROWS, {3, 64}, {2}, {2, 64});
	c.data = dense_blocks(ATOM_DTYPE_Q8_0, data_at, {3, 64});
	auto *blocks = mem.at<atom_block_q8_0>(data_at);
	for (unsigned b = 0; b < 6; ++b) {
		blocks[b].scale = f32_to_f16(static_cast<float>(b + 1) / 4);
		for (unsigned i = 0; i < 32; ++i)
			blocks[b].q[i] = static_cast<std::int8_t>(static_cast<int>(i * 7 % 255) - 100);
	}
	put<std::int64_t>(mem, index_at, {2, 1});
	good(c);
	for (unsigned row = 0; row < 2; ++row)
		for (unsigned i = 0; i < 64; ++i) {
			const unsigned block = (row == 0 ? 2 : 1) * 2 + i / 32;
			EXPECT_EQ(mem.at<float>(out_at)[row * 64 + i],
				  static_cast<float>(block + 1) / 4 * static_cast<float>(static_cast<int>(i % 32 * 7 % 255) - 100));
		}
}

TEST_P(Index, RowsOfFloatsMayBeConverted)
{
	auto c = gather_command(ATOM_GATHER_ROWS, {3, 2}, {1}, {1, 2});
	c.out = dense(ATOM_DTYPE_BF16, out_at, {1, 2});
	put<std::int64_t>(mem, index_at, {1});
	good(c);
	EXPECT_EQ(get<std::uint16_t>(mem, out_at, 2), (std::vector<std::uint16_t>{f32_to_bf16(2), f32_to_bf16(3)}));
	auto s = scatter_command(ATOM_GATHER_ROWS, {1, 2}, {1}, {3, 2});
	s.out = dense(ATOM_DTYPE_F16, out_at, {3, 2});
	good(s);
	EXPECT_EQ(get<std::uint16_t>(mem, out_at + 4, 2), (std::vector<std::uint16_t>{f32_to_f16(0), f32_to_f16(1)}));
}

TEST_P(Index, OfEqualIndicesTheLastUpdateWins)
{
	auto c = scatter_command(ATOM_GATHER_ROWS, {4, 2}, {4}, {3, 2});
	put<std::int64_t>(mem, index_at, {2, 0, 2, 0});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 6), (f{6, 7, -1, -1, 4, 5}));
	/* Elements of a row go their own ways. */
	c = scatter_command(ATOM_GATHER_ELEMENTS, {2, 3}, {2, 3}, {2, 4});
	c.axis = 1;
	put<std::int64_t>(mem, index_at, {1, 3, 1, 0, 0, 0});
	std::fill_n(mem.at<float>(out_at), 8, -1.0f);
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 8), (f{-1, 2, -1, 1, 5, -1, -1, -1}));
}

TEST_P(Index, ReductionsTakeUpdatesInRowMajorOrder)
{
	/* In f32, (1 + 2^24) + -2^24 is 0 and not 1: the order can be seen. */
	auto c = scatter_command(ATOM_GATHER_ND, {3}, {3, 1}, {2});
	c.reduction = ATOM_SCATTER_ADD;
	put<float>(mem, data_at, {0x1p24f, -0x1p24f, 0.5f});
	put<std::int64_t>(mem, index_at, {1, 1, 1});
	put<float>(mem, out_at, {7, 1});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 2), (f{7, 0.5f}));
	const float results[] = {0, 0, 24, 2, 6};
	for (const unsigned reduction : {ATOM_SCATTER_MUL, ATOM_SCATTER_MIN, ATOM_SCATTER_MAX}) {
		c.reduction = reduction;
		put<float>(mem, data_at, {2, 6, 2});
		put<float>(mem, out_at, {7, 1});
		if (reduction == ATOM_SCATTER_MIN)
			mem.at<float>(out_at)[1] = 3;
		good(c);
		EXPECT_EQ(get<float>(mem, out_at, 2), (f{7, results[reduction]}));
	}
}

TEST_P(Index, ReductionsOfIntegersAreExactModuloTheirWidth)
{
	auto c = scatter_command(ATOM_GATHER_ROWS, {2, 2}, {2}, {2, 2});
	c.reduction = ATOM_SCATTER_ADD;
	c.updates = dense(ATOM_DTYPE_I8, data_at, {2, 2});
	c.out = dense(ATOM_DTYPE_I8, out_at, {2, 2});
	put<std::int8_t>(mem, data_at, {100, -100, 100, 1});
	put<std::int8_t>(mem, out_at, {0, 0, 100, -100});
	put<std::int64_t>(mem, index_at, {1, 1});
	good(c);
	EXPECT_EQ(get<std::int8_t>(mem, out_at, 4), (std::vector<std::int8_t>{0, 0, 44, 57}));
	c.updates = dense(ATOM_DTYPE_I64, data_at, {2, 2});
	c.out = dense(ATOM_DTYPE_I64, out_at, {2, 2});
	put<std::int64_t>(mem, data_at, {INT64_MAX, 3, 1, -5});
	put<std::int64_t>(mem, out_at, {0, 0, 1, 1});
	good(c);
	EXPECT_EQ(get<std::int64_t>(mem, out_at, 4), (std::vector<std::int64_t>{0, 0, INT64_MIN + 1, -1}));
}

TEST_P(Index, OneHotIsAScatterOfOneBroadcastElement)
{
	auto c = scatter_command(ATOM_GATHER_ELEMENTS, {3, 1}, {3, 1}, {3, 4});
	c.axis = 1;
	c.updates.strides[0] = 0;
	c.header.flags = ATOM_INDEX_WRAP_NEGATIVE;
	put<float>(mem, data_at, {9});
	put<std::int64_t>(mem, index_at, {2, 0, -1});
	good(c);
	EXPECT_EQ(get<float>(mem, out_at, 12), (f{-1, -1, 9, -1, 9, -1, -1, -1, -1, -1, -1, 9}));
}

/* Every tile is ended again and again; each goes on where it was. */
TEST_P(Index, AnInterruptedScatterAppliesEachUpdateOnce)
{
	constexpr std::uint64_t updates = 40000;
	arena big(1 << 20);
	auto c = scatter_command(ATOM_GATHER_ND, {updates}, {updates, 1}, {3});
	c.reduction = ATOM_SCATTER_ADD;
	c.updates = dense(ATOM_DTYPE_I32, 0, {updates});
	c.index = dense(ATOM_DTYPE_I32, 262144, {updates, 1});
	c.out = dense(ATOM_DTYPE_I32, 524288, {3});
	std::int32_t expected[3] = {};
	for (std::uint64_t i = 0; i < updates; ++i) {
		const auto value = static_cast<std::int32_t>(i * 7 % 1000), where = static_cast<std::int32_t>(i * i % 3);
		big.at<std::int32_t>(0)[i] = value;
		big.at<std::int32_t>(262144)[i] = where;
		expected[where] += value;
	}
	std::fill_n(big.at<std::int32_t>(524288), 3, 0);
	const atom_arg args[] = {whole(big)};
	fault why;
	const auto op = decode(bytes_of(c), args, {.reference = GetParam()}, why);
	ASSERT_TRUE(op);
	EXPECT_EQ(op->tiles(), 1u) << "all go to the same places";
	fake_memory m(big.bytes(), op->operands(), fake_memory::mapping::pages);
	scratch work;
	unsigned runs = 0;
	do {
		m.interrupts = 2;
		m.was_interrupted = false;
		op->run(0, m, work);
		ASSERT_LT(++runs, 100u);
	} while (m.was_interrupted);
	EXPECT_GT(runs, 1u);
	EXPECT_EQ(m.breach(), "");
	EXPECT_EQ(get<std::int32_t>(big, 524288, 3), std::vector<std::int32_t>(expected, expected + 3));
}

INSTANTIATE_TEST_SUITE_P(Engines, Index, testing::Bool(),
			 [](const auto &info) { return info.param ? "reference" : "fast"; });

} // namespace
} // namespace atom::engine::test
