// SPDX-License-Identifier: MIT
// Programs that die, files that close, a driver that is taken out and put in again: nothing stays behind.
#include "context.hpp"
#include "machine.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include <unistd.h>

using namespace vmtest;

namespace {

/** A program with memory of all kinds, several queues and a thousand jobs of which most have not run. */
void submit_a_thousand_jobs(shared_flag &started)
{
	context c;
	const memory system = c.alloc(4 * mib), local = c.alloc(4 * mib, DRM_ATOM_BO_LOCAL);
	const bool has_shm = c.dev.info().kernel_caps & DRM_ATOM_CAP_SHM;
	const memory shm = has_shm ? c.alloc(mib, DRM_ATOM_BO_SHM) : memory{};
	std::vector<queue> queues;
	for (int i = 0; i < 9; ++i)
		queues.emplace_back(c.dev, c.space);
	const auto job = c.job(command_list(make_copy_bytes(system.va, local.va, 4 * mib), make_fence(),
					    make_copy_bytes(local.va, system.va, 4 * mib)));
	std::vector<drm_atom_job> batch(10, job);
	for (int i = 0; i < 1000; i += 10) {
		const drm_atom_sync done = c.timeline.signal_at(static_cast<std::uint64_t>(i) + 1);
		if (i % 100 == 0)
			batch.back().syncs = {sizeof(done), 1, reinterpret_cast<std::uintptr_t>(&done)};
		else
			batch.back().syncs = {};
		(i % 100 == 0 ? c.q : queues[(i / 10) % 9]).submit(batch);
		started.raise();
	}
	pause();
}

} // namespace

TEST(lifetime, a_program_killed_in_the_middle_of_a_thousand_jobs_leaves_nothing_behind)
{
	const counters before = read_counters();
	for (unsigned round = 0; round < 10; ++round) {
		SCOPED_TRACE(round);
		shared_flag started;
		child program([&] { submit_a_thousand_jobs(started); });
		ASSERT_TRUE(started.wait(1 + round * 10));
		program.kill();
		ASSERT_EQ(program.wait(), 128 + SIGKILL);
		ASSERT_EQ(await_counters(before), "");
	}
	context c;
	EXPECT_NO_THROW(c.run(command_list(make_nop())));
}

TEST(lifetime, local_memory_of_a_killed_program_is_free_again)
{
	const device watcher;
	const auto before = watcher.memory();
	for (int round = 0; round < 3; ++round) {
		shared_flag started;
		child program([&] {
			const device dev;
			const buffer most(dev, before.local_size / 4 * 3, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP);
			started.raise();
			pause();
		});
		ASSERT_TRUE(started.wait()) << "the memory of round " << round - 1 << " is still taken";
		program.kill();
		program.wait();
		EXPECT_TRUE(eventually([&] { return watcher.memory().local_used == before.local_used; }));
	}
}

TEST(lifetime, closing_the_file_with_everything_in_use_leaves_nothing_behind)
{
	const counters before = read_counters();
	for (int round = 0; round < 20; ++round) {
		context c;
		const memory a = c.alloc(mib), b = c.alloc(mib, DRM_ATOM_BO_LOCAL);
		const auto job = c.job(command_list(make_copy_bytes(a.va, b.va, mib)));
		for (int i = 0; i < 50; ++i)
			c.submit(job);
		c.dev.close(); // queues, address space, buffers and jobs go with it; the destructors below find nothing
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(lifetime, handles_freed_in_any_order_while_jobs_run_leave_nothing_behind)
{
	const counters before = read_counters();
	for (int order = 0; order < 6; ++order) {
		SCOPED_TRACE(order);
		const device dev;
		auto space = std::make_unique<address_space>(dev);
		auto q = std::make_unique<queue>(dev, *space);
		auto bo = std::make_unique<buffer>(dev, 8 * mib, DRM_ATOM_BO_LOCAL);
		const std::uint64_t va = space->map(*bo);
		auto code = std::make_unique<buffer>(dev, page);
		const std::uint64_t code_va = space->map(*code);
		command_list commands;
		for (int i = 0; i < 7; ++i)
			commands.add(make_fill(tensor(ATOM_DTYPE_U8, {8 * mib}, va), 1));
		const auto bytes = commands.finish();
		std::memcpy(code->map().data(), bytes.data(), bytes.size());
		drm_atom_job job{};
		job.cmd_va = code_va;
		job.cmd_bytes = static_cast<__u32>(bytes.size());
		for (int i = 0; i < 10; ++i)
			q->submit(job);
		const auto free_one = [&](int which) {
			switch (which) {
			case 0: bo.reset(); break;
			case 1: space.reset(); break;
			default: q.reset(); break;
			}
		};
		free_one(order / 2);
		free_one((order / 2 + 1 + order % 2) % 3);
		free_one((order / 2 + 2 - order % 2) % 3);
	}
	EXPECT_EQ(await_counters(before), "");
}

TEST(lifetime, the_driver_cannot_be_unloaded_while_a_program_uses_it)
{
	context c;
	EXPECT_NE(run_program({"modprobe", "-r", "-q", "atom_npu"}), 0);
	EXPECT_NO_THROW(c.run(command_list(make_nop())));
}

TEST(lifetime, the_driver_can_be_unloaded_right_after_a_program_was_killed)
{
	const std::size_t devices = device_nodes().size();
	for (int round = 0; round < 3; ++round) {
		shared_flag started;
		child program([&] { submit_a_thousand_jobs(started); });
		ASSERT_TRUE(started.wait(5));
		program.kill();
		program.wait();
		// Closing may still go on in the kernel for a moment.
		ASSERT_TRUE(eventually([] { return run_program({"modprobe", "-r", "-q", "atom_npu"}) == 0; }));
		ASSERT_NO_THROW(load_driver(devices));
	}
}
