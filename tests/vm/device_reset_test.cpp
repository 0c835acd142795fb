// SPDX-License-Identifier: MIT
// Resets of the whole device: who is told, who goes on, and what is kept.
#include "context.hpp"
#include "machine.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <cerrno>

using namespace vmtest;

namespace {

class device_reset : public troubled {
protected:
	static std::uint32_t word_of(context &c, const memory &m, std::uint8_t value)
	{
		c.run(command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, m.va), value)));
		return m.as<std::uint32_t>()[page / 4 - 1];
	}
};

} // namespace

TEST_F(device_reset, a_fatal_error_is_a_delay_to_programs_that_had_no_job_on_the_device)
{
	context c;
	const memory system = c.alloc(page), local = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	fill_pattern(local.as<std::uint32_t>(), 7);
	ASSERT_EQ(word_of(c, system, 0x11), 0x11111111u);
	for (int i = 0; i < 5; ++i) {
		const std::uint32_t before = device_generation();
		break_device();
		ASSERT_EQ(device_generation(), before + 1);
		ASSERT_EQ(c.q.state().flags, 0u) << describe(c.q.state());
		ASSERT_EQ(c.q.state().generation, static_cast<unsigned>(i) + 1) << "the queue was not told";
		// The same queue, the same mappings, the same content.
		ASSERT_EQ(word_of(c, system, static_cast<std::uint8_t>(i)), i * 0x01010101u);
		ASSERT_EQ(find_damage(local.as<std::uint32_t>(), 7), -1) << "device memory was lost";
	}
}

TEST_F(device_reset, a_queue_that_loses_jobs_to_it_is_told_which_and_goes_on)
{
	context c(0, {.job_timeout_ms = 60'000});
	const memory m = c.alloc(page);
	for (int i = 0; i < 3; ++i) {
		const std::uint64_t done = c.q.state().completed, lost = c.q.state().lost_seqno;
		inject("kind=hang,count=1");
		for (int n = 0; n < 5; ++n)
			c.submit(command_list(make_nop()));
		pause_ms(50);
		break_device();
		ASSERT_EQ(c.timeline.try_wait(c.point, 60'000'000'000), 0) << "the waiter of a lost job waits on";
		const auto state = c.q.state();
		ASSERT_EQ(state.flags, DRM_ATOM_QUEUE_STATE_INNOCENT) << describe(state);
		ASSERT_EQ(state.failed_seqno, done + 1) << describe(state);
		ASSERT_EQ(state.lost_seqno, done + 5) << describe(state);
		ASSERT_EQ(state.lost_before, lost) << "what was lost to the reset before counts as good";
		ASSERT_EQ(state.completed, state.submitted) << describe(state);
		ASSERT_EQ(state.error, static_cast<unsigned>(ECANCELED));
		ASSERT_EQ(c.q.completion(done + 5).status, ATOM_CPL_ABORTED);
		c.submit(command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, m.va), 0x44)));
		c.wait();
		ASSERT_EQ(m.map.data()[page - 1], std::byte{0x44});
		ASSERT_EQ(c.q.completion(done + 6).status, ATOM_CPL_OK);
		ASSERT_EQ(c.q.state().lost_seqno, done + 5);
	}
	// A fault of its own is told as always.
	const auto state = c.run_failing(command_list(make_copy_bytes(c.space.reserve(mib), m.va, 64)));
	EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_FAULT) << describe(state);
	EXPECT_GT(state.failed_seqno, state.lost_seqno);
	EXPECT_EQ(state.lost_before, state.lost_seqno);
	EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT);
}

TEST_F(device_reset, a_job_that_waits_when_the_device_goes_is_told_also_by_a_queue_that_lost_others_before)
{
	context c(0, {.job_timeout_ms = 60'000});
	inject("kind=hang,count=1");
	c.submit(command_list(make_nop()));
	pause_ms(50);
	break_device();
	ASSERT_EQ(c.timeline.try_wait(c.point, 60'000'000'000), 0) << "the waiter of a lost job waits on";
	ASSERT_EQ(c.q.state().lost_seqno, 1u) << describe(c.q.state());

	// It waits for a job that never ends, and is not on the ring when the device goes.
	const queue blocker(c.dev, c.space, {.job_timeout_ms = 60'000});
	const syncobj blocked(c.dev);
	const drm_atom_sync never = blocked.signal_binary(), wait = blocked.wait_for_binary();
	auto job = c.job(command_list(make_nop()));
	job.syncs = {sizeof(never), 1, reinterpret_cast<std::uintptr_t>(&never)};
	inject("kind=hang,count=1");
	blocker.submit(job);
	job.syncs = {sizeof(wait), 1, reinterpret_cast<std::uintptr_t>(&wait)};
	c.q.submit(job);
	rebind_driver();
	const auto state = c.q.state();
	EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_DEVICE_LOST) << describe(state);
	EXPECT_EQ(state.failed_seqno, 2u) << describe(state);
	EXPECT_EQ(state.error, static_cast<unsigned>(ECANCELED));
	EXPECT_EQ(state.lost_seqno, 1u);
	EXPECT_EQ(state.lost_before, 1u);
	EXPECT_EQ(state.completed, 2u);
}

TEST_F(device_reset, a_device_that_lies_is_reset_and_only_the_queue_it_lied_about_is_banned)
{
	for (const char *lie : {"kind=corrupt-seqno,value=1000000,count=1", "kind=corrupt-record,count=1"}) {
		SCOPED_TRACE(lie);
		context victim, bystander;
		const memory m = bystander.alloc(page);
		const std::uint32_t before = device_generation();
		inject(lie);
		victim.submit(command_list(make_nop()));
		ASSERT_EQ(victim.timeline.try_wait(1, 60'000'000'000), 0);
		ASSERT_TRUE(eventually([&] { return device_generation() == before + 1; }));
		EXPECT_TRUE(victim.q.state().flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(victim.q.state());
		EXPECT_EQ(bystander.q.state().flags, 0u) << describe(bystander.q.state());
		EXPECT_EQ(word_of(bystander, m, 0x55), 0x55555555u);
	}
}

TEST_F(device_reset, registers_that_read_as_ones_once_cost_no_more_than_a_reset)
{
	const std::uint32_t before = device_generation();
	context c;
	inject("kind=all-ones,count=1");
	for (int i = 0; i < 3; ++i)
		c.run(command_list(make_nop()));
	inject("kind=clear");
	EXPECT_LE(device_generation(), before + 1);
	EXPECT_NO_THROW(c.alloc(page));
}

TEST_F(device_reset, it_leaves_nothing_behind)
{
	const counters before = read_counters();
	for (int i = 0; i < 3; ++i)
		break_device();
	EXPECT_EQ(await_counters(before), "");
}

TEST_F(device_reset, the_administrator_resets_the_function_while_programs_use_it)
{
	context c;
	const memory m = c.alloc(page), local = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	fill_pattern(local.as<std::uint32_t>(), 9);
	for (int i = 0; i < 2; ++i) {
		const std::uint32_t before = device_generation();
		reset_by_sysfs();
		ASSERT_EQ(device_generation(), before + 1);
		ASSERT_EQ(word_of(c, m, 0x66), 0x66666666u);
		ASSERT_EQ(find_damage(local.as<std::uint32_t>(), 9), -1);
	}
}
