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
/* Of longer commands. */
constexpr std::uint64_t many_at = 40960;
constexpr unsigned many = 1024;

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
	for (const unsigned flags : {0u, ATOM_CONV_WEIGHT_CONSTANT})
		for (const unsigned dtype : {ATOM_DTYPE_F32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16}) {
			conv.header.flags = static_cast<std::uint16_t>(flags);
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
	gather.index = dense(ATOM_DTYPE_I32, many_at, {many / 32, 32});
	gather.out = dense(ATOM_DTYPE_F32, out_at, {many / 32, 32});
	add(gather);
	auto scatter = command<atom_cmd_scatter>(ATOM_OP_SCATTER);
	scatter.mode = ATOM_GATHER_ELEMENTS;
	scatter.updates = dense(ATOM_DTYPE_F32, 0, {many / 32, 32});
	scatter.index = gather.index;
	scatter.out = dense(ATOM_DTYPE_F32, out_at, {4, 32});
	for (const unsigned reduction : {ATOM_SCATTER_ASSIGN, ATOM_SCATTER_ADD}) {
		scatter.reduction = reduction;
		add(scatter);
	}
	return all;
}

std::vector<std::vector<std::byte>> all_commands()
{
	auto all = valid_commands();
	const auto longer = longer_commands();
	all.insert(all.end(), longer.begin(), longer.end());
	return all;
}

constexpr std::uint32_t bad_index = 0x7ffffff;

std::uint32_t good_index(unsigned word, std::minstd_rand &random)
{
	return word % 2 ? 0 : random() % 4;
}

void write_data(arena &mem, std::minstd_rand &random)
{
	rewriting_guest::poke(mem.at<std::uint32_t>(random() % (indices_at / 4) * 4),
			      static_cast<std::uint32_t>(random() << 1));
}

/* All indices at once good or bad: the one that is used is not the one that was checked if it is read twice. */
void write_between(arena &mem, std::minstd_rand &random)
{
	const bool good = random() % 2;
	for (unsigned i = 0; i < 2 * indices; ++i)
		rewriting_guest::poke(mem.at<std::uint32_t>(indices_at) + i, good ? good_index(i, random) : bad_index);
	for (unsigned i = 0; i < many; ++i)
		rewriting_guest::poke(mem.at<std::uint32_t>(many_at) + i, good ? good_index(i, random) : bad_index);
	write_data(mem, random);
}

/* One at a time is bad, for as short as can be. */
void write_meanwhile(arena &mem, std::minstd_rand &random)
{
	const auto word = static_cast<unsigned>(random() % (2 * indices + many));
	auto *index = word < many ? mem.at<std::uint32_t>(many_at) + word
				  : mem.at<std::uint32_t>(indices_at) + (word - many);
	rewriting_guest::poke(index, bad_index);
	rewriting_guest::poke(index, good_index(word, random));
	if (random() % 16 == 0)
		write_data(mem, random);
}

/* Runs @command of both engines in the first half of @mem; meanwhile(memory) sees each access. */
template <class Meanwhile>
void run_rounds(const std::vector<std::byte> &command, arena &mem, unsigned rounds, unsigned &finished,
		Meanwhile meanwhile)
{
	const atom_arg args[] = {{memory_va, memory_bytes}};
	for (unsigned round = 0; round < rounds; ++round) {
		put_indices(mem);
		fault why;
		const auto op = decode(command, args, {.reference = round % 2 == 0}, why);
		ASSERT_TRUE(op) << why.code << " at " << why.field;
		fake_memory m(mem.bytes(), op->operands(), static_cast<fake_memory::mapping>(round / 2 % 3));
		meanwhile(m);
		scratch work;
		for (std::uint64_t tile = 0; tile < op->tiles() && !m.failed(); ++tile)
			op->run(tile, m, work);
		ASSERT_EQ(m.breach(), "") << "round " << round;
		finished += !m.failed();
	}
}

/* What lies behind the memory that commands may use is nobody's. */
void expect_rest_untouched(arena &mem)
{
	for (std::size_t at = memory_bytes; at < 2 * memory_bytes; ++at)
		ASSERT_EQ(*mem.at<std::uint8_t>(at), 0xa5) << at;
}

TEST(Rewriting, WhatAGuestChangesBetweenTwoAccessesIsNotTrustedTwice)
{
	arena mem(2 * memory_bytes);
	std::minstd_rand random(5);
	unsigned finished = 0;
	for (const auto &c : all_commands())
		run_rounds(c, mem, 18, finished, [&](fake_memory &m) {
			m.before_access = [&] { write_between(mem, random); };
		});
	expect_rest_untouched(mem);
	EXPECT_GT(finished, 0u);
}

TEST(Rewriting, AGuestThatWritesWhatACommandReadsGetsAResultOrAFault)
{
	arena mem(2 * memory_bytes);
	std::memset(mem.at<std::byte>(many_at), 0, many * 4);
	const rewriting_guest other([&](std::minstd_rand &random) { write_meanwhile(mem, random); });
	unsigned finished = 0;
	for (const auto &c : all_commands())
		run_rounds(c, mem, 60, finished, [](fake_memory &) {});
	expect_rest_untouched(mem);
	EXPECT_GT(finished, 0u);
}

} // namespace
} // namespace atom::engine::test
