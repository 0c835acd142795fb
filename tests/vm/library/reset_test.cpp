// SPDX-License-Identifier: MIT
// What libatom tells of each job when the device was reset in between.
#include "context.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "atom/atom.hpp"

using namespace vmtest;

namespace {

class lifetime_of_a_job : public troubled {
protected:
	void submit(std::size_t jobs) { q_.submit(std::vector(jobs, atom::submission(nop_))); }
	/** The fates of the jobs up to @p last: d done, l lost to a reset, f faulted, ? anything else. */
	std::string fates(std::uint64_t last)
	{
		std::string all;
		for (std::uint64_t i = 1; i <= last; ++i) {
			std::error_code error;
			q_.fence_of(i).wait(std::chrono::steady_clock::now() + std::chrono::minutes(1), error);
			all += !error                                ? "d"
			       : error == atom::errc::device_reset ? "l"
			       : error == atom::errc::job_fault    ? "f"
								   : "?";
		}
		return all;
	}

	atom::device dev_ = atom::device::open();
	atom::context ctx_{dev_};
	atom::queue q_{ctx_, {.job_timeout = std::chrono::minutes(1)}};
	atom::command_buffer nop_ = atom::command_builder(ctx_).nop().finish();
};

} // namespace

TEST_F(lifetime_of_a_job, is_told_also_after_resets_of_the_device_and_a_fault)
{
	submit(2);
	EXPECT_EQ(fates(2), "dd");
	inject("kind=hang,count=1");
	submit(3);
	pause_ms(50);
	break_device();
	EXPECT_EQ(fates(5), "ddlll");
	submit(2);
	EXPECT_EQ(fates(7), "ddllldd");
	inject("kind=hang,count=1");
	submit(1);
	pause_ms(50);
	break_device();
	EXPECT_EQ(fates(8), "ddlllddl");
	submit(1);
	EXPECT_EQ(fates(9), "ddlllddld");
	inject("kind=mmu-fault,count=1");
	submit(1);
	EXPECT_EQ(fates(10), "ddlllddldf");
}
