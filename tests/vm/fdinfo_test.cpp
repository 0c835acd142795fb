// SPDX-License-Identifier: MIT
// What monitors read in /proc/PID/fdinfo: time, memory, priority and state.
#include "context.hpp"
#include "fdinfo.hpp"
#include "machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

using namespace vmtest;

namespace {

std::uint64_t busy_of(const device &dev) { return sum_of(fdinfo(dev), "drm-engine-npu"); }

/** The word of the file's state, once it is @p wanted: jobs are freed a little after they end. */
std::string state_when(const device &dev, const std::string &wanted)
{
	std::string state;
	for (int i = 0; i < 1000 && state != wanted; ++i) {
		state = fdinfo(dev).at("atom-state");
		pause_ms(10);
	}
	return state;
}

} // namespace

TEST(fdinfo, busy_time_is_that_of_the_queues_and_outlives_them)
{
	context c;
	const queue other(c.dev, c.space);
	EXPECT_EQ(busy_of(c.dev), 0u);
	const memory source = c.alloc(4 * mib), target = c.alloc(4 * mib, DRM_ATOM_BO_LOCAL);
	std::uint64_t taken = 0;
	for (unsigned job = 1; job <= 4; ++job) {
		c.run(command_list(make_copy_bytes(source.va, target.va, 4 * mib)));
		const auto record = c.q.completion(job);
		taken += record.end_ns - record.start_ns;
	}
	const std::uint64_t busy = busy_of(c.dev);
	EXPECT_GT(busy, 0u);
	EXPECT_LE(busy, taken);
	EXPECT_EQ(busy, c.q.state().busy_ns + other.state().busy_ns);
	c.q.destroy();
	EXPECT_EQ(busy_of(c.dev), busy);
}

TEST(fdinfo, more_work_is_more_busy_time)
{
	context c;
	const memory source = c.alloc(8 * mib), target = c.alloc(8 * mib, DRM_ATOM_BO_LOCAL);
	const auto work = [&](unsigned copies) {
		const std::uint64_t before = busy_of(c.dev);
		command_list commands;
		for (unsigned i = 0; i < copies; ++i)
			commands.add(make_copy_bytes(source.va, target.va, 8 * mib));
		c.run(commands);
		return busy_of(c.dev) - before;
	};
	// Of several tries: the host may stop the device's threads at any time.
	std::uint64_t little = work(1), much = work(32);
	for (int i = 0; i < 4; ++i) {
		little = std::min(little, work(1));
		much = std::min(much, work(32));
	}
	EXPECT_GT(much, 4 * little);
}

TEST(fdinfo, tells_the_highest_priority_of_the_queues)
{
	const device dev;
	EXPECT_FALSE(fdinfo(dev).contains("atom-priority"));
	const address_space space(dev);
	const queue low(dev, space, {.priority = DRM_ATOM_QUEUE_PRIORITY_LOW});
	EXPECT_EQ(fdinfo(dev).at("atom-priority"), "low");
	queue high(dev, space, {.priority = DRM_ATOM_QUEUE_PRIORITY_HIGH});
	EXPECT_EQ(fdinfo(dev).at("atom-priority"), "high");
	high.destroy();
	EXPECT_EQ(fdinfo(dev).at("atom-priority"), "low");
}

TEST(fdinfo, a_file_is_idle_then_busy_with_active_memory_then_banned)
{
	if (!has_control())
		GTEST_SKIP() << "needs a device that can be made to hang";
	context c(0, {.job_timeout_ms = 3000});
	const memory target = c.alloc(page), local = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	c.run(command_list(make_copy_bytes(local.va, target.va, page)));
	EXPECT_EQ(state_when(c.dev, "idle"), "idle");
	EXPECT_EQ(sum_of(fdinfo(c.dev), "drm-active-"), 0u);

	control("inject 0 kind=hang,count=1");
	c.submit(command_list(make_copy_bytes(local.va, target.va, page)));
	const auto busy = fdinfo(c.dev);
	EXPECT_EQ(busy.at("atom-state"), "busy");
	EXPECT_EQ(sum_of(busy, "drm-active-local"), mib);
	EXPECT_GE(sum_of(busy, "drm-active-memory"), page);
	EXPECT_LE(sum_of(busy, "drm-active-memory"), sum_of(busy, "drm-resident-memory"));

	EXPECT_EQ(state_when(c.dev, "banned"), "banned");
	c.wait();
	control("inject 0 kind=clear");
	EXPECT_EQ(sum_of(fdinfo(c.dev), "drm-active-"), 0u);
}
