// SPDX-License-Identifier: MIT
// The driver's trace events, and the scheduler's.
#include "context.hpp"
#include "sysfs.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/mount.h>

using namespace vmtest;

namespace {

const std::filesystem::path tracing = "/sys/kernel/tracing";

bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

/** The events of the driver and of the scheduler are recorded. */
class tracing_events : public testing::Test {
protected:
	void SetUp() override
	{
		if (!exists(tracing / "events") && mount("tracefs", tracing.c_str(), "tracefs", 0, nullptr) != 0)
			FAIL() << "mount tracefs: " << std::strerror(errno);
		switch_events("1");
		write_to(tracing / "trace", "");
	}
	void TearDown() override { switch_events("0"); }

	/** Recorded events with @p mark, as "name: fields". */
	static std::vector<std::string> recorded(const std::string &mark)
	{
		std::vector<std::string> events;
		std::ifstream trace(tracing / "trace");
		for (std::string line; std::getline(trace, line);) {
			const auto name = line.find(": ");
			if (line.front() != '#' && name != std::string::npos && has(line, mark))
				events.push_back(line.substr(name + 2));
		}
		return events;
	}
	/** Index of the first event that begins so and has @p field; the number of events if there is none. */
	static std::size_t find(const std::vector<std::string> &events, const std::string &name, const std::string &field)
	{
		std::size_t i = 0;
		while (i < events.size() && !(events[i].starts_with(name + ":") && has(events[i] + " ", field + " ")))
			++i;
		return i;
	}

private:
	static void switch_events(const char *to)
	{
		for (const char *system : {"atom_npu", "gpu_scheduler"})
			ASSERT_NO_THROW(write_to(tracing / "events" / system / "enable", to)) << system;
	}
};

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
	const auto events = recorded("dev=" + sysfs_folder().filename().string());
	const std::string job = "seqno=" + std::to_string(sequence);
	const auto submitted = find(events, "atom_job_submit", job), run = find(events, "atom_job_run", job),
		   done = find(events, "atom_job_done", job);
	EXPECT_LT(submitted, run) << listed(events);
	EXPECT_LT(run, done) << listed(events);
	EXPECT_LT(find(events, "atom_irq", "cause=0x0"), done) << listed(events);
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
		events = recorded("dev=");
		return find(events, "atom_queue_reset", "error=-5") < events.size();
	})) << listed(events);
	char address[32];
	std::snprintf(address, sizeof address, "va=0x%llx", static_cast<unsigned long long>(nowhere));
	EXPECT_LT(find(events, "atom_fault", address), events.size()) << listed(events);
	EXPECT_LT(find(events, "atom_job_done", "error=-5"), events.size()) << listed(events);
}

TEST_F(tracing_events, operations_on_an_address_space_are_told)
{
	context c;
	const memory m = c.alloc(mib);
	c.space.unmap(m.va, mib);
	const auto events = recorded("dev=");
	char range[64];
	std::snprintf(range, sizeof range, "va=0x%llx bytes=0x%llx", static_cast<unsigned long long>(m.va), 1ULL << 20);
	const auto mapped = find(events, "atom_vm_bind", range);
	ASSERT_LT(mapped, events.size()) << listed(events);
	EXPECT_LT(find({events.begin() + static_cast<std::ptrdiff_t>(mapped) + 1, events.end()}, "atom_vm_bind", range),
		  events.size() - mapped - 1)
		<< "unmapped: " << listed(events);
}

TEST_F(tracing_events, the_schedulers_events_show_the_drivers_jobs)
{
	context c;
	c.run(command_list(make_nop()));
	const auto events = recorded("drm_");
	EXPECT_FALSE(events.empty());
}
