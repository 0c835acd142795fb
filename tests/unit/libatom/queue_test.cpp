// SPDX-License-Identifier: MIT
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "atom/hw/command.h"
#include "atom/hw/fault.h"
#include "core/completion_area.hpp"
#include "fixture.hpp"

namespace atom::test {
namespace {

using namespace std::chrono_literals;

class a_queue : public on_fake_kernel {
protected:
	queue q{ctx};
	command_buffer nop = command_builder(ctx).nop().finish();
	buffer data{ctx, 4096};
	/** Uses one argument of 64 bytes. */
	command_buffer with_argument =
		command_builder(ctx).fill(tensor(slot(1), dtype::i8, {64}), 0).finish();

	[[nodiscard]] static deadline soon() { return std::chrono::steady_clock::now() + 5ms; }
};

TEST_F(a_queue, runs_a_job_and_tells_when)
{
	submission job(nop);
	job.cookie = 77;
	const completion c = q.run(job);
	EXPECT_FALSE(c.error);
	EXPECT_EQ(c.sequence, 1U);
	EXPECT_EQ(c.cookie, 77U);
	ASSERT_TRUE(c.has_times);
	EXPECT_EQ(c.end_ns - c.start_ns, 100U);
	EXPECT_EQ(c.modelled_ns, 40U);
	EXPECT_EQ(c.to_string(), "job 1: ok, 100 ns");
}

TEST_F(a_queue, takes_32_jobs_in_one_ioctl)
{
	const std::vector<submission> jobs(32, submission(nop));
	const fence last = q.submit(jobs);
	EXPECT_EQ(kernel->count(number(DRM_IOCTL_ATOM_SUBMIT)), 1U);
	EXPECT_EQ(last.point(), 32U);
	EXPECT_EQ(kernel->jobs().size(), 32U);
	EXPECT_FALSE(last.wait().error);
	EXPECT_TRUE(q.fence_of(20).ready());
	EXPECT_EQ(q.fence_of(20).status()->sequence, 20U);
	error_of(errc::invalid_argument, [&] { (void)q.fence_of(33); });
	error_of(errc::invalid_argument, [&] { (void)q.fence_of(0); });
}

TEST_F(a_queue, makes_no_call_to_wait_for_what_is_done)
{
	const fence done = q.submit(nop);
	EXPECT_FALSE(done.wait().error);
	EXPECT_TRUE(done.ready());
	EXPECT_EQ(kernel->count(number(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT)), 0U);
	EXPECT_EQ(kernel->count(number(DRM_IOCTL_SYNCOBJ_QUERY)), 0U);
	EXPECT_EQ(kernel->count(number(DRM_IOCTL_ATOM_QUEUE_GET_STATE)), 0U);
}

TEST_F(a_queue, times_out_a_wait_and_lets_the_job_go_on)
{
	kernel->auto_run = false;
	const fence f = q.submit(nop);
	EXPECT_FALSE(f.ready());
	EXPECT_FALSE(f.status());
	error_of(errc::timed_out, [&] { f.wait(soon()); });
	error_of(errc::timed_out, [&] { f.wait_for(1ms); });
	std::error_code ec;
	f.wait(deadline(), ec);
	EXPECT_EQ(ec, std::errc::timed_out);
	kernel->run_jobs();
	EXPECT_FALSE(f.wait_for(std::chrono::hours(1)).error);
}

TEST_F(a_queue, wakes_a_thread_that_waits)
{
	kernel->auto_run = false;
	const fence f = q.submit(nop);
	std::thread waiter([&] { EXPECT_FALSE(f.wait().error); });
	std::this_thread::sleep_for(5ms);
	kernel->run_jobs();
	waiter.join();
}

TEST_F(a_queue, gives_the_device_the_arguments_of_each_job)
{
	std::vector<std::uint64_t> seen;
	const std::uint32_t vm = core::access::ctx(ctx)->id();
	kernel->policy = [&](const fake_job &) { return job_end{}; };
	kernel->auto_run = false;
	const buffer other(ctx, 256);
	const buffer_view first[] = {data.slice(64, 64)};
	const args second{other};
	const submission jobs[] = {{with_argument, first}, {with_argument, second}};
	q.submit(jobs);
	for (const fake_job &j : kernel->jobs()) {
		atom_arg arg;
		ASSERT_EQ(j.job.arg_count, 1U);
		std::memcpy(&arg, kernel->translate(vm, j.job.args_va, sizeof(arg)), sizeof(arg));
		seen.push_back(arg.va);
		seen.push_back(arg.bytes);
	}
	EXPECT_EQ(seen, (std::vector<std::uint64_t>{data.device_address() + 64, 64,
	                                            other.device_address(), 256}));
}

TEST_F(a_queue, keeps_what_a_job_uses_until_the_job_is_done)
{
	kernel->auto_run = false;
	fence f;
	{
		const buffer b(ctx, 4096);
		const command_buffer c =
			command_builder(ctx).fill(tensor(slot(1), dtype::i8, {64}), 1).finish();
		f = q.submit({c, {b}});
	}
	const std::size_t in_flight = kernel->objects();
	kernel->run_jobs();
	EXPECT_FALSE(f.wait().error) << "the device must have found everything mapped";
	EXPECT_EQ(kernel->objects(), in_flight - 2) << "then buffer and commands are freed";
}

TEST_F(a_queue, reuses_the_memory_of_argument_tables)
{
	const args a{data};
	q.run({with_argument, a});
	const std::size_t objects = kernel->objects();
	const auto created = kernel->count(number(DRM_IOCTL_ATOM_BO_CREATE));
	for (int i = 0; i < 5000; ++i)
		q.run({with_argument, a});
	EXPECT_EQ(kernel->objects(), objects);
	EXPECT_EQ(kernel->count(number(DRM_IOCTL_ATOM_BO_CREATE)), created);
}

TEST_F(a_queue, finds_room_for_more_arguments_than_its_ring_has)
{
	kernel->auto_run = false;
	const command_buffer many =
		command_builder(ctx).fill(tensor(slot(1023), dtype::i8, {64}), 1).finish();
	args a;
	for (std::uint16_t s = 1; s <= 1023; ++s)
		a.set(slot(s), data);
	const std::vector<submission> jobs(64, submission(many, a));
	for (int i = 0; i < 3; ++i)
		q.submit(jobs);
	kernel->run_jobs();
	EXPECT_FALSE(q.fence_of(192).wait().error);
	kernel->auto_run = true;
	EXPECT_FALSE(q.run({many, a}, deadline()).error);
}

TEST_F(a_queue, waits_for_its_oldest_jobs_when_the_ring_of_arguments_is_full)
{
	kernel->auto_run = false;
	const command_buffer many =
		command_builder(ctx).fill(tensor(slot(1023), dtype::i8, {64}), 1).finish();
	args a;
	a.set(slot(1023), data);
	const std::vector<submission> jobs(64, submission(many, a));
	std::atomic<bool> stop{false};
	std::thread device([&] {
		while (!stop) {
			kernel->run_jobs();
			std::this_thread::sleep_for(1ms);
		}
	});
	for (int i = 0; i < 20; ++i) // a mebibyte of tables each; the ring has at most four
		q.submit(jobs);
	EXPECT_FALSE(q.fence_of(20 * 64).wait().error);
	stop = true;
	device.join();
}

TEST_F(a_queue, starts_a_job_after_its_waits_and_signals_its_points)
{
	timeline t(dev);
	kernel->auto_run = false;
	queue before(ctx);
	const fence start = t.at(5);
	const fence done = t.at(9);
	submission first(nop);
	first.signals = {&start, 1};
	before.submit(first);
	submission second(nop);
	second.waits = {&start, 1};
	second.signals = {&done, 1};
	const fence f = q.submit(second);
	EXPECT_FALSE(f.ready());
	EXPECT_FALSE(done.ready());
	kernel->run_jobs();
	kernel->run_jobs();
	done.wait();
	EXPECT_EQ(t.value(), 9U);
	EXPECT_FALSE(f.wait().error);
}

TEST_F(a_queue, can_wait_for_a_job_of_another_queue)
{
	queue other(ctx);
	kernel->auto_run = false;
	const fence first = other.submit(nop);
	submission job(nop);
	job.waits = {&first, 1};
	const fence second = q.submit(job);
	kernel->run_jobs();
	kernel->run_jobs();
	EXPECT_FALSE(second.wait().error);
}

TEST_F(a_queue, takes_a_job_without_commands)
{
	EXPECT_FALSE(q.run(submission()).error);
	EXPECT_EQ(kernel->jobs().front().job.cmd_va, 0U);
}

TEST_F(a_queue, names_the_command_and_the_field_of_a_fault)
{
	kernel->policy = [](const fake_job &) {
		return faulting(ATOM_FAULT_BAD_STRIDE, ATOM_WHERE_COMMAND, ATOM_OP_GEMM,
		                offsetof(atom_cmd_gemm, b) + offsetof(atom_tensor, strides) + 8);
	};
	try {
		q.run(nop);
		FAIL() << "the job must fail";
	} catch (const job_error &e) {
		EXPECT_EQ(e.code(), errc::job_fault);
		EXPECT_EQ(e.result().fault->code, ATOM_FAULT_BAD_STRIDE);
		EXPECT_STREQ(
			e.what(),
			"job 1: GEMM (command 0), field b.strides[1]: BAD_STRIDE, the stride is "
			"no multiple of the element, or overflows");
	}
}

TEST_F(a_queue, that_faulted_takes_no_more_and_says_why)
{
	kernel->policy = [](const fake_job &) {
		return faulting(ATOM_FAULT_BAD_OPCODE, ATOM_WHERE_COMMAND, ATOM_OP_NOP, 0);
	};
	std::error_code ec;
	q.run(nop, no_deadline, ec);
	EXPECT_EQ(ec, errc::job_fault);
	EXPECT_EQ(error_of(errc::queue_banned, [&] { q.submit(nop); }),
	          "submit: the queue takes no more jobs, because job 1 failed: NOP (command 0), "
	          "field header: BAD_OPCODE, the device does not have this command; make a new "
	          "queue");
	const queue_state s = q.state();
	EXPECT_TRUE(s.faulted);
	EXPECT_TRUE(s.banned);
	EXPECT_EQ(s.first_failed, 1U);
}

TEST_F(a_queue, tells_each_job_of_a_batch_its_own_fate)
{
	kernel->policy = [](const fake_job &j) {
		return j.sequence == 3
		               ? faulting(ATOM_FAULT_OVERLAP, ATOM_WHERE_COMMAND, ATOM_OP_COPY, 24)
		               : job_end{};
	};
	const std::vector<submission> jobs(5, submission(nop));
	const fence last = q.submit(jobs);
	std::error_code ec;
	const completion fifth = last.wait(no_deadline, ec);
	EXPECT_EQ(ec, errc::canceled);
	EXPECT_EQ(fifth.first_failed, 3U);
	EXPECT_NE(fifth.to_string().find("because job 3 of its queue faulted: COPY"),
	          std::string::npos)
		<< fifth.to_string();
	EXPECT_FALSE(q.fence_of(2).status()->error);
	EXPECT_EQ(q.fence_of(3).status()->error, errc::job_fault);
	EXPECT_EQ(q.fence_of(4).status()->error, errc::canceled);
}

TEST_F(a_queue, learns_the_truth_also_when_the_records_are_gone)
{
	kernel->policy = [](const fake_job &j) {
		return j.sequence == 3
		               ? faulting(ATOM_FAULT_OVERLAP, ATOM_WHERE_COMMAND, ATOM_OP_COPY, 24)
		               : job_end{};
	};
	q.submit(std::vector<submission>(5, submission(nop)));
	kernel->forget_records();
	const completion second = *q.fence_of(2).status();
	EXPECT_FALSE(second.error);
	EXPECT_FALSE(second.has_times);
	const completion third = *q.fence_of(3).status();
	EXPECT_EQ(third.error, errc::job_fault);
	EXPECT_EQ(third.fault->code, ATOM_FAULT_OVERLAP);
	EXPECT_EQ(q.fence_of(5).status()->error, errc::canceled);
}

TEST_F(a_queue, tells_a_time_out_of_a_job_from_a_reset_that_another_caused)
{
	job_end end;
	end.status = ATOM_CPL_ABORTED;
	end.state_flags = DRM_ATOM_QUEUE_STATE_TIMEDOUT | DRM_ATOM_QUEUE_STATE_BANNED;
	end.error = ETIME;
	kernel->policy = [&](const fake_job &) { return end; };
	std::error_code ec;
	q.run(nop, no_deadline, ec);
	EXPECT_EQ(ec, errc::job_timed_out);

	queue innocent(ctx);
	end.state_flags = DRM_ATOM_QUEUE_STATE_INNOCENT;
	end.error = ECANCELED;
	const completion c = innocent.run(nop, no_deadline, ec);
	EXPECT_EQ(ec, errc::device_reset);
	EXPECT_EQ(c.to_string(), "job 1: lost to a reset that another job caused");
	kernel->policy = nullptr;
	EXPECT_FALSE(innocent.run(nop).error) << "an innocent queue goes on";
}

TEST_F(a_queue, of_a_lost_device_leaves_no_waiter_hanging)
{
	kernel->auto_run = false;
	const fence f = q.submit(nop);
	kernel->unplug();
	std::error_code ec;
	EXPECT_TRUE(f.ready());
	f.wait(no_deadline, ec);
	EXPECT_EQ(ec, errc::device_lost);
	EXPECT_THROW(f.wait(), job_error);
	EXPECT_EQ(f.status()->error, errc::device_lost);
	const auto expect_remedy = [&](const char *operation, auto &&call) {
		EXPECT_EQ(error_of(errc::device_lost, call),
		          std::string(operation) +
		                  ": the device is gone or dead (No such device): close it, and "
		                  "open it again once it is back (device_monitor tells)");
	};
	expect_remedy("submit", [&] { q.submit(nop); });
	expect_remedy("create buffer of 4096 bytes in local memory", [&] {
		(void)buffer(ctx, 4096, {placement::local, true, ""});
	});
	timeline t;
	error_of(errc::device_lost, [&] { t = timeline(dev); });
	EXPECT_TRUE(q.state().device_lost);
}

TEST_F(a_queue, that_is_destroyed_cancels_what_it_had_not_done)
{
	kernel->auto_run = false;
	kernel->run_jobs();
	const fence done = q.submit(nop);
	kernel->run_jobs(1);
	const fence open = q.submit({with_argument, {data}});
	q = queue();
	std::error_code ec;
	done.wait(no_deadline, ec);
	EXPECT_FALSE(ec);
	open.wait(no_deadline, ec);
	EXPECT_EQ(ec, errc::canceled);
}

TEST_F(a_queue, gives_everything_back)
{
	const std::size_t before = kernel->objects();
	const std::size_t mapped = kernel->mappings();
	{
		queue other(ctx);
		kernel->auto_run = false;
		other.submit({with_argument, {data}});
	}
	EXPECT_EQ(kernel->objects(), before);
	EXPECT_EQ(kernel->mappings(), mapped);
}

TEST_F(a_queue, leaves_nothing_behind_when_a_step_of_its_making_fails)
{
	const std::size_t before = kernel->objects();
	for (const unsigned long step :
	     {number(DRM_IOCTL_SYNCOBJ_CREATE), number(DRM_IOCTL_ATOM_QUEUE_CREATE)}) {
		kernel->fail(step, ENOMEM);
		std::error_code ec;
		EXPECT_FALSE(queue::create(ctx, {}, ec));
		EXPECT_EQ(ec, errc::out_of_host_memory);
		EXPECT_EQ(kernel->objects(), before);
	}
	kernel->fail(number(DRM_IOCTL_ATOM_QUEUE_CREATE), ENOSPC);
	error_of(errc::limit_reached, [&] { (void)queue(ctx); });
	queue_options options;
	options.priority = priority::high;
	error_of(errc::permission_denied, [&] { (void)queue(ctx, options); });
	options = {};
	options.name = "sixteen letters.";
	error_of(errc::invalid_argument, [&] { (void)queue(ctx, options); });
	options = {};
	options.job_timeout = 61s;
	error_of(errc::invalid_argument, [&] { (void)queue(ctx, options); });
	EXPECT_EQ(kernel->objects(), before);
}

TEST_F(a_queue, stays_usable_when_a_submission_fails)
{
	for (const int error : {ENOMEM, EINVAL, EFAULT}) {
		kernel->fail(number(DRM_IOCTL_ATOM_SUBMIT), error);
		std::error_code ec;
		q.submit({with_argument, {data}}, ec);
		EXPECT_TRUE(ec);
	}
	EXPECT_EQ(q.run({with_argument, {data}}).sequence, 1U);
}

TEST_F(a_queue, of_the_parent_refuses_and_survives_a_forked_child)
{
	const fence f = q.submit(nop);
	const std::size_t before = kernel->objects();
	kernel->pid = 101;
	error_of(errc::forked_child, [&] { q.submit(nop); });
	error_of(errc::forked_child, [&] { f.wait(); });
	{
		queue gone(std::move(q));
	}
	EXPECT_EQ(kernel->objects(), before) << "the parent's queue must live on";
	kernel->pid = 100;
}

TEST_F(a_queue, reads_records_that_the_device_is_writing)
{
	kernel->auto_run = false;
	std::atomic<bool> stop{false};
	std::thread device([&] {
		while (!stop)
			kernel->run_jobs(1);
	});
	for (int i = 0; i < 300; ++i) {
		submission job(nop);
		job.cookie = static_cast<std::uint64_t>(i) + 1;
		const fence f = q.submit(job);
		while (!f.ready())
			std::this_thread::yield();
		const completion c = *f.status();
		ASSERT_FALSE(c.error);
		ASSERT_EQ(c.cookie, job.cookie);
	}
	stop = true;
	device.join();
}

TEST(a_completion_area, never_gives_a_record_that_was_written_over)
{
	std::array<std::uint64_t, 8 + 2 * 8> words{};
	const core::completion_area area(reinterpret_cast<const std::byte *>(words.data()), 2);
	EXPECT_FALSE(area.find(0));
	EXPECT_FALSE(area.find(1));
	words[8] = 3; // job 3 is in job 1's slot
	EXPECT_FALSE(area.find(1));
	EXPECT_TRUE(area.find(3));
	words[0] = 3;
	EXPECT_EQ(area.retired(), 3U);
}

} // namespace
} // namespace atom::test
