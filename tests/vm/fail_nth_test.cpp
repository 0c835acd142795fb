// SPDX-License-Identifier: MIT
// Every entry point of the driver with each of its allocations, and copies of user memory, failing in turn.
#include "fail_nth.hpp"
#include "fail_nth_calls.hpp"
#include "machine.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <ostream>
#include <set>
#include <string>

using namespace vmtest;

namespace vmtest {

static void PrintTo(const fail_nth_call &op, std::ostream *out) { *out << op.name; }

} // namespace vmtest

namespace {

counters counted(const fail_nth_call &op)
{
	counters all = read_counters();
	if (op.keeps_tables)
		all.erase("page_tables");
	return all;
}

class fail_nth_allocation : public testing::TestWithParam<fail_nth_call> {
protected:
	void SetUp() override
	{
		if (!fail_nth::works())
			GTEST_SKIP() << "only the debug kernel can make allocations fail";
	}
};

} // namespace

TEST_P(fail_nth_allocation, is_an_error_that_changes_nothing)
{
	const fail_nth_call &op = GetParam();
	const counters baseline = read_counters();
	constexpr unsigned too_many = 2000;
	fail_nth injector;
	unsigned n = 0, errors = 0;
	for (bool failed = true; failed; ) {
		ASSERT_LT(++n, too_many) << "it has no end of allocations";
		SCOPED_TRACE("allocation " + std::to_string(n));
		{
			fail_nth_bench b;
			if (op.prepare)
				op.prepare(b);
			const counters before = counted(op);
			injector.arm(n);
			const int error = op.make(b);
			failed = injector.disarm();
			errors += error != 0;
			if (error) {
				ASSERT_TRUE(failed) << std::strerror(error) << " although nothing was made to fail";
				ASSERT_TRUE(error == ENOMEM || error == EFAULT || error == op.also) << std::strerror(error);
				// With EFAULT the answer may have been what could not be copied, after all was done.
				if (error != EFAULT) {
					counters after;
					EXPECT_TRUE(eventually([&] { return difference(before, after = counted(op)).empty(); }, 5))
						<< difference(before, after);
					EXPECT_EQ(op.make(b), 0) << "it does not work afterwards";
				}
			}
		}
		ASSERT_EQ(await_counters(baseline), "");
	}
	std::printf("%s: %u allocations and copies, %u errors\n", op.name, n - 1, errors);
}

INSTANTIATE_TEST_SUITE_P(of, fail_nth_allocation, testing::ValuesIn(fail_nth_calls()),
			 [](const auto &info) { return std::string(info.param.name); });

TEST(fail_nth_calls, make_every_ioctl_of_the_uapi)
{
	std::ifstream header(ATOM_UAPI_HEADER);
	std::size_t in_header = 0;
	for (std::string line; std::getline(header, line);)
		in_header += line.starts_with("\tDRM_IOCTL_ATOM_");
	std::set<unsigned long> made;
	for (const fail_nth_call &op : fail_nth_calls())
		if (op.request)
			made.insert(op.request);
	EXPECT_GT(in_header, 0u);
	EXPECT_EQ(made.size(), in_header) << "a call is missing for an ioctl of " << ATOM_UAPI_HEADER;
}
