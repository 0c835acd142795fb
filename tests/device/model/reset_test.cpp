/* SPDX-License-Identifier: MIT */
/* Resets, power states, removal, quiescing: what stops, what stays, what is never touched again. */
#include <atomic>
#include <thread>

#include "device_fixture.h"

namespace atom::test {

class reset_test : public device_test {};

TEST_F(reset_test, an_flr_takes_queues_and_registers_and_leaves_counters_and_dram)
{
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(fill(arena_va, 4096, 0x42));
	run(q, c);
	m.bus.write32(ATOM_REG_INTR_MASK, 3);
	const std::uint64_t jobs = m.bus.read64(ATOM_REG_JOBS_DONE);
	const std::uint64_t written = m.bus.read64(ATOM_REG_DRAM_WRITE);
	const std::uint64_t time = m.bus.read64(ATOM_REG_TIMESTAMP);
	const std::uint32_t generation = m.bus.read32(ATOM_REG_GENERATION);
	ASSERT_GT(jobs, 0u);
	ASSERT_GE(written, 4096u);

	atom_model_reset(m.bus.model(), 0, ATOM_RESET_FLR);
	EXPECT_EQ(m.bus.read32(ATOM_REG_STATUS), static_cast<std::uint32_t>(ATOM_STATUS_READY));
	EXPECT_EQ(m.bus.read32(ATOM_REG_GENERATION), generation + 1);
	EXPECT_EQ(m.bus.read32(ATOM_REG_DRIVER_VERSION), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_INTR_MASK), 0u);
	EXPECT_EQ(m.bus.read64(ATOM_REG_ADMIN_RING), 0u);
	EXPECT_EQ(m.bus.read64(ATOM_REG_FAULT_BASE), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_QUEUE(1) + ATOM_QREG_STATE), 0u);
	EXPECT_EQ(m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_SEQNO), 0u);
	EXPECT_EQ(m.bus.read64(ATOM_REG_JOBS_DONE), jobs);
	EXPECT_EQ(m.bus.read64(ATOM_REG_DRAM_WRITE), written);
	EXPECT_GE(m.bus.read64(ATOM_REG_TIMESTAMP), time);
	EXPECT_EQ(*m.arena<std::uint8_t>(0), 0x42u);

	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 1u) << "the old queue is gone";
	ASSERT_TRUE(m.driver.bring_up());
	ASSERT_TRUE(m.driver.asid_set(asid, *m.tables));
	job_queue again = m.make_queue();
	EXPECT_EQ(run(again, nop()).status, ATOM_CPL_OK);
}

TEST_F(reset_test, a_cold_reset_takes_the_counters_too)
{
	job_queue q = m.make_queue();
	run(q, nop());
	atom_model_reset(m.bus.model(), 0, ATOM_RESET_COLD);
	EXPECT_EQ(m.bus.read64(ATOM_REG_JOBS_DONE), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_GENERATION), 0u);
}

TEST_F(reset_test, shm_is_zero_after_a_reset)
{
	const std::uint64_t shm_va = 0x30'0000'0000;
	m.tables->map(shm_va, 1 << 20, ATOM_APERTURE_SHM, 0);
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(fill(shm_va, 1 << 20, 0x99));
	ASSERT_EQ(run(q, c).status, ATOM_CPL_OK);
	ASSERT_TRUE(m.driver.bring_up());
	ASSERT_TRUE(m.driver.asid_set(asid, *m.tables));
	job_queue again = m.make_queue();
	command_bytes look;
	look.add(fill(arena_va, 1 << 20, 0x11)).add(copy_bytes(shm_va, arena_va, 1 << 20));
	ASSERT_EQ(run(again, look).status, ATOM_CPL_OK);
	for (int i = 0; i < 1 << 20; ++i)
		ASSERT_EQ(*m.arena<std::uint8_t>(i), 0u);
}

TEST_F(reset_test, admin_work_that_was_outstanding_does_not_survive_a_reset)
{
	for (const std::uint32_t kind : {ATOM_RESET_COLD, ATOM_RESET_FLR, ATOM_RESET_D3}) {
		atom_admin_desc d{};
		d.opcode = ATOM_ADMIN_MEM_CLEAR;
		d.mem_clear.bytes = 32 << 20;
		d.mem_clear.aperture = ATOM_APERTURE_LOCAL;
		for (int i = 0; i < 8; ++i)
			m.driver.admin_push(d);
		atom_model_run(m.bus.model(), 1);
		atom_model_run(m.bus.model(), 1);
		atom_model_reset(m.bus.model(), 0, kind);
		std::memset(m.bus.dram(), 0x3d, 32 << 20);
		ASSERT_TRUE(m.driver.bring_up()) << "the first descriptor of the new ring is number 1";
		m.bus.pump();
		EXPECT_EQ(m.bus.read64(ATOM_REG_QUEUE(0) + ATOM_QREG_SEQNO), 1u);
		for (int i = 0; i < 32 << 20; i += 4096)
			ASSERT_EQ(*m.arena<std::uint8_t>(i), 0x3du) << i;
	}
}

TEST_F(reset_test, in_d3_nothing_runs_and_nothing_is_touched)
{
	job_queue q = m.make_queue();
	atom_model_cfg(m.bus.model(), 0, ATOM_CFG_POWER, 3);
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0u);
	EXPECT_EQ(m.bus.interrupts(1), 0u);
	atom_model_cfg(m.bus.model(), 0, ATOM_CFG_POWER, 0);
	atom_model_reset(m.bus.model(), 0, ATOM_RESET_D3);
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0u);
	EXPECT_TRUE(m.driver.bring_up());
}

TEST_F(reset_test, surprise_removal_gives_all_ones_and_stops_work)
{
	job_queue q = m.make_queue();
	for (int i = 0; i < 10; ++i)
		q.push(nop());
	q.ring();
	atom_model_cfg(m.bus.model(), 0, ATOM_CFG_LINK, 0);
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), 0xffff'ffffu);
	EXPECT_EQ(m.bus.read64(ATOM_REG_TIMESTAMP), ~0ull);
	EXPECT_EQ(m.bus.read(ATOM_REG_STATUS, 1), 0xffu);
	m.bus.write32(ATOM_REG_CTRL, ATOM_CTRL_RESET);
	m.bus.pump();
	EXPECT_EQ(m.bus.read32(ATOM_REG_STATUS), 0xffff'ffffu);
}

TEST_F(reset_test, bus_mastering_off_makes_jobs_fault_and_on_lets_them_go_on)
{
	job_queue q = m.make_queue();
	m.bus.set_bus_master(false);
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_QUEUE(1) + ATOM_QREG_FAULT_CODE), static_cast<std::uint32_t>(ATOM_FAULT_DMA_ERROR));
	EXPECT_EQ(m.bus.read32(ATOM_REG_FAULT_LOST), 1u) << "the FIFO is in system memory too";
	m.bus.set_bus_master(true);
	ASSERT_TRUE(m.driver.queue_reset(1, 2));
	EXPECT_EQ(q.seqno(), 1u);
	EXPECT_EQ(run(q, nop()).status, ATOM_CPL_OK);
}

TEST_F(reset_test, while_quiesced_work_may_be_asked_for_but_does_not_run)
{
	job_queue q = m.make_queue();
	atom_model_quiesce(m.bus.model());
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), static_cast<std::uint32_t>(ATOM_MAGIC));
	atom_model_resume(m.bus.model());
	EXPECT_TRUE(q.wait(1));
}

TEST_F(reset_test, a_device_can_be_described_in_words)
{
	m.make_queue();
	char *text = atom_model_describe(m.bus.model());
	ASSERT_NE(text, nullptr);
	EXPECT_NE(std::strstr(text, "queue 1: idle"), nullptr) << text;
	EXPECT_NE(std::strstr(text, "asid 1"), nullptr) << text;
	EXPECT_NE(std::strstr(text, "bandwidth.dram"), nullptr) << text;
	std::free(text);
}

/* With threads: a reset in the middle of long work. */
class reset_pool_test : public ::testing::Test {
protected:
	void SetUp() override
	{
		ASSERT_TRUE(m.ready);
		q.emplace(m.make_queue());
	}
	/* Starts a job of many tiles; returns when it runs. */
	void start_long_job()
	{
		command_bytes c;
		const auto square = [](std::uint64_t va) { return dense(0, va, ATOM_DTYPE_F32, {768, 768}); };
		for (int i = 0; i < 200; ++i)
			c.add(gemm(square(arena_va), square(arena_va), square(arena_va + (4 << 20))));
		q->submit(m.execute(c));
		ASSERT_TRUE(m.bus.wait([&] { return m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_PROGRESS) > 2; }));
	}
	machine m{bus_options{.executor = ATOM_EXECUTOR_POOL, .threads = 3}};
	std::optional<job_queue> q;
};

TEST_F(reset_pool_test, an_flr_in_the_middle_of_a_job_ends_all_access)
{
	start_long_job();
	atom_model_reset(m.bus.model(), 0, ATOM_RESET_FLR);
	std::memset(m.bus.dram(), 0x5c, 8 << 20);
	EXPECT_EQ(m.bus.mappings(), 0);
	EXPECT_EQ(q->seqno(), 0u);
	ASSERT_TRUE(m.driver.bring_up());
	for (int i = 0; i < 8 << 20; ++i)
		ASSERT_EQ(*m.arena<std::uint8_t>(i), 0x5cu) << i;
	EXPECT_EQ(q->seqno(), 0u);
}

TEST_F(reset_pool_test, a_reset_by_register_in_the_middle_of_a_job_ends_soon)
{
	start_long_job();
	EXPECT_TRUE(m.driver.reset());
	EXPECT_EQ(m.bus.read32(ATOM_REG_QUEUE(1) + ATOM_QREG_STATE), 0u);
	EXPECT_TRUE(m.driver.bring_up());
}

TEST_F(reset_pool_test, a_queue_reset_in_the_middle_of_a_job_aborts_it)
{
	start_long_job();
	ASSERT_TRUE(m.driver.queue_reset(1, 9));
	EXPECT_EQ(q->seqno(), 1u);
	EXPECT_EQ(q->record(1).status, ATOM_CPL_ABORTED);
	const std::uint64_t seq = q->submit(nop());
	ASSERT_TRUE(q->wait(seq));
	EXPECT_EQ(q->record(seq).status, ATOM_CPL_OK);
}

TEST_F(reset_pool_test, quiescing_in_the_middle_of_a_job_stops_it_and_it_goes_on_after)
{
	start_long_job();
	atom_model_quiesce(m.bus.model());
	const std::uint64_t progress = m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_PROGRESS);
	std::this_thread::sleep_for(std::chrono::milliseconds(20));
	EXPECT_EQ(m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_PROGRESS), progress);
	atom_model_resume(m.bus.model());
	EXPECT_TRUE(m.bus.wait([&] { return m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_PROGRESS) > progress; }));
}

TEST_F(reset_pool_test, removal_in_the_middle_of_a_job_ends_all_access)
{
	start_long_job();
	atom_model_cfg(m.bus.model(), 0, ATOM_CFG_LINK, 0);
	std::memset(m.bus.dram(), 0x5c, 8 << 20);
	EXPECT_EQ(m.bus.mappings(), 0);
	std::this_thread::sleep_for(std::chrono::milliseconds(10));
	EXPECT_EQ(*m.arena<std::uint8_t>(4 << 20), 0x5cu);
}

TEST_F(reset_pool_test, destroying_the_device_in_the_middle_of_a_job_ends)
{
	start_long_job();
	/* The fixture's destructor does it. */
}

TEST_F(reset_pool_test, many_lives_follow_one_another)
{
	for (int life = 0; life < 30; ++life) {
		ASSERT_TRUE(m.driver.bring_up());
		ASSERT_TRUE(m.driver.asid_set(asid, *m.tables));
		job_queue queue = m.make_queue();
		const std::uint64_t seq = queue.submit(nop());
		ASSERT_TRUE(queue.wait(seq));
		EXPECT_EQ(queue.record(seq).status, ATOM_CPL_OK);
	}
}

} // namespace atom::test
