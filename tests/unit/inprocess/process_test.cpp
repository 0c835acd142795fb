// SPDX-License-Identifier: MIT
// ATOM_DEVICE=model as a program sees it: through libatom.so alone.
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atom/atom.hpp"
#include "atom/hw/fault.h"

namespace {

using namespace std::chrono_literals;

/** A program's environment: two small devices unless told otherwise. */
class a_program : public testing::Test {
protected:
	a_program() { ask_for("model:2,dram=64M,threads=2"); }
	~a_program() override { unsetenv("ATOM_DEVICE"); }
	static void ask_for(const char *value) { setenv("ATOM_DEVICE", value, 1); }
};

/** What opening says if it fails. */
std::string error_of_open()
{
	try {
		(void)atom::device::open();
		return "";
	} catch (const atom::system_error &e) {
		return e.what();
	}
}

/** Fills a buffer on the device and looks at it: whether the device works. */
bool works(const atom::device &dev, atom::placement where = atom::placement::system)
{
	const atom::context context(dev);
	atom::queue queue(context);
	const atom::buffer out(context, 4096, {where, true, ""});
	const auto fill = atom::command_builder(context)
	                          .fill(atom::tensor(atom::slot(1), atom::dtype::i8, {4096}), 7)
	                          .finish();
	queue.run({fill, {out}});
	const atom::mapping seen = out.map();
	return queue.state().busy_ns > 0 && std::to_integer<int>(seen.bytes()[0]) == 7 &&
	       std::to_integer<int>(seen.bytes()[4095]) == 7;
}

TEST_F(a_program, finds_as_many_devices_as_it_asks_for)
{
	const auto two = atom::enumerate();
	ASSERT_EQ(two.size(), 2U);
	EXPECT_EQ(two[1].path, "model:1");
	ask_for("model");
	EXPECT_EQ(atom::enumerate().size(), 1U);
	EXPECT_TRUE(works(atom::device::open("model:0")));
}

TEST_F(a_program, is_told_what_is_wrong_with_what_it_asks_for)
{
	const auto expect = [](const char *value, const char *why) {
		ask_for(value);
		EXPECT_EQ(error_of_open(), std::string("ATOM_DEVICE=") + value + ": " + why);
	};
	expect("modell",
	       "it must be empty (the devices of this machine) or model[:N][,OPTION=VALUE]...");
	expect("/dev/accel/accel0",
	       "it must be empty (the devices of this machine) or model[:N][,OPTION=VALUE]...");
	expect("model:0",
	       "\":0\": behind the name comes :N, the number of devices, 1 to 16, or a comma");
	expect("model:1x",
	       "\":1x\": behind the name comes :N, the number of devices, 1 to 16, or a comma");
	expect("model,cores=3", "option \"cores\" is not one of dram, threads, engine, executor, "
	                        "pace, compute, timing, inject, times");
	expect("model,", "option \"\" is not one of dram, threads, engine, executor, pace, "
	                 "compute, timing, inject, times");
	expect("model,threads", "threads=: it must be 0 (as many as CPUs) to 256");
	expect("model,threads=257", "threads=257: it must be 0 (as many as CPUs) to 256");
	expect("model,engine=slow", "engine=slow: it must be fast or reference");
	expect("model,executor=inline,pace=device",
	       "pace=device needs executor=pool: somebody has to work when the time has come");
	for (const char *size : {"0M", "3M", "1T", "16", "-1G", "1025G", ""}) {
		const std::string value = std::string("model,dram=") + size;
		expect(value.c_str(),
		       (std::string("dram=") + size +
		        ": it must be an even number of MiB or a number of GiB, from 2M to 1024G")
		               .c_str());
	}
	ask_for("model:2");
	try {
		(void)atom::device::open(2);
		ADD_FAILURE() << "there is no third device";
	} catch (const atom::system_error &e) {
		EXPECT_STREQ(e.what(), "no ATOM device \"2\"; there is 0 (model:0), 1 (model:1)");
	}
}

TEST_F(a_program, can_have_each_kind_of_device)
{
	for (const char *value :
	     {"model,engine=reference,dram=64M", "model,executor=inline,dram=64M",
	      "model,threads=1,dram=64M", "model,pace=device,dram=2M", "model"}) {
		SCOPED_TRACE(value);
		ask_for(value);
		const auto device = atom::device::open();
		EXPECT_TRUE(device.info().emulated);
		EXPECT_TRUE(works(device));
		EXPECT_TRUE(works(device, atom::placement::local));
	}
}

TEST_F(a_program, gets_modelled_times_but_no_results_without_compute)
{
	ask_for("model,compute=off,dram=64M");
	EXPECT_FALSE(works(atom::device::open()));
}

TEST_F(a_program, can_ask_for_a_fault_in_a_certain_job)
{
	ask_for("model,dram=64M,inject=kind=ecc-ue:after=1");
	const auto device = atom::device::open();
	EXPECT_TRUE(works(device));
	EXPECT_THROW(works(device), atom::job_error);
	EXPECT_TRUE(works(device));
}

TEST_F(a_program, is_told_why_a_fault_cannot_be)
{
	ask_for("model,dram=64M,inject=kind=earthquake");
	EXPECT_THAT(error_of_open(), testing::HasSubstr("earthquake"));
}

TEST_F(a_program, can_have_as_much_memory_as_the_card)
{
	ask_for("model");
	const auto device = atom::device::open();
	EXPECT_EQ(device.memory().local_size, 16ULL << 30);
	const atom::context context(device);
	// Takes nothing of the host but what is touched.
	const atom::buffer large(context, 15ULL << 30, {atom::placement::local, true, ""});
	const atom::mapping seen = large.map();
	seen.bytes()[seen.size() - 1] = std::byte{1};
	EXPECT_EQ(seen.bytes()[0], std::byte{0});
	EXPECT_GE(device.memory().local_used, 15ULL << 30);
}

TEST_F(a_program, sees_one_device_however_often_it_opens_it)
{
	const auto first = atom::device::open(0);
	const auto again = atom::device::open("model:0");
	const auto other = atom::device::open(1);
	const atom::context context(first);
	const atom::buffer taken(context, 8U << 20, {atom::placement::local, true, ""});
	EXPECT_EQ(again.memory().local_used, first.memory().local_used);
	EXPECT_GE(again.memory().local_used, 8U << 20);
	EXPECT_EQ(other.memory().local_used, 0U);
	EXPECT_NE(first.info().uuid, other.info().uuid);
	EXPECT_NE(first.info().serial, other.info().serial);
}

TEST_F(a_program, finds_a_new_device_after_it_has_closed_all_of_the_old_one)
{
	{
		const auto device = atom::device::open();
		EXPECT_TRUE(works(device));
		EXPECT_GT(device.read_telemetry().jobs_done, 0U);
	}
	EXPECT_EQ(atom::device::open().read_telemetry().jobs_done, 0U);
}

TEST_F(a_program, finds_memory_of_others_gone_and_zero)
{
	const auto device = atom::device::open();
	for (int round = 0; round < 3; ++round) {
		const atom::context context(device);
		const atom::buffer all(context, 48U << 20, {atom::placement::local, true, ""});
		const atom::mapping m = all.map();
		for (std::size_t at = 0; at < m.size(); at += 4096) {
			ASSERT_EQ(m.bytes()[at], std::byte{0});
			m.bytes()[at] = std::byte{0xff};
		}
	}
	EXPECT_EQ(device.memory().local_used, 0U);
}

TEST_F(a_program, leaves_nothing_of_the_device_to_what_it_executes)
{
	const auto device = atom::device::open();
	ASSERT_GE(device.fd(), 0);
	EXPECT_NE(fcntl(device.fd(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(a_program, learns_of_a_fault_what_the_kernel_would_tell)
{
	const auto device = atom::device::open();
	const atom::context context(device);
	atom::queue queue(context);
	const atom::buffer memory(context, 4096);
	const auto fill = atom::command_builder(context)
	                          .fill(atom::tensor(atom::slot(1), atom::dtype::f32, {16}), 1)
	                          .finish();
	const atom::args odd{memory.slice(1, 64)};
	const atom::submission bad(fill, odd);
	try {
		queue.run(bad);
		ADD_FAILURE() << "the job must fail";
	} catch (const atom::job_error &e) {
		EXPECT_EQ(e.code(), atom::errc::job_fault);
		EXPECT_STREQ(e.what(), "job 1: COPY (command 0), field out.offset: MISALIGNED, the "
		                       "address is not aligned to the element (write to address "
		                       "0x200001)");
	}
	const atom::queue_state state = queue.state();
	EXPECT_TRUE(state.faulted);
	EXPECT_TRUE(state.banned);
	EXPECT_EQ(state.first_failed, 1U);
	std::error_code ec;
	queue.submit(bad, ec);
	EXPECT_EQ(ec, atom::errc::queue_banned);
	EXPECT_TRUE(works(device)) << "other queues go on";
}

/** Whether next_event() has something, as far as poll() knows. */
bool readable(const atom::device &dev, int timeout_ms = 0)
{
	pollfd file{dev.fd(), POLLIN, 0};
	return poll(&file, 1, timeout_ms) == 1;
}

TEST_F(a_program, is_told_once_of_each_queue_that_fails)
{
	const auto device = atom::device::open();
	const auto other = atom::device::open();
	const atom::context context(device);
	const atom::buffer memory(context, 4096);
	const auto fill = atom::command_builder(context)
	                          .fill(atom::tensor(atom::slot(1), atom::dtype::f32, {16}), 1)
	                          .finish();
	const atom::args odd{memory.slice(1, 64)};
	EXPECT_FALSE(readable(device));
	EXPECT_FALSE(device.next_event());
	std::vector<atom::queue> queues;
	for (int i = 0; i < 5; ++i) {
		queues.emplace_back(context);
		const atom::submission bad(fill, odd);
		EXPECT_THROW(queues.back().run(bad), atom::job_error);
	}
	std::vector<std::uint32_t> told;
	for (std::size_t i = 0; i < queues.size(); ++i) {
		ASSERT_TRUE(readable(device, 60'000));
		const auto event = device.next_event();
		ASSERT_TRUE(event);
		EXPECT_EQ(event->what, atom::device_event_kind::queue_fault);
		EXPECT_TRUE(event->faulted);
		EXPECT_FALSE(event->timed_out);
		EXPECT_EQ(event->first_failed, 1U);
		EXPECT_EQ(event->fault.code, ATOM_FAULT_MISALIGNED);
		told.push_back(event->queue_id);
	}
	std::vector<std::uint32_t> made;
	for (const atom::queue &q : queues)
		made.push_back(q.id());
	EXPECT_THAT(told, testing::UnorderedElementsAreArray(made));
	EXPECT_FALSE(readable(device));
	EXPECT_FALSE(device.next_event());
	EXPECT_FALSE(readable(other)) << "others are told of what is not theirs";
}

TEST_F(a_program, cancels_the_jobs_of_a_queue_that_it_destroys)
{
	const auto device = atom::device::open();
	const atom::context context(device);
	auto queue = atom::queue(context);
	const atom::buffer big(context, 32U << 20);
	atom::command_builder builder(context);
	for (int i = 0; i < 64; ++i)
		builder.fill(atom::tensor(atom::slot(1), atom::dtype::i8, {32U << 20}), i);
	const auto slow = builder.finish();
	std::vector<atom::fence> jobs;
	for (int i = 0; i < 20; ++i)
		jobs.push_back(queue.submit({slow, {big}}));
	std::thread waiter([&] {
		std::error_code ec;
		jobs.back().wait(atom::no_deadline, ec);
		EXPECT_EQ(ec, atom::errc::canceled);
	});
	std::this_thread::sleep_for(5ms);
	queue = atom::queue();
	waiter.join();
}

TEST_F(a_program, can_fork_and_the_child_has_devices_of_its_own)
{
#if defined(__SANITIZE_THREAD__)
	GTEST_SKIP() << "ThreadSanitizer knows no threads in the child of a program with threads";
#endif
	const auto device = atom::device::open();
	const atom::context context(device);
	const atom::buffer kept(context, 4096);
	kept.map().bytes()[0] = std::byte{42};
	const pid_t child = fork();
	if (child == 0) {
		std::error_code ec;
		(void)atom::context::create(device, ec);
		bool good = ec == atom::errc::forked_child;
		good &= works(atom::device::open());
		_exit(good ? 0 : 1);
	}
	int status = -1;
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
	EXPECT_TRUE(works(device)) << "the parent's device is what it was";
	EXPECT_EQ(kept.map().bytes()[0], std::byte{42});
}

TEST_F(a_program, can_work_on_two_devices_from_many_threads)
{
	std::vector<std::thread> threads;
	for (unsigned t = 0; t < 8; ++t)
		threads.emplace_back([t] {
			const auto device = atom::device::open(t % 2);
			for (int i = 0; i < 20; ++i)
				EXPECT_TRUE(works(device, i % 2 ? atom::placement::local
				                                : atom::placement::system));
		});
	for (std::thread &t : threads)
		t.join();
}

} // namespace
