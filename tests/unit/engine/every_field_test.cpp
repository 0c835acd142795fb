/* SPDX-License-Identifier: MIT */
/*
 * Every command with every place of it wrong, one at a time.
 */
#include <gtest/gtest.h>

#include "valid_commands.h"

namespace atom::engine::test {
namespace {

constexpr std::size_t memory_bytes = 16384;

std::vector<std::vector<std::byte>> all_commands()
{
	auto all = valid_commands();
	const auto control = control_commands();
	all.insert(all.end(), control.begin(), control.end());
	return all;
}

unsigned opcode_of(std::span<const std::byte> command)
{
	std::uint16_t opcode;
	std::memcpy(&opcode, command.data(), sizeof opcode);
	return opcode;
}

/* A fault that names a field, or a run inside of the operands. @return whether it ran */
bool survives(std::span<const std::byte> command, arena &mem, bool reference, fake_memory::mapping how)
{
	const atom_arg args[] = {whole(mem)};
	fault why;
	const auto op = decode(command, args, {.reference = reference, .macs_log2_max = 16}, why);
	EXPECT_EQ(op == nullptr, static_cast<bool>(why));
	if (!op) {
		EXPECT_LT(why.field, command.size());
		return false;
	}
	fake_memory m(mem.bytes(), op->operands(), how);
	scratch work;
	for (std::uint64_t tile = 0; tile < op->tiles() && !m.failed(); ++tile)
		op->run(tile, m, work);
	EXPECT_EQ(m.breach(), "");
	return true;
}

TEST(EveryField, TheCommandsOfTheseTestsAreAllThatThereAre)
{
	std::uint64_t map[4] = {};
	for (const auto &c : all_commands())
		map[opcode_of(c) / 64] |= std::uint64_t{1} << opcode_of(c) % 64;
	for (unsigned i = 0; i < 4; ++i)
		EXPECT_EQ(map[i], opcodes()[i]) << "word " << i;
}

TEST(EveryField, EachWrongAloneIsRefusedByNameOrRunsInsideTheOperands)
{
	constexpr std::uint64_t words[] = {0, 1, UINT64_MAX, 1ull << 63, 1ull << 32, 1ull << 20};
	constexpr std::size_t bytes_from = offsetof(atom_cmd_header, bytes);
	arena mem(memory_bytes);
	for (const auto &good : all_commands()) {
		unsigned ran = 0, refused = 0;
		for (std::size_t at = 0; at < good.size(); ++at) {
			/* The caller has checked the size. */
			if (at >= bytes_from && at < bytes_from + sizeof(atom_cmd_header::bytes))
				continue;
			std::vector<std::vector<std::byte>> wrong;
			for (const unsigned value : {0x00u, 0xffu}) {
				wrong.push_back(good);
				wrong.back()[at] = static_cast<std::byte>(value);
			}
			for (const unsigned bit : {0u, 1u, 7u}) {
				wrong.push_back(good);
				wrong.back()[at] ^= std::byte{1} << bit;
			}
			for (const std::uint64_t value : words)
				if (at % sizeof value == 0 && at >= sizeof(atom_cmd_header)) {
					wrong.push_back(good);
					std::memcpy(wrong.back().data() + at, &value, sizeof value);
				}
			for (std::size_t i = 0; i < wrong.size(); ++i) {
				put_indices(mem);
				for (const bool reference : {false, true}) {
					const auto how = static_cast<fake_memory::mapping>((at + i) % 3);
					(survives(wrong[i], mem, reference, how) ? ran : refused)++;
				}
				ASSERT_FALSE(HasFailure()) << "opcode " << opcode_of(good) << ", value " << i << " at " << at;
			}
		}
		EXPECT_GT(ran, 0u) << "opcode " << opcode_of(good);
		EXPECT_GT(refused, 0u) << "opcode " << opcode_of(good);
	}
}

} // namespace
} // namespace atom::engine::test
