// SPDX-License-Identifier: MIT
// Sleep, of the device alone and with the system. Sleeping with the system takes the 9p root of the guest away for good: the
// program locks what it needs in memory, and these tests come last.
#include "context.hpp"
#include "machine.hpp"
#include "stress.hpp"
#include "sysfs.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace vmtest;

namespace {

class stress_sleep : public troubled {
protected:
	~stress_sleep() override
	{
		control("qom-set 0 d3cold false");
		write_to(sysfs_folder() / "power" / "control", "on");
	}

	/** Whoever waits for the root file system afterwards could not be put to sleep again. */
	static void prepare_for_the_systems_sleep()
	{
		static bool prepared = false;
		if (std::exchange(prepared, true))
			return;
		ASSERT_EQ(run_program({"udevadm", "control", "--exit"}), 0);
		ASSERT_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
		lose_root();
	}

	/** All of a sleep but its last step: devices, ours in D3hot, then back. */
	static void sleep_with_the_system(const char *kind)
	{
		write_to("/sys/module/suspend/parameters/pm_test_delay", "0");
		write_to("/sys/power/pm_test", "platform");
		write_to("/sys/power/mem_sleep", kind);
		write_to("/sys/power/state", "mem");
	}

	static std::string state() { return read_line(sysfs_folder() / "state"); }
};

} // namespace

TEST_F(stress_sleep, a_device_that_nobody_uses_sleeps_and_wakes_up_for_the_next_program)
{
	write_to(sysfs_folder() / "power" / "control", "auto");
	for (unsigned i = 0; i < rounds(2, 50); ++i) {
		SCOPED_TRACE(i);
		ASSERT_TRUE(eventually([] { return state() == "asleep"; }, 60));
		// Who only looks does not wake it.
		ASSERT_GT(read_number(hwmon_folder() / "temp1_input"), 0u);
		ASSERT_EQ(state(), "asleep");
		context c;
		ASSERT_EQ(state(), "ok");
		const memory m = c.alloc(page, DRM_ATOM_BO_LOCAL);
		ASSERT_NO_THROW(c.run(command_list(make_fill(tensor(ATOM_DTYPE_I32, {page / 4}, m.va), i + 1))));
		ASSERT_EQ(m.as<std::uint32_t>()[page / 4 - 1], i + 1);
	}
}

TEST_F(stress_sleep, a_device_that_is_used_stays_awake)
{
	write_to(sysfs_folder() / "power" / "control", "auto");
	std::optional<context> c;
	c.emplace();
	pause_ms(3000);
	EXPECT_EQ(state(), "ok");
	c.reset();
	EXPECT_TRUE(eventually([] { return state() == "asleep"; }, 60));
}

TEST_F(stress_sleep, the_system_sleeps_while_programs_have_jobs_and_local_memory_keeps_its_content)
{
	ASSERT_NO_FATAL_FAILURE(prepare_for_the_systems_sleep());
	context c;
	const memory kept = c.alloc(8 * mib, DRM_ATOM_BO_LOCAL), in = c.alloc(mib), out = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	const auto job = c.job(command_list(make_copy_bytes(in.va, out.va, mib)));
	for (unsigned i = 0; i < rounds(4, 50); ++i) {
		SCOPED_TRACE(i);
		const bool power_goes = i % 2;
		control(std::string("qom-set 0 d3cold ") + (power_goes ? "true" : "false"));
		fill_pattern(kept.as<std::uint32_t>(), i);
		fill_pattern(in.as<std::uint32_t>(), ~i);
		for (int n = 0; n < 20; ++n)
			c.submit(job);
		ASSERT_NO_THROW(sleep_with_the_system(power_goes ? "deep" : "s2idle"));
		ASSERT_EQ(c.timeline.try_wait(c.point, 60'000'000'000), 0);
		ASSERT_EQ(c.q.state().flags, 0u) << describe(c.q.state());
		ASSERT_EQ(c.q.state().completed, c.point);
		ASSERT_EQ(find_damage(kept.as<std::uint32_t>(), i), -1);
		ASSERT_EQ(find_damage(out.as<std::uint32_t>(), ~i), -1);
		ASSERT_EQ(state(), "ok");
		ASSERT_NO_THROW(c.run(job));
	}
}

TEST_F(stress_sleep, a_stream_of_counters_goes_on_after_the_systems_sleep_and_forgets_nothing)
{
	ASSERT_NO_FATAL_FAILURE(prepare_for_the_systems_sleep());
	context c;
	drm_atom_perf_open args{};
	args.period_ns = DRM_ATOM_PERF_PERIOD_MIN_NS;
	ASSERT_EQ(c.dev.try_call(DRM_IOCTL_ATOM_PERF_OPEN, &args), 0);
	const unique_fd stream(args.fd);
	drm_atom_perf_record last{};
	const auto follow_until = [&](std::int64_t time_ns) {
		while (last.timestamp_ns < static_cast<std::uint64_t>(time_ns)) {
			pollfd p{stream.get(), POLLIN, 0};
			ASSERT_EQ(::poll(&p, 1, 60'000), 1) << "no more records";
			drm_atom_perf_record record;
			ASSERT_EQ(::read(stream.get(), &record, sizeof(record)), static_cast<ssize_t>(sizeof(record)));
			ASSERT_EQ(record.sequence - last.sequence, 1 + record.dropped - last.dropped);
			ASSERT_GE(record.jobs_done, last.jobs_done);
			ASSERT_GE(record.energy_uj, last.energy_uj);
			last = record;
		}
	};
	for (const bool power_goes : {false, true, false}) {
		SCOPED_TRACE(power_goes);
		control(std::string("qom-set 0 d3cold ") + (power_goes ? "true" : "false"));
		ASSERT_NO_FATAL_FAILURE(follow_until(now_ns()));
		const std::uint64_t jobs = last.jobs_done;
		c.run(command_list(make_nop()));
		ASSERT_NO_THROW(sleep_with_the_system(power_goes ? "deep" : "s2idle"));
		c.run(command_list(make_nop()));
		ASSERT_NO_FATAL_FAILURE(follow_until(now_ns()));
		EXPECT_EQ(last.jobs_done, jobs + 2);
	}
}

TEST_F(stress_sleep, memory_that_is_lost_in_a_sleep_that_should_keep_it_is_told)
{
	ASSERT_NO_FATAL_FAILURE(prepare_for_the_systems_sleep());
	context c;
	const memory m = c.alloc(page, DRM_ATOM_BO_LOCAL);
	control("qom-set 0 d3cold true");
	ASSERT_NO_THROW(sleep_with_the_system("s2idle"));
	const auto state = c.q.state();
	EXPECT_EQ(state.flags, DRM_ATOM_QUEUE_STATE_INNOCENT | DRM_ATOM_QUEUE_STATE_BANNED) << describe(state);
	context another;
	EXPECT_NO_THROW(another.run(command_list(make_nop())));
}
