// SPDX-License-Identifier: MIT
// Hardware that misbehaves: hangs, lost interrupts, errors. Injected through the control port.
#include "context.hpp"
#include "machine.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace vmtest;

namespace {

/** The kernel's messages about accel nodes of dead devices, from the construction on. */
class wedged_events {
public:
	wedged_events()
	{
		sockaddr_nl address{};
		address.nl_family = AF_NETLINK;
		address.nl_groups = 1; // what the kernel itself sends
		if (fd_.get() < 0 || bind(fd_.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)))
			throw std::runtime_error("no socket for the kernel's events");
	}

	/** How many came so far; more than there is room for count too. */
	int count() const
	{
		char text[8192];
		for (;;) {
			const ssize_t bytes = recv(fd_.get(), text, sizeof(text), MSG_DONTWAIT);
			if (bytes >= 0)
				count_ += is_one({text, static_cast<std::size_t>(bytes)});
			else if (errno == ENOBUFS)
				count_ += 1000;
			else
				return count_;
		}
	}

private:
	/** Action, path and variables, with a NUL behind each. */
	static bool is_one(std::string_view event)
	{
		return event.starts_with("change@") && event.substr(0, event.find('\0')).find("/accel/accel") != std::string_view::npos &&
		       event.find("WEDGED=rebind,bus-reset") != std::string_view::npos;
	}

	unique_fd fd_{socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT)};
	mutable int count_ = 0;
};

class recovery : public troubled {
protected:
	drm_atom_job nop() { return c_.job(command_list(make_nop())); }

	/** A new queue on the same device takes a job and ends it well. */
	static void expect_device_works()
	{
		context c;
		const memory m = c.alloc(page);
		EXPECT_NO_THROW(c.run(command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, m.va), 0x33))));
		EXPECT_EQ(m.map.data()[page - 1], std::byte{0x33});
	}

	context c_{0, {.job_timeout_ms = 1000}};
};

} // namespace

TEST_F(recovery, a_job_that_hangs_is_given_up_and_its_queue_banned)
{
	inject("kind=hang,count=1");
	const syncobj done(c_.dev);
	drm_atom_sync sync = done.signal_binary();
	auto job = nop();
	job.syncs = {sizeof(sync), 1, reinterpret_cast<std::uintptr_t>(&sync)};
	c_.q.submit(job);
	ASSERT_EQ(done.try_wait_binary(60'000'000'000), 0) << "the waiter of a hung job waits for ever";
	EXPECT_LT(done.fence_status(), 0);
	const auto state = c_.q.state();
	EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_TIMEDOUT) << describe(state);
	EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(state);
	EXPECT_EQ(state.failed_seqno, 1u) << describe(state);
	EXPECT_NE(state.error, 0u) << describe(state);
	EXPECT_EQ(c_.q.try_submit(std::vector{nop()}), ECANCELED);
	expect_device_works();
}

TEST_F(recovery, asking_for_the_state_all_the_time_does_not_keep_a_queue_from_its_reset)
{
	// Jobs behind one that faults end by the reset of the queue, not by their own time-outs, which are far away.
	for (int round = 0; round < 20; ++round) {
		context c(0, {.job_timeout_ms = 60000});
		const memory words = c.alloc(page);
		std::vector jobs(9, c.job(command_list(make_nop())));
		jobs.front() = c.job(command_list(make_copy_bytes(c.space.reserve(mib), words.va, 64)));
		const drm_atom_sync done = c.timeline.signal_at(1);
		jobs.back().syncs = {sizeof(done), 1, reinterpret_cast<std::uintptr_t>(&done)};
		std::atomic<bool> stop{false};
		std::thread asking([&] {
			while (!stop)
				c.q.state();
		});
		const std::int64_t start = now_ns();
		c.q.submit(jobs);
		const int woken = c.timeline.try_wait(1, 120'000'000'000);
		stop = true;
		asking.join();
		ASSERT_EQ(woken, 0) << "round " << round;
		ASSERT_LT(now_ns() - start, 20'000'000'000) << "the reset was forgotten in round " << round;
	}
}

TEST_F(recovery, no_job_counts_as_retired_before_its_fence_has_signalled)
{
	for (int round = 0; round < 10; ++round) {
		context c(0, {.job_timeout_ms = 100});
		const syncobj hung(c.dev);
		const drm_atom_sync done = hung.signal_binary();
		std::vector jobs(4, c.job(command_list(make_nop())));
		jobs.front().syncs = {sizeof(done), 1, reinterpret_cast<std::uintptr_t>(&done)};
		inject("kind=hang,count=1");
		c.q.submit(jobs);
		bool ended = false;
		const std::int64_t start = now_ns();
		while (!ended && now_ns() - start < 60'000'000'000) {
			// In this order: what is told of the job cannot be newer than what its fence says.
			const auto state = c.q.state();
			ended = hung.try_wait_binary(0) == 0;
			ASSERT_TRUE(ended || state.completed == 0) << describe(state);
		}
		ASSERT_TRUE(ended);
		ASSERT_TRUE(eventually([&] { return c.q.state().completed == 4; })) << describe(c.q.state());
	}
}

TEST_F(recovery, a_queue_that_hangs_alone_is_given_up_after_its_time_out)
{
	// It has worked before, so that the driver must tell what it did then from what the hung job does.
	context c(0, {.job_timeout_ms = 2000});
	for (int i = 0; i < 3; ++i)
		c.run(command_list(make_nop()));
	inject("kind=hang,count=1");
	const std::int64_t start = now_ns();
	c.submit(command_list(make_nop()));
	ASSERT_EQ(c.timeline.try_wait(c.point, 60'000'000'000), 0);
	const std::int64_t took = now_ns() - start;
	EXPECT_GE(took, 2'000'000'000) << "it was given up too soon";
	EXPECT_LT(took, 4'000'000'000) << "one time-out has become several";
	EXPECT_TRUE(c.q.state().flags & DRM_ATOM_QUEUE_STATE_TIMEDOUT) << describe(c.q.state());
}

TEST_F(recovery, other_queues_go_on_while_one_hangs_and_is_reset)
{
	context other;
	inject("kind=hang,count=1");
	c_.q.submit(nop());
	pause_ms(20); // the strike hits the first job that starts: it must be that one
	const auto work = other.job(command_list(make_nop()));
	bool reset = false;
	const std::int64_t end = now_ns() + 30'000'000'000;
	while (!reset && now_ns() < end) {
		ASSERT_NO_THROW(other.run(work));
		reset = c_.q.state().flags & DRM_ATOM_QUEUE_STATE_BANNED;
	}
	EXPECT_TRUE(reset) << "the hung queue was never given up";
	EXPECT_EQ(other.q.state().flags, 0u) << describe(other.q.state());
	EXPECT_EQ(other.q.state().generation, 0u) << "a reset has hit the innocent queue";
}

TEST_F(recovery, jobs_behind_a_hung_one_are_cancelled_and_their_waiters_woken)
{
	inject("kind=hang,count=1");
	for (int i = 0; i < 10; ++i)
		c_.submit(nop());
	EXPECT_EQ(c_.timeline.try_wait(10, 60'000'000'000), 0);
	EXPECT_EQ(c_.q.state().failed_seqno, 1u) << describe(c_.q.state());
	expect_device_works();
}

TEST_F(recovery, a_hang_that_the_device_notices_itself_is_a_failure_of_the_job)
{
	inject("kind=hung-detected,count=1");
	const auto state = c_.run_failing(nop());
	EXPECT_TRUE(state.flags & (DRM_ATOM_QUEUE_STATE_TIMEDOUT | DRM_ATOM_QUEUE_STATE_FAULT)) << describe(state);
	EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(state);
	expect_device_works();
}

TEST_F(recovery, a_lost_interrupt_delays_a_job_but_fails_nothing)
{
	for (int round = 0; round < 3; ++round) {
		inject("kind=lost-irq,count=1");
		c_.submit(nop());
		ASSERT_EQ(c_.timeline.try_wait(c_.point, 60'000'000'000), 0) << "the job is done but nobody was told";
		EXPECT_EQ(c_.q.state().flags, 0u) << describe(c_.q.state());
	}
	c_.run(nop());
	EXPECT_EQ(c_.q.state().completed, 4u);
}

TEST_F(recovery, duplicate_and_late_interrupts_do_no_harm)
{
	inject("kind=duplicate-irq,count=20");
	for (int i = 0; i < 40; ++i)
		c_.run(nop());
	inject("kind=late-irq,delay_us=200000,count=1");
	const std::int64_t start = now_ns();
	c_.run(nop());
	EXPECT_GE(now_ns() - start, 100'000'000) << "the injection had no effect";
	c_.run(nop());
	EXPECT_EQ(c_.q.state().completed, 42u);
}

TEST_F(recovery, hardware_errors_stop_the_queue_that_met_them)
{
	const struct {
		const char *kind;
		std::uint16_t code;
	} table[] = {{"dma-error", ATOM_FAULT_DMA_ERROR}, {"poison", ATOM_FAULT_POISON}, {"ecc-ue", ATOM_FAULT_ECC_UE}};
	for (const auto &[kind, code] : table) {
		SCOPED_TRACE(kind);
		context c, bystander;
		const memory a = c.alloc(page), b = c.alloc(page);
		inject(std::string("kind=") + kind + ",count=1");
		const auto state = c.run_failing(command_list(make_copy_bytes(a.va, b.va, page)));
		EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_FAULT) << describe(state);
		EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(state);
		EXPECT_EQ(state.fault_code, code) << describe(state);
		EXPECT_NO_THROW(bystander.run(command_list(make_nop())));
	}
	expect_device_works();
}

TEST_F(recovery, corrected_memory_errors_are_counted_and_fail_nothing)
{
	const auto telemetry = [&] {
		drm_atom_dev_telemetry reading{};
		drm_atom_dev_query query{DRM_ATOM_DEV_QUERY_TELEMETRY, sizeof(reading),
					 reinterpret_cast<std::uintptr_t>(&reading)};
		EXPECT_EQ(c_.dev.try_call(DRM_IOCTL_ATOM_DEV_QUERY, &query), 0);
		return reading;
	};
	const auto before = telemetry();
	inject("kind=ecc-ce,count=3");
	EXPECT_NO_THROW(c_.run(nop()));
	EXPECT_EQ(telemetry().ecc_ce, before.ecc_ce + 3);
	EXPECT_EQ(telemetry().ecc_ue, before.ecc_ue);
}

TEST_F(recovery, a_corrupt_sequence_number_is_not_believed)
{
	// Far beyond what was ever submitted: believed, it would complete jobs that have not run.
	inject("kind=corrupt-seqno,value=1000000,count=1");
	c_.submit(nop());
	EXPECT_EQ(c_.timeline.try_wait(1, 60'000'000'000), 0) << "the waiter was forgotten";
	const auto state = c_.q.state();
	EXPECT_LE(state.completed, state.submitted) << describe(state);
	expect_device_works();
}

TEST_F(recovery, an_injected_translation_fault_is_reported_like_a_real_one)
{
	const memory a = c_.alloc(page), b = c_.alloc(page);
	inject("kind=mmu-fault,count=1");
	const auto state = c_.run_failing(command_list(make_copy_bytes(a.va, b.va, page)));
	EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_FAULT) << describe(state);
	EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT) << describe(state);
	expect_device_works();
}

TEST_F(recovery, a_device_that_dies_is_buried_once_and_fails_all_that_is_asked_of_it)
{
	// The fault FIFO has been read once: the reset of the dead device takes its tail back behind the head.
	context faulty;
	const memory target = faulty.alloc(page);
	const std::uint64_t nowhere = faulty.space.reserve(mib);
	faulty.run_failing(command_list(make_copy_bytes(nowhere, target.va, 64)));
	ASSERT_TRUE(eventually([&] { return faulty.q.state().generation == 1; })) << describe(faulty.q.state());

	context c(0, {.job_timeout_ms = 60'000});
	inject("kind=hang,count=1");
	const syncobj done(c.dev);
	drm_atom_sync sync = done.signal_binary();
	auto job = c.job(command_list(make_nop()));
	job.syncs = {sizeof(sync), 1, reinterpret_cast<std::uintptr_t>(&sync)};
	c.q.submit(job);
	const wedged_events events;
	// Resets do not help: it says FATAL whatever is done.
	inject("kind=stuck-register,offset=0x104,value=0x80000001,count=0");
	inject("kind=thermal,temp_mc=120000");
	EXPECT_EQ(done.try_wait_binary(30'000'000'000), 0) << "the waiter of a dead device waits on";
	EXPECT_LT(done.fence_status(), 0);
	ASSERT_TRUE(eventually([&] { return c.q.state().flags & DRM_ATOM_QUEUE_STATE_DEVICE_LOST; })) << describe(c.q.state());
	EXPECT_TRUE(eventually([&] { return faulty.q.state().flags & DRM_ATOM_QUEUE_STATE_DEVICE_LOST; }));
	drm_atom_bo_create create{};
	create.size = page;
	EXPECT_EQ(try_create_buffer(c.dev, create), EIO);

	EXPECT_TRUE(eventually([&] { return events.count() > 0; })) << "nobody has told the administrator";
	pause_ms(1000);
	EXPECT_EQ(events.count(), 1) << "the device dies again and again while its files are open";

	inject("kind=clear");
	rebind_driver();
	expect_device_works();
}

TEST_F(recovery, a_long_job_that_makes_progress_is_not_given_up)
{
	// Longer than the time-out as a whole, but its tiles go on: only a standstill counts. A busy machine stands still for a while, too.
	constexpr std::int64_t timeout_ms = 1000;
	context c(0, {.job_timeout_ms = timeout_ms});
	constexpr std::uint64_t n = 1024;
	const memory a = c.alloc(n * n * 4), b = c.alloc(n * n * 4), out = c.alloc(n * n * 4);
	const auto run = [&](std::int64_t count) {
		command_list commands;
		for (std::int64_t i = 0; i < count; ++i)
			commands.add(make_gemm(tensor(ATOM_DTYPE_F32, {n, n}, a.va), tensor(ATOM_DTYPE_F32, {n, n}, b.va),
					       tensor(ATOM_DTYPE_F32, {n, n}, out.va)));
		const std::int64_t start = now_ns();
		EXPECT_NO_THROW(c.run(commands));
		return (now_ns() - start) / 1'000'000;
	};
	constexpr std::int64_t some = 20;
	const std::int64_t some_ms = std::max<std::int64_t>(run(some), 1);
	EXPECT_GT(run(3 * timeout_ms * some / some_ms + 1), timeout_ms) << "the job is too short to prove anything here";
}
