/* SPDX-License-Identifier: MIT */
/* Commands as long as the limit allows: they hold up nobody, and cost no memory. */
#include <chrono>
#include <fstream>
#include <thread>
#include <unistd.h>

#include "device_fixture.h"
#include "model/patience.h"

namespace atom::test {

namespace {

using clock = std::chrono::steady_clock;

std::uint64_t resident_bytes()
{
	std::ifstream statm("/proc/self/statm");
	std::uint64_t total = 0;
	std::uint64_t resident = 0;
	statm >> total >> resident;
	return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/* a[m] = 2^(m % 8) whatever k, b = 1: the sums are exact, and K is as long as one likes in a few bytes. */
atom_cmd_gemm sum_of(std::uint64_t m, std::uint64_t n, std::uint64_t k)
{
	atom_cmd_gemm c = gemm(dense(0, arena_va, ATOM_DTYPE_F32, {m, k}), dense(0, arena_va + 4096, ATOM_DTYPE_F32, {k, n}),
			       dense(0, arena_va + 8192, ATOM_DTYPE_F32, {m, n}));
	c.a.strides[0] = 4;
	c.a.strides[1] = 0;
	c.b.strides[0] = 0;
	c.b.strides[1] = 4;
	return c;
}

void fill_operands(machine &m)
{
	for (unsigned i = 0; i < 64; ++i) {
		m.arena<float>(0)[i] = static_cast<float>(1u << (i % 8));
		m.arena<float>(4096)[i] = 1.0f;
	}
}

void expect_sums(machine &m, std::uint64_t rows, std::uint64_t columns, std::uint64_t k)
{
	for (std::uint64_t i = 0; i < rows * columns; ++i)
		ASSERT_EQ(m.arena<float>(8192)[i], static_cast<float>(k << (i / columns % 8))) << i;
}

class long_work_test : public ::testing::TestWithParam<atom_engine_kind> {
protected:
	void SetUp() override
	{
		ASSERT_TRUE(m.ready);
		fill_operands(m);
	}
	/* Submits a job; returns when its command has been running for a while. */
	std::uint64_t start(job_queue &q, command_bytes &c)
	{
		const std::uint64_t seq = q.submit(m.execute(c));
		EXPECT_TRUE(m.bus.wait([&] { return m.bus.read32(ATOM_REG_QUEUE(q.id()) + ATOM_QREG_COMMAND) == 0; }));
		std::this_thread::sleep_for(std::chrono::milliseconds(5));
		return seq;
	}
	bool reference() const { return GetParam() == ATOM_ENGINE_REFERENCE; }

	machine m{bus_options{.executor = ATOM_EXECUTOR_POOL, .engine = GetParam(), .threads = 2}};
};

} // namespace

TEST(long_work, a_long_inner_dimension_costs_no_memory)
{
	machine m;
	ASSERT_TRUE(m.ready);
	fill_operands(m);
	job_queue q = m.make_queue();
	constexpr std::uint64_t k = 1ull << 28; /* a copy of a row of a were a gigabyte */
	command_bytes c;
	c.add(sum_of(1, 1, k));
	const std::uint64_t before = resident_bytes();
	const std::uint64_t seq = q.submit(m.execute(c));
	ASSERT_TRUE(q.wait(seq));
	EXPECT_EQ(q.record(seq).status, ATOM_CPL_OK);
	EXPECT_LT(resident_bytes(), before + (128 << 20));
	expect_sums(m, 1, 1, k);
}

TEST(patience, grows_without_progress_to_some_seconds_and_falls_back_with_it)
{
	using namespace std::chrono_literals;
	model::patience p;
	const auto first = p.length();
	p.shrink();
	EXPECT_EQ(p.length(), first) << "there is always some";
	p.grow();
	EXPECT_EQ(p.length(), 2 * first);
	for (int i = 0; i < 100; ++i)
		p.grow();
	EXPECT_GE(p.length(), 1s);
	EXPECT_LT(p.length(), 10s) << "the driver would take the device for dead";
	for (int i = 0; i < 100; ++i)
		p.shrink();
	EXPECT_EQ(p.length(), first);
}

/* However fast the machine is: reading the operand takes a hundred milliseconds, and it can be given up but not cut. */
TEST(long_work, a_tile_that_takes_long_as_a_whole_ends_although_the_admin_queue_never_rests)
{
	machine m{bus_options{.executor = ATOM_EXECUTOR_POOL, .threads = 2, .mapping = false}};
	constexpr std::uint64_t k = 128, step = 4096;
	const std::uint64_t operand = m.host_address + (1 << 20);
	m.bus.on_dma_read = [&](std::uint64_t addr, std::uint64_t) {
		if (addr >= operand && addr < operand + k * step)
			std::this_thread::sleep_for(std::chrono::milliseconds(1));
	};
	ASSERT_TRUE(m.ready);
	fill_operands(m);
	for (std::uint64_t i = 0; i < k; ++i)
		*m.host<float>((1 << 20) + i * step) = static_cast<float>(i);
	atom_cmd_gemm g = sum_of(1, 1, k);
	g.a.offset = host_va + (1 << 20);
	g.a.strides[1] = step;
	command_bytes c;
	c.add(g);
	job_queue q = m.make_queue();
	const std::uint64_t seq = q.submit(m.execute(c));
	const auto begin = clock::now();
	while (q.seqno() != seq && clock::now() - begin < std::chrono::seconds(60))
		ASSERT_TRUE(m.driver.invalidate(asid));
	ASSERT_EQ(q.seqno(), seq);
	EXPECT_EQ(q.record(seq).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<float>(8192), k * (k - 1) / 2);
}

TEST_P(long_work_test, the_admin_queue_does_not_wait_for_a_tile_of_seconds)
{
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(sum_of(16, 16, 1ull << 28)); /* the most that a command may be: one tile or few, of seconds or minutes */
	const std::uint64_t seq = start(q, c);
	for (int i = 0; i < 12; ++i)
		ASSERT_TRUE(m.driver.invalidate(asid));
	EXPECT_LT(q.seqno(), seq) << "they waited for the tile";
	ASSERT_TRUE(m.driver.queue_reset(1, 2));
	EXPECT_EQ(q.record(seq).status, ATOM_CPL_ABORTED);
}

TEST_P(long_work_test, a_long_tile_gets_ahead_however_often_it_is_interrupted)
{
	job_queue q = m.make_queue();
	std::uint64_t k = reference() ? 1ull << 20 : 1ull << 24;
#if defined(__SANITIZE_THREAD__)
	k = 1ull << 20; // each access of the kernels takes its time, too
#endif
	command_bytes c;
	c.add(sum_of(16, 16, k));
	const std::uint64_t seq = start(q, c);
	const auto begin = clock::now();
	int interruptions = 0;
	while (q.seqno() != seq && clock::now() - begin < std::chrono::seconds(60)) {
		ASSERT_TRUE(m.driver.invalidate(asid));
		++interruptions;
	}
	ASSERT_EQ(q.seqno(), seq);
	EXPECT_EQ(q.record(seq).status, ATOM_CPL_OK);
	EXPECT_GT(interruptions, 3);
	expect_sums(m, 16, 16, k);
}

TEST_P(long_work_test, many_admin_descriptors_at_once_do_not_wait_for_the_command)
{
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(sum_of(1024, 1024, reference() ? 1 << 13 : 1 << 16)); /* hundreds of tiles, seconds */
	const std::uint64_t seq = start(q, c);
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_NOP;
	std::uint64_t last = 0;
	/* More than the device takes in one go, and all there when it looks. */
	atom_model_quiesce(m.bus.model());
	for (int i = 0; i < 30; ++i)
		last = m.driver.admin_push(d);
	atom_model_resume(m.bus.model());
	ASSERT_TRUE(m.driver.admin_wait(last));
	EXPECT_LT(q.seqno(), seq) << "they waited for the whole command";
	ASSERT_TRUE(m.driver.queue_reset(1, 2));
}

TEST_P(long_work_test, nothing_is_mapped_any_more_once_bus_mastering_is_off)
{
	job_queue q = m.make_queue();
	atom_cmd_gemm g = sum_of(16, 16, 1ull << 28);
	g.a.offset += host_va + (1 << 20) - arena_va;
	g.b.offset += host_va + (1 << 20) - arena_va;
	g.out.offset += host_va + (1 << 20) - arena_va;
	command_bytes c;
	c.add(g);
	const std::uint64_t seq = start(q, c);
	m.bus.set_bus_master(false);
	EXPECT_EQ(m.bus.mappings(), 0);
	const auto fault = [&] { return m.bus.read32(ATOM_REG_QUEUE(1) + ATOM_QREG_FAULT_CODE); };
	ASSERT_TRUE(m.bus.wait([&] { return fault() != ATOM_FAULT_NONE; }));
	/* Whichever it reads next: the operands, or the tables that lead to them. */
	EXPECT_TRUE(fault() == ATOM_FAULT_DMA_ERROR || fault() == ATOM_FAULT_TABLE_WALK) << fault();
	EXPECT_LT(q.seqno(), seq) << "no record can have been written";
}

INSTANTIATE_TEST_SUITE_P(with, long_work_test, ::testing::Values(ATOM_ENGINE_FAST, ATOM_ENGINE_REFERENCE),
			 [](const auto &info) { return info.param == ATOM_ENGINE_FAST ? "fast" : "reference"; });

} // namespace atom::test
