// SPDX-License-Identifier: MIT
// The driver's trace events, and those of the scheduler that speak of its jobs.
#include "context.hpp"
#include "sysfs.hpp"
#include "tracing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace vmtest;

namespace {

constexpr int none = -1;

/** Index of the first line of @p event that has all of @p parts; none if there is none. */
int find(const std::vector<std::string> &lines, const std::string &event, const std::vector<std::string> &parts)
{
	for (std::size_t i = 0; i < lines.size(); ++i)
		if (lines[i].starts_with(event + ": ") && std::ranges::all_of(parts, [&](const std::string &part) {
			    return (lines[i] + ' ').find(part + ' ') != std::string::npos;
		    }))
			return static_cast<int>(i);
	return none;
}

std::string dev_of(const context &c) { return "dev=" + sysfs_folder(c.dev.node()).filename().string(); }

std::string hex(std::uint64_t value)
{
	char text[32];
	std::snprintf(text, sizeof(text), "%#llx", static_cast<unsigned long long>(value));
	return text;
}

std::string all_of(const std::vector<std::string> &lines)
{
	std::string text;
	for (const std::string &line : lines)
		text += line + '\n';
	return text;
}

} // namespace

TEST(trace, a_job_is_submitted_then_run_then_done_with_an_interrupt_in_between)
{
	context c;
	const tracing trace{"atom_npu"};
	const memory source = c.alloc(page), target = c.alloc(page);
	drm_atom_job job = c.job(command_list(make_copy_bytes(source.va, target.va, page)));
	job.cookie = 0xc0ffee;
	c.run(job);
	const auto lines = trace.lines();
	const std::vector<std::string> which{dev_of(c), "seqno=1"};
	const int submit = find(lines, "atom_job_submit", {dev_of(c), "seqno=1", "cookie=0xc0ffee"});
	const int run = find(lines, "atom_job_run", which);
	const int irq = find(lines, "atom_irq", {dev_of(c)});
	const int done = find(lines, "atom_job_done", {dev_of(c), "seqno=1", "error=0"});
	ASSERT_NE(submit, none) << all_of(lines);
	EXPECT_LT(submit, run) << all_of(lines);
	EXPECT_LT(run, irq) << all_of(lines);
	EXPECT_LT(irq, done) << all_of(lines);
}

TEST(trace, the_scheduler_tells_of_our_jobs)
{
	context c;
	const tracing trace{"gpu_scheduler"};
	const memory source = c.alloc(page), target = c.alloc(page);
	c.run(command_list(make_copy_bytes(source.va, target.va, page)));
	const auto lines = trace.lines();
	EXPECT_TRUE(std::ranges::any_of(lines, [&](const std::string &line) {
		return line.find("ring=atom_npu") != std::string::npos || line.find(dev_of(c)) != std::string::npos;
	})) << all_of(lines);
}

TEST(trace, bindings_come_and_go_with_their_ranges)
{
	context c;
	const buffer bo(c.dev, 3 * page);
	const std::uint64_t va = c.space.reserve(3 * page);
	const tracing trace{"atom_npu"};
	c.space.map(va, bo, 0, 3 * page);
	c.space.unmap(va, 3 * page);
	const auto lines = trace.lines();
	const std::vector<std::string> range{dev_of(c), "va=" + hex(va), "bytes=" + hex(3 * page)};
	const int bind = find(lines, "atom_vm_bind", range);
	ASSERT_NE(bind, none) << all_of(lines);
	EXPECT_LT(bind, find(lines, "atom_vm_unbind", range)) << all_of(lines);
}

TEST(trace, a_fault_is_followed_by_the_reset_of_its_queue)
{
	context c;
	const memory target = c.alloc(page);
	const std::uint64_t nowhere = c.space.reserve(mib);
	const tracing trace{"atom_npu"};
	c.run_failing(command_list(make_copy_bytes(nowhere, target.va, 64)));
	// It waits for the reset.
	EXPECT_TRUE(c.q.state().flags & DRM_ATOM_QUEUE_STATE_BANNED);
	const auto lines = trace.lines();
	const int fault = find(lines, "atom_fault", {dev_of(c), "seqno=1", "va=" + hex(nowhere)});
	ASSERT_NE(fault, none) << all_of(lines);
	EXPECT_NE(find(lines, "atom_job_done", {"seqno=1", "error=-5"}), none) << all_of(lines);
	EXPECT_LT(fault, find(lines, "atom_queue_reset", {dev_of(c)})) << all_of(lines);
}
