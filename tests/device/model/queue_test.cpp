/* SPDX-License-Identifier: MIT */
/* Rings, completions and faults of descriptors. */
#include <vector>

#include "device_fixture.h"

namespace atom::test {

class queue_test : public device_test {
protected:
	std::uint32_t state(const job_queue &q)
	{
		return m.bus.read32(ATOM_REG_QUEUE(q.id()) + ATOM_QREG_STATE);
	}
};

TEST_F(queue_test, a_nop_retires_with_ok_and_its_cookie)
{
	job_queue q = m.make_queue();
	atom_ring_desc d = nop();
	d.cookie = 0x1122334455667788;
	const atom_cpl_record r = run(q, d);
	EXPECT_EQ(r.seq, 1u);
	EXPECT_EQ(r.status, ATOM_CPL_OK);
	EXPECT_EQ(r.cookie, 0x1122334455667788u);
	EXPECT_EQ(r.fault_code, ATOM_FAULT_NONE);
	EXPECT_GE(r.end_ns, r.start_ns);
	EXPECT_GT(r.modelled_ns, 0u);
	EXPECT_EQ(q.header().generation, 1u);
	EXPECT_EQ(q.header().state, static_cast<std::uint32_t>(ATOM_QUEUE_IDLE));
	EXPECT_EQ(m.bus.interrupts(1), 1u);
	EXPECT_EQ(state(q), static_cast<std::uint32_t>(ATOM_QUEUE_IDLE));
}

TEST_F(queue_test, a_good_job_interrupts_only_if_it_asks_for_it)
{
	job_queue q = m.make_queue();
	run(q, nop(0));
	EXPECT_EQ(m.bus.interrupts(1), 0u);
	run(q, nop(ATOM_DESC_IRQ));
	EXPECT_EQ(m.bus.interrupts(1), 1u);
}

TEST_F(queue_test, the_record_is_there_before_the_number_and_the_number_before_the_interrupt)
{
	bool checked = false;
	std::optional<job_queue> q;
	m.bus.on_irq = [&](std::uint32_t vector) {
		if (vector != 1)
			return;
		checked = true;
		EXPECT_EQ(q->seqno(), 1u);
		EXPECT_EQ(q->record(1).seq, 1u);
		EXPECT_EQ(q->record(1).status, ATOM_CPL_OK);
	};
	q.emplace(m.make_queue());
	run(*q, nop());
	EXPECT_TRUE(checked);
}

TEST_F(queue_test, descriptors_behind_one_doorbell_retire_in_order)
{
	job_queue q = m.make_queue();
	for (int i = 0; i < 64; ++i)
		q.push(nop(0));
	q.ring();
	ASSERT_TRUE(q.wait(64));
	for (std::uint64_t seq = 1; seq <= 64; ++seq)
		EXPECT_EQ(q.record(seq).seq, seq);
}

TEST_F(queue_test, a_ring_goes_round_many_times)
{
	job_queue q = m.make_queue(1, {.ring_log2 = 2});
	for (std::uint64_t seq = 1; seq <= 1001; ++seq) {
		atom_ring_desc d = nop(0);
		d.cookie = seq * 7;
		const atom_cpl_record r = run(q, d);
		ASSERT_EQ(r.seq, seq);
		ASSERT_EQ(r.cookie, seq * 7);
	}
	EXPECT_EQ(m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_HEAD), 1001u);
	EXPECT_EQ(m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_SEQNO), 1001u);
}

TEST_F(queue_test, sequence_numbers_go_on_from_where_the_driver_starts_them)
{
	const std::uint64_t start = 0xffff'fffeull;
	job_queue q = m.make_queue(1, {.ring_log2 = 2, .seq_start = start});
	for (std::uint64_t n = 1; n <= 9; ++n)
		EXPECT_EQ(run(q, nop()).seq, start + n);
	EXPECT_EQ(q.seqno(), start + 9);
}

TEST_F(queue_test, a_doorbell_without_work_or_without_queue_does_nothing)
{
	job_queue q = m.make_queue();
	q.ring();
	m.bus.doorbell(2);
	m.bus.doorbell(64);
	m.bus.doorbell(65);
	m.bus.doorbell(0xffffffff);
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0u);
	EXPECT_EQ(state(q), static_cast<std::uint32_t>(ATOM_QUEUE_IDLE));
	EXPECT_EQ(run(q, nop()).status, ATOM_CPL_OK);
}

TEST_F(queue_test, a_tail_more_than_a_ring_ahead_stops_the_queue)
{
	job_queue q = m.make_queue(1, {.ring_log2 = 3});
	q.set_tail(9);
	q.ring();
	m.bus.pump();
	EXPECT_EQ(state(q), static_cast<std::uint32_t>(ATOM_QUEUE_FAULTED));
	EXPECT_EQ(q.seqno(), 0u);
	const auto faults = m.driver.faults();
	ASSERT_EQ(faults.size(), 1u);
	EXPECT_EQ(faults[0].seq, 1u);
	EXPECT_EQ(faults[0].code, ATOM_FAULT_TAIL_RANGE);
	EXPECT_EQ(faults[0].where, ATOM_WHERE_RING);
	EXPECT_EQ(faults[0].queue, 1u);
	EXPECT_EQ(faults[0].queue_generation, 1u);
	EXPECT_EQ(faults[0].va, q.tail_address());
	EXPECT_EQ(m.bus.read32(ATOM_REG_QUEUE(1) + ATOM_QREG_FAULT_CODE), static_cast<std::uint32_t>(ATOM_FAULT_TAIL_RANGE));
}

TEST_F(queue_test, a_tail_behind_the_head_stops_the_queue)
{
	job_queue q = m.make_queue();
	run(q, nop());
	run(q, nop());
	q.set_tail(1);
	q.ring();
	m.bus.pump();
	EXPECT_EQ(state(q), static_cast<std::uint32_t>(ATOM_QUEUE_FAULTED));
	ASSERT_EQ(m.driver.faults().size(), 1u);
	EXPECT_EQ(m.driver.faults()[0].code, ATOM_FAULT_TAIL_RANGE);
}

TEST_F(queue_test, a_full_ring_is_not_too_much)
{
	job_queue q = m.make_queue(1, {.ring_log2 = 3});
	for (int i = 0; i < 8; ++i)
		q.push(nop(0));
	q.ring();
	EXPECT_TRUE(q.wait(8));
	EXPECT_TRUE(m.driver.faults().empty());
}

struct bad_descriptor {
	const char *name;
	void (*spoil)(atom_ring_desc &);
	std::uint32_t field;
};

std::ostream &operator<<(std::ostream &out, const bad_descriptor &b) { return out << b.name; }

class bad_descriptor_test : public ::testing::TestWithParam<bad_descriptor> {};

TEST_P(bad_descriptor_test, is_told_with_the_field_and_stops_only_its_queue)
{
	machine m;
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue(1);
	job_queue other = m.make_queue(2);
	command_bytes commands;
	commands.add(fill(arena_va, 64, 1));
	atom_ring_desc d = m.execute(commands);
	d.cookie = 99;
	GetParam().spoil(d);
	const std::uint64_t expected = d.seq ? d.seq : 1;
	d.seq = 0;
	const std::uint64_t seq = q.push(d);
	if (expected != 1)
		q.slot(seq).seq = expected;
	q.push(nop());
	q.ring();
	ASSERT_TRUE(q.wait(1));
	m.bus.pump();
	const atom_cpl_record r = q.record(1);
	EXPECT_EQ(r.status, ATOM_CPL_FAULT);
	EXPECT_EQ(r.fault_code, ATOM_FAULT_BAD_DESCRIPTOR);
	EXPECT_EQ(r.fault_where, ATOM_WHERE_DESCRIPTOR);
	EXPECT_EQ(r.fault_field, GetParam().field);
	EXPECT_EQ(r.fault_command, ATOM_COMMAND_NONE);
	EXPECT_EQ(r.cookie, 99u);
	EXPECT_EQ(q.seqno(), 1u) << "what is behind a fault must not run";
	EXPECT_EQ(q.header().state, static_cast<std::uint32_t>(ATOM_QUEUE_FAULTED));
	const auto faults = m.driver.faults();
	ASSERT_EQ(faults.size(), 1u);
	EXPECT_EQ(faults[0].code, ATOM_FAULT_BAD_DESCRIPTOR);
	EXPECT_EQ(faults[0].field_offset, GetParam().field);
	EXPECT_EQ(faults[0].desc_seq, 1u);
	EXPECT_EQ(faults[0].asid, asid);
	EXPECT_EQ(m.bus.interrupts(1), 1u);
	EXPECT_TRUE(m.bus.read32(ATOM_REG_INTR_CAUSE) & ATOM_INTR_FAULT);
	EXPECT_EQ(*m.arena<std::uint8_t>(0), 0u) << "a bad descriptor must not have run";

	const std::uint64_t good = other.submit(nop());
	ASSERT_TRUE(other.wait(good));
	EXPECT_EQ(other.record(good).status, ATOM_CPL_OK);
}

void spoil_nop(atom_ring_desc &d)
{
	d = nop();
	d.cookie = 99;
}

INSTANTIATE_TEST_SUITE_P(
	every_field, bad_descriptor_test,
	::testing::Values(
		bad_descriptor{"type_zero", [](atom_ring_desc &d) { d.type = 0; }, 0},
		bad_descriptor{"type_unknown", [](atom_ring_desc &d) { d.type = 3; }, 0},
		bad_descriptor{"flags", [](atom_ring_desc &d) { d.flags = 2; }, 2},
		bad_descriptor{"bytes_not_of_8", [](atom_ring_desc &d) { d.cmd_bytes += 4; }, 4},
		bad_descriptor{"bytes_small", [](atom_ring_desc &d) { d.cmd_bytes = 24; }, 4},
		bad_descriptor{"bytes_large", [](atom_ring_desc &d) { d.cmd_bytes = (16u << 20) + 8; }, 4},
		bad_descriptor{"cmd_va", [](atom_ring_desc &d) { d.cmd_va += 4; }, 8},
		bad_descriptor{"args_va_without_args", [](atom_ring_desc &d) { d.args_va = 8; }, 16},
		bad_descriptor{"args_va", [](atom_ring_desc &d) { d.args_va = 4; d.arg_count = 1; }, 16},
		bad_descriptor{"arg_count", [](atom_ring_desc &d) { d.args_va = 8; d.arg_count = 1025; }, 24},
		bad_descriptor{"reserved0", [](atom_ring_desc &d) { d.reserved0 = 1; }, 28},
		bad_descriptor{"result_va", [](atom_ring_desc &d) { d.result_va = 4; }, 32},
		bad_descriptor{"seq", [](atom_ring_desc &d) { d.seq = 2; }, 48},
		bad_descriptor{"reserved1", [](atom_ring_desc &d) { d.reserved1 = 1ull << 63; }, 56},
		bad_descriptor{"nop_bytes", [](atom_ring_desc &d) { spoil_nop(d); d.cmd_bytes = 32; }, 4},
		bad_descriptor{"nop_cmd_va", [](atom_ring_desc &d) { spoil_nop(d); d.cmd_va = 8; }, 8},
		bad_descriptor{"nop_args_va", [](atom_ring_desc &d) { spoil_nop(d); d.args_va = 8; }, 16},
		bad_descriptor{"nop_arg_count", [](atom_ring_desc &d) { spoil_nop(d); d.arg_count = 1; }, 24},
		bad_descriptor{"nop_result_va", [](atom_ring_desc &d) { spoil_nop(d); d.result_va = 8; }, 32}),
	[](const auto &info) { return info.param.name; });

TEST_F(queue_test, a_result_address_gets_a_copy_of_the_record)
{
	job_queue q = m.make_queue();
	command_bytes commands;
	commands.add(fill(arena_va, 64, 1));
	atom_ring_desc d = m.execute(commands);
	d.result_va = host_va + 0x1000;
	d.cookie = 5;
	const atom_cpl_record r = run(q, d);
	EXPECT_EQ(r.status, ATOM_CPL_OK);
	EXPECT_EQ(std::memcmp(m.host<atom_cpl_record>(0x1000), &r, sizeof r), 0);
}

TEST_F(queue_test, a_result_address_that_faults_makes_the_job_a_fault)
{
	job_queue q = m.make_queue();
	command_bytes commands;
	commands.add(fill(arena_va, 64, 1));
	atom_ring_desc d = m.execute(commands);
	d.result_va = 0x4000'0000;
	const atom_cpl_record r = run(q, d);
	EXPECT_EQ(r.status, ATOM_CPL_FAULT);
	EXPECT_EQ(r.fault_code, ATOM_FAULT_NOT_PRESENT);
	EXPECT_EQ(r.fault_where, ATOM_WHERE_DESCRIPTOR);
	EXPECT_EQ(r.fault_field, offsetof(atom_ring_desc, result_va));
	EXPECT_EQ(r.fault_va, 0x4000'0000u);
	EXPECT_EQ(state(q), static_cast<std::uint32_t>(ATOM_QUEUE_FAULTED));
}

TEST_F(queue_test, a_ring_that_cannot_be_read_stops_its_queue_with_a_dma_error)
{
	job_queue q = m.make_queue(1);
	job_queue other = m.make_queue(2);
	m.bus.fail_dma(q.ring_address(), 64);
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(state(q), static_cast<std::uint32_t>(ATOM_QUEUE_FAULTED));
	ASSERT_EQ(m.driver.faults().size(), 1u);
	EXPECT_EQ(m.driver.faults()[0].code, ATOM_FAULT_DMA_ERROR);
	EXPECT_EQ(m.driver.faults()[0].where, ATOM_WHERE_RING);
	EXPECT_EQ(run(other, nop()).status, ATOM_CPL_OK);
}

TEST_F(queue_test, a_completion_area_that_cannot_be_written_stops_its_queue)
{
	job_queue q = m.make_queue(1);
	m.bus.fail_dma(q.completion_address(), 4096);
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(state(q), static_cast<std::uint32_t>(ATOM_QUEUE_FAULTED));
	EXPECT_EQ(q.seqno(), 0u);
}

TEST_F(queue_test, a_fault_whose_record_cannot_be_written_is_told_by_the_fifo_and_its_interrupt)
{
	job_queue q = m.make_queue();
	m.bus.fail_dma(q.completion_address(), ATOM_CPL_AREA_BYTES(6));
	atom_ring_desc bad = nop();
	bad.type = 99;
	q.submit(bad);
	m.bus.pump();
	m.bus.heal_dma();
	EXPECT_EQ(state(q), static_cast<std::uint32_t>(ATOM_QUEUE_FAULTED));
	ASSERT_EQ(m.driver.faults().size(), 1u);
	EXPECT_EQ(m.driver.faults()[0].code, ATOM_FAULT_BAD_DESCRIPTOR);
	EXPECT_NE(m.bus.read32(ATOM_REG_INTR_CAUSE) & ATOM_INTR_FAULT, 0u);
}

TEST_F(queue_test, a_reset_retires_what_is_outstanding_as_aborted_and_the_queue_works_again)
{
	job_queue q = m.make_queue();
	atom_ring_desc bad = nop();
	bad.flags = 0x80;
	q.push(bad);
	for (std::uint64_t cookie = 2; cookie <= 10; ++cookie) {
		atom_ring_desc d = nop();
		d.cookie = cookie;
		q.push(d);
	}
	q.ring();
	ASSERT_TRUE(q.wait(1));
	m.bus.pump();
	ASSERT_EQ(q.seqno(), 1u);
	ASSERT_TRUE(m.driver.queue_reset(1, 77));
	EXPECT_EQ(q.seqno(), 10u);
	for (std::uint64_t seq = 2; seq <= 10; ++seq) {
		const atom_cpl_record r = q.record(seq);
		EXPECT_EQ(r.seq, seq);
		EXPECT_EQ(r.status, ATOM_CPL_ABORTED);
		EXPECT_EQ(r.fault_code, ATOM_FAULT_ABORTED);
		EXPECT_EQ(r.cookie, seq);
	}
	EXPECT_EQ(q.header().generation, 77u);
	EXPECT_EQ(q.header().state, static_cast<std::uint32_t>(ATOM_QUEUE_IDLE));
	EXPECT_EQ(m.bus.read32(ATOM_REG_QUEUE(1) + ATOM_QREG_GENERATION), 77u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_QUEUE(1) + ATOM_QREG_FAULT_CODE), 0u);
	EXPECT_EQ(run(q, nop()).status, ATOM_CPL_OK);
}

TEST_F(queue_test, a_reset_does_not_believe_a_tail_that_cannot_be)
{
	job_queue q = m.make_queue();
	run(q, nop());
	q.set_tail(~0ull);
	ASSERT_TRUE(m.driver.queue_reset(1, 2));
	EXPECT_EQ(q.seqno(), 1u);
	q.set_tail(1);
	EXPECT_EQ(run(q, nop()).seq, 2u);
}

TEST_F(queue_test, a_destroyed_queue_is_not_touched_any_more)
{
	job_queue q = m.make_queue();
	run(q, nop());
	ASSERT_TRUE(m.driver.queue_destroy(1));
	EXPECT_EQ(state(q), static_cast<std::uint32_t>(ATOM_QUEUE_NONE));
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 1u);
}

TEST_F(queue_test, a_queue_id_can_be_used_again)
{
	for (std::uint32_t life = 1; life <= 20; ++life) {
		job_queue q = m.make_queue(1, {.generation = life});
		EXPECT_EQ(run(q, nop()).seq, 1u);
		EXPECT_EQ(q.header().generation, life);
		ASSERT_TRUE(m.driver.queue_destroy(1));
	}
}

TEST_F(queue_test, a_full_fault_fifo_drops_and_counts)
{
	machine small;
	ASSERT_TRUE(small.driver.bring_up(1));
	ASSERT_TRUE(small.driver.asid_set(asid, *small.tables));
	std::vector<job_queue> queues;
	for (std::uint32_t id = 1; id <= 5; ++id)
		queues.push_back(small.make_queue(id));
	for (job_queue &q : queues) {
		atom_ring_desc bad = nop();
		bad.reserved1 = 1;
		q.submit(bad);
		ASSERT_TRUE(q.wait(1));
		EXPECT_EQ(q.record(1).status, ATOM_CPL_FAULT) << "the record tells it even if the FIFO cannot";
	}
	EXPECT_EQ(small.bus.read64(ATOM_REG_FAULT_TAIL), 2u);
	EXPECT_EQ(small.bus.read32(ATOM_REG_FAULT_LOST), 3u);
	small.bus.write64(ATOM_REG_FAULT_HEAD, 3);
	EXPECT_EQ(small.bus.read64(ATOM_REG_FAULT_HEAD), 0u) << "a head beyond the tail is refused";
	small.bus.write64(ATOM_REG_FAULT_HEAD, 2);
	ASSERT_TRUE(small.driver.queue_reset(1, 2));
	atom_ring_desc bad = nop();
	bad.reserved1 = 1;
	queues[0].submit(bad);
	ASSERT_TRUE(queues[0].wait(2));
	const auto faults = small.driver.faults();
	ASSERT_EQ(faults.size(), 2u);
	EXPECT_EQ(faults.back().seq, 3u);
	EXPECT_EQ(faults.back().queue, 1u);
	EXPECT_EQ(faults.back().queue_generation, 2u);
}

} // namespace atom::test
