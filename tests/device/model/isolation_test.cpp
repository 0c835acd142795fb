/* SPDX-License-Identifier: MIT */
/* What one address space gave up is never touched by its jobs again, however long they run. */
#include "device_fixture.h"

namespace atom::test {

namespace {

constexpr std::uint64_t n = 512;
constexpr std::uint64_t matrix_bytes = n * n * sizeof(float);

class isolation_test : public ::testing::TestWithParam<bool> {
protected:
	void SetUp() override { ASSERT_TRUE(m.ready); }
	/* A buffer of victims: LOCAL or SYSTEM memory at `va`. */
	bool local() const { return GetParam(); }
	std::byte *bytes() { return local() ? m.bus.dram() + (16 << 20) : m.host<std::byte>(4 << 20); }
	void map(page_tables &tables, std::uint64_t va, std::uint64_t flags = ATOM_PTE_READ | ATOM_PTE_WRITE)
	{
		if (local())
			tables.map(va, matrix_bytes, ATOM_APERTURE_LOCAL, 16 << 20, flags);
		else
			tables.map(va, matrix_bytes, ATOM_APERTURE_SYSTEM, m.host_address + (4 << 20), flags);
	}
	/* GEMMs that write at `va` again and again. */
	std::uint64_t start_writing(job_queue &q, std::uint64_t va)
	{
		const auto square = [](std::uint64_t at) { return dense(0, at, ATOM_DTYPE_F32, {n, n}); };
		command_bytes c;
		for (int i = 0; i < 400; ++i)
			c.add(gemm(square(arena_va), square(arena_va), square(va)));
		const std::uint64_t seq = q.submit(m.execute(c));
		EXPECT_TRUE(m.bus.wait([&] { return m.bus.read64(ATOM_REG_QUEUE(q.id()) + ATOM_QREG_PROGRESS) > 4; }));
		return seq;
	}

	machine m{bus_options{.executor = ATOM_EXECUTOR_POOL, .threads = 3}};
	static constexpr std::uint64_t va = 0x7000'0000'0000;
};

} // namespace

TEST_P(isolation_test, a_page_that_was_unmapped_and_given_to_another_is_never_touched)
{
	for (std::uint32_t round = 1; round <= 10; ++round) {
		job_queue q = m.make_queue(1);
		map(*m.tables, va);
		const std::uint64_t seq = start_writing(q, va);
		m.tables->unmap(va, matrix_bytes);
		ASSERT_TRUE(m.driver.invalidate(asid, va, matrix_bytes));
		EXPECT_EQ(m.bus.mappings(), 0);
		/* The invalidate has completed: the memory is another's now. */
		std::memset(bytes(), 0x77, matrix_bytes);
		ASSERT_TRUE(q.wait(seq));
		const atom_cpl_record r = q.record(seq);
		EXPECT_EQ(r.status, ATOM_CPL_FAULT);
		EXPECT_EQ(r.fault_code, ATOM_FAULT_NOT_PRESENT);
		EXPECT_GE(r.fault_va, va);
		EXPECT_LT(r.fault_va, va + matrix_bytes);
		for (std::uint64_t i = 0; i < matrix_bytes; ++i)
			ASSERT_EQ(static_cast<unsigned>(bytes()[i]), 0x77u) << i;
		ASSERT_TRUE(m.driver.queue_destroy(1));
		m.bus.write64(ATOM_REG_FAULT_HEAD, m.bus.read64(ATOM_REG_FAULT_TAIL));
	}
}

TEST_P(isolation_test, a_page_that_became_read_only_is_never_written)
{
	job_queue q = m.make_queue(1);
	map(*m.tables, va);
	const std::uint64_t seq = start_writing(q, va);
	map(*m.tables, va, ATOM_PTE_READ);
	ASSERT_TRUE(m.driver.invalidate(asid, va, matrix_bytes));
	std::memset(bytes(), 0x77, matrix_bytes);
	ASSERT_TRUE(q.wait(seq));
	EXPECT_EQ(q.record(seq).fault_code, ATOM_FAULT_PERMISSION);
	for (std::uint64_t i = 0; i < matrix_bytes; ++i)
		ASSERT_EQ(static_cast<unsigned>(bytes()[i]), 0x77u) << i;
}

TEST_P(isolation_test, another_context_goes_on_and_is_right_when_one_faults)
{
	page_tables other(m.driver);
	other.map(host_va, host_bytes, ATOM_APERTURE_SYSTEM, m.host_address);
	map(other, va);
	ASSERT_TRUE(m.driver.asid_set(2, other));
	job_queue good = m.make_queue(2, {}, 2);
	command_bytes c;
	c.add(fill(va, matrix_bytes, 0x31));
	const atom_ring_desc execute = m.execute(c, 1 << 20);
	for (std::uint32_t round = 1; round <= 20; ++round) {
		job_queue bad = m.make_queue(1);
		command_bytes wild;
		wild.add(fill(va, 64, 0x66));
		const std::uint64_t b = bad.submit(m.execute(wild, 2 << 20));
		const std::uint64_t g = good.submit(execute);
		ASSERT_TRUE(bad.wait(b));
		ASSERT_TRUE(good.wait(g));
		EXPECT_EQ(bad.record(b).fault_code, ATOM_FAULT_NOT_PRESENT);
		EXPECT_EQ(good.record(g).status, ATOM_CPL_OK);
		for (std::uint64_t i = 0; i < matrix_bytes; ++i)
			ASSERT_EQ(static_cast<unsigned>(bytes()[i]), 0x31u) << i;
		std::memset(bytes(), 0, matrix_bytes);
		ASSERT_TRUE(m.driver.queue_destroy(1));
	}
}

INSTANTIATE_TEST_SUITE_P(of, isolation_test, ::testing::Values(true, false),
			 [](const auto &info) { return info.param ? "device_memory" : "host_memory"; });

} // namespace atom::test
