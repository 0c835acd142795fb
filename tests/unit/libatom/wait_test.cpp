// SPDX-License-Identifier: MIT
// Waiting for several fences, by a call or by a file descriptor, and taking completions.
#include <array>
#include <cerrno>
#include <thread>

#include <poll.h>

#include "atom/hw/fault.h"
#include "fixture.hpp"

namespace atom::test {
namespace {

using namespace std::chrono_literals;

class several_fences : public on_fake_kernel {
protected:
	queue q{ctx};
	timeline t{dev};
	command_buffer nop = command_builder(ctx).nop().finish();

	void SetUp() override { kernel->auto_run = false; }
	[[nodiscard]] std::size_t waits() const
	{
		return kernel->count(number(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT));
	}
	static bool readable(int fd)
	{
		pollfd p{fd, POLLIN, 0};
		return ::poll(&p, 1, 0) == 1;
	}
};

TEST_F(several_fences, are_waited_for_by_one_call)
{
	queue other(ctx);
	const std::array fences{q.submit(nop), other.submit(nop), t.at(1)};
	std::thread worker([&] {
		std::this_thread::sleep_for(5ms);
		kernel->run_jobs();
		t.signal(1);
	});
	wait_all(fences);
	worker.join();
	EXPECT_EQ(waits(), 1U);
	wait_all(fences);
	EXPECT_LT(wait_any(fences), 3U);
	EXPECT_EQ(waits(), 1U) << "no call for what is known";
}

TEST_F(several_fences, tell_which_is_ready)
{
	const std::array fences{t.at(1), q.submit(nop)};
	kernel->run_jobs();
	EXPECT_EQ(wait_any(fences), 1U);
	t.signal(1);
	const std::array late{t.at(2), t.at(1)};
	EXPECT_EQ(wait_any(late), 1U);
}

TEST_F(several_fences, end_their_wait_at_its_time)
{
	const std::array fences{t.at(1), q.submit(nop)};
	std::error_code ec;
	wait_any(fences, deadline(), ec);
	EXPECT_EQ(ec, errc::timed_out);
	error_of(errc::timed_out, [&] { wait_any(fences, deadline()); });
	kernel->run_jobs();
	wait_all(fences, deadline(), ec);
	EXPECT_EQ(ec, errc::timed_out) << "one of the two is not ready";
	error_of(errc::timed_out, [&] { wait_all(fences, deadline()); });
}

TEST_F(several_fences, that_cannot_be_waited_for_are_refused)
{
	error_of(errc::invalid_argument, [] { wait_any({}); });
	error_of(errc::invalid_argument, [] { wait_all({}); });
	const std::array fences{t.at(1), fence()};
	error_of(errc::invalid_argument, [&] { wait_any(fences); });
	error_of(errc::invalid_argument, [&] { wait_all(fences); });
	kernel->pid = 101;
	error_of(errc::forked_child, [&] { wait_any({t.at(1)}); });
	kernel->pid = 100;
	kernel->fail(number(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT), ENOMEM, 2);
	error_of(errc::out_of_host_memory, [&] { wait_any({t.at(1)}); });
	error_of(errc::out_of_host_memory, [&] { wait_all({t.at(1)}); });
}

TEST_F(several_fences, of_which_a_job_failed_throw_its_error_when_all_are_ready)
{
	kernel->policy = [](const fake_job &j) {
		return j.sequence == 2 ? faulting(ATOM_FAULT_BAD_STRIDE, ATOM_WHERE_COMMAND, 1, 8)
		                       : job_end();
	};
	const std::array fences{q.submit(nop), q.submit(nop)};
	kernel->run_jobs();
	EXPECT_EQ(wait_any(fences), 0U);
	error_of(errc::job_fault, [&] { wait_all(fences); });
	std::error_code ec;
	wait_all(fences, no_deadline, ec);
	EXPECT_EQ(ec, errc::job_fault);
}

TEST_F(several_fences, may_be_of_several_devices)
{
	const device second = open_device(kernel);
	timeline u(second);
	const std::array fences{t.at(1), u.at(1)};
	error_of(errc::timed_out, [&] { wait_any(fences, deadline()); });
	std::thread worker([&] {
		std::this_thread::sleep_for(5ms);
		u.signal(1);
	});
	EXPECT_EQ(wait_any(fences), 1U);
	worker.join();
	t.signal(1);
	wait_all(fences);
	kernel->event_error = EMFILE;
	const std::array later{t.at(2), u.at(2)};
	EXPECT_THROW(wait_any(later), system_error);
}

TEST_F(several_fences, of_a_lost_device_leave_nobody_waiting)
{
	const std::array fences{t.at(1), q.submit(nop)};
	kernel->unplug();
	EXPECT_EQ(wait_any(fences), 1U);
	error_of(errc::device_lost, [&] { wait_any({t.at(1)}); });
	error_of(errc::device_lost, [&] { wait_all(fences); });
}

TEST_F(several_fences, say_by_a_code_that_they_cannot_be_asked)
{
	std::error_code ec = errc::timed_out;
	EXPECT_FALSE(t.at(1).ready(ec));
	EXPECT_FALSE(ec);
	EXPECT_FALSE(t.at(1).status(ec));
	EXPECT_FALSE(ec);
	EXPECT_FALSE(t.at(1).wait_for(std::chrono::nanoseconds(1), ec).error == errc::job_fault);
	EXPECT_EQ(ec, errc::timed_out);
	t.signal(1, ec);
	EXPECT_FALSE(ec);
	EXPECT_EQ(t.value(ec), 1U);
	EXPECT_TRUE(t.at(1).ready(ec));
	EXPECT_TRUE(t.at(1).status(ec));
	t.signal(1, ec);
	EXPECT_EQ(ec, errc::invalid_argument);
	kernel->unplug();
	EXPECT_FALSE(t.at(2).ready(ec));
	EXPECT_EQ(ec, errc::device_lost);
	ec.clear();
	EXPECT_FALSE(t.at(2).status(ec));
	EXPECT_EQ(ec, errc::device_lost);
	ec.clear();
	EXPECT_EQ(t.value(ec), 0U);
	EXPECT_EQ(ec, errc::device_lost);
	ec.clear();
	t.signal(2, ec);
	EXPECT_EQ(ec, errc::device_lost);
	EXPECT_FALSE(fence().ready(ec));
	EXPECT_EQ(ec, errc::invalid_argument);
	EXPECT_EQ(timeline().value(ec), 0U);
	EXPECT_EQ(ec, errc::invalid_argument);
}

TEST_F(several_fences, make_a_notifier_readable_each)
{
	notifier news(dev);
	const fence job = q.submit(nop);
	news.watch(job);
	news.watch(t.at(3));
	EXPECT_FALSE(readable(news.fd()));
	kernel->run_jobs();
	EXPECT_TRUE(readable(news.fd()));
	news.clear();
	EXPECT_TRUE(job.ready());
	EXPECT_FALSE(readable(news.fd()));
	t.signal(3);
	EXPECT_TRUE(readable(news.fd()));
	news.clear();
	news.watch(job);
	EXPECT_TRUE(readable(news.fd())) << "it is ready already";
}

TEST_F(several_fences, are_told_to_who_watches_again_what_nobody_looked_at)
{
	notifier news(dev);
	const fence job = q.submit(nop);
	news.watch(t.at(1));
	news.watch(job);
	t.signal(1);
	kernel->run_jobs();
	EXPECT_TRUE(readable(news.fd()));
	news.clear();
	news.watch(t.at(1));
	EXPECT_TRUE(readable(news.fd()));
	news.clear();
	news.watch(job);
	EXPECT_TRUE(readable(news.fd()));
}

TEST_F(several_fences, that_are_ready_need_not_wake_who_watches_them)
{
	notifier news(dev);
	const fence job = q.submit(nop);
	EXPECT_TRUE(news.watch_unless_ready(job));
	EXPECT_FALSE(readable(news.fd()));
	kernel->run_jobs();
	EXPECT_TRUE(readable(news.fd())) << "it was watched";
	news.clear();
	std::error_code ec;
	EXPECT_FALSE(news.watch_unless_ready(job, ec));
	EXPECT_FALSE(ec);
	EXPECT_FALSE(readable(news.fd()));
	EXPECT_FALSE(news.watch_unless_ready(fence(), ec));
	EXPECT_EQ(ec, errc::invalid_argument);
	error_of(errc::invalid_argument, [&] { (void)notifier().watch_unless_ready(job); });
}

TEST_F(several_fences, are_watched_once_each)
{
	notifier news(dev);
	const std::uint64_t before = kernel->count(DRM_IOCTL_SYNCOBJ_EVENTFD);
	for (int i = 0; i < 100; ++i) {
		news.clear();
		news.watch(t.at(7));
		news.watch(t.at(6));
	}
	EXPECT_EQ(kernel->count(DRM_IOCTL_SYNCOBJ_EVENTFD), before + 2);
}

TEST_F(several_fences, that_cannot_be_watched_are_refused)
{
	notifier news(dev);
	error_of(errc::invalid_argument, [&] { news.watch(fence()); });
	error_of(errc::invalid_argument, [&] { notifier().watch(t.at(1)); });
	error_of(errc::invalid_argument, [] { (void)notifier(device()); });
	kernel->fail(DRM_IOCTL_SYNCOBJ_EVENTFD, ENOMEM);
	error_of(errc::out_of_host_memory, [&] { news.watch(t.at(1)); });
	news.watch(t.at(1));
	kernel->event_error = EMFILE;
	std::error_code ec;
	EXPECT_FALSE(notifier::create(dev, ec));
	EXPECT_EQ(ec, std::errc::too_many_files_open);
	kernel->pid = 101;
	error_of(errc::forked_child, [&] { news.watch(t.at(1)); });
}

TEST_F(several_fences, of_a_lost_device_make_a_notifier_readable)
{
	notifier news(dev);
	const fence before = q.submit(nop);
	const fence after = q.submit(nop);
	news.watch(before);
	kernel->unplug();
	EXPECT_TRUE(readable(news.fd()));
	news.clear();
	news.watch(after);
	EXPECT_TRUE(readable(news.fd()));
	error_of(errc::device_lost, [&] { news.watch(t.at(1)); });
}

TEST_F(several_fences, are_taken_in_order_and_once)
{
	std::array<completion, 4> done;
	EXPECT_EQ(q.reap(done), 0U);
	submission job(nop);
	for (job.cookie = 10; job.cookie < 16; ++job.cookie)
		q.submit(job);
	EXPECT_EQ(q.reap(done), 0U);
	kernel->run_jobs(5);
	const std::size_t calls = kernel->count(number(DRM_IOCTL_SYNCOBJ_QUERY));
	ASSERT_EQ(q.reap(done), 4U);
	EXPECT_EQ(done[0].sequence, 1U);
	EXPECT_EQ(done[3].cookie, 13U);
	ASSERT_EQ(q.reap(done), 1U);
	EXPECT_EQ(done[0].sequence, 5U);
	EXPECT_EQ(kernel->count(number(DRM_IOCTL_SYNCOBJ_QUERY)), calls) << "no call is needed";
	EXPECT_EQ(q.reap(done), 0U);
	EXPECT_EQ(q.reap({}), 0U);
}

TEST_F(several_fences, tell_when_a_queue_has_room_for_more)
{
	EXPECT_FALSE(q.last());
	EXPECT_EQ(q.last().id(), nullptr);
	const std::uint32_t entries = q.ring_entries();
	EXPECT_FALSE(q.room_for(entries));
	for (std::uint32_t i = 1; i < entries; ++i)
		q.submit(nop);
	EXPECT_EQ(q.last().point(), entries - 1);
	EXPECT_FALSE(q.room_for(1));
	const fence room = q.room_for(3);
	ASSERT_EQ(room.point(), 2U);
	EXPECT_EQ(room.id(), q.last().id());
	kernel->run_jobs(2);
	EXPECT_FALSE(q.room_for(3));
	error_of(errc::too_large, [&] { (void)q.room_for(entries + 1); });
	std::error_code ec;
	EXPECT_FALSE(queue().last(ec));
	EXPECT_EQ(ec, errc::invalid_argument);
}

TEST_F(several_fences, are_taken_also_when_their_jobs_failed)
{
	kernel->policy = [](const fake_job &j) {
		return j.sequence == 2 ? faulting(ATOM_FAULT_BAD_STRIDE, ATOM_WHERE_COMMAND, 1, 8)
		                       : job_end();
	};
	q.submit(std::vector<submission>(3, submission(nop)));
	kernel->run_jobs();
	std::vector<completion> all;
	std::array<completion, 2> some;
	while (const std::size_t n = q.reap(some))
		all.insert(all.end(), some.begin(), some.begin() + n);
	ASSERT_EQ(all.size(), 3U);
	EXPECT_FALSE(all[0].error);
	EXPECT_EQ(all[1].error, errc::job_fault);
	EXPECT_EQ(all[2].error, errc::canceled);
}

TEST_F(several_fences, are_taken_also_from_a_lost_device)
{
	q.submit(nop);
	kernel->unplug();
	std::array<completion, 2> done;
	ASSERT_EQ(q.reap(done), 1U);
	EXPECT_EQ(done[0].error, errc::device_lost);
	kernel->pid = 101;
	std::error_code ec;
	EXPECT_EQ(q.reap(done, ec), 0U);
	EXPECT_EQ(ec, errc::forked_child);
	error_of(errc::invalid_argument, [&] { queue().reap(done); });
}

} // namespace
} // namespace atom::test
