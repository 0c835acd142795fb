// SPDX-License-Identifier: MIT
// What goes wrong again and again, under load of innocent processes whose results all stay right.
#include "context.hpp"
#include "load.hpp"
#include "machine.hpp"
#include "stress.hpp"
#include "sysfs.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

using namespace vmtest;

namespace {

constexpr std::int64_t patience_ns = 300'000'000'000;

/** Innocents who work while the test breaks things, and a check that nothing stays behind. */
class stress_recovery : public troubled {
protected:
	/** The hardware id of each queue that a test makes while the innocents work: of the free ones the lowest. */
	static constexpr const char *victims_queue = "queue=1";

	void SetUp() override
	{
		before_ = read_counters();
		std::optional<context> place;
		place.emplace();
		innocents_.emplace();
	}

	void TearDown() override
	{
		if (innocents_) {
			EXPECT_EQ(innocents_->stop(), "");
			EXPECT_EQ(innocents_->told(), 0u);
		}
		innocents_.reset();
		EXPECT_EQ(await_counters(before_), "");
	}

	static void inject_into_victim(const std::string &kind) { inject("kind=" + kind + "," + victims_queue + ",count=1"); }

	std::optional<load> innocents_;

private:
	counters before_;
};

class stress_device : public troubled {};

/** Fails if the queue was not told that its job failed with @p flags. */
void expect_banned(context &victim, unsigned flags)
{
	ASSERT_EQ(victim.timeline.try_wait(victim.point, patience_ns), 0) << "the waiter was forgotten";
	const auto state = victim.q.state();
	ASSERT_EQ(state.flags, flags | DRM_ATOM_QUEUE_STATE_BANNED) << describe(state);
	ASSERT_EQ(state.failed_seqno, 1u) << describe(state);
}

} // namespace

TEST_F(stress_recovery, engines_that_hang_cost_nobody_but_their_queues)
{
	for (unsigned i = 0; i < rounds(5, 100); ++i) {
		SCOPED_TRACE(i);
		context victim(0, {.job_timeout_ms = 50});
		inject_into_victim("hang");
		victim.submit(command_list(make_nop()));
		ASSERT_NO_FATAL_FAILURE(expect_banned(victim, DRM_ATOM_QUEUE_STATE_TIMEDOUT));
		ASSERT_EQ(innocents_->await_progress(1), "");
	}
}

TEST_F(stress_recovery, translation_faults_cost_nobody_but_their_queues)
{
	for (unsigned i = 0; i < rounds(5, 100); ++i) {
		SCOPED_TRACE(i);
		context victim;
		const memory m = victim.alloc(page);
		inject_into_victim("mmu-fault");
		victim.submit(command_list(make_copy_bytes(m.va, m.va + page / 2, 64)));
		ASSERT_NO_FATAL_FAILURE(expect_banned(victim, DRM_ATOM_QUEUE_STATE_FAULT));
		ASSERT_EQ(victim.q.state().fault_code, ATOM_FAULT_NOT_PRESENT);
		ASSERT_EQ(innocents_->await_progress(1), "");
	}
}

TEST_F(stress_recovery, lost_interrupts_cost_nobody_anything_but_time)
{
	const auto found = sysfs_folder() / "errors" / "lost_interrupts";
	const std::uint64_t before = read_number(found);
	context victim(0, {.job_timeout_ms = 400});
	const memory m = victim.alloc(page);
	for (unsigned i = 0; i < rounds(5, 100); ++i) {
		SCOPED_TRACE(i);
		inject_into_victim("lost-irq");
		victim.submit(command_list(make_fill(tensor(ATOM_DTYPE_I32, {page / 4}, m.va), i + 1)));
		ASSERT_EQ(victim.timeline.try_wait(victim.point, patience_ns), 0) << "the job is done but nobody was told";
		ASSERT_EQ(victim.q.state().flags, 0u) << describe(victim.q.state());
		ASSERT_EQ(m.as<std::uint32_t>()[page / 4 - 1], i + 1);
		ASSERT_EQ(innocents_->await_progress(1), "");
	}
	EXPECT_GE(read_number(found), before + rounds(5, 100));
}

TEST_F(stress_recovery, queues_are_reset_without_number)
{
	context victim;
	const memory m = victim.alloc(page);
	victim.q.destroy();
	const auto job = victim.job(command_list(make_copy_bytes(victim.space.reserve(mib), m.va, 64)));
	for (unsigned i = 0; i < rounds(20, 1000); ++i) {
		SCOPED_TRACE(i);
		const queue q(victim.dev, victim.space);
		auto failing = job;
		const drm_atom_sync done = victim.timeline.signal_at(++victim.point);
		failing.syncs = {sizeof(done), 1, reinterpret_cast<std::uintptr_t>(&done)};
		q.submit(failing);
		ASSERT_EQ(victim.timeline.try_wait(victim.point, patience_ns), 0);
		ASSERT_TRUE(eventually([&] { return q.state().generation == 1; })) << describe(q.state());
	}
	ASSERT_EQ(innocents_->await_progress(), "");
}

TEST_F(stress_device, resets_lose_no_job_that_is_not_told)
{
	const counters before = read_counters();
	{
		load innocents({.allowed = losses::jobs});
		for (unsigned i = 0; i < rounds(5, 100); ++i) {
			SCOPED_TRACE(i);
			const std::uint32_t generation = device_generation();
			break_device();
			ASSERT_EQ(device_generation(), generation + 1);
			ASSERT_EQ(innocents.await_progress(1), "");
		}
		EXPECT_EQ(innocents.stop(), "");
	}
	EXPECT_EQ(await_counters(before), "");
}
