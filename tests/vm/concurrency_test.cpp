// SPDX-License-Identifier: MIT
// Many queues, many processes, many threads at once.
#include "context.hpp"
#include "machine.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>

using namespace vmtest;

namespace {

/** One queue with a word of its own that every job adds to. */
struct worker {
	explicit worker(context &c) : q(c.dev, c.space), timeline(c.dev), words(c.alloc(page))
	{
		words.as<std::int32_t>()[1] = 7;
		const auto word = [&](unsigned i) { return tensor(ATOM_DTYPE_I32, {1}, words.va + 4 * i); };
		job = c.job(command_list(make_binary(ATOM_BINARY_ADD, word(0), word(1), word(0))));
	}
	void submit(unsigned jobs)
	{
		std::vector<drm_atom_job> batch(jobs, job);
		const drm_atom_sync done = timeline.signal_at(++point);
		batch.back().syncs = {sizeof(done), 1, reinterpret_cast<std::uintptr_t>(&done)};
		q.submit(batch);
		total += jobs;
	}
	void check()
	{
		timeline.wait(point, 300);
		if (words.as<std::int32_t>()[0] != static_cast<std::int32_t>(7 * total))
			throw std::runtime_error("wrong sum: " + std::to_string(words.as<std::int32_t>()[0]) + " after " +
						 std::to_string(total) + " jobs; " + describe(q.state()));
	}
	queue q;
	syncobj timeline;
	memory words;
	drm_atom_job job;
	std::uint64_t point = 0;
	unsigned total = 0;
};

} // namespace

TEST(concurrency, sixty_four_queues_of_eight_processes_run_thousands_of_jobs_right)
{
	const counters before = read_counters();
	shared_flag ready;
	std::vector<std::unique_ptr<child>> processes;
	for (int p = 0; p < 8; ++p)
		processes.push_back(std::make_unique<child>([&ready, p] {
			context c;
			c.q.destroy(); // the eight below are all that this process has
			std::vector<std::unique_ptr<worker>> workers;
			for (int i = 0; i < 8; ++i)
				workers.push_back(std::make_unique<worker>(c));
			ready.raise();
			if (!ready.wait(8))
				throw std::runtime_error("not all processes have their queues");
			std::mt19937 random(static_cast<unsigned>(p));
			for (int round = 0; round < 10; ++round) {
				for (auto &w : workers)
					w->submit(random() % 20 + 1);
				if (round % 3 == 2)
					for (auto &w : workers)
						w->check();
			}
			for (auto &w : workers)
				w->check();
		}));
	for (auto &process : processes)
		EXPECT_EQ(process->wait(), 0);
	EXPECT_EQ(await_counters(before), "");
}

TEST(concurrency, threads_share_one_queue_without_losing_a_job)
{
	context c;
	worker shared(c);
	constexpr unsigned threads = 4, jobs = 200;
	std::atomic<unsigned> failures{0};
	std::vector<std::thread> pool;
	for (unsigned t = 0; t < threads; ++t)
		pool.emplace_back([&] {
			for (unsigned i = 0; i < jobs; ++i) {
				std::uint64_t seqno = 0;
				if (shared.q.try_submit(std::span(&shared.job, 1), &seqno) != 0 || seqno == 0)
					++failures;
			}
		});
	for (auto &thread : pool)
		thread.join();
	EXPECT_EQ(failures, 0u);
	shared.submit(1);
	shared.timeline.wait(1);
	EXPECT_EQ(shared.words.as<std::int32_t>()[0], static_cast<std::int32_t>(7 * (threads * jobs + 1)));
	EXPECT_EQ(shared.q.state().submitted, threads * jobs + 1);
}

TEST(concurrency, threads_race_bind_unbind_submit_and_destroy_on_one_file)
{
	const counters before = read_counters();
	{
		context c;
		const memory target = c.alloc(page);
		const std::uint64_t va = c.space.reserve(16 * page);
		const auto job = c.job(command_list(make_copy_bytes(va, target.va, page)));
		std::atomic<bool> stop{false};
		std::atomic<unsigned> submitted{0}, bound{0};
		std::vector<std::thread> pool;
		for (unsigned t = 0; t < 2; ++t)
			pool.emplace_back([&, t] {
				std::mt19937 random(t);
				while (!stop) {
					const buffer bo(c.dev, 16 * page, random() % 2 ? DRM_ATOM_BO_LOCAL : DRM_ATOM_BO_SYSTEM);
					if (c.space.try_bind({map_op(va, bo, 0, 16 * page)}) == 0)
						++bound;
					c.space.try_bind({unmap_op(va + random() % 16 * page, page)});
				}
			});
		for (unsigned t = 0; t < 2; ++t)
			pool.emplace_back([&] {
				// Jobs fault now and then, as the mapping comes and goes: a new queue each time.
				while (!stop) {
					const queue q(c.dev, c.space);
					for (int i = 0; i < 20; ++i) {
						if (q.try_submit(std::span(&job, 1)) != 0)
							break;
						++submitted;
					}
				}
			});
		pool.emplace_back([&] {
			// Guesses at ids that others create and destroy.
			std::mt19937 random(99);
			while (!stop) {
				drm_atom_queue_get_state state{};
				state.queue_id = random() % 64;
				c.dev.try_call(DRM_IOCTL_ATOM_QUEUE_GET_STATE, &state);
				drm_atom_bo_info info{};
				info.handle = random() % 64;
				c.dev.try_call(DRM_IOCTL_ATOM_BO_INFO, &info);
				std::this_thread::yield();
			}
		});
		pause_ms(4000);
		stop = true;
		for (auto &thread : pool)
			thread.join();
		EXPECT_GT(submitted, 50u);
		EXPECT_GT(bound, 50u);
		EXPECT_NO_THROW(c.run(command_list(make_nop())));
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(concurrency, address_spaces_are_destroyed_while_others_submit_to_them)
{
	const counters before = read_counters();
	for (int round = 0; round < 20; ++round) {
		context c;
		const auto job = c.job(command_list(make_nop()));
		std::thread submitter([&] {
			for (int i = 0; i < 200; ++i)
				if (c.q.try_submit(std::span(&job, 1)) != 0)
					break;
		});
		pause_ms(static_cast<unsigned>(round) % 5);
		EXPECT_NO_THROW(c.space.destroy());
		submitter.join();
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(concurrency, clients_come_and_go_by_the_hundred)
{
	const counters before = read_counters();
	std::vector<std::unique_ptr<child>> processes;
	for (int p = 0; p < 4; ++p)
		processes.push_back(std::make_unique<child>([] {
			for (int i = 0; i < 50; ++i) {
				context c;
				const memory m = c.alloc(kib64, i % 2 ? DRM_ATOM_BO_LOCAL : DRM_ATOM_BO_SYSTEM);
				c.submit(command_list(make_fill(tensor(ATOM_DTYPE_U8, {kib64}, m.va), 1)));
				if (i % 3)
					c.wait(); // else it is closed with its job in flight
			}
		}));
	for (auto &process : processes)
		EXPECT_EQ(process->wait(), 0);
	EXPECT_EQ(await_counters(before), "");
}
