/* SPDX-License-Identifier: MIT */
/*
 * CONV2D whose weights are promised to be constant: packed once and kept. The results are those of the reference whoever packs
 * them, and the copy ends with the room that it was kept in.
 */
#include <thread>

#include "random_convs.h"

namespace atom::engine::test {
namespace {

class ConstantWeights : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Isa, ConstantWeights, instruction_sets(), instruction_set_name);

outcome run_kept(const atom_cmd_conv2d &c, arena &mem, kept_rooms &rooms)
{
	return run(bytes_of(c), mem, false, fake_memory::mapping::whole, UINT64_MAX, {}, &rooms);
}

TEST_P(ConstantWeights, GiveTheSameWhenPackedAndWhenKept)
{
	std::size_t kept = 0;
	for (unsigned seed = 0; seed < 80; ++seed) {
		generator g(17000 + seed);
		const bool integer = g.below(2);
		auto c = random_command(g, integer);
		c.header.flags = ATOM_CONV_WEIGHT_CONSTANT;
		arena expected(random_memory_bytes);
		g.fill(expected, 0);
		if (!integer)
			fill_with_floats(g, expected);
		const arena start = expected;
		ASSERT_EQ(run(c, expected, true).why.code, ATOM_FAULT_NONE) << "seed " << seed;
		kept_rooms rooms;
		for (unsigned time = 0; time < 3; ++time) {
			arena mem = start;
			const outcome fast = run_kept(c, mem, rooms);
			ASSERT_EQ(fast.breach, "") << "seed " << seed;
			ASSERT_EQ(fast.why.code, ATOM_FAULT_NONE) << "seed " << seed;
			if (integer)
				ASSERT_TRUE(mem == expected) << "seed " << seed << " time " << time;
			else
				expect_near(mem, expected, float_bound(c), seed);
		}
		kept += rooms.count();
	}
	EXPECT_GT(kept, 40U);
}

/* A layer whose sums are exact in floats, too. */
struct layer {
	std::uint64_t size, in, out;
	std::uint32_t kernel = 1, stride = 1, groups = 1;
	int zero_point = 0, weight_zero_point = 0; ///< of bytes
};
/* Blocks of taps, of channels, of columns; panels that are not full; few pixels and many; channels that fill no group; depthwise. */
constexpr layer layers[] = {
	{7, 512, 80, 3},        {7, 1100, 64},           {14, 300, 1280},           {28, 40, 72, 3},
	{30, 3, 64, 7, 2},      {14, 256, 96, 3, 2},     {9, 24, 128, 3, 1, 2},     {7, 80, 64, 3, 1, 1, 5},
	{7, 512, 80, 3, 1, 1, 5}, {7, 512, 80, 3, 1, 1, 5, 3}, {14, 72, 72, 3, 1, 72, 5, 3}, {7, 320, 320, 5, 1, 320},
	{9, 7, 7, 3, 2, 7},
};
constexpr std::uint64_t weight_at = 1 << 19, bias_at = 3 << 20, out_at = bias_at + (1 << 14), memory_bytes = 5 << 20;

atom_cmd_conv2d command_of(const layer &l, unsigned type)
{
	auto c = command<atom_cmd_conv2d>(ATOM_OP_CONV2D, ATOM_CONV_WEIGHT_CONSTANT);
	const std::uint32_t pad = l.kernel / 2;
	c.window = {l.kernel, l.kernel, l.stride, l.stride, 1, 1, pad, pad, pad, pad};
	c.groups = l.groups;
	const bool integer = type == ATOM_DTYPE_U8;
	const std::uint64_t side = (l.size + 2 * pad - l.kernel) / l.stride + 1;
	c.in = dense(type, 0, {1, l.size, l.size, l.in});
	c.weight = dense(integer ? unsigned{ATOM_DTYPE_I8} : type, weight_at, {l.out, l.kernel, l.kernel, l.in / l.groups});
	c.out = dense(integer ? ATOM_DTYPE_I32 : ATOM_DTYPE_F32, out_at, {1, side, side, l.out});
	c.epilogue.bias = dense(c.out.dtype, bias_at, {1, side, side, l.out});
	for (unsigned i = 0; i < 3; ++i)
		c.epilogue.bias.strides[i] = 0;
	if (integer) {
		c.in = quantised(c.in, 0.5f, l.zero_point);
		c.weight = quantised(c.weight, 0.5f, l.weight_zero_point);
	}
	return c;
}

arena operands_of(const atom_cmd_conv2d &c, generator &g)
{
	arena mem(memory_bytes);
	fill_exactly(g, mem, c.in);
	fill_exactly(g, mem, c.weight);
	std::memset(mem.at<std::byte>(bias_at), 0, 1 << 14);
	return mem;
}

constexpr unsigned types[] = {ATOM_DTYPE_F32, ATOM_DTYPE_BF16, ATOM_DTYPE_U8};

/* Without the promise; that this is right is FastConv's business. */
arena result_of(atom_cmd_conv2d c, const arena &start)
{
	c.header.flags = 0;
	arena mem = start;
	EXPECT_EQ(run(c, mem, false).why.code, ATOM_FAULT_NONE);
	return mem;
}

TEST_P(ConstantWeights, AreThoseOfTheFirstCommandUntilTheRoomIsGone)
{
	for (const layer &l : layers)
		for (const unsigned type : types) {
			const auto c = command_of(l, type);
			generator g(type);
			const arena start = operands_of(c, g);
			const arena old = result_of(c, start);
			kept_rooms rooms;
			arena mem = start;
			EXPECT_EQ(run_kept(c, mem, rooms).breach, "");
			EXPECT_TRUE(mem == old) << l.in << " channels, type " << type;
			/* The promise is broken: the copy is used. */
			arena later = start;
			fill_exactly(g, later, c.weight);
			const arena fresh = result_of(c, later);
			arena broken = later;
			run_kept(c, broken, rooms);
			const std::size_t bytes = c.out.dims[1] * c.out.dims[2] * l.out * 4;
			EXPECT_EQ(std::memcmp(broken.at<std::byte>(out_at), mem.at<std::byte>(out_at), bytes), 0)
				<< l.in << " channels, type " << type;
			/* In another room the weights are those that are there. */
			kept_rooms others;
			arena other = later;
			run_kept(c, other, others);
			EXPECT_TRUE(other == fresh) << l.in << " channels, type " << type;
		}
}

/* Zero points are another operand, or part of the command: what is kept of the weights knows nothing of them. */
TEST_P(ConstantWeights, AreKeptWithoutZeroPoints)
{
	constexpr layer some[] = {{14, 72, 72, 3, 1, 72}, {7, 64, 64, 3}};
	constexpr std::uint64_t arrays_at = bias_at + (1 << 13);
	for (const layer &l : some)
		for (const bool of_channels : {false, true}) {
			kept_rooms rooms;
			generator g(7);
			auto c = command_of(l, ATOM_DTYPE_U8);
			arena start = operands_of(c, g);
			if (of_channels) {
				c.weight.quant = {};
				c.weight.quant.kind = ATOM_QUANT_PER_CHANNEL;
				c.weight.quant.flags = ATOM_QUANT_ZERO_POINTS;
				c.weight.quant.slot = c.weight.slot;
				c.weight.quant.scale_offset = arrays_at;
				c.weight.quant.zero_point_offset = arrays_at + 4 * l.out;
			}
			for (int zero_point = 0; zero_point < 3; ++zero_point) {
				if (!of_channels)
					c.weight = quantised(c.weight, 0.5f, zero_point);
				for (std::uint64_t i = 0; i < l.out; ++i) {
					start.at<float>(arrays_at)[i] = 1;
					start.at<std::int32_t>(arrays_at + 4 * l.out)[i] = zero_point;
				}
				arena mem = start;
				EXPECT_EQ(run_kept(c, mem, rooms).breach, "");
				EXPECT_TRUE(mem == result_of(c, start)) << "zero point " << zero_point << ", of channels " << of_channels;
			}
		}
}

/* Images of other sizes, whose blocks are others, use the same panels. */
TEST_P(ConstantWeights, AreKeptOnceForImagesOfAllSizes)
{
	for (const unsigned type : types) {
		kept_rooms rooms;
		generator g(type);
		const auto with = [&](std::uint64_t size) { return command_of({size, 128, 96, 3}, type); };
		arena start = operands_of(with(28), g);
		for (const std::uint64_t size : {3, 28, 7, 14}) {
			const auto c = with(size);
			fill_exactly(g, start, c.in);
			arena mem = start;
			EXPECT_EQ(run_kept(c, mem, rooms).breach, "");
			EXPECT_TRUE(mem == result_of(c, start)) << "size " << size << ", type " << type;
		}
		EXPECT_LE(rooms.count(), 2U); /* taps of small images are joined otherwise */
	}
}

TEST_P(ConstantWeights, MayBePackedByManyThreadsAtOnce)
{
	constexpr unsigned threads = 4;
	for (const unsigned type : types) {
		const auto c = command_of({14, 256, 96, 3}, type);
		generator g(type);
		const arena start = operands_of(c, g);
		const arena expected = result_of(c, start);
		for (unsigned round = 0; round < 8; ++round) {
			kept_rooms rooms;
			std::vector<arena> memories(threads, start);
			std::vector<std::thread> running;
			for (arena &mem : memories)
				running.emplace_back([&] { run_kept(c, mem, rooms); });
			for (std::thread &t : running)
				t.join();
			for (arena &mem : memories)
				ASSERT_TRUE(mem == expected) << "type " << type << ", round " << round;
		}
	}
}

TEST_P(ConstantWeights, ThatAreInterruptedGoOn)
{
	for (const unsigned type : types) {
		const auto c = command_of({14, 300, 1280}, type);
		generator g(type);
		const arena start = operands_of(c, g);
		arena mem = start;
		fault why;
		const atom_arg args[] = {whole(mem)};
		const auto op = decode(bytes_of(c), args, {}, why);
		ASSERT_TRUE(op);
		kept_rooms rooms;
		{
			fake_memory m(mem.bytes(), op->operands(), fake_memory::mapping::whole);
			m.rooms = &rooms;
			run_tiles(*op, m, 1);
			EXPECT_EQ(m.breach(), "");
		}
		EXPECT_TRUE(mem == result_of(c, start)) << "type " << type;
	}
}

} // namespace
} // namespace atom::engine::test
