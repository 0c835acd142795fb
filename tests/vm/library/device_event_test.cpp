// SPDX-License-Identifier: MIT
// The driver's events as libatom tells them.
#include "context.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "atom/atom.hpp"

using namespace vmtest;

namespace {

/** The next event, which must come. */
atom::device_event await(const atom::device &dev)
{
	pollfd file{dev.fd(), POLLIN, 0};
	if (poll(&file, 1, 60'000) != 1)
		throw std::runtime_error("there is no event");
	const auto event = dev.next_event();
	if (!event)
		throw std::runtime_error("the file is readable, and there is no event");
	return *event;
}

class events_of_libatom : public troubled {
protected:
	/** @return what the job of a queue of its own ended with */
	std::error_code run(atom::queue &q)
	{
		std::error_code error;
		q.run({nop_}, atom::no_deadline, error);
		return error;
	}

	atom::device dev_ = atom::device::open();
	atom::device other_ = atom::device::open();
	atom::context ctx_{dev_};
	atom::command_buffer nop_ = atom::command_builder(ctx_).nop().finish();
};

} // namespace

TEST_F(events_of_libatom, tell_of_each_queue_that_fails_and_do_not_block)
{
	EXPECT_FALSE(dev_.next_event());
	atom::queue faulty(ctx_), slow(ctx_, {.job_timeout = std::chrono::milliseconds(300)});
	inject("kind=mmu-fault,count=1");
	EXPECT_EQ(run(faulty), atom::errc::job_fault);
	const auto fault = await(dev_);
	EXPECT_EQ(fault.what, atom::device_event_kind::queue_fault);
	EXPECT_EQ(fault.queue_id, faulty.id());
	EXPECT_TRUE(fault.faulted);
	EXPECT_EQ(fault.first_failed, 1u);
	EXPECT_EQ(fault.fault.code, faulty.state().fault.code);
	inject("kind=hang,count=1");
	EXPECT_EQ(run(slow), atom::errc::job_timed_out);
	const auto hang = await(dev_);
	EXPECT_EQ(hang.queue_id, slow.id());
	EXPECT_TRUE(hang.timed_out);
	EXPECT_FALSE(dev_.next_event());
	EXPECT_FALSE(other_.next_event()) << "others are told of what is not theirs";
}

TEST_F(events_of_libatom, tell_every_open_device_of_each_reset)
{
	for (int i = 0; i < 2; ++i)
		break_device();
	for (const atom::device *dev : {&dev_, &other_}) {
		for (std::uint32_t n = device_generation() - 1; n <= device_generation(); ++n) {
			const auto event = await(*dev);
			EXPECT_EQ(event.what, atom::device_event_kind::device_reset);
			EXPECT_EQ(event.generation, n);
		}
		EXPECT_FALSE(dev->next_event());
	}
}
