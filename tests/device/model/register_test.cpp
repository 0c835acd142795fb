/* SPDX-License-Identifier: MIT */
/* BAR0: every register's reset value, width and access, and bring-up. */
#include <map>
#include <set>

#include "atom/hw/pci.h"
#include "device_fixture.h"

namespace atom::test {

namespace {

constexpr std::uint64_t any = ~0ull; ///< reset value is not a constant

struct expected {
	const char *name;
	std::uint32_t offset;
	unsigned bits;
	bool writable;
	std::uint64_t reset;
};

/* The specification's table, written down once more: the model has its own. */
const expected map[] = {
	{"MAGIC", 0x0000, 32, false, 0x4d4f5441},
	{"VERSION", 0x0004, 32, false, 0x00010000},
	{"VERSION_MIN", 0x0008, 32, false, 0x00010000},
	{"DRIVER_VERSION", 0x000c, 32, true, 0},
	{"FW_VERSION", 0x0010, 32, false, any},
	{"PLATFORM", 0x0014, 32, false, 2},
	{"FUNCTION", 0x0018, 32, false, 0},
	{"CAPS", 0x0020, 64, false, 0x1f},
	{"OPCODES0", 0x0030, 64, false, any},
	{"OPCODES1", 0x0038, 64, false, any},
	{"OPCODES2", 0x0040, 64, false, any},
	{"OPCODES3", 0x0048, 64, false, any},
	{"DTYPES", 0x0050, 64, false, any},
	{"SERIAL", 0x0058, 64, false, 1},
	{"UUID0", 0x0060, 64, false, any},
	{"UUID1", 0x0068, 64, false, any},
	{"NUM_QUEUES", 0x0080, 32, false, 64},
	{"NUM_ASIDS", 0x0084, 32, false, 64},
	{"NUM_VECTORS", 0x0088, 32, false, 65},
	{"RING_LOG2_MAX", 0x008c, 32, false, 12},
	{"DOORBELL_LOG2", 0x0090, 32, false, 12},
	{"VA_BITS", 0x0094, 32, false, 48},
	{"DMA_BITS", 0x0098, 32, false, 52},
	{"PAGE_SIZES", 0x009c, 32, false, 0x00211000},
	{"DRAM_SIZE", 0x00a0, 64, false, 64u << 20},
	{"DRAM_WINDOW", 0x00a8, 64, false, 64u << 20},
	{"SHM_SIZE", 0x00b0, 64, false, 4u << 20},
	{"CMDBUF_BYTES_MAX", 0x00b8, 32, false, 16u << 20},
	{"ARGS_MAX", 0x00bc, 32, false, 1024},
	{"MACS_LOG2_MAX", 0x00c0, 32, false, 36},
	{"NUM_ENGINES", 0x00c4, 32, false, 8},
	{"CTRL", 0x0100, 32, false, 0},
	{"STATUS", 0x0104, 32, false, 1},
	{"ERROR_CODE", 0x0108, 32, false, 0},
	{"GENERATION", 0x010c, 32, false, 0},
	{"TIMESTAMP", 0x0110, 64, false, any},
	{"INTR_CAUSE", 0x0120, 32, false, 0},
	{"INTR_MASK", 0x0124, 32, true, 0},
	{"INTR_MODERATION", 0x0128, 32, false, 0},
	{"ADMIN_RING", 0x0140, 64, true, 0},
	{"ADMIN_TAIL", 0x0148, 64, true, 0},
	{"ADMIN_COMPLETION", 0x0150, 64, true, 0},
	{"ADMIN_LOG2", 0x0158, 32, true, 0},
	{"FAULT_BASE", 0x0160, 64, false, 0},
	{"FAULT_LOG2", 0x0168, 32, false, 0},
	{"FAULT_TAIL", 0x0170, 64, false, 0},
	{"FAULT_HEAD", 0x0178, 64, false, 0},
	{"FAULT_LOST", 0x0180, 32, false, 0},
	{"TEMPERATURE", 0x0200, 32, false, any},
	{"TEMP_THROTTLE", 0x0204, 32, false, 75000},
	{"TEMP_ABORT", 0x0208, 32, false, 85000},
	{"TEMP_SHUTDOWN", 0x020c, 32, false, 115000},
	{"POWER", 0x0210, 32, false, any},
	{"PSTATE", 0x0214, 32, false, 14},
	{"THROTTLE", 0x0218, 32, false, 0},
	{"UTILISATION", 0x021c, 32, false, 0},
	{"ENERGY", 0x0220, 64, false, any},
	{"CLOCK_CP", 0x0228, 32, false, any},
	{"CLOCK_NE0", 0x022c, 32, false, any},
	{"CLOCK_NE1", 0x0230, 32, false, any},
	{"CLOCK_BUS", 0x0234, 32, false, any},
	{"CLOCK_SHM", 0x0238, 32, false, any},
	{"BUSY_COMPUTE", 0x0240, 64, false, 0},
	{"BUSY_DMA", 0x0248, 64, false, 0},
	{"MODELLED_BUSY", 0x0250, 64, false, 0},
	{"DRAM_READ", 0x0258, 64, false, 0},
	{"DRAM_WRITE", 0x0260, 64, false, 0},
	{"DMA_READ", 0x0268, 64, false, 0},
	{"DMA_WRITE", 0x0270, 64, false, 0},
	{"ECC_CE", 0x0278, 32, false, 0},
	{"ECC_UE", 0x027c, 32, false, 0},
	{"JOBS_DONE", 0x0280, 64, false, 0},
	{"MACS", 0x0288, 64, false, 0},
	{"MODELLED_COMPUTE", 0x0290, 64, false, 0},
	{"MODELLED_DRAM", 0x0298, 64, false, 0},
	{"MODELLED_LINK", 0x02a0, 64, false, 0},
};

std::uint64_t read_of(host_bus &bus, const expected &e)
{
	return e.bits == 64 ? bus.read64(e.offset) : bus.read32(e.offset);
}

} // namespace

TEST(register_map, every_register_has_its_reset_value)
{
	host_bus bus({.manual_clock = true});
	for (const expected &e : map) {
		if (e.reset != any) {
			EXPECT_EQ(read_of(bus, e), e.reset) << e.name;
		}
	}
}

TEST(register_map, read_only_registers_ignore_writes)
{
	host_bus bus({.manual_clock = true});
	for (const expected &e : map) {
		if (e.writable || e.offset == ATOM_REG_CTRL || e.offset == ATOM_REG_FAULT_BASE ||
		    e.offset == ATOM_REG_FAULT_LOG2)
			continue;
		const std::uint64_t before = read_of(bus, e);
		bus.write(e.offset, ~before, e.bits / 8);
		bus.write(e.offset, 0, e.bits / 8);
		EXPECT_EQ(read_of(bus, e), before) << e.name;
	}
}

TEST(register_map, writable_registers_keep_what_is_written)
{
	host_bus bus({});
	for (const expected &e : map) {
		if (!e.writable)
			continue;
		const std::uint64_t value = e.bits == 64 ? 0x0123'4567'89ab'cdc0u : 0x0001'0000u;
		bus.write(e.offset, value, e.bits / 8);
		EXPECT_EQ(read_of(bus, e), value) << e.name;
	}
}

TEST(register_map, the_halves_of_a_64_bit_register_can_be_written_apart)
{
	host_bus bus({});
	bus.write32(ATOM_REG_ADMIN_RING, 0x1111'1140);
	bus.write32(ATOM_REG_ADMIN_RING + 4, 0x2222);
	EXPECT_EQ(bus.read64(ATOM_REG_ADMIN_RING), 0x2222'1111'1140u);
	bus.write32(ATOM_REG_ADMIN_RING, 0x80);
	EXPECT_EQ(bus.read64(ATOM_REG_ADMIN_RING), 0x2222'0000'0080u);
}

TEST(register_map, reading_the_low_half_latches_the_high_half)
{
	host_bus bus({.manual_clock = true});
	bus.advance(0xffff'fff0u - bus.now_ns());
	EXPECT_EQ(bus.read32(ATOM_REG_TIMESTAMP), 0xffff'fff0u);
	bus.advance(0x20);
	EXPECT_EQ(bus.read32(ATOM_REG_TIMESTAMP + 4), 0u) << "the half of the value that was read";
	EXPECT_EQ(bus.read32(ATOM_REG_TIMESTAMP + 4), 1u) << "no latch is left: the value now";
	EXPECT_EQ(bus.read64(ATOM_REG_TIMESTAMP), 0x1'0000'0010u);
}

TEST(register_map, other_widths_and_misaligned_accesses_read_zero_and_change_nothing)
{
	host_bus bus({});
	for (const std::uint32_t size : {1u, 2u, 3u, 16u, 0u}) {
		EXPECT_EQ(bus.read(ATOM_REG_MAGIC, size), 0u) << size;
		bus.write(ATOM_REG_INTR_MASK, 0xff, size);
	}
	for (const std::uint32_t off : {1u, 2u, 3u})
		EXPECT_EQ(bus.read(ATOM_REG_MAGIC + off, 4), 0u);
	EXPECT_EQ(bus.read(ATOM_REG_CAPS + 4, 8), 0u);
	EXPECT_EQ(bus.read(ATOM_REG_MAGIC, 8), 0u) << "two 32-bit registers are not one of 64 bits";
	bus.write(ATOM_REG_DRIVER_VERSION - 4, ~0ull, 8);
	EXPECT_EQ(bus.read32(ATOM_REG_INTR_MASK), 0u);
	EXPECT_EQ(bus.read32(ATOM_REG_DRIVER_VERSION), 0u);
	EXPECT_FALSE(bus.log().empty()) << "misuse is logged";
}

TEST(register_map, offsets_that_are_not_listed_read_zero_and_ignore_writes)
{
	host_bus bus({});
	std::set<std::uint32_t> known;
	for (const expected &e : map) {
		for (unsigned b = 0; b < e.bits / 8; b += 4)
			known.insert(e.offset + b);
	}
	for (std::uint32_t offset = 0; offset < ATOM_BAR_REGS_SIZE; offset += 4) {
		const bool block = offset >= ATOM_REG_QUEUE_BASE && offset < ATOM_REG_QUEUE(65) && offset % 64 < 0x38;
		if (known.count(offset) || block)
			continue;
		bus.write32(offset, 0xffff'ffff);
		ASSERT_EQ(bus.read32(offset), 0u) << std::hex << offset;
	}
	EXPECT_EQ(bus.read(1ull << 40, 4), 0u);
	EXPECT_EQ(bus.read(~3ull, 4), 0u);
	EXPECT_LE(bus.log().size(), 64u) << "a guest must not be able to flood the log";
}

TEST(register_map, the_block_of_every_queue_begins_at_zero)
{
	host_bus bus({});
	for (std::uint32_t q = 0; q <= 64; ++q) {
		EXPECT_EQ(bus.read32(ATOM_REG_QUEUE(q) + ATOM_QREG_STATE), 0u);
		EXPECT_EQ(bus.read32(ATOM_REG_QUEUE(q) + ATOM_QREG_GENERATION), 0u);
		for (const std::uint32_t r : {ATOM_QREG_SEQNO, ATOM_QREG_HEAD, ATOM_QREG_PROGRESS, ATOM_QREG_BUSY_NS,
					      ATOM_QREG_MODELLED_NS})
			EXPECT_EQ(bus.read64(ATOM_REG_QUEUE(q) + r), 0u);
		EXPECT_EQ(bus.read32(ATOM_REG_QUEUE(q) + ATOM_QREG_COMMAND), 0xffff'ffffu);
		EXPECT_EQ(bus.read32(ATOM_REG_QUEUE(q) + ATOM_QREG_FAULT_CODE), 0u);
	}
}

TEST(bring_up, works_as_the_specification_says)
{
	machine m;
	EXPECT_TRUE(m.ready);
	EXPECT_EQ(m.bus.read32(ATOM_REG_STATUS), static_cast<std::uint32_t>(ATOM_STATUS_READY | ATOM_STATUS_ENABLED));
	EXPECT_EQ(m.bus.read32(ATOM_REG_CTRL), static_cast<std::uint32_t>(ATOM_CTRL_ENABLE));
	EXPECT_EQ(m.bus.read32(ATOM_REG_GENERATION), 1u);
}

TEST(bring_up, a_version_of_another_major_is_refused)
{
	host_bus bus({});
	driver d(bus);
	d.set_up_admin();
	for (const std::uint32_t version : {ATOM_VERSION(2u, 0u), ATOM_VERSION(0u, 9u), 0xffff'ffffu}) {
		bus.write32(ATOM_REG_DRIVER_VERSION, version);
		EXPECT_TRUE(bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_VERSION_REFUSED) << version;
		bus.write32(ATOM_REG_CTRL, ATOM_CTRL_ENABLE);
		EXPECT_FALSE(bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_ENABLED);
	}
	bus.write32(ATOM_REG_DRIVER_VERSION, ATOM_VERSION(1u, 0u));
	EXPECT_FALSE(bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_VERSION_REFUSED);
	bus.write32(ATOM_REG_CTRL, ATOM_CTRL_ENABLE);
	EXPECT_TRUE(bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_ENABLED);
}

TEST(bring_up, enable_is_refused_until_all_is_set)
{
	struct step {
		const char *name;
		void (*spoil)(host_bus &);
	};
	const step steps[] = {
		{"no version", [](host_bus &b) { b.write32(ATOM_REG_DRIVER_VERSION, 0); }},
		{"no ring", [](host_bus &b) { b.write64(ATOM_REG_ADMIN_RING, 0); }},
		{"ring misaligned", [](host_bus &b) { b.write64(ATOM_REG_ADMIN_RING, host_bus::ram_base + 8); }},
		{"no tail", [](host_bus &b) { b.write64(ATOM_REG_ADMIN_TAIL, 0); }},
		{"tail misaligned", [](host_bus &b) { b.write64(ATOM_REG_ADMIN_TAIL, host_bus::ram_base + 4); }},
		{"no completion", [](host_bus &b) { b.write64(ATOM_REG_ADMIN_COMPLETION, 0); }},
		{"completion misaligned", [](host_bus &b) { b.write64(ATOM_REG_ADMIN_COMPLETION, host_bus::ram_base + 32); }},
		{"ring of one entry", [](host_bus &b) { b.write32(ATOM_REG_ADMIN_LOG2, 0); }},
		{"ring too large", [](host_bus &b) { b.write32(ATOM_REG_ADMIN_LOG2, 13); }},
	};
	for (const step &s : steps) {
		host_bus bus({});
		driver d(bus);
		bus.write32(ATOM_REG_DRIVER_VERSION, ATOM_VERSION(1u, 0u));
		d.set_up_admin();
		s.spoil(bus);
		bus.write32(ATOM_REG_CTRL, ATOM_CTRL_ENABLE);
		EXPECT_FALSE(bus.read32(ATOM_REG_STATUS) & ATOM_STATUS_ENABLED) << s.name;
		EXPECT_FALSE(bus.log().empty()) << s.name;
	}
}

TEST(bring_up, admin_and_fault_registers_ignore_writes_while_enabled)
{
	machine m;
	ASSERT_TRUE(m.ready);
	for (const std::uint32_t offset : {ATOM_REG_ADMIN_RING, ATOM_REG_ADMIN_TAIL, ATOM_REG_ADMIN_COMPLETION,
					   ATOM_REG_FAULT_BASE}) {
		const std::uint64_t before = m.bus.read64(offset);
		m.bus.write64(offset, before + 4096);
		EXPECT_EQ(m.bus.read64(offset), before);
	}
	for (const std::uint32_t offset : {ATOM_REG_ADMIN_LOG2, ATOM_REG_FAULT_LOG2}) {
		const std::uint32_t before = m.bus.read32(offset);
		m.bus.write32(offset, before + 1);
		EXPECT_EQ(m.bus.read32(offset), before);
	}
}

TEST(bring_up, fault_registers_take_only_what_they_can_be)
{
	host_bus bus({});
	bus.write64(ATOM_REG_FAULT_BASE, 32);
	EXPECT_EQ(bus.read64(ATOM_REG_FAULT_BASE), 0u);
	bus.write32(ATOM_REG_FAULT_LOG2, 17);
	EXPECT_EQ(bus.read32(ATOM_REG_FAULT_LOG2), 0u);
	bus.write64(ATOM_REG_FAULT_BASE, 64);
	EXPECT_EQ(bus.read64(ATOM_REG_FAULT_BASE), 64u);
	bus.write32(ATOM_REG_FAULT_LOG2, 16);
	EXPECT_EQ(bus.read32(ATOM_REG_FAULT_LOG2), 16u);
}

class cause_test : public device_test {
protected:
	/* An admin error: raises cause ADMIN. */
	void provoke()
	{
		atom_admin_desc d{};
		d.opcode = 999;
		m.driver.admin(d);
	}
};

TEST_F(cause_test, a_cause_interrupts_once_until_it_is_cleared)
{
	provoke();
	provoke();
	EXPECT_EQ(m.bus.interrupts(0), 1u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_INTR_CAUSE), static_cast<std::uint32_t>(ATOM_INTR_ADMIN));
	m.bus.write32(ATOM_REG_INTR_CAUSE, ~static_cast<std::uint32_t>(ATOM_INTR_ADMIN));
	EXPECT_EQ(m.bus.read32(ATOM_REG_INTR_CAUSE), static_cast<std::uint32_t>(ATOM_INTR_ADMIN)) << "0 keeps a bit";
	m.bus.write32(ATOM_REG_INTR_CAUSE, ATOM_INTR_ADMIN);
	EXPECT_EQ(m.bus.read32(ATOM_REG_INTR_CAUSE), 0u);
	provoke();
	EXPECT_EQ(m.bus.interrupts(0), 2u);
}

TEST_F(cause_test, a_masked_cause_interrupts_when_it_is_unmasked)
{
	m.bus.write32(ATOM_REG_INTR_MASK, ATOM_INTR_ADMIN);
	provoke();
	EXPECT_EQ(m.bus.interrupts(0), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_INTR_CAUSE), static_cast<std::uint32_t>(ATOM_INTR_ADMIN));
	m.bus.write32(ATOM_REG_INTR_MASK, 0);
	EXPECT_EQ(m.bus.interrupts(0), 1u);
	m.bus.write32(ATOM_REG_INTR_MASK, 0);
	EXPECT_EQ(m.bus.interrupts(0), 1u);
}

TEST(register_map, registers_can_be_read_from_inside_any_upcall)
{
	machine m;
	ASSERT_TRUE(m.ready);
	unsigned reads = 0;
	bool inside = false;
	const auto look = [&] {
		if (inside)
			return;
		inside = true;
		EXPECT_EQ(m.bus.read32(ATOM_REG_MAGIC), static_cast<std::uint32_t>(ATOM_MAGIC));
		m.bus.read64(ATOM_REG_TIMESTAMP);
		m.bus.read32(ATOM_REG_STATUS);
		m.bus.write32(ATOM_REG_INTR_CAUSE, 0xff);
		m.bus.doorbell(1);
		++reads;
		inside = false;
	};
	m.bus.on_trace = [&](std::uint32_t, const std::uint64_t *) { look(); };
	m.bus.on_irq = [&](std::uint32_t) { look(); };
	job_queue q = m.make_queue();
	const std::uint64_t seq = q.submit(nop());
	EXPECT_TRUE(q.wait(seq));
	EXPECT_GT(reads, 5u);
	m.bus.on_trace = nullptr;
	m.bus.on_irq = nullptr;
}

} // namespace atom::test
