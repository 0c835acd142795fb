// SPDX-License-Identifier: MIT
// What the device says of itself, and machines with other devices: two of them, few vectors, a small window.
#include "context.hpp"
#include "machine.hpp"
#include "sysfs.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

using namespace vmtest;

namespace {

void copy_there_and_back(context &c, std::uint64_t bytes)
{
	const memory source = c.alloc(bytes), local = c.alloc(bytes, DRM_ATOM_BO_LOCAL), target = c.alloc(bytes);
	fill_pattern(source.as<std::uint32_t>(), 101);
	c.run(command_list(make_copy_bytes(source.va, local.va, bytes), make_fence(),
			   make_copy_bytes(local.va, target.va, bytes)));
	EXPECT_EQ(find_damage(target.as<std::uint32_t>(), 101), -1);
}

} // namespace

TEST(device_info, tells_limits_that_make_sense)
{
	const device dev;
	const auto &info = dev.info();
	EXPECT_EQ(info.interface_version >> 16, 1u);
	EXPECT_GE(info.queues_max, 64u);
	EXPECT_GE(info.vms_max, 1u);
	EXPECT_LT(info.va_start, info.va_end);
	EXPECT_LE(info.va_end, 1ull << 48);
	EXPECT_EQ(info.va_start % page, 0u);
	EXPECT_EQ(info.page_sizes & (1 << 12 | 1 << 16 | 1 << 21), 1u << 12 | 1 << 16 | 1 << 21);
	EXPECT_EQ(info.ring_entries & (info.ring_entries - 1), 0u);
	EXPECT_GE(info.submit_jobs_max, 32u);
	EXPECT_EQ(info.macs_log2_max, 36u);
	EXPECT_LE(info.job_timeout_ms, info.job_timeout_max_ms);
	for (const unsigned opcode : {ATOM_OP_NOP, ATOM_OP_FENCE, ATOM_OP_TIMESTAMP, ATOM_OP_COPY, ATOM_OP_CAST, ATOM_OP_GEMM,
				      ATOM_OP_BINARY, ATOM_OP_UNARY})
		EXPECT_TRUE(info.opcodes[opcode / 64] >> (opcode % 64) & 1) << "command " << opcode;
	for (const unsigned dtype : {ATOM_DTYPE_I8, ATOM_DTYPE_U8, ATOM_DTYPE_I32, ATOM_DTYPE_F16, ATOM_DTYPE_BF16,
				     ATOM_DTYPE_F32})
		EXPECT_TRUE(info.dtypes >> dtype & 1) << "dtype " << dtype;
}

TEST(device_info, a_queue_tells_the_ring_and_the_completion_area_that_belong_together)
{
	const context c;
	EXPECT_EQ(c.q.created().ring_entries, c.dev.info().ring_entries);
	EXPECT_GE(c.q.created().completion_bytes,
		  sizeof(atom_cpl_header) + c.q.created().ring_entries * sizeof(atom_cpl_record));
	EXPECT_EQ(c.q.created().doorbell_offset, 0u);
}

TEST(device_info, the_device_clock_runs_with_the_kernels)
{
	const device dev;
	const auto read = [&] {
		drm_atom_dev_timestamp stamp{};
		drm_atom_dev_query query{DRM_ATOM_DEV_QUERY_TIMESTAMP, sizeof(stamp), reinterpret_cast<std::uintptr_t>(&stamp)};
		EXPECT_EQ(dev.try_call(DRM_IOCTL_ATOM_DEV_QUERY, &query), 0);
		return stamp;
	};
	const auto first = read();
	const std::int64_t now = now_ns();
	EXPECT_LT(std::llabs(now - static_cast<std::int64_t>(first.monotonic_ns)), 1'000'000'000);
	pause_ms(200);
	const auto second = read();
	const auto device_ns = static_cast<double>(second.device_ns - first.device_ns);
	const auto kernel_ns = static_cast<double>(second.monotonic_ns - first.monotonic_ns);
	EXPECT_NEAR(device_ns / kernel_ns, 1.0, 0.05);
}

TEST(device_info, telemetry_counts_the_work_done)
{
	context c;
	const auto read = [&] {
		drm_atom_dev_telemetry reading{};
		drm_atom_dev_query query{DRM_ATOM_DEV_QUERY_TELEMETRY, sizeof(reading),
					 reinterpret_cast<std::uintptr_t>(&reading)};
		EXPECT_EQ(c.dev.try_call(DRM_IOCTL_ATOM_DEV_QUERY, &query), 0);
		return reading;
	};
	const auto before = read();
	copy_there_and_back(c, mib);
	const memory m = c.alloc(64 * 64 * 4);
	const auto square = tensor(ATOM_DTYPE_F32, {64, 64}, m.va);
	const memory out = c.alloc(64 * 64 * 4);
	c.run(command_list(make_gemm(square, square, tensor(ATOM_DTYPE_F32, {64, 64}, out.va))));
	const auto after = read();
	EXPECT_EQ(after.jobs_done - before.jobs_done, 2u);
	EXPECT_EQ(after.macs - before.macs, 64u * 64 * 64);
	EXPECT_GE(after.dma_read - before.dma_read, mib);
	EXPECT_GE(after.dma_write - before.dma_write, mib);
	EXPECT_GE(after.dram_write - before.dram_write, mib);
	EXPECT_GT(after.busy_dma_ns, before.busy_dma_ns);
	EXPECT_GT(after.modelled_ns, before.modelled_ns);
	EXPECT_GT(after.temperature_mc, 0);
	EXPECT_LT(after.temperature_mc, after.temp_throttle_mc);
	EXPECT_LT(after.temp_throttle_mc, after.temp_shutdown_mc);
}

TEST(device_info, the_queue_tells_how_long_the_device_worked_for_it)
{
	context c;
	// On a busy host the device's threads may wait between two steps of a job, which is time of the job and not of work.
	bool near = false;
	std::uint64_t before = 0;
	for (unsigned job = 1; job <= 20 && !near; ++job) {
		copy_there_and_back(c, 8 * mib);
		const std::uint64_t busy = c.q.state().busy_ns - before;
		const auto record = c.q.completion(job);
		EXPECT_GT(busy, 0u) << "job " << job;
		EXPECT_LE(busy, record.end_ns - record.start_ns) << "job " << job;
		near = busy >= (record.end_ns - record.start_ns) / 2;
		before += busy;
	}
	EXPECT_TRUE(near) << "no job of 20 was worked for during half of its time";
}

TEST(two_devices, work_side_by_side_and_are_told_apart)
{
	ASSERT_EQ(device_nodes().size(), 2u);
	context first(0), second(1);
	EXPECT_NE(std::memcmp(first.dev.info().uuid, second.dev.info().uuid, 16), 0);
	EXPECT_NE(sysfs_folder(first.dev.node()), sysfs_folder(second.dev.node()));
	copy_there_and_back(first, mib);
	copy_there_and_back(second, mib);
}

TEST(two_devices, memory_of_one_is_no_business_of_the_other)
{
	context first(0), second(1);
	const auto before = second.dev.memory();
	const memory mine = first.alloc(16 * mib, DRM_ATOM_BO_LOCAL);
	fill_pattern(mine.as<std::uint32_t>(), 103);
	EXPECT_EQ(second.dev.memory().local_used, before.local_used);
	const memory theirs = second.alloc(16 * mib, DRM_ATOM_BO_LOCAL);
	second.run(command_list(make_fill(tensor(ATOM_DTYPE_U8, {16 * mib}, theirs.va), 0xff)));
	EXPECT_EQ(find_damage(mine.as<std::uint32_t>(), 103), -1);
}

TEST(two_devices, a_fault_or_a_hang_of_one_does_not_stop_the_other)
{
	context first(0, {.job_timeout_ms = 500}), second(1);
	control("inject 0 kind=hang,count=1");
	// Slot 0 of the machine may be the first or the second device file: whoever hangs, the other works.
	first.submit(command_list(make_nop()));
	const auto job = second.job(command_list(make_nop()));
	for (int i = 0; i < 100; ++i)
		second.submit(job);
	EXPECT_EQ(second.timeline.try_wait(100, 60'000'000'000), 0);
	EXPECT_EQ(first.timeline.try_wait(1, 60'000'000'000), 0);
	const bool first_hung = first.q.state().flags, second_hung = second.q.state().flags;
	EXPECT_NE(first_hung, second_hung);
	control("inject 0 kind=clear");
}

TEST(one_vector, serves_all_queues_and_faults)
{
	context c;
	std::size_t vectors = 0;
	for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator(sysfs_folder(c.dev.node()) / "msi_irqs"))
		++vectors;
	ASSERT_EQ(vectors, 1u) << "the device was not started with one vector";
	std::vector<queue> queues;
	std::vector<syncobj> timelines;
	const auto job = c.job(command_list(make_nop()));
	for (int i = 0; i < 16; ++i) {
		queues.emplace_back(c.dev, c.space);
		timelines.emplace_back(c.dev);
	}
	for (std::uint64_t round = 1; round <= 20; ++round) {
		for (std::size_t i = 0; i < queues.size(); ++i) {
			const drm_atom_sync done = timelines[i].signal_at(round);
			drm_atom_job signalling = job;
			signalling.syncs = {sizeof(done), 1, reinterpret_cast<std::uintptr_t>(&done)};
			queues[i].submit(signalling);
		}
	}
	for (const auto &timeline : timelines)
		timeline.wait(20);
	const memory m = c.alloc(page);
	const auto state = c.run_failing(command_list(make_copy_bytes(c.space.reserve(mib), m.va, 64)));
	EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT) << describe(state);
}

TEST(small_window, limits_what_the_cpu_maps_but_not_what_the_device_uses)
{
	context c;
	const auto memory = c.dev.memory();
	ASSERT_LE(memory.local_visible_size, 64 * mib) << "the device was not started with a window of 64 MiB";
	ASSERT_GT(memory.local_size, memory.local_visible_size);
	copy_there_and_back(c, 8 * mib);

	// More than the window: through memory that the CPU cannot map.
	const std::uint64_t bytes = 128 * mib;
	const buffer hidden(c.dev, bytes, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP);
	const std::uint64_t va = c.space.map(hidden);
	const vmtest::memory source = c.alloc(8 * mib), target = c.alloc(8 * mib);
	fill_pattern(source.as<std::uint32_t>(), 107);
	for (const std::uint64_t at : {0ul, 60 * mib, bytes - 8 * mib}) {
		std::memset(target.map.data(), 0, target.size());
		c.run(command_list(make_copy_bytes(source.va, va + at, 8 * mib), make_fence(),
				   make_copy_bytes(va + at, target.va, 8 * mib)));
		EXPECT_EQ(find_damage(target.as<std::uint32_t>(), 107), -1) << at;
	}
	EXPECT_LT(c.dev.memory().local_visible_used, bytes);
}

TEST(small_window, runs_out_of_visible_memory_with_enospc_while_there_is_other)
{
	const device dev;
	const auto memory = dev.memory();
	drm_atom_bo_create args{};
	args.size = memory.local_visible_size + page;
	args.placement = DRM_ATOM_BO_LOCAL;
	EXPECT_EQ(try_create_buffer(dev, args), ENOSPC);
	EXPECT_NO_THROW(buffer(dev, args.size, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP));
}

TEST(small_window, all_hidden_memory_is_zero_when_handed_over)
{
	for (int round = 0; round < 2; ++round) {
		context c;
		const std::uint64_t bytes = 256 * mib;
		const buffer hidden(c.dev, bytes, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP);
		const std::uint64_t va = c.space.map(hidden);
		const vmtest::memory window = c.alloc(16 * mib);
		for (std::uint64_t at = 0; at < bytes; at += 16 * mib) {
			c.run(command_list(make_copy_bytes(va + at, window.va, 16 * mib)));
			ASSERT_EQ(find_nonzero({window.map.data(), 16 * mib}), -1) << at;
		}
		c.run(command_list(make_fill(tensor(ATOM_DTYPE_I32, {bytes / 4}, va), 0xa5a5a5a5)));
	}
}
