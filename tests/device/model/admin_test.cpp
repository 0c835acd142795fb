/* SPDX-License-Identifier: MIT */
/* The admin queue: what each opcode does, and every misuse of it. */
#include <functional>

#include "device_fixture.h"

namespace atom::test {

class admin_test : public device_test {
protected:
	static atom_admin_desc make(std::uint16_t opcode, std::uint32_t id = 0)
	{
		atom_admin_desc d{};
		d.opcode = opcode;
		d.id = id;
		return d;
	}
};

TEST_F(admin_test, a_nop_retires_in_order_with_its_number)
{
	const std::uint64_t first = m.driver.admin_push(make(ATOM_ADMIN_NOP));
	const std::uint64_t second = m.driver.admin_push(make(ATOM_ADMIN_NOP));
	ASSERT_TRUE(m.driver.admin_wait(second));
	EXPECT_EQ(m.driver.admin_record(first).seq, first);
	EXPECT_EQ(m.driver.admin_record(first).status, ATOM_CPL_OK);
	EXPECT_EQ(second, first + 1);
	EXPECT_EQ(m.bus.read64(ATOM_REG_QUEUE(0) + ATOM_QREG_SEQNO), second);
}

TEST_F(admin_test, the_ring_goes_round_many_times)
{
	for (int i = 0; i < 500; ++i)
		ASSERT_EQ(m.driver.admin(make(ATOM_ADMIN_NOP)).status, ATOM_CPL_OK);
}

TEST_F(admin_test, an_interrupt_comes_if_it_is_asked_for)
{
	m.driver.admin(make(ATOM_ADMIN_NOP));
	EXPECT_EQ(m.bus.interrupts(0), 0u);
	atom_admin_desc d = make(ATOM_ADMIN_NOP);
	d.flags = ATOM_DESC_IRQ;
	m.driver.admin(d);
	EXPECT_EQ(m.bus.interrupts(0), 1u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_INTR_CAUSE), static_cast<std::uint32_t>(ATOM_INTR_ADMIN));
}

TEST_F(admin_test, an_asid_cannot_be_cleared_while_a_queue_uses_it)
{
	m.make_queue();
	EXPECT_FALSE(m.driver.asid_clear(asid));
	EXPECT_FALSE(m.driver.asid_clear(ATOM_ASID_DRIVER));
	ASSERT_TRUE(m.driver.queue_destroy(1));
	EXPECT_TRUE(m.driver.asid_clear(asid));
	EXPECT_FALSE(m.driver.asid_clear(asid)) << "it is not set any more";
}

TEST_F(admin_test, mem_clear_zeroes_what_it_says_and_nothing_else)
{
	std::memset(m.bus.dram(), 0xee, 32 << 20);
	atom_admin_desc d = make(ATOM_ADMIN_MEM_CLEAR);
	d.mem_clear.address = 4096;
	d.mem_clear.bytes = 20 << 20;
	d.mem_clear.aperture = ATOM_APERTURE_LOCAL;
	ASSERT_EQ(m.driver.admin(d).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>(4095), 0xeeu);
	for (std::uint64_t i = 4096; i < (20u << 20) + 4096; ++i)
		ASSERT_EQ(*m.arena<std::uint8_t>(i), 0u) << i;
	EXPECT_EQ(*m.arena<std::uint8_t>((20 << 20) + 4096), 0xeeu);
}

TEST_F(admin_test, mem_clear_zeroes_device_memory_above_the_window)
{
	machine small({.dram_size = 64ull << 20, .dram_window = 16ull << 20});
	ASSERT_TRUE(small.ready);
	std::memset(small.bus.dram() + (32 << 20), 0xee, 8192);
	atom_admin_desc d = make(ATOM_ADMIN_MEM_CLEAR);
	d.mem_clear.address = 32 << 20;
	d.mem_clear.bytes = 4096;
	d.mem_clear.aperture = ATOM_APERTURE_LOCAL;
	ASSERT_EQ(small.driver.admin(d).status, ATOM_CPL_OK);
	EXPECT_EQ(*small.arena<std::uint8_t>(32 << 20), 0u);
	EXPECT_EQ(*small.arena<std::uint8_t>((32 << 20) + 4096), 0xeeu);
}

TEST_F(admin_test, mem_clear_zeroes_shm)
{
	const std::uint64_t shm_va = 0x30'0000'0000;
	m.tables->map(shm_va, 4 << 20, ATOM_APERTURE_SHM, 0);
	job_queue q = m.make_queue();
	command_bytes dirty;
	dirty.add(fill(shm_va, 4 << 20, 7));
	ASSERT_EQ(run(q, dirty).status, ATOM_CPL_OK);
	atom_admin_desc d = make(ATOM_ADMIN_MEM_CLEAR);
	d.mem_clear.bytes = 4 << 20;
	d.mem_clear.aperture = ATOM_APERTURE_SHM;
	ASSERT_EQ(m.driver.admin(d).status, ATOM_CPL_OK);
	std::memset(m.bus.dram(), 0xee, 4 << 20);
	command_bytes look;
	look.add(copy_bytes(shm_va, arena_va, 4 << 20));
	ASSERT_EQ(run(q, look).status, ATOM_CPL_OK);
	for (std::uint64_t i = 0; i < 4u << 20; ++i)
		ASSERT_EQ(*m.arena<std::uint8_t>(i), 0u) << i;
}

TEST_F(admin_test, a_tail_out_of_range_is_fatal_until_a_reset)
{
	atom_admin_desc nop_desc = make(ATOM_ADMIN_NOP);
	*m.driver.at<std::uint64_t>(m.bus.read64(ATOM_REG_ADMIN_TAIL)) = 1000;
	m.bus.doorbell(0);
	m.bus.pump();
	EXPECT_TRUE(m.bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_FATAL);
	EXPECT_EQ(m.bus.read32(ATOM_REG_ERROR_CODE), static_cast<std::uint32_t>(ATOM_FAULT_TAIL_RANGE));
	EXPECT_TRUE(m.bus.read32(ATOM_REG_INTR_CAUSE) & ATOM_INTR_FATAL);
	EXPECT_EQ(m.bus.interrupts(0), 1u);
	ASSERT_TRUE(m.driver.bring_up());
	EXPECT_EQ(m.driver.admin(nop_desc).status, ATOM_CPL_OK);
}

TEST_F(admin_test, a_ring_that_cannot_be_read_is_fatal)
{
	m.bus.set_bus_master(false);
	m.driver.admin_push(make(ATOM_ADMIN_NOP));
	m.bus.pump();
	EXPECT_TRUE(m.bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_FATAL);
	EXPECT_EQ(m.bus.read32(ATOM_REG_ERROR_CODE), static_cast<std::uint32_t>(ATOM_FAULT_DMA_ERROR));
	m.bus.set_bus_master(true);
	ASSERT_TRUE(m.driver.bring_up());
}

TEST_F(admin_test, disabling_stops_fetching_and_enabling_goes_on)
{
	job_queue q = m.make_queue();
	m.bus.write32(ATOM_REG_CTRL, 0);
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0u);
	m.bus.write32(ATOM_REG_CTRL, ATOM_CTRL_ENABLE);
	q.ring();
	EXPECT_TRUE(q.wait(1));
	EXPECT_EQ(m.driver.admin(make(ATOM_ADMIN_NOP)).status, ATOM_CPL_OK);
}

struct misuse {
	const char *name;
	std::uint16_t code;
	std::uint32_t field;
	std::uint16_t opcode;
	std::uint32_t id;
	void (*spoil)(atom_admin_desc &);
};

std::ostream &operator<<(std::ostream &out, const misuse &t) { return out << t.name; }

class admin_misuse_test : public ::testing::TestWithParam<misuse> {};

/* Queue 1 exists; ASIDs 0 and 1 are set. QUEUE_CREATE begins as a good one for queue 2. */
TEST_P(admin_misuse_test, is_refused_with_code_and_field_and_changes_nothing)
{
	const misuse &p = GetParam();
	machine m;
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue(1);
	job_queue second(m.driver, 2, asid, {});
	atom_admin_desc d{};
	if (p.opcode == ATOM_ADMIN_QUEUE_CREATE)
		d = second.create_desc();
	d.opcode = p.opcode;
	d.id = p.id;
	if (p.spoil)
		p.spoil(d);
	const atom_cpl_record r = m.driver.admin(d);
	EXPECT_EQ(r.status, ATOM_CPL_FAULT);
	EXPECT_EQ(r.fault_code, p.code);
	EXPECT_EQ(r.fault_where, ATOM_WHERE_DESCRIPTOR);
	EXPECT_EQ(r.fault_field, p.field);
	EXPECT_TRUE(m.driver.faults().empty()) << "admin errors are not put into the FIFO";
	EXPECT_EQ(m.bus.read32(ATOM_REG_QUEUE(2) + ATOM_QREG_STATE), 0u);

	const std::uint64_t seq = q.submit(nop());
	ASSERT_TRUE(q.wait(seq));
	EXPECT_EQ(q.record(seq).status, ATOM_CPL_OK);
	EXPECT_TRUE(m.driver.create(second)) << "nothing was changed: the good descriptor works";
}

#define FIELD(member) static_cast<std::uint32_t>(offsetof(atom_admin_desc, member))

const misuse misuses[] = {
	{"opcode_0", ATOM_FAULT_ADMIN_OPCODE, 0, 0, 0, nullptr},
	{"opcode_unknown", ATOM_FAULT_ADMIN_OPCODE, 0, 10, 0, nullptr},
	{"opcode_vf_config", ATOM_FAULT_ADMIN_OPCODE, 0, ATOM_ADMIN_VF_CONFIG, 0, nullptr},
	{"flags", ATOM_FAULT_ADMIN_FIELD, 2, ATOM_ADMIN_NOP, 0, [](atom_admin_desc &d) { d.flags = 2; }},
	{"nop_id", ATOM_FAULT_ADMIN_FIELD, 4, ATOM_ADMIN_NOP, 1, nullptr},
	{"nop_unused", ATOM_FAULT_ADMIN_FIELD, 52, ATOM_ADMIN_NOP, 0, [](atom_admin_desc &d) { d.raw[5] = 1ull << 40; }},
	{"asid_set_id", ATOM_FAULT_ADMIN_ID, 4, ATOM_ADMIN_ASID_SET, 64, nullptr},
	{"asid_set_root", ATOM_FAULT_ADMIN_FIELD, FIELD(asid_set.root), ATOM_ADMIN_ASID_SET, 2,
	 [](atom_admin_desc &d) { d.asid_set.root = 2048; }},
	{"asid_set_root_high", ATOM_FAULT_ADMIN_FIELD, FIELD(asid_set.root), ATOM_ADMIN_ASID_SET, 2,
	 [](atom_admin_desc &d) { d.asid_set.root = 1ull << 52; }},
	{"asid_set_shm", ATOM_FAULT_ADMIN_FIELD, FIELD(asid_set.aperture), ATOM_ADMIN_ASID_SET, 2,
	 [](atom_admin_desc &d) { d.asid_set.aperture = ATOM_APERTURE_SHM; }},
	{"asid_set_root_beyond_dram", ATOM_FAULT_ADMIN_FIELD, FIELD(asid_set.aperture), ATOM_ADMIN_ASID_SET, 2,
	 [](atom_admin_desc &d) { d.asid_set.aperture = ATOM_APERTURE_LOCAL; d.asid_set.root = 64 << 20; }},
	{"asid_set_flags", ATOM_FAULT_ADMIN_FIELD, FIELD(asid_set.flags), ATOM_ADMIN_ASID_SET, 2,
	 [](atom_admin_desc &d) { d.asid_set.flags = 2; }},
	{"asid_set_identity_of_a_job", ATOM_FAULT_ADMIN_FIELD, FIELD(asid_set.flags), ATOM_ADMIN_ASID_SET, 2,
	 [](atom_admin_desc &d) { d.asid_set.flags = ATOM_ASID_IDENTITY; }},
	{"asid_set_reserved", ATOM_FAULT_ADMIN_FIELD, FIELD(asid_set.reserved), ATOM_ADMIN_ASID_SET, 2,
	 [](atom_admin_desc &d) { d.asid_set.reserved[0] = 1; }},
	{"asid_clear_id", ATOM_FAULT_ADMIN_ID, 4, ATOM_ADMIN_ASID_CLEAR, 64, nullptr},
	{"asid_clear_not_set", ATOM_FAULT_ADMIN_STATE, 4, ATOM_ADMIN_ASID_CLEAR, 2, nullptr},
	{"asid_clear_used", ATOM_FAULT_ADMIN_STATE, 4, ATOM_ADMIN_ASID_CLEAR, 1, nullptr},
	{"tlb_id", ATOM_FAULT_ADMIN_ID, 4, ATOM_ADMIN_TLB_INVALIDATE, 64, nullptr},
	{"tlb_va", ATOM_FAULT_ADMIN_FIELD, FIELD(tlb.va), ATOM_ADMIN_TLB_INVALIDATE, 1,
	 [](atom_admin_desc &d) { d.tlb.va = 100; }},
	{"tlb_va_high", ATOM_FAULT_ADMIN_FIELD, FIELD(tlb.va), ATOM_ADMIN_TLB_INVALIDATE, 1,
	 [](atom_admin_desc &d) { d.tlb.va = 1ull << 48; }},
	{"tlb_bytes", ATOM_FAULT_ADMIN_FIELD, FIELD(tlb.bytes), ATOM_ADMIN_TLB_INVALIDATE, 1,
	 [](atom_admin_desc &d) { d.tlb.bytes = 1; }},
	{"tlb_bytes_beyond", ATOM_FAULT_ADMIN_FIELD, FIELD(tlb.bytes), ATOM_ADMIN_TLB_INVALIDATE, 1,
	 [](atom_admin_desc &d) { d.tlb.va = 4096; d.tlb.bytes = 1ull << 48; }},
	{"create_id_0", ATOM_FAULT_ADMIN_ID, 4, ATOM_ADMIN_QUEUE_CREATE, 0, nullptr},
	{"create_id_beyond", ATOM_FAULT_ADMIN_ID, 4, ATOM_ADMIN_QUEUE_CREATE, 65, nullptr},
	{"create_exists", ATOM_FAULT_ADMIN_STATE, 4, ATOM_ADMIN_QUEUE_CREATE, 1, nullptr},
	{"create_ring", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.ring_va), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.ring_va += 8; }},
	{"create_ring_wraps", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.ring_va), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.ring_va = ~63ull; }},
	{"create_tail", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.tail_va), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.tail_va += 4; }},
	{"create_completion", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.completion_va), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.completion_va += 32; }},
	{"create_completion_wraps", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.completion_va), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.completion_va = ~63ull; }},
	{"create_seq", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.seq_start), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.seq_start = ~0ull; }},
	{"create_job_asid_0", ATOM_FAULT_ADMIN_ID, FIELD(queue_create.job_asid), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.job_asid = 0; }},
	{"create_job_asid_beyond", ATOM_FAULT_ADMIN_ID, FIELD(queue_create.job_asid), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.job_asid = 64; }},
	{"create_job_asid_not_set", ATOM_FAULT_ADMIN_STATE, FIELD(queue_create.job_asid), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.job_asid = 9; }},
	{"create_ring_asid_beyond", ATOM_FAULT_ADMIN_ID, FIELD(queue_create.ring_asid), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.ring_asid = 0xffff; }},
	{"create_ring_asid_not_set", ATOM_FAULT_ADMIN_STATE, FIELD(queue_create.ring_asid), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.ring_asid = 9; }},
	{"create_vector", ATOM_FAULT_ADMIN_ID, FIELD(queue_create.vector), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.vector = 65; }},
	{"create_log2_0", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.ring_log2), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.ring_log2 = 0; }},
	{"create_log2_large", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.ring_log2), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.ring_log2 = 255; }},
	{"create_priority", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.priority), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.priority = 4; }},
	{"create_flags", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_create.flags), ATOM_ADMIN_QUEUE_CREATE, 2,
	 [](atom_admin_desc &d) { d.queue_create.flags = ATOM_QUEUE_USER; }},
	{"destroy_id", ATOM_FAULT_ADMIN_ID, 4, ATOM_ADMIN_QUEUE_DESTROY, 65, nullptr},
	{"destroy_admin", ATOM_FAULT_ADMIN_ID, 4, ATOM_ADMIN_QUEUE_DESTROY, 0, nullptr},
	{"destroy_not_created", ATOM_FAULT_ADMIN_STATE, 4, ATOM_ADMIN_QUEUE_DESTROY, 2, nullptr},
	{"destroy_unused", ATOM_FAULT_ADMIN_FIELD, 8, ATOM_ADMIN_QUEUE_DESTROY, 1, [](atom_admin_desc &d) { d.raw[0] = 1; }},
	{"reset_id", ATOM_FAULT_ADMIN_ID, 4, ATOM_ADMIN_QUEUE_RESET, 0, nullptr},
	{"reset_not_created", ATOM_FAULT_ADMIN_STATE, 4, ATOM_ADMIN_QUEUE_RESET, 2, nullptr},
	{"reset_reserved", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_reset.reserved), ATOM_ADMIN_QUEUE_RESET, 1,
	 [](atom_admin_desc &d) { d.queue_reset.reserved[0] = 1; }},
	{"priority_id", ATOM_FAULT_ADMIN_ID, 4, ATOM_ADMIN_QUEUE_PRIORITY, 100, nullptr},
	{"priority_not_created", ATOM_FAULT_ADMIN_STATE, 4, ATOM_ADMIN_QUEUE_PRIORITY, 2, nullptr},
	{"priority_value", ATOM_FAULT_ADMIN_FIELD, FIELD(queue_priority.priority), ATOM_ADMIN_QUEUE_PRIORITY, 1,
	 [](atom_admin_desc &d) { d.queue_priority.priority = 4; }},
	{"clear_id", ATOM_FAULT_ADMIN_FIELD, 4, ATOM_ADMIN_MEM_CLEAR, 1,
	 [](atom_admin_desc &d) { d.mem_clear.bytes = 4096; d.mem_clear.aperture = 1; }},
	{"clear_address", ATOM_FAULT_ADMIN_FIELD, FIELD(mem_clear.address), ATOM_ADMIN_MEM_CLEAR, 0,
	 [](atom_admin_desc &d) { d.mem_clear.address = 8; d.mem_clear.bytes = 4096; d.mem_clear.aperture = 1; }},
	{"clear_beyond", ATOM_FAULT_ADMIN_FIELD, FIELD(mem_clear.address), ATOM_ADMIN_MEM_CLEAR, 0,
	 [](atom_admin_desc &d) { d.mem_clear.address = (64 << 20) - 4096; d.mem_clear.bytes = 8192; d.mem_clear.aperture = 1; }},
	{"clear_wraps", ATOM_FAULT_ADMIN_FIELD, FIELD(mem_clear.address), ATOM_ADMIN_MEM_CLEAR, 0,
	 [](atom_admin_desc &d) { d.mem_clear.address = ~4095ull; d.mem_clear.bytes = 8192; d.mem_clear.aperture = 1; }},
	{"clear_nothing", ATOM_FAULT_ADMIN_FIELD, FIELD(mem_clear.bytes), ATOM_ADMIN_MEM_CLEAR, 0,
	 [](atom_admin_desc &d) { d.mem_clear.aperture = 1; }},
	{"clear_bytes", ATOM_FAULT_ADMIN_FIELD, FIELD(mem_clear.bytes), ATOM_ADMIN_MEM_CLEAR, 0,
	 [](atom_admin_desc &d) { d.mem_clear.bytes = 100; d.mem_clear.aperture = 1; }},
	{"clear_system", ATOM_FAULT_ADMIN_FIELD, FIELD(mem_clear.aperture), ATOM_ADMIN_MEM_CLEAR, 0,
	 [](atom_admin_desc &d) { d.mem_clear.bytes = 4096; }},
};

INSTANTIATE_TEST_SUITE_P(table, admin_misuse_test, ::testing::ValuesIn(misuses),
			 [](const auto &info) { return info.param.name; });

TEST_F(admin_test, a_wrong_sequence_number_is_refused)
{
	m.driver.admin_push(make(ATOM_ADMIN_NOP));
	m.bus.pump();
	const std::uint64_t ring = m.bus.read64(ATOM_REG_ADMIN_RING);
	const std::uint64_t tail = m.bus.read64(ATOM_REG_ADMIN_TAIL);
	const std::uint64_t next = *m.driver.at<std::uint64_t>(tail) + 1;
	atom_admin_desc d = make(ATOM_ADMIN_NOP);
	d.seq = next + 1;
	*m.driver.at<atom_admin_desc>(ring + (next - 1) % 32 * sizeof d) = d;
	*m.driver.at<std::uint64_t>(tail) = next;
	m.bus.doorbell(0);
	ASSERT_TRUE(m.driver.admin_wait(next));
	EXPECT_EQ(m.driver.admin_record(next).fault_code, ATOM_FAULT_ADMIN_FIELD);
	EXPECT_EQ(m.driver.admin_record(next).fault_field, offsetof(atom_admin_desc, seq));
}

} // namespace atom::test
