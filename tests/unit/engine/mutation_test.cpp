/* SPDX-License-Identifier: MIT */
/*
 * Commands with random damage: whatever decodes must run inside its operands,
 * on both engines, whatever the guest does to memory meanwhile. (Under the sanitizers this is the test that finds most.)
 */
#include <gtest/gtest.h>

#include "differences.h"
#include "valid_commands.h"

namespace atom::engine::test {
namespace {

constexpr std::uint64_t memory_bytes = 1 << 20;

constexpr std::uint64_t words[] = {0, 1, 2, 3, 4, 8, 16, 31, 32, 33, 64, 1024, 1 << 19, 1 << 20, 1ull << 31, 1ull << 32,
				   1ull << 47, 1ull << 48, 1ull << 63, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 3,
				   UINT64_MAX - 31};

/* One wrong field. */
void damage(std::vector<std::byte> &c, std::mt19937 &random)
{
	const std::size_t at = 16 + random() % (c.size() - 16);
	switch (random() % 3) {
	case 0:
		c[at] = static_cast<std::byte>(random());
		break;
	case 1:
		c[at] ^= std::byte{1} << random() % 8;
		break;
	default:
		std::memcpy(c.data() + 8 * (2 + random() % (c.size() / 8 - 2)), &words[random() % std::size(words)], 8);
	}
}

TEST(Mutation, DamagedCommandsFaultOrRunInsideTheirOperands)
{
	std::mt19937 random(11);
	const auto all = valid_commands();
	unsigned decoded = 0;
	for (unsigned i = 0; i < 60000; ++i) {
		auto c = all[i % all.size()];
		for (unsigned n = random() % 4 ? 1 : 3; n; --n)
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
			run_tiles(*op, m);
			ASSERT_EQ(m.breach(), "") << i;
		}
	}
	EXPECT_GT(decoded, 5000u) << "the damage is too great to test anything";
}

/* Fields of 1, 2, 4 and 8 bytes at once, many of them small and likely to be let pass. */
void combine(std::vector<std::byte> &c, const std::vector<std::vector<std::byte>> &all, std::mt19937 &random)
{
	for (unsigned n = 2 + random() % 8; n; --n) {
		const std::size_t size = std::size_t{1} << random() % 4;
		const std::size_t at = 16 + random() % ((c.size() - 16) / size) * size;
		const auto &other = all[random() % all.size()];
		const std::uint64_t small = random() % 8;
		const void *from[] = {&words[random() % std::size(words)], &small,
				      other.data() + random() % (other.size() / size) * size};
		std::memcpy(c.data() + at, from[random() % std::size(from)], size);
	}
}

TEST(Mutation, CombinationsOfWrongFieldsFaultOrRunTheSameOnBothEngines)
{
	std::mt19937 random(12);
	const auto all = valid_commands();
	for (unsigned i = 0; i < 60000; ++i) {
		SCOPED_TRACE(i);
		auto c = all[i % all.size()];
		combine(c, all, random);
		const auto what = static_cast<content>(i % 3);
		arena start(memory_bytes >> 6);
		fill(start, what, i);
		put_indices(start);
		const atom_arg args[] = {whole(start)};
		fault why[2];
		const std::unique_ptr<operation> ops[] = {decode(c, args, {.reference = true, .macs_log2_max = 14}, why[0]),
							  decode(c, args, {.reference = false, .macs_log2_max = 14}, why[1])};
		ASSERT_EQ(why[0].code, why[1].code);
		ASSERT_EQ(why[0].field, why[1].field);
		if (!ops[0])
			continue;
		arena results[] = {start, start};
		bool failed[2];
		for (unsigned engine = 0; engine < 2; ++engine) {
			fake_memory m(results[engine].bytes(), ops[engine]->operands(),
				      static_cast<fake_memory::mapping>(i / 3 % 3));
			run_tiles(*ops[engine], m);
			ASSERT_EQ(m.breach(), "");
			failed[engine] = m.failed();
		}
		if (!is_mapped(*ops[0], start))
			continue; /* what is not mapped may be read or not */
		ASSERT_EQ(failed[0], failed[1]);
		const std::string wrong = failed[0] ? "" : difference(c, *ops[0], what, start, results[0], results[1]);
		ASSERT_EQ(wrong, "");
	}
}

/* Whatever is read twice is not what it was. */
TEST(Mutation, MemoryMayChangeWhileAnyCommandRuns)
{
	std::mt19937 random(13);
	const auto all = valid_commands();
	for (unsigned i = 0; i < 100 * all.size(); ++i) {
		SCOPED_TRACE(i);
		const auto &c = all[i % all.size()];
		arena mem(memory_bytes >> 6);
		put_indices(mem);
		const atom_arg args[] = {whole(mem)};
		fault why;
		const auto op = decode(c, args, {.reference = i / all.size() % 2 == 0}, why);
		ASSERT_TRUE(op);
		fake_memory m(mem.bytes(), op->operands(), static_cast<fake_memory::mapping>(i / all.size() / 2 % 3));
		m.before_access = [&] {
			/* Now and then an index becomes a bad one, and good again. */
			mem.poke(indices_at + random() % (2 * indices) * 4, random() % 64 ? random() % 4 : random());
			mem.poke(random() % 2048 * 4, random());
		};
		run_tiles(*op, m);
		ASSERT_EQ(m.breach(), "");
	}
}

} // namespace
} // namespace atom::engine::test
