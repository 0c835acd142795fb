// SPDX-License-Identifier: MIT
// A program that opens and closes without end, and one that reaches the limits of its process.
#include "context.hpp"
#include "error_of.hpp"
#include "machine.hpp"
#include "session.hpp"
#include "stress.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include <sys/resource.h>

using namespace vmtest;
using atom::test::error_of;
using library::copied_words, library::session;

namespace {

/** A soft limit of the process, lowered for a while. */
class lowered_limit {
public:
	lowered_limit(__rlimit_resource which, rlim_t to) : which_(which)
	{
		getrlimit(which_, &before_);
		const rlimit low{to, before_.rlim_max};
		setrlimit(which_, &low);
	}
	lowered_limit(lowered_limit &&) = delete;
	~lowered_limit() { setrlimit(which_, &before_); }

private:
	__rlimit_resource which_;
	rlimit before_{};
};

/** Bytes of address space that the process has. */
rlim_t address_space_bytes()
{
	std::ifstream statm("/proc/self/statm");
	rlim_t pages = 0;
	statm >> pages;
	return pages * page;
}

void expect_a_working_device()
{
	session s;
	copied_words words(s);
	EXPECT_FALSE(words.copy(s, 5));
	EXPECT_TRUE(words.holds(5));
}

} // namespace

TEST(stress_limits, contexts_that_are_opened_and_closed_leave_nothing_behind)
{
	const counters before = read_counters();
	for (unsigned i = 0; i < rounds(200, 10000); ++i) {
		session s;
		copied_words words(s);
		ASSERT_FALSE(words.copy(s, i)) << i;
		ASSERT_TRUE(words.holds(i)) << i;
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(stress_limits, a_program_without_file_descriptors_is_told_so_and_goes_on_when_it_has_some)
{
	const counters before = read_counters();
	{
		const lowered_limit few(RLIMIT_NOFILE, 64);
		std::vector<atom::device> devices;
		std::error_code ec;
		while (devices.size() < 64 && !ec)
			devices.push_back(atom::device::open("0", ec));
		EXPECT_EQ(ec, std::errc::too_many_files_open) << ec.message();
	}
	expect_a_working_device();
	EXPECT_EQ(await_counters(before), "");
}

TEST(stress_limits, a_program_without_address_space_is_told_so_and_goes_on_when_it_has_some)
{
	const counters before = read_counters();
	{
		session s;
		const atom::buffer large(s.ctx, 64 * mib);
		const lowered_limit little(RLIMIT_AS, address_space_bytes() + 16 * mib);
		const std::string told = error_of(atom::errc::out_of_host_memory, [&] { (void)large.map(); });
		EXPECT_NE(told.find("map"), std::string::npos) << told;
		EXPECT_FALSE(s.q.run(atom::submission()).error) << "what needs no memory goes on";
	}
	expect_a_working_device();
	EXPECT_EQ(await_counters(before), "");
}
