// SPDX-License-Identifier: MIT
// What contexts of libatom say of their queues, as the driver has it.
#include "trouble.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>

#include "atom/atom.hpp"

using namespace vmtest;

namespace {

class lifetime_of_jobs : public troubled {
protected:
	atom::device dev_ = atom::device::open();
};

} // namespace

TEST_F(lifetime_of_jobs, ends_without_progress_when_their_context_says)
{
	const atom::context own(dev_, {.job_timeout = std::chrono::milliseconds(300)});
	atom::queue q(own);
	const atom::command_buffer nop = atom::command_builder(own).nop().finish();
	inject("kind=hang,count=1");
	const auto start = std::chrono::steady_clock::now();
	std::error_code error;
	q.run({nop}, atom::no_deadline, error);
	EXPECT_EQ(error, atom::errc::job_timed_out);
	EXPECT_LT(std::chrono::steady_clock::now() - start, dev_.info().job_timeout)
		<< "the device's time-out, and not the context's";
}

TEST(contexts_of_libatom, give_their_queues_priority)
{
	const auto dev = atom::device::open();
	const auto fdinfo = [&dev] {
		std::ifstream file("/proc/self/fdinfo/" + std::to_string(dev.fd()));
		return std::string(std::istreambuf_iterator<char>(file), {});
	};
	const atom::context background(dev,
	                               {.priority = atom::priority::low, .name = "background"});
	const atom::queue low(background);
	EXPECT_NE(fdinfo().find("atom-priority:\tlow\n"), std::string::npos) << fdinfo();
	const atom::queue high(background, {.priority = atom::priority::high});
	EXPECT_NE(fdinfo().find("atom-priority:\thigh\n"), std::string::npos) << fdinfo();
}

TEST(contexts_of_libatom, keep_to_the_administrators_limit)
{
	const auto dev = atom::device::open();
	const std::chrono::milliseconds limit = dev.info().job_timeout_max;
	EXPECT_TRUE(atom::queue(atom::context(dev, {.job_timeout = limit})));
	std::error_code error;
	EXPECT_FALSE(atom::context::create(
		dev, {.job_timeout = limit + std::chrono::milliseconds(1)}, error));
	EXPECT_EQ(error, atom::errc::invalid_argument);
}
