/* SPDX-License-Identifier: MIT */
/*
 * Commands with random damage: whatever decodes must run inside its operands,
 * on both engines. (Under the sanitizers this is the test that finds most.)
 */
#include <gtest/gtest.h>

#include "valid_commands.h"

namespace atom::engine::test {
namespace {

constexpr std::uint64_t memory_bytes = 1 << 20;

void damage(std::vector<std::byte> &c, std::mt19937 &random)
{
	static constexpr std::uint64_t values[] = {0, 1, 2, 3, 4, 8, 16, 31, 32, 33, 64, 1024, 1 << 19, 1 << 20,
						   1ull << 31, 1ull << 32, 1ull << 47, 1ull << 48, 1ull << 63,
						   UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 3, UINT64_MAX - 31};
	for (unsigned n = random() % 4 ? 1 : 3; n; --n) {
		const std::size_t words = c.size() / 8;
		const std::size_t at = 16 + random() % (c.size() - 16);
		switch (random() % 3) {
		case 0:
			c[at] = static_cast<std::byte>(random());
			break;
		case 1:
			c[at] ^= std::byte{1} << random() % 8;
			break;
		default:
			std::memcpy(c.data() + 8 * (2 + random() % (words - 2)), &values[random() % std::size(values)], 8);
		}
	}
}

TEST(Mutation, DamagedCommandsFaultOrRunInsideTheirOperands)
{
	std::mt19937 random(11);
	const auto all = valid_commands();
	unsigned decoded = 0;
	for (unsigned i = 0; i < 60000; ++i) {
		auto c = all[i % all.size()];
		damage(c, random);
		arena mem(memory_bytes >> 6);
		put_indices(mem);
		const atom_arg args[] = {{memory_va, mem.bytes().size()}};
		for (const bool reference : {false, true}) {
			/* Small limits, or one command would take the whole test's time. */
			fault why;
			const auto op = decode(c, args, {.reference = reference, .macs_log2_max = 16}, why);
			ASSERT_EQ(op == nullptr, static_cast<bool>(why));
			if (!op) {
				ASSERT_LT(why.field, c.size()) << i;
				continue;
			}
			++decoded;
			const auto how = static_cast<fake_memory::mapping>(i % 3);
			fake_memory m(mem.bytes(), op->operands(), how);
			scratch work;
			for (std::uint64_t tile = 0; tile < op->tiles() && !m.failed(); ++tile)
				op->run(tile, m, work);
			ASSERT_EQ(m.breach(), "") << i;
		}
	}
	EXPECT_GT(decoded, 5000u) << "the damage is too great to test anything";
}

} // namespace
} // namespace atom::engine::test
