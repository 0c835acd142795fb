// SPDX-License-Identifier: MIT
// What monitors read in /proc/PID/fdinfo: time, memory, priority and state.
#include "context.hpp"
#include "machine.hpp"
#include "sysfs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>

using namespace vmtest;

namespace {

/** The keys of the file of @p dev, and their values. */
std::map<std::string, std::string> fdinfo(const device &dev)
{
	std::ifstream file("/proc/self/fdinfo/" + std::to_string(dev.fd()));
	std::map<std::string, std::string> result;
	std::string line;
	while (std::getline(file, line)) {
		const auto colon = line.find(':');
		if (colon != std::string::npos)
			result[line.substr(0, colon)] = line.substr(line.find_first_not_of(" \t", colon + 1));
	}
	return result;
}

/** Sum of the values of all keys that begin with @p prefix, in bytes or nanoseconds. */
std::uint64_t sum_of(const std::map<std::string, std::string> &info, const std::string &prefix)
{
	std::uint64_t sum = 0;
	for (const auto &[key, value] : info)
		if (key.starts_with(prefix) && !key.starts_with("drm-engine-capacity-")) {
			const std::uint64_t number = std::stoull(value);
			sum += value.ends_with("KiB") ? number << 10 : value.ends_with("MiB") ? number << 20 : number;
		}
	return sum;
}

std::uint64_t busy_of(const device &dev) { return sum_of(fdinfo(dev), "drm-engine-npu"); }

/** Whether the file's state becomes @p wanted: jobs are freed a little after they end. */
bool becomes(const device &dev, const char *wanted)
{
	return eventually([&] { return fdinfo(dev).at("atom-state") == wanted; });
}

} // namespace

TEST(fdinfo, tells_monitors_who_uses_what)
{
	context c;
	const auto before = fdinfo(c.dev);
	ASSERT_TRUE(before.contains("drm-driver"));
	EXPECT_EQ(before.at("drm-driver"), "atom_npu");
	EXPECT_TRUE(before.contains("drm-client-id"));
	ASSERT_TRUE(before.contains("drm-pdev"));
	EXPECT_EQ(before.at("drm-pdev"), sysfs_folder(c.dev.node()).filename());
	const memory system = c.alloc(8 * mib), local = c.alloc(16 * mib, DRM_ATOM_BO_LOCAL);
	command_list commands;
	for (int i = 0; i < 8; ++i)
		commands.add(make_copy_bytes(system.va, local.va, 8 * mib));
	c.run(commands);
	const auto after = fdinfo(c.dev);
	EXPECT_GE(sum_of(after, "drm-total-"), sum_of(before, "drm-total-") + 24 * mib);
	EXPECT_GT(sum_of(after, "drm-engine-"), sum_of(before, "drm-engine-"));
	EXPECT_EQ(after.at("atom-priority"), "normal");
	EXPECT_TRUE(becomes(c.dev, "idle"));
	// Another client's use is not ours.
	const device other;
	EXPECT_FALSE(fdinfo(other).contains("atom-priority")) << "it has no queue";
	EXPECT_LT(sum_of(fdinfo(other), "drm-total-"), 8 * mib);
	EXPECT_EQ(sum_of(fdinfo(other), "drm-engine-"), 0u);
	EXPECT_NE(fdinfo(other).at("drm-client-id"), after.at("drm-client-id"));
}

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
	queue realtime(dev, space, {.priority = DRM_ATOM_QUEUE_PRIORITY_REALTIME});
	EXPECT_EQ(fdinfo(dev).at("atom-priority"), "realtime");
	realtime.destroy();
	high.destroy();
	EXPECT_EQ(fdinfo(dev).at("atom-priority"), "low");
}

TEST(fdinfo, a_file_with_a_queue_whose_job_faulted_is_banned)
{
	context c;
	const memory m = c.alloc(page);
	c.run_failing(command_list(make_copy_bytes(c.space.reserve(mib), m.va, 64)));
	EXPECT_EQ(fdinfo(c.dev).at("atom-state"), "banned");
}

TEST(fdinfo, a_file_is_idle_then_busy_with_active_memory_then_banned)
{
	if (!has_control())
		GTEST_SKIP() << "needs a device that can be made to hang";
	context c(0, {.job_timeout_ms = 3000});
	const memory target = c.alloc(page), local = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	c.run(command_list(make_copy_bytes(local.va, target.va, page)));
	EXPECT_TRUE(becomes(c.dev, "idle"));
	EXPECT_EQ(sum_of(fdinfo(c.dev), "drm-active-"), 0u);

	control("inject 0 kind=hang,count=1");
	c.submit(command_list(make_copy_bytes(local.va, target.va, page)));
	const auto busy = fdinfo(c.dev);
	EXPECT_EQ(busy.at("atom-state"), "busy");
	EXPECT_EQ(sum_of(busy, "drm-active-local"), mib);
	EXPECT_GE(sum_of(busy, "drm-active-memory"), page);
	EXPECT_LE(sum_of(busy, "drm-active-memory"), sum_of(busy, "drm-resident-memory"));

	EXPECT_TRUE(becomes(c.dev, "banned"));
	c.wait();
	control("inject 0 kind=clear");
	EXPECT_EQ(sum_of(fdinfo(c.dev), "drm-active-"), 0u);
}
