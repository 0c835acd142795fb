// SPDX-License-Identifier: MIT
// What became of each job of a queue that a reset of the device has hit: done, lost, or a fault of its own.
#include <string>
#include <vector>

#include "atom/hw/command.h"
#include "atom/hw/fault.h"
#include "fixture.hpp"

namespace atom::test {
namespace {

/** A queue whose jobs the test lets run. */
class a_queue_and_a_reset : public on_fake_kernel {
protected:
	queue q{ctx};
	command_buffer nop = command_builder(ctx).nop().finish();

	a_queue_and_a_reset() { kernel->auto_run = false; }

	void submit(std::size_t jobs) { q.submit(std::vector<submission>(jobs, submission(nop))); }
	void run(std::size_t jobs)
	{
		submit(jobs);
		kernel->run_jobs();
	}
	/** Of @p jobs that the reset takes the first half is on the ring. */
	void lose(std::size_t jobs)
	{
		submit(jobs);
		kernel->reset_device(jobs / 2);
	}
	void fault()
	{
		kernel->policy = [](const fake_job &) {
			job_end end{ATOM_CPL_FAULT, ATOM_FAULT_OVERLAP, ATOM_WHERE_COMMAND, ATOM_OP_COPY};
			end.state_flags = DRM_ATOM_QUEUE_STATE_FAULT | DRM_ATOM_QUEUE_STATE_BANNED;
			end.error = EIO;
			return end;
		};
		kernel->run_jobs();
		kernel->policy = nullptr;
	}
	/** The fates of the jobs up to @p last: d done, l lost to a reset, f faulted, c canceled, x the device is gone. */
	std::string fates(std::uint64_t last)
	{
		std::string all;
		for (std::uint64_t i = 1; i <= last; ++i) {
			const std::error_code error = q.fence_of(i).status()->error;
			all += !error                          ? "d"
			       : error == errc::device_reset ? "l"
			       : error == errc::job_fault    ? "f"
			       : error == errc::canceled     ? "c"
			       : error == errc::device_lost  ? "x"
							     : "?";
		}
		return all;
	}
};

TEST_F(a_queue_and_a_reset, tell_the_jobs_that_are_lost_from_those_before_and_behind)
{
	run(2);
	lose(4);
	EXPECT_EQ(fates(6), "ddllll");
	run(2);
	EXPECT_EQ(fates(8), "ddlllldd");
	const queue_state s = q.state();
	EXPECT_TRUE(s.innocent);
	EXPECT_FALSE(s.banned);
	EXPECT_EQ(s.first_failed, 3U);
	EXPECT_EQ(s.last_lost, 6U);
	EXPECT_EQ(q.fence_of(6).status()->to_string(), "job 6: lost to a reset that another job caused");
}

TEST_F(a_queue_and_a_reset, tell_the_same_when_the_records_are_gone)
{
	run(2);
	lose(4);
	run(2);
	kernel->forget_records();
	EXPECT_EQ(fates(8), "ddlllldd");
}

TEST_F(a_queue_and_a_reset, tell_of_each_of_several_resets)
{
	run(1);
	lose(4);
	run(1);
	lose(2);
	run(1);
	EXPECT_EQ(fates(9), "dlllldlld");
}

TEST_F(a_queue_and_a_reset, call_no_job_done_that_may_be_lost_when_all_is_forgotten_but_a_later_reset)
{
	run(1);
	lose(4);
	run(1);
	lose(2);
	run(1);
	kernel->forget_records();
	EXPECT_EQ(fates(9), "llllldlld");
}

TEST_F(a_queue_and_a_reset, tell_a_fault_of_its_own_afterwards_with_what_it_stopped)
{
	run(1);
	lose(2);
	run(1);
	submit(2);
	fault();
	EXPECT_EQ(fates(6), "dlldfc");
	const completion guilty = *q.fence_of(5).status(), lost = *q.fence_of(2).status();
	ASSERT_TRUE(guilty.fault);
	EXPECT_EQ(guilty.fault->code, ATOM_FAULT_OVERLAP);
	EXPECT_FALSE(lost.fault) << "the fault came later";
	EXPECT_FALSE(lost.has_times);
}

TEST_F(a_queue_and_a_reset, call_no_job_done_that_may_be_lost_when_all_is_forgotten_but_a_later_fault)
{
	run(1);
	lose(2);
	run(1);
	submit(2);
	fault();
	kernel->forget_records();
	EXPECT_EQ(fates(6), "llldfc");
}

TEST_F(a_queue_and_a_reset, tell_what_was_lost_before_the_device_went)
{
	run(1);
	lose(2);
	submit(1);
	kernel->unplug();
	EXPECT_EQ(fates(4), "dllx");
}

TEST_F(a_queue_and_a_reset, let_its_faulty_neighbour_have_its_fault)
{
	queue guilty(ctx);
	guilty.submit(nop);
	fault();
	lose(1);
	EXPECT_EQ(fates(1), "l");
	EXPECT_EQ(guilty.fence_of(1).status()->error, errc::job_fault);
}

} // namespace
} // namespace atom::test
