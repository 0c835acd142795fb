// SPDX-License-Identifier: MIT
// The driver's trace events, and the scheduler's.
#include "context.hpp"
#include "sysfs.hpp"
#include "tracing.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

using namespace vmtest;

namespace {

/** The events of the driver and of the scheduler are recorded. */
class tracing_events : public testing::Test {
protected:
	const recorder events_;
};

bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

std::string listed(const std::vector<std::string> &events)
{
	std::string text;
	for (const std::string &event : events)
		text += event + "\n";
	return text;
}

} // namespace

TEST_F(tracing_events, a_job_is_submitted_run_and_done_in_this_order)
{
	context c;
	const memory m = c.alloc(page);
	const auto sequence = c.submit(command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, m.va), 3)));
	c.wait();
	const auto events = events_.recorded("dev=" + sysfs_folder().filename().string());
	const std::string job = "seqno=" + std::to_string(sequence);
	const auto submitted = find_event(events, "atom_job_submit", job), run = find_event(events, "atom_job_run", job),
		   done = find_event(events, "atom_job_done", job);
	EXPECT_LT(submitted, run) << listed(events);
	EXPECT_LT(run, done) << listed(events);
	EXPECT_LT(find_event(events, "atom_irq", "cause=0x0"), done) << listed(events);
	ASSERT_LT(done, events.size()) << listed(events);
	EXPECT_TRUE(has(events[done], "error=0")) << events[done];
}

TEST_F(tracing_events, a_fault_is_told_with_its_address_and_the_queue_is_reset)
{
	context c;
	const memory m = c.alloc(page);
	const std::uint64_t nowhere = c.space.reserve(mib);
	c.run_failing(command_list(make_copy_bytes(nowhere, m.va, 64)));
	std::vector<std::string> events;
	EXPECT_TRUE(eventually([&] {
		events = events_.recorded("dev=");
		return find_event(events, "atom_queue_reset", "error=-5") < events.size();
	})) << listed(events);
	char address[32];
	std::snprintf(address, sizeof address, "va=0x%llx", static_cast<unsigned long long>(nowhere));
	EXPECT_LT(find_event(events, "atom_fault", address), events.size()) << listed(events);
	EXPECT_LT(find_event(events, "atom_job_done", "error=-5"), events.size()) << listed(events);
}

TEST_F(tracing_events, operations_on_an_address_space_are_told)
{
	context c;
	const memory m = c.alloc(mib);
	c.space.unmap(m.va, mib);
	const auto events = events_.recorded("dev=");
	char range[64];
	std::snprintf(range, sizeof range, "va=0x%llx bytes=0x%llx", static_cast<unsigned long long>(m.va), 1ULL << 20);
	const auto mapped = find_event(events, "atom_vm_bind", range);
	ASSERT_LT(mapped, events.size()) << listed(events);
	EXPECT_LT(find_event({events.begin() + static_cast<std::ptrdiff_t>(mapped) + 1, events.end()}, "atom_vm_bind", range),
		  events.size() - mapped - 1)
		<< "unmapped: " << listed(events);
}

TEST_F(tracing_events, the_schedulers_events_show_the_drivers_jobs)
{
	context c;
	c.run(command_list(make_nop()));
	const auto events = events_.recorded("drm_");
	EXPECT_FALSE(events.empty());
}
