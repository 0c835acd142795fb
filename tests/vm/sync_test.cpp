// SPDX-License-Identifier: MIT
// Timelines, fences, order, batches, signals and eventfds.
#include "context.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

using namespace vmtest;

namespace {

drm_atom_job with_syncs(drm_atom_job job, std::span<const drm_atom_sync> syncs)
{
	job.syncs = job_with(syncs).syncs;
	return job;
}

class sync : public testing::Test {
protected:
	/** Job that adds 1 to the word at @p index of counters_. */
	drm_atom_job increment(std::uint64_t index)
	{
		const auto word = tensor(ATOM_DTYPE_I32, {1}, words_.va + 4 * index);
		return c_.job(command_list(make_binary(ATOM_BINARY_ADD, word, tensor(ATOM_DTYPE_I32, {1}, one_.va), word)));
	}

	sync() { one_.as<std::int32_t>()[0] = 1; }

	context c_;
	memory words_ = c_.alloc(page), one_ = c_.alloc(page);
};

} // namespace

TEST_F(sync, jobs_signal_points_of_a_timeline_in_order)
{
	const auto job = c_.job(command_list(make_nop()));
	for (int i = 0; i < 50; ++i)
		c_.submit(job);
	std::uint64_t last = 0;
	while (last < 50) {
		const std::uint64_t value = c_.timeline.value();
		ASSERT_GE(value, last);
		last = value;
		c_.timeline.wait(std::min<std::uint64_t>(last + 1, 50));
	}
	EXPECT_EQ(c_.q.state().completed, 50u);
}

TEST_F(sync, a_job_without_commands_signals_too)
{
	c_.run(drm_atom_job{});
	EXPECT_EQ(c_.timeline.value(), 1u);
	EXPECT_EQ(c_.q.completion(1).status, ATOM_CPL_OK);
}

TEST_F(sync, a_job_waits_for_a_point_that_another_queue_signals)
{
	const queue other(c_.dev, c_.space);
	const syncobj gate(c_.dev);
	// A gate that is held open by a slow job on the other queue.
	const memory big = c_.alloc(4 * mib);
	command_list slow;
	for (int i = 0; i < 20; ++i) {
		slow.add(make_fill(tensor(ATOM_DTYPE_U8, {4 * mib}, big.va), static_cast<std::uint64_t>(i + 1)));
		slow.add(make_fence());
	}
	const drm_atom_sync opens[] = {gate.signal_at(1)};
	const auto first = with_syncs(c_.job(slow), opens);
	other.submit(first);
	const drm_atom_sync waits[] = {gate.wait_for(1), c_.timeline.signal_at(1)};
	const memory copy = c_.alloc(4 * mib);
	const auto second = with_syncs(c_.job(command_list(make_copy_bytes(big.va, copy.va, 4 * mib))), waits);
	c_.q.submit(second);
	c_.timeline.wait(1);
	EXPECT_EQ(gate.value(), 1u);
	for (std::uint64_t i = 0; i < 4 * mib; i += page)
		ASSERT_EQ(copy.map.data()[i], std::byte{20}) << "the job ran before what it waited for, at " << i;
}

TEST_F(sync, a_point_signalled_in_the_same_call_does_not_hide_one_of_another_queue)
{
	// Point 3 is another queue's and not reached yet; a call makes 5 and then waits for 3, or for 4, which 5 stands for.
	for (const std::uint64_t waited : {3u, 4u}) {
		const queue other(c_.dev, c_.space);
		const syncobj line(c_.dev), done(c_.dev);
		const memory big = c_.alloc(4 * mib), copy = c_.alloc(4 * mib);
		command_list slow;
		for (int i = 0; i < 20; ++i) {
			slow.add(make_fill(tensor(ATOM_DTYPE_U8, {4 * mib}, big.va), static_cast<std::uint64_t>(i + 1)));
			slow.add(make_fence());
		}
		const drm_atom_sync third[] = {line.signal_at(3)}, fifth[] = {line.signal_at(5)};
		const drm_atom_sync waits[] = {line.wait_for(waited), done.signal_at(1)};
		const drm_atom_job jobs[] = {
			with_syncs(c_.job(command_list(make_nop())), fifth),
			with_syncs(c_.job(command_list(make_copy_bytes(big.va, copy.va, 4 * mib))), waits),
		};
		other.submit(with_syncs(c_.job(slow), third));
		c_.q.submit(jobs);
		done.wait(1);
		for (std::uint64_t i = 0; i < 4 * mib; i += page)
			ASSERT_EQ(copy.map.data()[i], std::byte{20}) << "the job ran before point " << waited << ", at " << i;
	}
}

TEST_F(sync, a_job_waits_for_a_binary_object)
{
	const queue other(c_.dev, c_.space);
	const syncobj gate(c_.dev);
	const drm_atom_sync opens[] = {gate.signal_binary()};
	other.submit(with_syncs(increment(0), opens));
	const drm_atom_sync waits[] = {gate.wait_for_binary(), c_.timeline.signal_at(1)};
	c_.q.submit(with_syncs(increment(0), waits));
	c_.timeline.wait(1);
	EXPECT_EQ(words_.as<std::int32_t>()[0], 2);
	EXPECT_EQ(gate.try_wait_binary(0), 0);
	EXPECT_EQ(gate.fence_status(), 0);
}

TEST_F(sync, a_point_signalled_by_the_cpu_lets_the_job_run)
{
	const syncobj gate(c_.dev);
	gate.signal(3);
	const drm_atom_sync syncs[] = {gate.wait_for(2), c_.timeline.signal_at(1)};
	c_.q.submit(with_syncs(increment(0), syncs));
	c_.timeline.wait(1);
	EXPECT_EQ(words_.as<std::int32_t>()[0], 1);
}

TEST_F(sync, a_thread_can_wait_for_a_point_before_its_job_is_submitted)
{
	std::atomic<int> result{-1};
	std::thread waiter([&] { result = c_.timeline.try_wait(1, 30'000'000'000); });
	pause_ms(50);
	EXPECT_EQ(result, -1);
	c_.submit(increment(0));
	waiter.join();
	EXPECT_EQ(result, 0);
	EXPECT_EQ(words_.as<std::int32_t>()[0], 1);
}

TEST_F(sync, waiting_for_a_point_that_does_not_come_ends_at_its_time)
{
	EXPECT_EQ(c_.timeline.try_wait(1, 20'000'000), ETIME);
	EXPECT_EQ(c_.timeline.try_wait(1, 0), ETIME);
}

TEST_F(sync, batches_of_every_size_run_whole_and_in_order)
{
	const std::uint32_t most = c_.dev.info().submit_jobs_max;
	ASSERT_GE(most, 32u);
	const auto job = increment(1);
	std::int32_t expected = 0;
	std::uint64_t point = 0;
	for (std::uint32_t size = 1; size <= most; size = size < 8 ? size + 1 : std::min(size * 2, size == most ? most + 1 : most)) {
		std::vector<drm_atom_job> jobs(size, job);
		const drm_atom_sync done = c_.timeline.signal_at(++point);
		jobs.back().syncs = {sizeof(done), 1, reinterpret_cast<std::uintptr_t>(&done)};
		const std::uint64_t seqno = c_.q.submit(jobs);
		c_.timeline.wait(point);
		expected += static_cast<std::int32_t>(size);
		EXPECT_EQ(seqno, static_cast<std::uint64_t>(expected));
		ASSERT_EQ(words_.as<std::int32_t>()[1], expected) << "after a batch of " << size;
	}
}

TEST_F(sync, more_jobs_than_the_ring_holds_all_run)
{
	const std::uint32_t jobs = c_.q.ring_entries() * 3 + 1;
	const auto job = increment(2);
	for (std::uint32_t i = 0; i < jobs; ++i)
		c_.submit(job);
	c_.wait();
	EXPECT_EQ(words_.as<std::int32_t>()[2], static_cast<std::int32_t>(jobs));
	EXPECT_EQ(c_.q.state().completed, jobs);
	EXPECT_EQ(c_.q.completion(jobs).status, ATOM_CPL_OK);
}

TEST_F(sync, the_jobs_of_a_queue_run_in_order)
{
	// x -> 3x + 1 does not commute.
	const memory m = c_.alloc(page);
	auto x = m.as<std::int32_t>();
	x[0] = 1;
	x[1] = 3;
	const auto at = [&](unsigned i) { return tensor(ATOM_DTYPE_I32, {1}, m.va + 4 * i); };
	const auto triple = c_.job(command_list(make_binary(ATOM_BINARY_MUL, at(0), at(1), at(0))));
	const auto add = c_.job(command_list(make_binary(ATOM_BINARY_ADD, at(0), tensor(ATOM_DTYPE_I32, {1}, one_.va), at(0))));
	std::int32_t expected = 1;
	for (int i = 0; i < 15; ++i) {
		c_.submit(triple);
		c_.submit(add);
		expected = expected * 3 + 1;
	}
	c_.wait();
	EXPECT_EQ(x[0], expected);
}

TEST_F(sync, many_queues_each_with_its_own_points)
{
	std::vector<queue> queues;
	std::vector<syncobj> timelines;
	const unsigned count = std::min(32u, c_.dev.info().queues_max - 1);
	for (unsigned i = 0; i < count; ++i) {
		queues.emplace_back(c_.dev, c_.space);
		timelines.emplace_back(c_.dev);
	}
	for (std::uint64_t round = 1; round <= 10; ++round)
		for (unsigned i = 0; i < count; ++i) {
			const drm_atom_sync done[] = {timelines[i].signal_at(round)};
			queues[i].submit(with_syncs(increment(i), done));
		}
	for (unsigned i = 0; i < count; ++i) {
		timelines[i].wait(10);
		EXPECT_EQ(words_.as<std::int32_t>()[i], 10) << i;
	}
}

TEST_F(sync, one_job_waits_for_and_signals_as_many_points_as_promised)
{
	const std::uint32_t most = c_.dev.info().syncs_max;
	ASSERT_GE(most, 2u);
	std::vector<syncobj> objects;
	std::vector<drm_atom_sync> syncs;
	for (std::uint32_t i = 0; i < most; ++i) {
		objects.emplace_back(c_.dev);
		if (i % 2) {
			objects.back().signal(5);
			syncs.push_back(objects.back().wait_for(5));
		} else {
			syncs.push_back(objects.back().signal_at(i + 1));
		}
	}
	c_.q.submit(with_syncs(increment(0), syncs));
	for (std::uint32_t i = 0; i < most; i += 2)
		objects[i].wait(i + 1);
	EXPECT_EQ(words_.as<std::int32_t>()[0], 1);
}

TEST_F(sync, an_eventfd_becomes_readable_when_the_job_is_done)
{
	const unique_fd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	ASSERT_EQ(c_.timeline.try_eventfd(1, event.get()), 0);
	pollfd waiting{event.get(), POLLIN, 0};
	EXPECT_EQ(poll(&waiting, 1, 20), 0) << "readable before the job was submitted";
	c_.submit(increment(0));
	EXPECT_EQ(poll(&waiting, 1, 30000), 1);
	std::uint64_t count = 0;
	EXPECT_EQ(read(event.get(), &count, sizeof(count)), static_cast<ssize_t>(sizeof(count)));
	EXPECT_EQ(count, 1u);
	EXPECT_EQ(words_.as<std::int32_t>()[0], 1);
}

TEST_F(sync, a_storm_of_signals_loses_no_job_and_no_wait)
{
	struct sigaction action{}, old{};
	action.sa_handler = [](int) {};
	sigaction(SIGALRM, &action, &old); // without SA_RESTART: waits see EINTR
	itimerval storm{{0, 300}, {0, 300}}, calm{};
	setitimer(ITIMER_REAL, &storm, nullptr);
	const auto job = increment(3);
	std::string error;
	try {
		for (int i = 0; i < 500; ++i) {
			c_.submit(job);
			if (i % 8 == 0)
				c_.wait();
			if (i % 100 == 0) {
				const queue transient(c_.dev, c_.space);
				const memory m = c_.alloc(mib, DRM_ATOM_BO_LOCAL);
				c_.space.unmap(m.va, m.size());
			}
		}
		c_.wait();
	} catch (const std::exception &failure) {
		error = failure.what();
	}
	setitimer(ITIMER_REAL, &calm, nullptr);
	sigaction(SIGALRM, &old, nullptr);
	EXPECT_EQ(error, "");
	EXPECT_EQ(words_.as<std::int32_t>()[3], 500);
	EXPECT_EQ(c_.q.state().submitted, 500u);
}

TEST_F(sync, a_fault_gives_its_fence_an_error)
{
	const syncobj done(c_.dev);
	const drm_atom_sync syncs[] = {done.signal_binary()};
	c_.q.submit(with_syncs(c_.job(command_list(make_copy_bytes(c_.space.reserve(mib), words_.va, 64))), syncs));
	ASSERT_EQ(done.try_wait_binary(60'000'000'000), 0);
	EXPECT_LT(done.fence_status(), 0);
	const auto state = c_.q.state();
	EXPECT_EQ(static_cast<int>(state.error), -done.fence_status()) << describe(state);
}

TEST_F(sync, destroying_a_queue_cancels_what_waits_in_it)
{
	const syncobj done(c_.dev);
	auto doomed = std::make_unique<queue>(c_.dev, c_.space);
	const memory big = c_.alloc(16 * mib);
	command_list slow;
	for (int i = 0; i < 100; ++i)
		slow.add(make_fill(tensor(ATOM_DTYPE_U8, {16 * mib}, big.va), 1));
	const auto job = c_.job(slow);
	for (int i = 0; i < 20; ++i)
		doomed->submit(job);
	const drm_atom_sync syncs[] = {done.signal_binary()};
	doomed->submit(with_syncs(job, syncs));
	const std::int64_t start = now_ns();
	doomed->destroy();
	EXPECT_EQ(done.try_wait_binary(30'000'000'000), 0);
	EXPECT_EQ(done.fence_status(), -ECANCELED);
	EXPECT_LT(now_ns() - start, 20'000'000'000) << "the jobs were run instead of aborted";
	c_.run(increment(0));
}

TEST_F(sync, destroying_an_address_space_cancels_the_jobs_of_its_queues)
{
	context doomed;
	const memory big = doomed.alloc(16 * mib);
	command_list slow;
	for (int i = 0; i < 100; ++i)
		slow.add(make_fill(tensor(ATOM_DTYPE_U8, {16 * mib}, big.va), 1));
	const auto job = doomed.job(slow);
	for (int i = 0; i < 20; ++i)
		doomed.q.submit(job);
	const syncobj done(doomed.dev);
	const drm_atom_sync syncs[] = {done.signal_binary()};
	doomed.q.submit(with_syncs(job, syncs));
	doomed.space.destroy();
	EXPECT_EQ(done.try_wait_binary(30'000'000'000), 0);
	EXPECT_EQ(done.fence_status(), -ECANCELED);
}
