/* SPDX-License-Identifier: MIT */
/* Fault injection: the grammar, and each kind against a running device. */
#include <cstdlib>

#include "device_fixture.h"

namespace atom::test {

class inject_test : public device_test {
protected:
	/* Empty: accepted. */
	std::string inject(const char *spec)
	{
		char *error = nullptr;
		const int r = atom_model_inject(m.bus.model(), spec, &error);
		const std::string text = error ? error : "";
		std::free(error);
		EXPECT_EQ(r == 0, text.empty()) << spec << ": an error and only an error has a sentence";
		return text;
	}
	void arm(const char *spec) { ASSERT_EQ(inject(spec), ""); }
	std::uint32_t queue_reg(std::uint32_t id, std::uint32_t reg) { return m.bus.read32(ATOM_REG_QUEUE(id) + reg); }
	command_bytes small_copy()
	{
		command_bytes c;
		c.add(copy_bytes(host_va + 4096, arena_va, 64));
		return c;
	}
};

TEST_F(inject_test, what_is_not_in_the_grammar_is_refused_with_a_sentence)
{
	const char *bad[] = {
		"", "kind", "kind=", "kind=nothing", "queue=1", "after=1,kind=hang", "kind=hang,", "kind=hang,,after=1",
		"kind=hang,queue", "kind=hang,queue=", "kind=hang,queue=x", "kind=hang,queue=-1", "kind=hang,queue=65",
		"kind=hang,queue=1,queue=2", "kind=hang,temp_mc=1", "kind=hang,after=1x", "kind=late-irq",
		"kind=thermal", "kind=thermal,temp_mc=200001", "kind=thermal,temp_mc=1,after=2", "kind=link-down,count=2",
		"kind=stuck-register,offset=0x100", "kind=stuck-register,offset=3,value=1",
		"kind=stuck-register,offset=0x10000,value=1", "kind=corrupt-seqno", "kind=hang,kind=hang",
		"kind=hang,after=99999999999999999999", "kind=late-irq,delay_us=60000001", "kind=clear,queue=1",
		"kind = hang", "KIND=hang", "kind=hang;after=1",
	};
	for (const char *spec : bad)
		EXPECT_NE(inject(spec), "") << "'" << spec << "'";
	EXPECT_NE(inject(nullptr), "");
	EXPECT_NE(inject("kind=nothing").find("lost-irq"), std::string::npos) << "the sentence lists the kinds";
	EXPECT_NE(inject("kind=hang,temp_mc=1").find("queue"), std::string::npos) << "the sentence lists the keys";
	job_queue q = m.make_queue();
	EXPECT_EQ(run(q, nop()).status, ATOM_CPL_OK) << "nothing was armed";
}

TEST_F(inject_test, only_so_many_can_be_armed)
{
	for (int i = 0; i < 64; ++i)
		arm("kind=hang,queue=64,count=0");
	EXPECT_NE(inject("kind=hang"), "");
	arm("kind=clear");
	arm("kind=hang,queue=64");
}

TEST_F(inject_test, after_lets_events_through_and_count_says_how_often)
{
	job_queue q = m.make_queue();
	arm("kind=lost-irq,queue=1,after=2,count=3");
	for (int i = 1; i <= 10; ++i) {
		run(q, nop());
		EXPECT_EQ(m.bus.interrupts(1), i <= 2 ? i : i <= 5 ? 2 : i - 3) << i;
	}
}

TEST_F(inject_test, count_zero_strikes_until_cleared)
{
	job_queue q = m.make_queue();
	arm("kind=lost-irq,count=0");
	for (int i = 0; i < 20; ++i)
		run(q, nop());
	EXPECT_EQ(m.bus.interrupts(1), 0u);
	arm("kind=clear");
	run(q, nop());
	EXPECT_EQ(m.bus.interrupts(1), 1u);
}

TEST_F(inject_test, a_fault_for_one_queue_does_not_strike_another)
{
	job_queue q = m.make_queue(1, {.vector = 1});
	job_queue other = m.make_queue(2, {.vector = 2});
	arm("kind=lost-irq,queue=2");
	run(q, nop());
	run(other, nop());
	EXPECT_EQ(m.bus.interrupts(1), 1u);
	EXPECT_EQ(m.bus.interrupts(2), 0u);
}

TEST_F(inject_test, lost_duplicate_and_late_interrupts)
{
	machine slow({.manual_clock = true});
	ASSERT_TRUE(slow.ready);
	job_queue q = slow.make_queue();
	const auto arm_slow = [&](const char *spec) {
		ASSERT_EQ(atom_model_inject(slow.bus.model(), spec, nullptr), 0);
	};
	arm_slow("kind=lost-irq");
	q.submit(nop());
	slow.bus.pump();
	EXPECT_EQ(q.seqno(), 1u) << "the work is done all the same";
	EXPECT_EQ(slow.bus.interrupts(1), 0u);
	arm_slow("kind=duplicate-irq");
	q.submit(nop());
	slow.bus.pump();
	EXPECT_EQ(slow.bus.interrupts(1), 2u);
	arm_slow("kind=late-irq,delay_us=500");
	q.submit(nop());
	slow.bus.pump();
	EXPECT_EQ(q.seqno(), 3u);
	EXPECT_EQ(slow.bus.interrupts(1), 2u);
	slow.bus.advance(499'000);
	EXPECT_EQ(slow.bus.interrupts(1), 2u);
	slow.bus.advance(1'000);
	EXPECT_EQ(slow.bus.interrupts(1), 3u);
}

TEST_F(inject_test, late_interrupts_are_kept_to_a_limit)
{
	job_queue q = m.make_queue(1, {.ring_log2 = 6});
	char *error = nullptr;
	ASSERT_EQ(atom_model_inject(m.bus.model(), "kind=late-irq,delay_us=60000000,count=0", &error), 0);
	constexpr std::uint64_t jobs = 3000;
	for (std::uint64_t i = 0; i < jobs; ++i)
		run(q, nop());
	EXPECT_EQ(m.bus.interrupts(1), jobs - 1024);
}

TEST_F(inject_test, the_interrupt_of_causes_can_be_lost_by_naming_queue_0)
{
	arm("kind=lost-irq,queue=0");
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_NOP;
	d.flags = ATOM_DESC_IRQ;
	EXPECT_EQ(m.driver.admin(d).status, ATOM_CPL_OK);
	EXPECT_EQ(m.bus.interrupts(0), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_INTR_CAUSE), static_cast<std::uint32_t>(ATOM_INTR_ADMIN));
}

TEST_F(inject_test, a_hang_freezes_one_queue_until_it_is_reset)
{
	job_queue q = m.make_queue(1);
	job_queue other = m.make_queue(2);
	arm("kind=hang,queue=1");
	command_bytes c = small_copy();
	q.submit(m.execute(c));
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(queue_reg(1, ATOM_QREG_STATE), static_cast<std::uint32_t>(ATOM_QUEUE_RUNNING));
	const std::uint64_t progress = m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_PROGRESS);
	EXPECT_EQ(run(other, nop()).status, ATOM_CPL_OK);
	q.ring();
	m.bus.pump();
	EXPECT_EQ(m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_PROGRESS), progress);
	EXPECT_EQ(q.seqno(), 0u);
	ASSERT_TRUE(m.driver.queue_reset(1, 2));
	EXPECT_EQ(q.seqno(), 2u);
	EXPECT_EQ(q.record(1).status, ATOM_CPL_ABORTED);
	EXPECT_EQ(q.record(2).status, ATOM_CPL_ABORTED);
	EXPECT_EQ(run(q, c).status, ATOM_CPL_OK);
}

TEST_F(inject_test, a_hang_that_the_device_detects_is_told)
{
	job_queue q = m.make_queue(1);
	arm("kind=hung-detected");
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(queue_reg(1, ATOM_QREG_STATE), static_cast<std::uint32_t>(ATOM_QUEUE_HUNG));
	EXPECT_EQ(queue_reg(1, ATOM_QREG_FAULT_CODE), static_cast<std::uint32_t>(ATOM_FAULT_HANG));
	EXPECT_EQ(q.header().state, static_cast<std::uint32_t>(ATOM_QUEUE_HUNG));
	ASSERT_EQ(m.driver.faults().size(), 1u);
	EXPECT_EQ(m.driver.faults()[0].code, ATOM_FAULT_HANG);
	EXPECT_EQ(m.driver.faults()[0].desc_seq, 1u);
	EXPECT_TRUE(m.bus.read32(ATOM_REG_INTR_CAUSE) & ATOM_INTR_FAULT);
	EXPECT_EQ(q.seqno(), 0u);
	ASSERT_TRUE(m.driver.queue_reset(1, 2));
	EXPECT_EQ(q.record(1).status, ATOM_CPL_ABORTED);
	EXPECT_EQ(run(q, nop()).status, ATOM_CPL_OK);
}

TEST_F(inject_test, memory_faults_strike_the_job_and_no_other)
{
	struct memory_fault {
		const char *spec;
		std::uint16_t code;
	};
	const memory_fault faults[] = {
		{"kind=mmu-fault,queue=1,after=1", ATOM_FAULT_NOT_PRESENT},
		{"kind=dma-error,queue=1,after=2", ATOM_FAULT_DMA_ERROR},
		{"kind=poison,queue=1,after=1", ATOM_FAULT_POISON},
		{"kind=ecc-ue,queue=1", ATOM_FAULT_ECC_UE},
	};
	job_queue q = m.make_queue(1);
	job_queue other = m.make_queue(2);
	std::uint32_t generation = 1;
	for (const memory_fault &f : faults) {
		arm(f.spec);
		command_bytes c = small_copy();
		const atom_cpl_record r = run(q, c);
		EXPECT_EQ(r.status, ATOM_CPL_FAULT) << f.spec;
		EXPECT_EQ(r.fault_code, f.code) << f.spec;
		EXPECT_EQ(queue_reg(1, ATOM_QREG_STATE), static_cast<std::uint32_t>(ATOM_QUEUE_FAULTED)) << f.spec;
		EXPECT_EQ(run(other, c).status, ATOM_CPL_OK) << f.spec;
		ASSERT_TRUE(m.driver.queue_reset(1, ++generation));
		EXPECT_EQ(run(q, c).status, ATOM_CPL_OK) << f.spec;
	}
	EXPECT_EQ(m.bus.read32(ATOM_REG_ECC_UE), 1u);
	EXPECT_TRUE(m.bus.read32(ATOM_REG_INTR_CAUSE) & ATOM_INTR_ECC);
}

TEST_F(inject_test, a_dma_error_on_the_admin_queue_is_fatal)
{
	arm("kind=dma-error,queue=0");
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_NOP;
	m.driver.admin_push(d);
	m.bus.pump();
	EXPECT_TRUE(m.bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_FATAL);
	EXPECT_EQ(m.bus.read32(ATOM_REG_ERROR_CODE), static_cast<std::uint32_t>(ATOM_FAULT_DMA_ERROR));
	EXPECT_TRUE(m.driver.bring_up());
}

TEST_F(inject_test, corrected_errors_are_counted_and_told)
{
	arm("kind=ecc-ce,count=3");
	EXPECT_EQ(m.bus.read32(ATOM_REG_ECC_CE), 3u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_INTR_CAUSE), static_cast<std::uint32_t>(ATOM_INTR_ECC));
	EXPECT_EQ(m.bus.interrupts(0), 1u);
}

TEST_F(inject_test, heat_throttles_then_aborts_then_shuts_down)
{
	job_queue q = m.make_queue();
	arm("kind=thermal,temp_mc=74999");
	EXPECT_EQ(m.bus.read32(ATOM_REG_THROTTLE), 0u);
	arm("kind=thermal,temp_mc=75000");
	EXPECT_EQ(m.bus.read32(ATOM_REG_TEMPERATURE), 75000u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_THROTTLE), static_cast<std::uint32_t>(ATOM_THROTTLE_THERMAL));
	EXPECT_EQ(m.bus.read32(ATOM_REG_PSTATE), 10u);
	EXPECT_TRUE(m.bus.read32(ATOM_REG_INTR_CAUSE) & ATOM_INTR_THERMAL);
	EXPECT_EQ(run(q, nop()).status, ATOM_CPL_OK) << "slower, but it works";
	arm("kind=thermal,temp_mc=85000");
	EXPECT_EQ(m.bus.read32(ATOM_REG_THROTTLE),
		  static_cast<std::uint32_t>(ATOM_THROTTLE_THERMAL | ATOM_THROTTLE_ABORT));
	EXPECT_EQ(run(q, nop()).fault_code, ATOM_FAULT_THERMAL);
	arm("kind=thermal,temp_mc=115000");
	EXPECT_TRUE(m.bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_FATAL);
	EXPECT_EQ(m.bus.read32(ATOM_REG_ERROR_CODE), static_cast<std::uint32_t>(ATOM_FAULT_THERMAL));
	arm("kind=clear");
	EXPECT_EQ(m.bus.read32(ATOM_REG_THROTTLE), 0u);
	ASSERT_TRUE(m.driver.bring_up());
}

TEST_F(inject_test, a_power_limit_is_told)
{
	arm("kind=power");
	EXPECT_EQ(m.bus.read32(ATOM_REG_THROTTLE), static_cast<std::uint32_t>(ATOM_THROTTLE_POWER));
	EXPECT_EQ(m.bus.read32(ATOM_REG_PSTATE), 6u);
	EXPECT_TRUE(m.bus.read32(ATOM_REG_INTR_CAUSE) & ATOM_INTR_THERMAL);
	arm("kind=clear");
	EXPECT_EQ(m.bus.read32(ATOM_REG_THROTTLE), 0u);
}

TEST_F(inject_test, a_register_can_be_stuck)
{
	arm("kind=stuck-register,offset=0x104,value=0x10,after=1,count=2");
	const std::uint32_t good = ATOM_STATUS_READY | ATOM_STATUS_ENABLED;
	EXPECT_EQ(m.bus.read32(ATOM_REG_STATUS), good);
	EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), static_cast<std::uint32_t>(ATOM_MAGIC));
	EXPECT_EQ(m.bus.read32(ATOM_REG_STATUS), 0x10u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_STATUS), 0x10u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_STATUS), good);
	arm("kind=stuck-register,offset=0,value=0xdeadbeef,count=0");
	EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), 0xdeadbeefu);
	arm("kind=clear");
	EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), static_cast<std::uint32_t>(ATOM_MAGIC));
}

TEST_F(inject_test, reads_can_give_all_ones)
{
	arm("kind=all-ones,count=2");
	EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), 0xffff'ffffu);
	EXPECT_EQ(m.bus.read64(ATOM_REG_CAPS), ~0ull);
	EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), static_cast<std::uint32_t>(ATOM_MAGIC));
}

TEST_F(inject_test, a_link_that_is_down_gives_ones_and_takes_nothing)
{
	job_queue q = m.make_queue();
	arm("kind=link-down");
	EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), 0xffff'ffffu);
	m.bus.write32(ATOM_REG_INTR_MASK, 5);
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0u);
	arm("kind=clear");
	EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), static_cast<std::uint32_t>(ATOM_MAGIC));
	EXPECT_EQ(m.bus.read32(ATOM_REG_INTR_MASK), 0u);
	EXPECT_FALSE(m.bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_ENABLED) << "it comes back as after a reset";
	EXPECT_TRUE(m.driver.bring_up());
}

TEST_F(inject_test, numbers_and_records_can_be_corrupt)
{
	job_queue q = m.make_queue();
	arm("kind=corrupt-seqno,value=0xdead0000");
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0xdead0000u);
	EXPECT_EQ(m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_SEQNO), 1u) << "the device itself knows better";
	EXPECT_EQ(q.record(1).status, ATOM_CPL_OK);
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 2u);
	arm("kind=corrupt-record");
	atom_ring_desc d = nop();
	d.cookie = 7;
	const std::uint64_t seq = q.submit(d);
	m.bus.pump();
	EXPECT_NE(q.record(seq).status, ATOM_CPL_OK);
	EXPECT_NE(q.record(seq).cookie, 7u);
}

TEST_F(inject_test, fault_records_can_be_corrupt_and_forged)
{
	job_queue q = m.make_queue(1);
	m.make_queue(2);
	arm("kind=corrupt-fault");
	arm("kind=forged-fault,value=2");
	atom_ring_desc bad = nop();
	bad.type = 0xffff;
	EXPECT_EQ(run(q, bad).status, ATOM_CPL_FAULT);
	ASSERT_EQ(m.driver.faults().size(), 1u);
	EXPECT_EQ(m.driver.faults()[0].seq, ~std::uint64_t{1});
	EXPECT_EQ(m.driver.faults()[0].queue, 2u);
	EXPECT_EQ(queue_reg(1, ATOM_QREG_STATE), static_cast<std::uint32_t>(ATOM_QUEUE_FAULTED));
	EXPECT_EQ(queue_reg(2, ATOM_QREG_STATE), static_cast<std::uint32_t>(ATOM_QUEUE_IDLE));
}

TEST_F(inject_test, answers_of_the_admin_queue_can_be_corrupt)
{
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_NOP;
	const std::uint64_t seq = m.driver.admin(d).seq;
	arm("kind=corrupt-record,queue=0");
	EXPECT_EQ(m.driver.admin(d).seq, ~(seq + 1));
}

} // namespace atom::test
