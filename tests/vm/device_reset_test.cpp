// SPDX-License-Identifier: MIT
// Resets of the whole device: who is told, who goes on, and what is kept. ATOM_STRESS=1: as often as a long run wants.
#include "context.hpp"
#include "machine.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

using namespace vmtest;

namespace {

/** @p often in a long run, else @p few. */
int times(int few, int often) { return std::getenv("ATOM_STRESS") ? often : few; }

class device_reset : public testing::Test {
protected:
	device_reset()
	{
		if (!has_control())
			throw std::runtime_error("there is no control port: the test must run in atom-vm");
		control("inject 0 kind=clear");
	}
	~device_reset() override { control("inject 0 kind=clear"); }

	static std::uint32_t generation() { return device().info().generation; }

	/** The device loses the way to its admin queue, and says FATAL. */
	static void break_the_device()
	{
		control("inject 0 kind=dma-error,queue=0,count=1");
		// Mapping and unmapping needs an admin command; the caller sees no more of the reset than a delay.
		context c;
		const memory m = c.alloc(page);
		c.space.unmap(m.va, page);
	}

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
	for (int i = 0; i < times(5, 100); ++i) {
		const std::uint32_t before = generation();
		break_the_device();
		ASSERT_EQ(generation(), before + 1);
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
	for (int i = 0; i < times(3, 30); ++i) {
		const std::uint64_t done = c.q.state().completed;
		control("inject 0 kind=hang,count=1");
		for (int n = 0; n < 5; ++n)
			c.submit(command_list(make_nop()));
		pause_ms(50);
		break_the_device();
		ASSERT_EQ(c.timeline.try_wait(c.point, 60'000'000'000), 0) << "the waiter of a lost job waits on";
		const auto state = c.q.state();
		ASSERT_EQ(state.flags, DRM_ATOM_QUEUE_STATE_INNOCENT) << describe(state);
		ASSERT_EQ(state.failed_seqno, done + 1) << describe(state);
		ASSERT_EQ(state.lost_seqno, done + 5) << describe(state);
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
	EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT);
}

TEST_F(device_reset, a_device_that_lies_is_reset_and_only_the_queue_it_lied_about_is_banned)
{
	for (const char *lie : {"kind=corrupt-seqno,value=1000000,count=1", "kind=corrupt-record,count=1"}) {
		SCOPED_TRACE(lie);
		context victim, bystander;
		const memory m = bystander.alloc(page);
		const std::uint32_t before = generation();
		control(std::string("inject 0 ") + lie);
		victim.submit(command_list(make_nop()));
		ASSERT_EQ(victim.timeline.try_wait(1, 60'000'000'000), 0);
		ASSERT_TRUE(eventually([&] { return generation() == before + 1; }));
		EXPECT_TRUE(victim.q.state().flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(victim.q.state());
		EXPECT_EQ(bystander.q.state().flags, 0u) << describe(bystander.q.state());
		EXPECT_EQ(word_of(bystander, m, 0x55), 0x55555555u);
	}
}

TEST_F(device_reset, registers_that_read_as_ones_once_cost_no_more_than_a_reset)
{
	const std::uint32_t before = generation();
	context c;
	control("inject 0 kind=all-ones,count=1");
	for (int i = 0; i < 3; ++i)
		c.run(command_list(make_nop()));
	control("inject 0 kind=clear");
	EXPECT_LE(generation(), before + 1);
	EXPECT_NO_THROW(c.alloc(page));
}

TEST_F(device_reset, it_leaves_nothing_behind)
{
	const counters before = read_counters();
	for (int i = 0; i < times(3, 100); ++i)
		break_the_device();
	EXPECT_EQ(await_counters(before), "");
}

TEST_F(device_reset, the_administrator_resets_the_function_while_programs_use_it)
{
	const auto node = device_nodes().at(0);
	const std::string file = "/sys/class/accel/" + node.substr(node.rfind('/') + 1) + "/device/reset";
	context c;
	const memory m = c.alloc(page), local = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	fill_pattern(local.as<std::uint32_t>(), 9);
	for (int i = 0; i < times(2, 50); ++i) {
		const std::uint32_t before = generation();
		std::ofstream(file) << "1";
		ASSERT_EQ(generation(), before + 1);
		ASSERT_EQ(word_of(c, m, 0x66), 0x66666666u);
		ASSERT_EQ(find_damage(local.as<std::uint32_t>(), 9), -1);
	}
}
