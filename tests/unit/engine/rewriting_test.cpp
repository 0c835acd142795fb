/* SPDX-License-Identifier: MIT */
/*
 * Another processor of the guest writes what a command reads, mapped memory too:
 * between any two loads, as none of the callbacks of a test can.
 */
#include <gtest/gtest.h>

#include "rewriting_guest.h"
#include "valid_commands.h"

namespace atom::engine::test {
namespace {

using atom::test::rewriting_guest;

constexpr std::size_t memory_bytes = 65536;
constexpr std::uint64_t out_at = 49152;
constexpr unsigned rounds = 40;

atom_tensor per_channel(atom_tensor t, unsigned axis, std::uint64_t at)
{
	t.quant.kind = ATOM_QUANT_PER_CHANNEL;
	t.quant.axis = static_cast<std::uint8_t>(axis);
	t.quant.slot = 1;
	t.quant.flags = ATOM_QUANT_ZERO_POINTS;
	t.quant.scale_offset = at;
	t.quant.zero_point_offset = at + 4 * t.dims[axis];
	return t;
}

/* Longer than the valid commands, so that there is time to write: what is packed, staged and looked up. */
std::vector<std::vector<std::byte>> longer_commands()
{
	std::vector<std::vector<std::byte>> all;
	const auto add = [&](const auto &c) {
		const auto b = bytes_of(c);
		all.emplace_back(b.begin(), b.end());
	};
	auto gemm = command<atom_cmd_gemm>(ATOM_OP_GEMM);
	gemm.alpha = 1;
	gemm.a = quantised(dense(ATOM_DTYPE_U8, 0, {48, 96}), 0.5f, 4);
	gemm.b = per_channel(dense(ATOM_DTYPE_I8, 16384, {96, 64}), 1, 32768);
	gemm.out = quantised(dense(ATOM_DTYPE_I8, out_at, {48, 64}), 1, 0);
	add(gemm);
	for (const unsigned dtype : {ATOM_DTYPE_F32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16}) {
		gemm.a = dense(dtype, 0, {48, 64});
		gemm.b = dense(dtype, 16384, {64, 48});
		gemm.out = dense(dtype, out_at, {48, 48});
		add(gemm);
	}
	for (const unsigned flags : {0u, ATOM_GEMM_ACT_Q8, ATOM_GEMM_B_CONSTANT}) {
		gemm.header.flags = static_cast<std::uint16_t>(flags);
		gemm.a = dense(ATOM_DTYPE_F32, 0, {9, 256});
		gemm.b = dense_blocks(ATOM_DTYPE_Q4_0, 16384, {40, 256});
		swap_dims(gemm.b, 0, 1);
		gemm.b.quant.axis = 0;
		gemm.out = dense(ATOM_DTYPE_F32, out_at, {9, 40});
		add(gemm);
	}
	auto conv = command<atom_cmd_conv2d>(ATOM_OP_CONV2D);
	conv.window = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1};
	conv.groups = 1;
	for (const unsigned dtype : {ATOM_DTYPE_F32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16}) {
		conv.in = dense(dtype, 0, {1, 12, 12, 20});
		conv.weight = dense(dtype, 16384, {24, 3, 3, 20});
		conv.out = dense(dtype, out_at, {1, 12, 12, 24});
		add(conv);
	}
	conv.in = quantised(dense(ATOM_DTYPE_U8, 0, {1, 12, 12, 20}), 0.5f, 4);
	conv.weight = per_channel(dense(ATOM_DTYPE_I8, 16384, {24, 3, 3, 20}), 0, 32768);
	conv.out = quantised(dense(ATOM_DTYPE_U8, out_at, {1, 12, 12, 24}), 1, 0);
	add(conv);
	auto gather = command<atom_cmd_gather>(ATOM_OP_GATHER);
	gather.mode = ATOM_GATHER_ELEMENTS;
	gather.data = dense(ATOM_DTYPE_F32, 0, {4, 32});
	gather.index = dense(ATOM_DTYPE_I32, indices_at, {8, 32});
	gather.out = dense(ATOM_DTYPE_F32, out_at, {8, 32});
	add(gather);
	auto scatter = command<atom_cmd_scatter>(ATOM_OP_SCATTER);
	scatter.mode = ATOM_GATHER_ELEMENTS;
	scatter.updates = dense(ATOM_DTYPE_F32, 0, {8, 32});
	scatter.index = gather.index;
	scatter.out = dense(ATOM_DTYPE_F32, out_at, {4, 32});
	for (const unsigned reduction : {ATOM_SCATTER_ASSIGN, ATOM_SCATTER_ADD}) {
		scatter.reduction = reduction;
		add(scatter);
	}
	return all;
}

/* Anything anywhere, and indices that are mostly good: what is checked must be what is used. */
void write_something(arena &mem, std::minstd_rand &random)
{
	const auto index = static_cast<unsigned>(random() % (2 * indices));
	const std::uint32_t good = index % 2 ? 0 : random() % 4;
	rewriting_guest::poke(mem.at<std::uint32_t>(indices_at) + index,
			      random() % 256 ? good : static_cast<std::uint32_t>(random() << 1));
	rewriting_guest::poke(mem.at<std::uint32_t>(random() % (memory_bytes / 4) * 4),
			      static_cast<std::uint32_t>(random() << 1));
}

TEST(Rewriting, AGuestThatWritesWhatACommandReadsGetsAResultOrAFault)
{
	auto all = valid_commands();
	const auto longer = longer_commands();
	all.insert(all.end(), longer.begin(), longer.end());
	/* What lies behind the memory that the command may use is nobody's. */
	arena mem(2 * memory_bytes);
	const atom_arg args[] = {{memory_va, memory_bytes}};
	const rewriting_guest other([&](std::minstd_rand &random) { write_something(mem, random); });
	unsigned finished = 0;
	for (std::size_t i = 0; i < all.size(); ++i)
		for (unsigned round = 0; round < 6 * rounds; ++round) {
			SCOPED_TRACE(testing::Message() << "command " << i << ", round " << round);
			put_indices(mem);
			fault why;
			const auto op = decode(all[i], args, {.reference = round % 2 == 0}, why);
			ASSERT_TRUE(op) << why.code << " at " << why.field;
			fake_memory m(mem.bytes(), op->operands(), static_cast<fake_memory::mapping>(round / 2 % 3));
			scratch work;
			for (std::uint64_t tile = 0; tile < op->tiles() && !m.failed(); ++tile)
				op->run(tile, m, work);
			ASSERT_EQ(m.breach(), "");
			finished += !m.failed();
		}
	for (std::size_t at = memory_bytes; at < 2 * memory_bytes; ++at)
		ASSERT_EQ(*mem.at<std::uint8_t>(at), 0xa5) << at;
	EXPECT_GT(finished, 0u);
}

} // namespace
} // namespace atom::engine::test
