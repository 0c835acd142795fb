/* SPDX-License-Identifier: MIT */
/**
 * @file device_fixture.h
 * @brief A device that has been brought up, with one address space and room to work in.
 *
 * VA map of ASID 1: `arena` is DRAM, `host` is RAM, both read-write in 4 KiB pages.
 */
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>

#include "driver.h"

namespace atom::test {

using namespace atom::host;

inline constexpr std::uint64_t arena_va = 0x10'0000'0000;
inline constexpr std::uint64_t arena_bytes = 8ull << 20;
inline constexpr std::uint64_t host_va = 0x20'0000'0000;
inline constexpr std::uint64_t host_bytes = 8ull << 20;
inline constexpr std::uint16_t asid = 1;

/** A device and its driver. */
struct machine {
	explicit machine(const bus_options &options = {})
		: bus(options), driver(bus)
	{
		ready = driver.bring_up();
		tables.emplace(driver);
		host_address = driver.allocate(host_bytes, 4096);
		tables->map(arena_va, arena_bytes, ATOM_APERTURE_LOCAL, 0);
		tables->map(host_va, host_bytes, ATOM_APERTURE_SYSTEM, host_address);
		ready = ready && driver.asid_set(asid, *tables);
	}

	/** A queue that has been created. */
	job_queue make_queue(std::uint32_t id = 1, const queue_setup &setup = {}, std::uint16_t in = asid)
	{
		job_queue q(driver, id, in, setup);
		EXPECT_TRUE(driver.create(q));
		return q;
	}

	/** Bytes behind @ref host_va, @p offset into it. */
	template <typename T> T *host(std::uint64_t offset) { return reinterpret_cast<T *>(bus.ram(host_address, host_bytes) + offset); }
	/** Bytes behind @ref arena_va. */
	template <typename T> T *arena(std::uint64_t offset) { return reinterpret_cast<T *>(bus.dram() + offset); }

	/** Puts a command buffer at host_va + @p offset; a descriptor that runs it. */
	atom_ring_desc execute(command_bytes &commands, std::uint64_t offset = 0)
	{
		const auto &bytes = commands.bytes();
		std::memcpy(host<std::byte>(offset), bytes.data(), bytes.size());
		atom_ring_desc d{};
		d.type = ATOM_DESC_EXECUTE;
		d.cmd_bytes = static_cast<std::uint32_t>(bytes.size());
		d.cmd_va = host_va + offset;
		return d;
	}

	host_bus bus;
	host::driver driver;
	std::optional<page_tables> tables;
	std::uint64_t host_address = 0;
	bool ready = false;
};

inline atom_ring_desc nop(std::uint16_t flags = ATOM_DESC_IRQ)
{
	atom_ring_desc d{};
	d.type = ATOM_DESC_NOP;
	d.flags = flags;
	return d;
}

inline atom_cmd_copy copy(const atom_tensor &in, const atom_tensor &out)
{
	atom_cmd_copy c{};
	c.header.opcode = ATOM_OP_COPY;
	c.in = in;
	c.out = out;
	return c;
}

/** out[0..bytes) = value, both sizes in bytes. */
inline atom_cmd_copy fill(std::uint64_t va, std::uint64_t bytes, std::uint8_t value)
{
	atom_cmd_copy c{};
	c.header.opcode = ATOM_OP_COPY;
	c.header.flags = ATOM_COPY_FILL;
	c.fill = value;
	c.out = dense(ATOM_SLOT_ABSOLUTE, va, ATOM_DTYPE_U8, {bytes});
	return c;
}

inline atom_cmd_copy copy_bytes(std::uint64_t from, std::uint64_t to, std::uint64_t bytes)
{
	return copy(dense(0, from, ATOM_DTYPE_U8, {bytes}), dense(0, to, ATOM_DTYPE_U8, {bytes}));
}

inline atom_cmd_gemm gemm(const atom_tensor &a, const atom_tensor &b, const atom_tensor &out)
{
	atom_cmd_gemm c{};
	c.header.opcode = ATOM_OP_GEMM;
	c.alpha = 1.0f;
	c.a = a;
	c.b = b;
	c.out = out;
	return c;
}

/** The fixture of most tests: inline executor, so that each step is the test's own. */
class device_test : public ::testing::Test {
protected:
	void SetUp() override { ASSERT_TRUE(m.ready) << "bring-up failed"; }
	void TearDown() override { EXPECT_EQ(m.bus.mappings(), 0) << "a mapping outlived its command"; }

	/** Runs one job on @p q to its end; its record. */
	atom_cpl_record run(job_queue &q, atom_ring_desc d)
	{
		const std::uint64_t seq = q.submit(d);
		EXPECT_TRUE(q.wait(seq)) << "the job did not end";
		return q.record(seq);
	}
	atom_cpl_record run(job_queue &q, command_bytes &commands) { return run(q, m.execute(commands)); }

	machine m;
};

} // namespace atom::test
