// SPDX-License-Identifier: MIT
// A device whose answers are forged or corrupt: the driver refuses them, resets the device, and goes on. Whatever it says,
// memory that a job was not given stays as it is.
#include "context.hpp"
#include "machine.hpp"
#include "tracing.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <vector>

using namespace vmtest;

namespace {

/** A client that the device lies about, one that has nothing to do with it, and memory that nobody may touch. */
class lies : public testing::Test {
protected:
	lies()
	{
		if (!has_control())
			throw std::runtime_error("there is no control port: the test must run in atom-vm");
		control("inject 0 kind=clear");
		for (const memory *kept : {&system_, &local_})
			fill_pattern(kept->as<std::uint32_t>(), 5);
	}
	~lies() override { control("inject 0 kind=clear"); }

	static void inject(const std::string &spec) { control("inject 0 " + spec); }
	static std::uint32_t generation() { return device().info().generation; }

	/** The device was reset since it was @p before; the bystander works, and nothing of its was touched. */
	void expect_reset_and_sound(std::uint32_t before)
	{
		ASSERT_TRUE(eventually([&] { return generation() > before; }, 60)) << "the device was not reset";
		expect_sound();
	}

	void expect_sound()
	{
		inject("kind=clear");
		const auto state = bystander_.q.state();
		ASSERT_FALSE(state.flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(state);
		const memory m = bystander_.alloc(page);
		ASSERT_NO_THROW(bystander_.run(command_list(make_fill(tensor(ATOM_DTYPE_U8, {page}, m.va), 0x5a))));
		ASSERT_EQ(m.map.data()[page - 1], std::byte{0x5a});
		for (const memory *kept : {&system_, &local_})
			ASSERT_EQ(find_damage(kept->as<std::uint32_t>(), 5), -1);
	}

	/** A fault of a client's own, which the FIFO tells of. */
	static void fault(context &c)
	{
		const memory m = c.alloc(page);
		c.submit(command_list(make_copy_bytes(c.space.reserve(mib), m.va, 64)));
		ASSERT_EQ(c.timeline.try_wait(c.point, 60'000'000'000), 0) << "the waiter of a fault waits on";
	}

	context bystander_;
	const memory system_ = bystander_.alloc(mib), local_ = bystander_.alloc(mib, DRM_ATOM_BO_LOCAL);
};

} // namespace

TEST_F(lies, a_sequence_number_that_cannot_be_is_refused)
{
	for (const char *number : {"0", "2", "5", "0x7fffffffffffffff", "0xffffffffffffffff"}) {
		SCOPED_TRACE(number);
		context victim;
		for (int i = 0; i < 3; ++i)
			victim.run(command_list(make_nop()));
		const std::uint32_t before = generation();
		inject(std::string("kind=corrupt-seqno,count=1,value=") + number);
		victim.submit(command_list(make_nop()));
		ASSERT_EQ(victim.timeline.try_wait(victim.point, 60'000'000'000), 0) << "the waiter was forgotten";
		const auto state = victim.q.state();
		EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(state);
		EXPECT_EQ(state.failed_seqno, 4u) << describe(state);
		EXPECT_EQ(state.completed, 4u) << describe(state);
		ASSERT_NO_FATAL_FAILURE(expect_reset_and_sound(before));
	}
}

TEST_F(lies, jobs_that_are_said_to_be_retired_without_a_record_of_theirs_do_not_end_before_the_reset)
{
	context victim(0, {.job_timeout_ms = 60'000});
	const std::uint32_t before = generation();
	const recorder events;
	inject("kind=corrupt-seqno,count=1,value=5");
	inject("kind=hang,after=1,count=1"); // the second job is at work when the device says that all five have ended
	std::vector jobs(5, victim.job(command_list(make_nop())));
	const syncobj first(victim.dev), second(victim.dev);
	const drm_atom_sync ends[] = {first.signal_binary(), second.signal_binary()};
	for (int i : {0, 1})
		jobs[i].syncs = {sizeof(ends[i]), 1, reinterpret_cast<std::uintptr_t>(&ends[i])};
	victim.q.submit(jobs);
	ASSERT_EQ(first.try_wait_binary(60'000'000'000), 0);
	EXPECT_EQ(first.fence_status(), 0) << "the record of the first job was true";
	ASSERT_EQ(second.try_wait_binary(60'000'000'000), 0);
	EXPECT_LT(second.fence_status(), 0);
	// Asking the device waits for the reset: only the record knows what came first.
	const auto told = events.recorded("dev=");
	const auto reset = find_event(told, "atom_device_reset", "reason=\"a completion record is impossible\"");
	const auto done = find_event(told, "atom_job_done", "seqno=2");
	ASSERT_LT(done, told.size());
	EXPECT_LT(reset, done) << "its memory was free while the device was at work";
	const auto state = victim.q.state();
	EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(state);
	EXPECT_EQ(state.failed_seqno, 2u) << describe(state);
	expect_reset_and_sound(before);
}

TEST_F(lies, a_record_with_an_unknown_status_ends_its_job_with_an_error)
{
	context victim;
	const std::uint32_t before = generation();
	inject("kind=corrupt-record,count=1");
	victim.submit(command_list(make_nop()));
	ASSERT_EQ(victim.timeline.try_wait(victim.point, 60'000'000'000), 0);
	EXPECT_TRUE(victim.q.state().flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(victim.q.state());
	EXPECT_EQ(victim.q.state().error, static_cast<unsigned>(EIO));
	expect_reset_and_sound(before);
}

TEST_F(lies, an_impossible_answer_to_an_admin_command_costs_a_reset_and_no_more)
{
	for (const char *lie : {"kind=corrupt-seqno,value=1000000,queue=0,count=1", "kind=corrupt-seqno,value=0xffffffffffffffff,queue=0,count=1",
				"kind=corrupt-seqno,value=0,queue=0,count=1", "kind=corrupt-record,queue=0,count=1"}) {
		SCOPED_TRACE(lie);
		const std::uint32_t before = generation();
		inject(lie);
		context c; // creating an address space and a queue needs two commands
		EXPECT_NO_THROW(c.run(command_list(make_nop())));
		ASSERT_NO_FATAL_FAILURE(expect_reset_and_sound(before));
	}
}

TEST_F(lies, a_fault_record_that_names_no_queue_or_an_innocent_one_is_refused)
{
	// The driver gives away the lowest number that is free: the bystander has 1, the victim 2.
	for (const char *queue : {"0", "1", "65", "0xffffffff"}) {
		SCOPED_TRACE(queue);
		context victim;
		const std::uint32_t before = generation();
		inject(std::string("kind=forged-fault,count=1,value=") + queue);
		ASSERT_NO_FATAL_FAILURE(fault(victim));
		EXPECT_TRUE(victim.q.state().flags & DRM_ATOM_QUEUE_STATE_BANNED) << describe(victim.q.state());
		ASSERT_NO_FATAL_FAILURE(expect_reset_and_sound(before));
	}
}

TEST_F(lies, a_fault_record_out_of_order_is_not_read)
{
	const std::uint32_t before = generation();
	context victim;
	inject("kind=corrupt-fault,count=1");
	ASSERT_NO_FATAL_FAILURE(fault(victim));
	expect_reset_and_sound(before);
	// The FIFO is read again.
	context faulty;
	ASSERT_NO_FATAL_FAILURE(fault(faulty));
	EXPECT_TRUE(eventually([&] { return faulty.q.state().fault_access == ATOM_ACCESS_READ; })) << describe(faulty.q.state());
}
