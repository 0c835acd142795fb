/* SPDX-License-Identifier: MIT */
/*
 * The comparison of engines itself: it must see what is wrong.
 */
#include <gtest/gtest.h>

#include "differences.h"
#include "valid_commands.h"

namespace atom::engine::test {
namespace {

/* Of each good command, in memory of each kind. */
template <class Check> void for_each_result(Check check)
{
	for (const auto &c : valid_commands())
		for (const content what : {content::moderate, content::positive}) {
			arena start(16384);
			fill(start, what, 5);
			put_indices(start);
			const atom_arg args[] = {whole(start)};
			fault why;
			const auto op = decode(c, args, {.reference = true}, why);
			ASSERT_TRUE(op);
			arena result = start;
			ASSERT_EQ(run(c, result, true).breach, "");
			check(c, *op, what, start, result);
		}
}

TEST(Differences, EqualResultsDoNotDiffer)
{
	for_each_result([](const auto &c, const operation &op, content what, arena &start, arena &result) {
		EXPECT_EQ(difference(c, op, what, start, result, result), "");
	});
}

TEST(Differences, AByteThatIsOfNoOutputMayNotChange)
{
	for_each_result([](const auto &c, const operation &op, content what, arena &start, arena &result) {
		arena wrong = result;
		*wrong.at<std::byte>(16380) ^= std::byte{1};
		EXPECT_NE(difference(c, op, what, start, result, wrong), "");
	});
}

TEST(Differences, AWrongElementIsSeen)
{
	unsigned seen = 0, all = 0;
	for_each_result([&](const auto &c, const operation &op, content what, arena &start, arena &result) {
		for (const operand &o : op.operands())
			if (o.access & ATOM_ACCESS_WRITE) {
				arena wrong = result;
				*wrong.at<std::byte>(o.va - memory_va + static_cast<std::uint64_t>(o.high) - 1) ^= std::byte{0x20};
				++all;
				seen += difference(c, op, what, start, result, wrong) != "";
			}
	});
	/* The results of a norm without much of an eps are not compared. */
	EXPECT_GE(seen + 10, all);
	EXPECT_GT(seen, 30u);
}

} // namespace
} // namespace atom::engine::test
