// SPDX-License-Identifier: MIT
// Buffers: what they hold when handed over, how the CPU sees them, and what happens when there is no more.
#include "context.hpp"
#include "machine.hpp"
#include "system.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <sys/mman.h>

using namespace vmtest;

namespace {

/** Content of a range of device addresses, fetched by the device. */
std::vector<std::byte> device_content(context &c, std::uint64_t va, std::uint64_t bytes)
{
	const memory window = c.alloc(bytes);
	c.run(command_list(make_copy_bytes(va, window.va, bytes)));
	return {window.map.data(), window.map.data() + bytes};
}

/** Creates memory, checks that it is zero, dirties it and frees it; again and again. */
void expect_zero_on_hand_over(std::uint32_t placement, std::uint64_t bytes, int rounds)
{
	for (int round = 0; round < rounds; ++round) {
		SCOPED_TRACE(round);
		context c; // a client of its own each time
		const memory m = c.alloc(bytes, placement);
		const auto content = device_content(c, m.va, bytes);
		ASSERT_EQ(find_nonzero(content), -1) << "the device sees what another client has left";
		if (placement != DRM_ATOM_BO_SHM) {
			ASSERT_EQ(find_nonzero({m.map.data(), bytes}), -1) << "the CPU sees what another client has left";
		}
		c.run(command_list(make_fill(tensor(ATOM_DTYPE_U8, {bytes}, m.va), 0xaa)));
	}
}

int protection_error(const device &dev, std::uint64_t offset, std::size_t bytes, int protection, int flags)
{
	void *address = system::mmap(bytes, protection, flags, dev.fd(), offset);
	if (address == MAP_FAILED)
		return errno;
	system::munmap(address, bytes);
	return 0;
}

} // namespace

TEST(memory, system_buffers_are_zero_when_handed_over) { expect_zero_on_hand_over(DRM_ATOM_BO_SYSTEM, 256 << 10, 4); }

TEST(memory, local_buffers_are_zero_when_handed_over)
{
	expect_zero_on_hand_over(DRM_ATOM_BO_LOCAL, 4 * mib, 4);
	expect_zero_on_hand_over(DRM_ATOM_BO_LOCAL, 3 * page, 4);
}

TEST(memory, shm_buffers_are_zero_when_handed_over)
{
	const device dev;
	if (!(dev.info().kernel_caps & DRM_ATOM_CAP_SHM))
		GTEST_SKIP() << "the driver has no SHM";
	expect_zero_on_hand_over(DRM_ATOM_BO_SHM, dev.memory().shm_size, 2);
	expect_zero_on_hand_over(DRM_ATOM_BO_SHM, 2 * page, 4);
}

TEST(memory, all_of_local_memory_is_zero_after_it_was_full_of_secrets)
{
	{
		context c;
		const std::uint64_t most = c.dev.memory().local_size / 2;
		const buffer bo(c.dev, most, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP);
		const std::uint64_t va = c.space.map(bo);
		c.run(command_list(make_fill(tensor(ATOM_DTYPE_I32, {most / 4}, va), 0x5ec2e75e)));
	}
	context c;
	const memory probe = c.alloc(8 * mib, DRM_ATOM_BO_LOCAL);
	EXPECT_EQ(find_nonzero({probe.map.data(), probe.size()}), -1);
}

TEST(memory, the_device_reads_what_the_cpu_wrote_and_the_other_way_round)
{
	context c;
	for (const auto from : {DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_LOCAL})
		for (const auto to : {DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_LOCAL}) {
			SCOPED_TRACE(from * 10 + to);
			const memory source = c.alloc(3 * mib + page, from), target = c.alloc(3 * mib + page, to);
			fill_pattern(source.as<std::uint32_t>(), 17 + from + to);
			c.run(command_list(make_copy_bytes(source.va, target.va, source.size())));
			EXPECT_EQ(find_damage(target.as<std::uint32_t>(), 17 + from + to), -1);
		}
}

TEST(memory, shm_keeps_data_between_jobs)
{
	context c;
	if (!(c.dev.info().kernel_caps & DRM_ATOM_CAP_SHM))
		GTEST_SKIP() << "the driver has no SHM";
	const memory source = c.alloc(mib), target = c.alloc(mib), shm = c.alloc(mib, DRM_ATOM_BO_SHM);
	fill_pattern(source.as<std::uint32_t>(), 23);
	c.run(command_list(make_copy_bytes(source.va, shm.va, mib)));
	c.run(command_list(make_copy_bytes(shm.va, target.va, mib)));
	EXPECT_EQ(find_damage(target.as<std::uint32_t>(), 23), -1);
}

TEST(memory, a_mapping_outlives_the_handle)
{
	context c;
	for (const auto placement : {DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_LOCAL}) {
		mapping map;
		{
			const buffer bo(c.dev, 64 << 10, placement);
			map = bo.map();
			fill_pattern(map.as<std::uint32_t>(), 31);
		}
		// The memory must not go to anybody else while it is mapped.
		for (int i = 0; i < 8; ++i) {
			const memory other = c.alloc(64 << 10, placement);
			std::memset(other.map.data(), 0xff, other.size());
		}
		EXPECT_EQ(find_damage(map.as<std::uint32_t>(), 31), -1);
	}
}

TEST(memory, local_memory_runs_out_with_enospc_and_comes_back)
{
	const device dev;
	const counters before = read_counters();
	const auto start = dev.memory();
	{
		std::vector<buffer> taken;
		int error = 0;
		while (!error) {
			try {
				taken.emplace_back(dev, 64 * mib, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP);
			} catch (const std::system_error &failure) {
				error = failure.code().value();
			}
		}
		EXPECT_EQ(error, ENOSPC);
		EXPECT_GT(taken.size(), 0u);
		EXPECT_EQ(dev.memory().local_used, start.local_used + taken.size() * 64 * mib);
		// What is left serves smaller ones; a page must not fail for fragmentation of a fresh card.
		if (dev.memory().local_size - dev.memory().local_used >= mib) {
			EXPECT_NO_THROW(buffer(dev, page, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP));
		}
	}
	EXPECT_EQ(await_counters(before), "");
	EXPECT_EQ(dev.memory().local_used, start.local_used);
	EXPECT_NO_THROW(buffer(dev, start.local_size / 2, DRM_ATOM_BO_LOCAL, DRM_ATOM_BO_NO_MMAP));
}

TEST(memory, shm_runs_out_with_enospc_and_comes_back)
{
	const device dev;
	if (!(dev.info().kernel_caps & DRM_ATOM_CAP_SHM))
		GTEST_SKIP() << "the driver has no SHM";
	const auto start = dev.memory();
	{
		const buffer all(dev, start.shm_size - start.shm_used, DRM_ATOM_BO_SHM);
		drm_atom_bo_create args{};
		args.size = page;
		args.placement = DRM_ATOM_BO_SHM;
		EXPECT_EQ(try_create_buffer(dev, args), ENOSPC);
	}
	EXPECT_EQ(dev.memory().shm_used, start.shm_used);
	EXPECT_NO_THROW(buffer(dev, start.shm_size - start.shm_used, DRM_ATOM_BO_SHM));
}

TEST(memory, the_size_is_rounded_up_to_pages_and_told)
{
	const device dev;
	for (const std::uint64_t size : {1ul, 4095ul, 4096ul, 4097ul, 1000000ul}) {
		const buffer bo(dev, size);
		EXPECT_EQ(bo.size(), (size + page - 1) / page * page);
		drm_atom_bo_info info{};
		info.handle = bo.handle();
		ASSERT_EQ(dev.try_call(DRM_IOCTL_ATOM_BO_INFO, &info), 0);
		EXPECT_EQ(info.size, bo.size());
		EXPECT_EQ(info.placement, std::uint32_t{DRM_ATOM_BO_SYSTEM});
		EXPECT_EQ(info.flags, 0u);
		EXPECT_EQ(info.vm_id, 0u);
	}
}

TEST(memory, the_completion_area_can_only_be_read)
{
	context c;
	c.run(command_list(make_nop()));
	const std::uint64_t offset = c.q.completion_offset();
	const std::size_t bytes = c.q.completion_bytes();
	EXPECT_NE(protection_error(c.dev, offset, bytes, PROT_READ | PROT_WRITE, MAP_SHARED), 0);
	EXPECT_NE(protection_error(c.dev, offset, bytes, PROT_WRITE, MAP_SHARED), 0);
	const mapping map(c.dev.fd(), offset, bytes, PROT_READ);
	EXPECT_EQ(map.as<const std::uint64_t>()[0], 1u) << "the header tells the last sequence number";
	EXPECT_NE(mprotect(map.data(), bytes, PROT_READ | PROT_WRITE), 0) << "the mapping became writable";
	EXPECT_NE(mprotect(map.data(), page, PROT_WRITE), 0) << "a part of the mapping became writable";
}

TEST(memory, the_completion_area_cannot_be_written_behind_a_private_mapping)
{
	context c;
	c.run(command_list(make_nop()));
	// A private writable mapping is refused, or a copy: the device's records must not change.
	void *address = system::mmap(c.q.completion_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE, c.dev.fd(),
				     c.q.completion_offset());
	if (address == MAP_FAILED)
		return;
	std::memset(address, 0xff, page);
	system::munmap(address, c.q.completion_bytes());
	EXPECT_EQ(c.q.completion(1).status, ATOM_CPL_OK);
}

TEST(memory, the_completion_area_of_another_client_is_out_of_reach)
{
	const context c;
	const device other;
	EXPECT_NE(protection_error(other, c.q.completion_offset(), c.q.completion_bytes(), PROT_READ, MAP_SHARED), 0);
}

TEST(memory, a_mapped_completion_area_outlives_its_queue)
{
	context c;
	const mapping map = [&] {
		queue q(c.dev, c.space);
		return mapping(c.dev.fd(), q.completion_offset(), q.completion_bytes(), PROT_READ);
	}();
	// Reading must neither crash nor show another queue's records.
	queue next(c.dev, c.space);
	next.submit(c.job(command_list(make_nop())));
	EXPECT_TRUE(eventually([&] { return next.state().completed == 1; }));
	EXPECT_EQ(map.as<const std::uint64_t>()[8], 0u) << "the old area shows the new queue's record";
}
