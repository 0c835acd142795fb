/* SPDX-License-Identifier: MIT */
/* Command buffers: headers, order, what each kind of command does to memory. */
#include <numeric>
#include <vector>

#include "device_fixture.h"

namespace atom::test {

class command_test : public device_test {};

TEST_F(command_test, a_fill_writes_device_memory)
{
	job_queue q = m.make_queue();
	command_bytes commands;
	commands.add(fill(arena_va + 100, 5000, 0xab));
	EXPECT_EQ(run(q, commands).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>(99), 0u);
	for (int i = 0; i < 5000; ++i)
		ASSERT_EQ(*m.arena<std::uint8_t>(100 + i), 0xabu) << i;
	EXPECT_EQ(*m.arena<std::uint8_t>(5100), 0u);
}

TEST_F(command_test, a_copy_goes_from_host_to_device_and_back)
{
	constexpr std::uint64_t bytes = 3u << 20;
	job_queue q = m.make_queue();
	for (std::uint64_t i = 0; i < bytes / 4; ++i)
		m.host<std::uint32_t>(1 << 20)[i] = static_cast<std::uint32_t>(i * 2654435761u);
	command_bytes commands;
	atom_cmd_fence fence{};
	fence.header.opcode = ATOM_OP_FENCE;
	commands.add(copy_bytes(host_va + (1 << 20), arena_va, bytes))
		.add(fence)
		.add(copy_bytes(arena_va, host_va + (4 << 20), bytes));
	const std::uint64_t read = m.bus.read64(ATOM_REG_DMA_READ);
	EXPECT_EQ(run(q, commands).status, ATOM_CPL_OK);
	EXPECT_EQ(std::memcmp(m.arena<std::byte>(0), m.host<std::byte>(1 << 20), bytes), 0);
	EXPECT_EQ(std::memcmp(m.host<std::byte>(4 << 20), m.host<std::byte>(1 << 20), bytes), 0);
	EXPECT_GE(m.bus.read64(ATOM_REG_DMA_READ) - read, bytes);
	EXPECT_GE(m.bus.read64(ATOM_REG_DMA_WRITE), bytes);
	EXPECT_GE(m.bus.read64(ATOM_REG_DRAM_WRITE), bytes);
	EXPECT_GE(m.bus.read64(ATOM_REG_DRAM_READ), bytes);
}

TEST_F(command_test, arguments_relocate_a_buffer)
{
	job_queue q = m.make_queue();
	command_bytes commands(3);
	commands.add(copy(dense(1, 16, ATOM_DTYPE_U8, {64}), dense(2, 32, ATOM_DTYPE_U8, {64})));
	atom_ring_desc d = m.execute(commands);
	auto *args = m.host<atom_arg>(0x2000);
	for (int round = 0; round < 4; ++round) {
		args[0] = {host_va + 0x3000 + 0x100u * round, 80};
		args[1] = {arena_va + 0x1000u * round, 96};
		std::memset(m.host<std::byte>(0x3000 + 0x100u * round + 16), round + 1, 64);
		d.args_va = host_va + 0x2000;
		d.arg_count = 2;
		ASSERT_EQ(run(q, d).status, ATOM_CPL_OK);
		EXPECT_EQ(*m.arena<std::uint8_t>(0x1000u * round + 31), 0u);
		EXPECT_EQ(*m.arena<std::uint8_t>(0x1000u * round + 32), round + 1u);
		EXPECT_EQ(*m.arena<std::uint8_t>(0x1000u * round + 95), round + 1u);
		EXPECT_EQ(*m.arena<std::uint8_t>(0x1000u * round + 96), 0u);
	}
}

TEST_F(command_test, an_access_beyond_an_argument_faults)
{
	job_queue q = m.make_queue();
	command_bytes commands(2);
	commands.add(copy(dense(0, host_va, ATOM_DTYPE_U8, {64}), dense(1, 33, ATOM_DTYPE_U8, {64})));
	atom_ring_desc d = m.execute(commands, 0x1000);
	*m.host<atom_arg>(0x2000) = {arena_va, 96};
	d.args_va = host_va + 0x2000;
	d.arg_count = 1;
	const atom_cpl_record r = run(q, d);
	EXPECT_EQ(r.status, ATOM_CPL_FAULT);
	EXPECT_EQ(r.fault_code, ATOM_FAULT_ARG_RANGE);
	EXPECT_EQ(r.fault_command, 0u);
	EXPECT_EQ(r.fault_opcode, ATOM_OP_COPY);
}

TEST_F(command_test, a_slot_beyond_what_the_header_says_faults)
{
	job_queue q = m.make_queue();
	command_bytes commands(2);
	commands.add(copy(dense(0, host_va, ATOM_DTYPE_U8, {64}), dense(2, 0, ATOM_DTYPE_U8, {64})));
	atom_ring_desc d = m.execute(commands, 0x1000);
	m.host<atom_arg>(0x2000)[0] = {arena_va, 96};
	m.host<atom_arg>(0x2000)[1] = {arena_va, 96};
	d.args_va = host_va + 0x2000;
	d.arg_count = 2;
	EXPECT_EQ(run(q, d).fault_code, ATOM_FAULT_BAD_SLOT);
}

TEST_F(command_test, a_timestamp_tells_device_and_modelled_time)
{
	job_queue q = m.make_queue();
	atom_cmd_timestamp stamp{};
	stamp.header.opcode = ATOM_OP_TIMESTAMP;
	stamp.out.offset = host_va + 0x4000;
	atom_cmd_timestamp second = stamp;
	second.out.offset = host_va + 0x4010;
	command_bytes commands;
	commands.add(stamp).add(fill(arena_va, 4 << 20, 1)).add(second);
	const std::uint64_t before = m.bus.read64(ATOM_REG_TIMESTAMP);
	ASSERT_EQ(run(q, commands).status, ATOM_CPL_OK);
	const std::uint64_t after = m.bus.read64(ATOM_REG_TIMESTAMP);
	const auto *t = m.host<atom_timestamp>(0x4000);
	EXPECT_LE(before, t[0].device_ns);
	EXPECT_LE(t[0].device_ns, t[1].device_ns);
	EXPECT_LE(t[1].device_ns, after);
	/* 4 MiB at 256 GB/s are 16.4 us. */
	EXPECT_GT(t[1].modelled_ns, t[0].modelled_ns + 16'000);
}

TEST_F(command_test, a_gemm_on_device_memory_gives_the_products)
{
	constexpr int n = 64;
	job_queue q = m.make_queue();
	auto *a = m.host<float>(0x10000);
	auto *b = m.host<float>(0x20000);
	for (int i = 0; i < n * n; ++i) {
		a[i] = static_cast<float>(i % 7 - 3);
		b[i] = static_cast<float>(i % 5 - 2);
	}
	const auto matrix = [](std::uint64_t va) { return dense(0, va, ATOM_DTYPE_F32, {n, n}); };
	command_bytes commands;
	commands.add(copy(matrix(host_va + 0x10000), matrix(arena_va)))
		.add(copy(matrix(host_va + 0x20000), matrix(arena_va + 0x10000)))
		.add(gemm(matrix(arena_va), matrix(arena_va + 0x10000), matrix(arena_va + 0x20000)));
	const std::uint64_t macs = m.bus.read64(ATOM_REG_MACS);
	ASSERT_EQ(run(q, commands).status, ATOM_CPL_OK);
	for (int i = 0; i < n; ++i) {
		for (int j = 0; j < n; ++j) {
			float sum = 0;
			for (int k = 0; k < n; ++k)
				sum += a[i * n + k] * b[k * n + j];
			ASSERT_EQ(m.arena<float>(0x20000)[i * n + j], sum) << i << "," << j;
		}
	}
	EXPECT_EQ(m.bus.read64(ATOM_REG_MACS) - macs, std::uint64_t{n} * n * n);
}

TEST_F(command_test, a_buffer_without_commands_is_fine)
{
	job_queue q = m.make_queue();
	command_bytes commands;
	EXPECT_EQ(run(q, commands).status, ATOM_CPL_OK);
}

TEST_F(command_test, shm_can_be_used_as_memory)
{
	job_queue q = m.make_queue();
	const std::uint64_t shm_va = 0x30'0000'0000;
	m.tables->map(shm_va, 1 << 20, ATOM_APERTURE_SHM, 0x10000);
	command_bytes commands;
	commands.add(fill(shm_va, 70000, 0x5a)).add(copy_bytes(shm_va, arena_va, 70000));
	ASSERT_EQ(run(q, commands).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>(69999), 0x5au);
	EXPECT_EQ(*m.arena<std::uint8_t>(70000), 0u);
}

struct bad_buffer {
	const char *name;
	void (*spoil)(std::byte *, atom_ring_desc &);
	std::uint16_t code;
	std::uint16_t where;
	std::uint32_t field;
	std::uint32_t command;
};

std::ostream &operator<<(std::ostream &out, const bad_buffer &b) { return out << b.name; }

template <typename T> T &as(std::byte *bytes, std::size_t offset)
{
	return *reinterpret_cast<T *>(bytes + offset);
}

class bad_buffer_test : public ::testing::TestWithParam<bad_buffer> {};

/* Two fills; each case spoils one thing. What is before a bad command has been done. */
TEST_P(bad_buffer_test, is_told_with_command_and_field)
{
	const bad_buffer &p = GetParam();
	machine m;
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	command_bytes commands;
	atom_cmd_copy first = fill(arena_va, 64, 1);
	atom_cmd_copy second = fill(arena_va + 4096, 64, 2);
	second.header.tag = 0x7a67;
	commands.add(first).add(second);
	atom_ring_desc d = m.execute(commands);
	p.spoil(m.host<std::byte>(0), d);
	const std::uint64_t seq = q.submit(d);
	ASSERT_TRUE(q.wait(seq));
	const atom_cpl_record r = q.record(seq);
	EXPECT_EQ(r.status, ATOM_CPL_FAULT);
	EXPECT_EQ(r.fault_code, p.code);
	EXPECT_EQ(r.fault_where, p.where);
	EXPECT_EQ(r.fault_field, p.field);
	EXPECT_EQ(r.fault_command, p.command);
	EXPECT_EQ(*m.arena<std::uint8_t>(0), p.command == 1 ? 1u : 0u);
	EXPECT_EQ(*m.arena<std::uint8_t>(4096), 0u);
	ASSERT_EQ(m.driver.faults().size(), 1u);
	const atom_fault_record f = m.driver.faults()[0];
	EXPECT_EQ(f.code, p.code);
	EXPECT_EQ(f.command, p.command);
	EXPECT_EQ(f.field_offset, p.field);
	if (p.command == 1) {
		EXPECT_EQ(f.tag, 0x7a67u);
	}
}

constexpr std::size_t second_at = sizeof(atom_cmdbuf_header) + sizeof(atom_cmd_copy);

INSTANTIATE_TEST_SUITE_P(
	each, bad_buffer_test,
	::testing::Values(
		bad_buffer{"magic", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, 0) ^= 1; },
			   ATOM_FAULT_BAD_HEADER, ATOM_WHERE_HEADER, 0, ATOM_COMMAND_NONE},
		bad_buffer{"major", [](std::byte *b, atom_ring_desc &) { as<std::uint16_t>(b, 4) = 2; },
			   ATOM_FAULT_BAD_HEADER, ATOM_WHERE_HEADER, 4, ATOM_COMMAND_NONE},
		bad_buffer{"bytes", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, 8) += 8; },
			   ATOM_FAULT_BAD_HEADER, ATOM_WHERE_HEADER, 8, ATOM_COMMAND_NONE},
		bad_buffer{"commands", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, 12) = 0xffffffff; },
			   ATOM_FAULT_BAD_HEADER, ATOM_WHERE_HEADER, 12, ATOM_COMMAND_NONE},
		bad_buffer{"slots_zero", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, 16) = 0; },
			   ATOM_FAULT_BAD_HEADER, ATOM_WHERE_HEADER, 16, ATOM_COMMAND_NONE},
		bad_buffer{"slots_beyond_args", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, 16) = 2; },
			   ATOM_FAULT_BAD_HEADER, ATOM_WHERE_HEADER, 16, ATOM_COMMAND_NONE},
		bad_buffer{"reserved0", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, 20) = 1; },
			   ATOM_FAULT_BAD_HEADER, ATOM_WHERE_HEADER, 20, ATOM_COMMAND_NONE},
		bad_buffer{"reserved1", [](std::byte *b, atom_ring_desc &) { as<std::uint64_t>(b, 24) = 1; },
			   ATOM_FAULT_BAD_HEADER, ATOM_WHERE_HEADER, 24, ATOM_COMMAND_NONE},
		bad_buffer{"opcode", [](std::byte *b, atom_ring_desc &) { as<std::uint16_t>(b, second_at) = 0xfe; },
			   ATOM_FAULT_BAD_OPCODE, ATOM_WHERE_COMMAND, 0, 1},
		bad_buffer{"opcode_beyond", [](std::byte *b, atom_ring_desc &) { as<std::uint16_t>(b, second_at) = 0xffff; },
			   ATOM_FAULT_BAD_OPCODE, ATOM_WHERE_COMMAND, 0, 1},
		bad_buffer{"flags", [](std::byte *b, atom_ring_desc &) { as<std::uint16_t>(b, second_at + 2) |= 0x8000; },
			   ATOM_FAULT_BAD_FIELD, ATOM_WHERE_COMMAND, 2, 1},
		bad_buffer{"size_zero", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, second_at + 4) = 0; },
			   ATOM_FAULT_BAD_SIZE, ATOM_WHERE_COMMAND, 4, 1},
		bad_buffer{"size_beyond", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, second_at + 4) += 8; },
			   ATOM_FAULT_BAD_SIZE, ATOM_WHERE_COMMAND, 4, 1},
		bad_buffer{"size_odd", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, second_at + 4) -= 4; },
			   ATOM_FAULT_BAD_SIZE, ATOM_WHERE_COMMAND, 4, 1},
		bad_buffer{"reserved", [](std::byte *b, atom_ring_desc &) { as<std::uint32_t>(b, second_at + 12) = 1; },
			   ATOM_FAULT_BAD_FIELD, ATOM_WHERE_COMMAND, 12, 1},
		bad_buffer{"dtype", [](std::byte *b, atom_ring_desc &) {
				   as<std::uint8_t>(b, second_at + offsetof(atom_cmd_copy, out) + 2) = 99; },
			   ATOM_FAULT_BAD_DTYPE, ATOM_WHERE_COMMAND, offsetof(atom_cmd_copy, out) + 2, 1},
		bad_buffer{"args_unmapped", [](std::byte *, atom_ring_desc &d) { d.args_va = 8; d.arg_count = 1; },
			   ATOM_FAULT_NOT_PRESENT, ATOM_WHERE_DESCRIPTOR, 16, ATOM_COMMAND_NONE},
		bad_buffer{"buffer_unmapped", [](std::byte *, atom_ring_desc &d) { d.cmd_va = 0x1000; },
			   ATOM_FAULT_NOT_PRESENT, ATOM_WHERE_DESCRIPTOR, 8, ATOM_COMMAND_NONE},
		bad_buffer{"buffer_beyond_48_bits", [](std::byte *, atom_ring_desc &d) { d.cmd_va = 1ull << 48; },
			   ATOM_FAULT_VA_RANGE, ATOM_WHERE_DESCRIPTOR, 8, ATOM_COMMAND_NONE},
		bad_buffer{"buffer_wraps", [](std::byte *, atom_ring_desc &d) { d.cmd_va = ~7ull; },
			   ATOM_FAULT_VA_RANGE, ATOM_WHERE_DESCRIPTOR, 8, ATOM_COMMAND_NONE}),
	[](const auto &info) { return info.param.name; });

TEST_F(command_test, commands_that_do_not_fill_the_buffer_fault)
{
	job_queue q = m.make_queue();
	command_bytes commands;
	commands.add(fill(arena_va, 64, 1)).add(fill(arena_va, 64, 2));
	const atom_ring_desc d = m.execute(commands);
	as<std::uint32_t>(m.host<std::byte>(0), 12) = 1;
	const atom_cpl_record r = run(q, d);
	EXPECT_EQ(r.fault_code, ATOM_FAULT_BAD_SIZE);
	EXPECT_EQ(r.fault_where, ATOM_WHERE_HEADER);
}

TEST_F(command_test, the_buffer_is_copied_before_it_is_checked)
{
	/* The first command overwrites the second in guest memory; the copy still says FILL with 2. */
	job_queue q = m.make_queue();
	command_bytes commands;
	commands.add(fill(host_va + second_at, sizeof(atom_cmd_copy), 0xff)).add(fill(arena_va, 64, 2));
	EXPECT_EQ(run(q, commands).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.host<std::uint8_t>(second_at), 0xffu);
	EXPECT_EQ(*m.arena<std::uint8_t>(0), 2u);
}

} // namespace atom::test
