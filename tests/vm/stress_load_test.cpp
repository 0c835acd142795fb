// SPDX-License-Identifier: MIT
// Many clients at once: nothing lost, nobody favoured, nobody starved.
#include "context.hpp"
#include "load.hpp"
#include "machine.hpp"
#include "stress.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/mman.h>

using namespace vmtest;

namespace {

/** A context whose jobs add to a word of its own: the sum tells how many have run. */
struct adder {
	adder() : words(c.alloc(page))
	{
		words.as<std::int32_t>()[1] = 7;
		const auto word = [&](unsigned i) { return tensor(ATOM_DTYPE_I32, {1}, words.va + 4 * i); };
		job = c.job(command_list(make_binary(ATOM_BINARY_ADD, word(0), word(1), word(0))));
	}
	void submit(unsigned jobs)
	{
		std::vector batch(jobs, job);
		const drm_atom_sync done = c.timeline.signal_at(++c.point);
		batch.back().syncs = {sizeof(done), 1, reinterpret_cast<std::uintptr_t>(&done)};
		c.q.submit(batch);
		total += jobs;
	}
	void check()
	{
		c.wait(600);
		if (words.as<std::int32_t>()[0] != static_cast<std::int32_t>(7 * total))
			throw std::runtime_error("wrong sum " + std::to_string(words.as<std::int32_t>()[0]) + " after " +
						 std::to_string(total) + " jobs; " + describe(c.q.state()));
	}
	context c;
	memory words;
	drm_atom_job job;
	unsigned total = 0;
};

/** A queue that always has work: jobs of one size. */
struct busy_queue {
	explicit busy_queue(context &c, std::uint32_t priority = DRM_ATOM_QUEUE_PRIORITY_NORMAL)
		: q(c.dev, c.space, {.priority = priority}), target(c.alloc(mib2))
	{
		const auto fill = make_fill(tensor(ATOM_DTYPE_U8, {mib2}, target.va), 1);
		job = c.job(command_list(fill, fill, fill, fill, fill, fill, fill, fill));
	}
	std::uint64_t done() const { return q.state().completed; }
	/** Fills the queue up to @p depth jobs that are not done. */
	void top_up(std::uint64_t depth)
	{
		const auto state = q.state();
		if (state.flags)
			throw std::runtime_error(describe(state));
		for (auto left = state.submitted - state.completed; left < depth; left += 50)
			q.submit(std::vector(50, job));
	}
	queue q;
	memory target;
	drm_atom_job job;
};

} // namespace

TEST(stress_load, sixty_four_contexts_of_eight_processes_lose_no_job)
{
	const counters before = read_counters();
	constexpr unsigned batch = 25;
	const unsigned batches = rounds(2, 63); // 64 * 63 * 25 = 100,800 jobs
	shared_flag ready;
	std::vector<std::unique_ptr<child>> processes;
	for (int p = 0; p < 8; ++p)
		processes.push_back(std::make_unique<child>([&] {
			std::vector<std::unique_ptr<adder>> adders;
			for (int i = 0; i < 8; ++i)
				adders.push_back(std::make_unique<adder>());
			ready.raise();
			if (!ready.wait(8, 300))
				throw std::runtime_error("not all processes have their contexts");
			for (unsigned i = 0; i < batches; ++i)
				for (auto &a : adders)
					a->submit(batch);
			for (auto &a : adders)
				a->check();
		}));
	for (auto &process : processes)
		EXPECT_EQ(process->wait(), 0);
	EXPECT_EQ(await_counters(before), "");
}

TEST(stress_load, queues_of_equal_priority_get_equal_shares_within_a_fifth)
{
	for (unsigned round = 0; round < rounds(1, 25); ++round) {
		context c;
		std::vector<std::unique_ptr<busy_queue>> queues;
		for (int i = 0; i < 8; ++i)
			queues.push_back(std::make_unique<busy_queue>(c));
		const auto fill = [&] {
			for (auto &q : queues)
				q->top_up(200);
		};
		// What the device itself says, at one moment.
		std::vector<mapping> areas;
		for (const auto &q : queues)
			areas.emplace_back(c.dev.fd(), q->q.completion_offset(), q->q.completion_bytes(), PROT_READ);
		const auto look = [&] {
			std::vector<std::uint64_t> done;
			for (const auto &area : areas)
				done.push_back(reinterpret_cast<const volatile atom_cpl_header *>(area.data())->seqno);
			return done;
		};
		const auto sum = [](const std::vector<std::uint64_t> &done) {
			return std::accumulate(done.begin(), done.end(), std::uint64_t{0});
		};
		// All have started, and all have work until the shares are taken.
		ASSERT_TRUE(eventually([&] {
			fill();
			return std::ranges::min(look()) > 0;
		}));
		const auto first = look();
		std::vector<std::uint64_t> then;
		ASSERT_TRUE(eventually([&] {
			fill();
			return sum(then = look()) >= sum(first) + 400;
		}, 120));
		std::vector<std::uint64_t> share;
		std::string text;
		for (std::size_t i = 0; i < queues.size(); ++i) {
			share.push_back(then[i] - first[i]);
			text += std::to_string(share[i]) + " of " + std::to_string(then[i]) + ", ";
		}
		EXPECT_LE(std::ranges::max(share) * 10, std::ranges::min(share) * 12) << "jobs done: " << text;
	}
}

TEST(stress_load, a_high_priority_queue_is_not_starved_by_thirty_two_low_ones)
{
	context c, urgent(0, {.priority = DRM_ATOM_QUEUE_PRIORITY_HIGH});
	std::vector<std::unique_ptr<busy_queue>> low;
	for (int i = 0; i < 32; ++i)
		low.push_back(std::make_unique<busy_queue>(c, DRM_ATOM_QUEUE_PRIORITY_LOW));
	const auto low_done = [&] {
		std::uint64_t sum = 0;
		for (const auto &q : low)
			sum += q->done();
		return sum;
	};
	const auto fill = [&] {
		for (auto &q : low)
			q->top_up(100);
	};
	const memory m = urgent.alloc(page);
	const auto job = urgent.job(command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, m.va), 5)));
	fill();
	ASSERT_TRUE(eventually([&] { return low_done() >= 32; }));

	const unsigned jobs = rounds(50, 1000);
	std::uint64_t passed_over = 0;
	for (unsigned i = 0; i < jobs; ++i) {
		fill();
		const std::uint64_t before = low_done();
		ASSERT_NO_THROW(urgent.run(job));
		passed_over += low_done() - before;
	}
	// In turn with the others it would see 32 low jobs go by for each of its own. Reading 32 counters takes time too.
	EXPECT_LT(passed_over, jobs * 16);
	const std::uint64_t then = low_done();
	EXPECT_TRUE(eventually([&] { return low_done() > then; })) << "the low ones do not go on";
}

TEST(stress_load, eight_innocent_processes_have_right_results)
{
	const counters before = read_counters();
	{
		load innocents;
		EXPECT_EQ(innocents.await_progress(rounds(100, 10'000), 1800), "");
		EXPECT_EQ(innocents.told(), 0u);
		EXPECT_EQ(innocents.stop(), "");
	}
	EXPECT_EQ(await_counters(before), "");
}
