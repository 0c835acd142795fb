/* SPDX-License-Identifier: MIT */
/* Translation: page sizes, apertures, permissions, malformed entries, what the TLB may keep. */
#include "device_fixture.h"

namespace atom::test {

class mmu_test : public device_test {
protected:
	void SetUp() override
	{
		device_test::SetUp();
		q.emplace(m.make_queue());
	}

	/* Runs commands and gives the record; a faulted queue is made usable again. */
	atom_cpl_record go(command_bytes &commands)
	{
		const atom_cpl_record r = run(*q, commands);
		if (r.status == ATOM_CPL_FAULT) {
			EXPECT_TRUE(m.driver.queue_reset(1, ++generation));
		}
		return r;
	}
	atom_cpl_record write_to(std::uint64_t va, std::uint64_t bytes = 8, std::uint8_t value = 1)
	{
		command_bytes c;
		c.add(fill(va, bytes, value));
		return go(c);
	}
	atom_cpl_record read_from(std::uint64_t va, std::uint64_t bytes = 8)
	{
		command_bytes c;
		c.add(copy_bytes(va, arena_va, bytes));
		return go(c);
	}

	std::optional<job_queue> q;
	std::uint32_t generation = 1;
	static constexpr std::uint64_t va = 0x7000'0000'0000;
	static constexpr std::uint64_t rw = ATOM_PTE_READ | ATOM_PTE_WRITE;
	static constexpr std::uint64_t leaf = ATOM_PTE_VALID | ATOM_PTE_LEAF | rw;
	static constexpr std::uint64_t local = ATOM_PTE_APERTURE(ATOM_APERTURE_LOCAL);
	static constexpr std::uint64_t shm = ATOM_PTE_APERTURE(ATOM_APERTURE_SHM);
};

TEST_F(mmu_test, pages_of_2_mib_translate)
{
	m.tables->map(va, 6 << 20, ATOM_APERTURE_LOCAL, 16 << 20, rw, 2 << 20);
	EXPECT_EQ(write_to(va + 12345, 5 << 20, 0x21).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>((16 << 20) + 12344), 0u);
	EXPECT_EQ(*m.arena<std::uint8_t>((16 << 20) + 12345), 0x21u);
	EXPECT_EQ(*m.arena<std::uint8_t>((16 << 20) + 12344 + (5 << 20)), 0x21u);
	EXPECT_EQ(*m.arena<std::uint8_t>((16 << 20) + 12345 + (5 << 20)), 0u);
}

TEST_F(mmu_test, pages_of_64_kib_translate)
{
	m.tables->map(va, 1 << 20, ATOM_APERTURE_LOCAL, 16 << 20, rw, 64 << 10);
	EXPECT_EQ(write_to(va, 1 << 20, 0x22).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>((17 << 20) - 1), 0x22u);
}

TEST_F(mmu_test, a_broken_64_kib_promise_uses_the_single_entries)
{
	/* All sixteen carry the hint; the seventh points elsewhere, and the ninth is not there. */
	m.tables->map(va, 64 << 10, ATOM_APERTURE_LOCAL, 16 << 20, rw, 64 << 10);
	*m.tables->entry(va + 7 * 4096, 0) = leaf | local | ATOM_PTE_CONT64K | (24 << 20);
	*m.tables->entry(va + 9 * 4096, 0) = 0;
	EXPECT_EQ(write_to(va, 9 * 4096, 0x23).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>((16 << 20) + 6 * 4096), 0x23u);
	EXPECT_EQ(*m.arena<std::uint8_t>((16 << 20) + 7 * 4096), 0u);
	EXPECT_EQ(*m.arena<std::uint8_t>(24 << 20), 0x23u);
	EXPECT_EQ(*m.arena<std::uint8_t>((16 << 20) + 8 * 4096), 0x23u);
	const atom_cpl_record r = write_to(va, 64 << 10);
	EXPECT_EQ(r.fault_code, ATOM_FAULT_NOT_PRESENT);
	EXPECT_EQ(r.fault_va, va + 9 * 4096);
}

TEST_F(mmu_test, pages_scattered_over_all_memories_make_one_tensor)
{
	m.tables->map(va, 4096, ATOM_APERTURE_LOCAL, 16 << 20);
	m.tables->map(va + 4096, 4096, ATOM_APERTURE_SYSTEM, m.host_address + (4 << 20));
	m.tables->map(va + 8192, 4096, ATOM_APERTURE_SHM, 0x5000);
	m.tables->map(va + 12288, 4096, ATOM_APERTURE_LOCAL, 15 << 20);
	for (int i = 0; i < 16384; ++i)
		*m.host<std::uint8_t>((1 << 20) + i) = static_cast<std::uint8_t>(i * 7 + i / 256);
	command_bytes c;
	c.add(copy_bytes(host_va + (1 << 20), va, 16384)).add(copy_bytes(va, host_va + (2 << 20), 16384));
	EXPECT_EQ(go(c).status, ATOM_CPL_OK);
	EXPECT_EQ(std::memcmp(m.host<std::byte>(1 << 20), m.host<std::byte>(2 << 20), 16384), 0);
	EXPECT_EQ(std::memcmp(m.arena<std::byte>(16 << 20), m.host<std::byte>(1 << 20), 4096), 0);
	EXPECT_EQ(std::memcmp(m.host<std::byte>(4 << 20), m.host<std::byte>((1 << 20) + 4096), 4096), 0);
	EXPECT_EQ(std::memcmp(m.arena<std::byte>(15 << 20), m.host<std::byte>((1 << 20) + 12288), 4096), 0);
}

TEST_F(mmu_test, the_highest_page_of_the_address_space_works_and_nothing_is_behind_it)
{
	const std::uint64_t top = (1ull << 48) - 4096;
	m.tables->map(top, 4096, ATOM_APERTURE_LOCAL, 16 << 20);
	EXPECT_EQ(write_to(top, 4096).status, ATOM_CPL_OK);
	const atom_cpl_record r = write_to(top, 4097);
	EXPECT_EQ(r.status, ATOM_CPL_FAULT);
	EXPECT_EQ(r.fault_code, ATOM_FAULT_VA_RANGE);
}

TEST_F(mmu_test, a_page_that_is_not_mapped_faults_with_its_address)
{
	m.tables->map(va, 8192, ATOM_APERTURE_LOCAL, 16 << 20);
	const atom_cpl_record r = write_to(va + 100, 16384);
	EXPECT_EQ(r.status, ATOM_CPL_FAULT);
	EXPECT_EQ(r.fault_code, ATOM_FAULT_NOT_PRESENT);
	EXPECT_EQ(r.fault_where, ATOM_WHERE_DATA);
	EXPECT_EQ(r.fault_field, offsetof(atom_cmd_copy, out));
	EXPECT_EQ(r.fault_va, va + 8192);
	ASSERT_EQ(m.driver.faults().size(), 1u);
	const atom_fault_record f = m.driver.faults()[0];
	EXPECT_EQ(f.asid, asid);
	EXPECT_EQ(f.asid_generation, 1u);
	EXPECT_EQ(f.access, static_cast<std::uint32_t>(ATOM_ACCESS_WRITE));
	EXPECT_EQ(f.va, va + 8192);
	EXPECT_EQ(f.command, 0u);
	EXPECT_EQ(f.opcode, ATOM_OP_COPY);
}

TEST_F(mmu_test, read_and_write_permission_are_apart)
{
	m.tables->map(va, 4096, ATOM_APERTURE_LOCAL, 16 << 20, ATOM_PTE_READ);
	m.tables->map(va + 4096, 4096, ATOM_APERTURE_LOCAL, 16 << 20, ATOM_PTE_WRITE);
	m.tables->map(va + 8192, 4096, ATOM_APERTURE_LOCAL, 16 << 20, 0);
	EXPECT_EQ(read_from(va).status, ATOM_CPL_OK);
	EXPECT_EQ(write_to(va).fault_code, ATOM_FAULT_PERMISSION);
	EXPECT_EQ(write_to(va + 4096).status, ATOM_CPL_OK);
	EXPECT_EQ(read_from(va + 4096).fault_code, ATOM_FAULT_PERMISSION);
	EXPECT_EQ(read_from(va + 8192).fault_code, ATOM_FAULT_PERMISSION);
	EXPECT_EQ(write_to(va + 8192).fault_code, ATOM_FAULT_PERMISSION);
	/* The same on 2 MiB pages, which other code finds. */
	m.tables->map(va + (2 << 20), 2 << 20, ATOM_APERTURE_LOCAL, 16 << 20, ATOM_PTE_READ, 2 << 20);
	EXPECT_EQ(read_from(va + (2 << 20)).status, ATOM_CPL_OK);
	EXPECT_EQ(write_to(va + (2 << 20)).fault_code, ATOM_FAULT_PERMISSION);
}

TEST_F(mmu_test, a_command_buffer_must_be_readable)
{
	m.tables->map(va, 4096, ATOM_APERTURE_SYSTEM, m.host_address, ATOM_PTE_WRITE);
	command_bytes c;
	atom_ring_desc d = m.execute(c);
	d.cmd_va = va;
	EXPECT_EQ(run(*q, d).fault_code, ATOM_FAULT_PERMISSION);
}

struct bad_entry {
	unsigned level;
	std::uint64_t pte;
	std::uint16_t code;
};

TEST_F(mmu_test, every_malformed_entry_is_told)
{
	std::vector<bad_entry> cases;
	const std::uint64_t good = leaf | local | (16 << 20);
	for (unsigned bit = 7; bit < 64; ++bit) {
		if (bit < 12 || bit >= 52)
			cases.push_back({0, good | 1ull << bit, ATOM_FAULT_RESERVED_BIT});
	}
	const std::uint64_t table = ATOM_PTE_VALID | m.driver.allocate(4096, 4096);
	for (unsigned level = 1; level <= 3; ++level) {
		for (unsigned bit = 7; bit < 64; ++bit) {
			if (bit < 12 || bit >= 52)
				cases.push_back({level, table | 1ull << bit, ATOM_FAULT_RESERVED_BIT});
		}
		cases.push_back({level, table | ATOM_PTE_READ, ATOM_FAULT_RESERVED_BIT});
		cases.push_back({level, table | ATOM_PTE_WRITE, ATOM_FAULT_RESERVED_BIT});
		cases.push_back({level, table | ATOM_PTE_CONT64K, ATOM_FAULT_RESERVED_BIT});
		cases.push_back({level, ATOM_PTE_VALID | shm, ATOM_FAULT_RESERVED_BIT});
		cases.push_back({level, table | ATOM_PTE_APERTURE(3), ATOM_FAULT_APERTURE_RANGE});
		cases.push_back({level, ATOM_PTE_VALID | local | (64u << 20), ATOM_FAULT_APERTURE_RANGE});
		cases.push_back({level, ATOM_PTE_VALID | 0x1000, ATOM_FAULT_TABLE_WALK});
		cases.push_back({level, 0, ATOM_FAULT_NOT_PRESENT});
		cases.push_back({level, ~ATOM_PTE_VALID, ATOM_FAULT_NOT_PRESENT});
	}
	cases.push_back({3, good, ATOM_FAULT_RESERVED_BIT});
	cases.push_back({2, good, ATOM_FAULT_RESERVED_BIT});
	cases.push_back({0, good & ~ATOM_PTE_LEAF, ATOM_FAULT_RESERVED_BIT});
	cases.push_back({1, good | 4096, ATOM_FAULT_RESERVED_BIT});
	cases.push_back({1, good | 1 << 20, ATOM_FAULT_RESERVED_BIT});
	cases.push_back({1, good | ATOM_PTE_CONT64K, ATOM_FAULT_RESERVED_BIT});
	cases.push_back({0, leaf | local | (64u << 20), ATOM_FAULT_APERTURE_RANGE});
	cases.push_back({0, leaf | local | ATOM_PTE_ADDR_MASK, ATOM_FAULT_APERTURE_RANGE});
	cases.push_back({1, leaf | local | (64u << 20), ATOM_FAULT_APERTURE_RANGE});
	cases.push_back({0, leaf | shm | (4u << 20), ATOM_FAULT_APERTURE_RANGE});
	cases.push_back({1, leaf | shm | (4u << 20), ATOM_FAULT_APERTURE_RANGE});
	cases.push_back({0, leaf | ATOM_PTE_APERTURE(3), ATOM_FAULT_APERTURE_RANGE});
	cases.push_back({0, leaf | 0x1000, ATOM_FAULT_DMA_ERROR});
	cases.push_back({0, leaf | ATOM_PTE_ADDR_MASK, ATOM_FAULT_DMA_ERROR});

	std::uint64_t at = va;
	for (const bad_entry &c : cases) {
		at += 1ull << 39; /* fresh tables each time */
		at &= (1ull << 48) - 1;
		if (at < 1ull << 40) /* keep clear of what the fixture mapped */
			at += 1ull << 40;
		*m.tables->entry(at, c.level) = c.pte;
		ASSERT_TRUE(m.driver.invalidate(asid));
		EXPECT_EQ(write_to(at).fault_code, c.code) << "level " << c.level << " pte " << std::hex << c.pte;
		EXPECT_EQ(m.driver.faults().back().va, at);
		*m.tables->entry(at, c.level) = 0;
		m.bus.write64(ATOM_REG_FAULT_HEAD, m.bus.read64(ATOM_REG_FAULT_TAIL));
	}
}

TEST_F(mmu_test, tables_may_lie_in_device_memory)
{
	/* A whole tree for `va` in DRAM at 32 MiB. */
	const std::uint64_t at = 32 << 20;
	auto *t = m.arena<std::uint64_t>(at);
	t[va >> 39 & 511] = (at + 4096) | local | ATOM_PTE_VALID;
	t[512 + (va >> 30 & 511)] = (at + 8192) | local | ATOM_PTE_VALID;
	t[1024 + (va >> 21 & 511)] = (at + 12288) | local | ATOM_PTE_VALID;
	t[1536 + (va >> 12 & 511)] = (16 << 20) | local | leaf;
	t[1536 + (va >> 12 & 511) + 1] = m.host_address | leaf;
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_ASID_SET;
	d.id = 2;
	d.asid_set.root = at;
	d.asid_set.aperture = ATOM_APERTURE_LOCAL;
	ASSERT_EQ(m.driver.admin(d).status, ATOM_CPL_OK);
	job_queue second = m.make_queue(2, {}, 2);
	command_bytes c;
	c.add(fill(va, 8, 0x77));
	atom_ring_desc e = m.execute(c);
	e.cmd_va = va + 4096;
	EXPECT_EQ(run(second, e).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>(16 << 20), 0x77u);
}

TEST_F(mmu_test, what_was_not_present_is_looked_at_again)
{
	EXPECT_EQ(write_to(va).fault_code, ATOM_FAULT_NOT_PRESENT);
	m.tables->map(va, 4096, ATOM_APERTURE_LOCAL, 16 << 20);
	EXPECT_EQ(write_to(va).status, ATOM_CPL_OK) << "adding an entry needs no invalidate";
}

TEST_F(mmu_test, an_invalidate_makes_a_changed_entry_known)
{
	m.tables->map(va, 8192, ATOM_APERTURE_LOCAL, 16 << 20);
	m.tables->map(va + (4 << 20), 2 << 20, ATOM_APERTURE_LOCAL, 20 << 20, rw, 2 << 20);
	ASSERT_EQ(write_to(va, 8192).status, ATOM_CPL_OK);
	ASSERT_EQ(write_to(va + (4 << 20), 1 << 20).status, ATOM_CPL_OK);
	m.tables->unmap(va, 4096);
	*m.tables->entry(va + (4 << 20), 1) = 0;
	ASSERT_TRUE(m.driver.invalidate(asid, va, 4096));
	EXPECT_EQ(write_to(va).fault_code, ATOM_FAULT_NOT_PRESENT);
	EXPECT_EQ(write_to(va + 4096).status, ATOM_CPL_OK);
	ASSERT_TRUE(m.driver.invalidate(asid, va + (4 << 20) + 8192, 4096)) << "any part of a large page";
	EXPECT_EQ(write_to(va + (4 << 20)).fault_code, ATOM_FAULT_NOT_PRESENT);
}

TEST_F(mmu_test, an_invalidate_of_any_range_catches_every_page_in_it)
{
	const std::uint64_t ranges[] = {4096, 1024 * 4096, 1025 * 4096, 8 << 20, 1ull << 40, 0};
	for (const std::uint64_t bytes : ranges) {
		m.tables->map(va, 1 << 20, ATOM_APERTURE_LOCAL, 16 << 20);
		ASSERT_EQ(write_to(va, 1 << 20).status, ATOM_CPL_OK);
		const std::uint64_t gone = bytes == 4096 ? 4096 : 1 << 20;
		m.tables->unmap(va, gone);
		ASSERT_TRUE(m.driver.invalidate(asid, bytes ? va : 0, bytes));
		for (std::uint64_t page = 0; page < gone; page += 64 << 10)
			ASSERT_EQ(write_to(va + page).fault_code, ATOM_FAULT_NOT_PRESENT) << bytes << " " << page;
	}
}

TEST_F(mmu_test, a_replaced_table_is_seen_after_an_invalidate)
{
	m.tables->map(va, 2 << 20, ATOM_APERTURE_LOCAL, 16 << 20);
	ASSERT_EQ(write_to(va, 2 << 20, 1).status, ATOM_CPL_OK);
	/* Another level-0 table for the same 2 MiB, pointing elsewhere. */
	const std::uint64_t table = m.driver.allocate(4096, 4096);
	for (unsigned i = 0; i < 512; ++i)
		m.driver.at<std::uint64_t>(table)[i] = leaf | local | ((32 << 20) + i * 4096u);
	*m.tables->entry(va, 1) = table | ATOM_PTE_VALID;
	ASSERT_TRUE(m.driver.invalidate(asid, va, 2 << 20));
	ASSERT_EQ(write_to(va, 2 << 20, 9).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>(16 << 20), 1u);
	EXPECT_EQ(*m.arena<std::uint8_t>((34 << 20) - 1), 9u);
}

TEST_F(mmu_test, setting_an_asid_anew_forgets_the_old_root)
{
	m.tables->map(va, 4096, ATOM_APERTURE_LOCAL, 16 << 20);
	ASSERT_EQ(write_to(va, 8, 1).status, ATOM_CPL_OK);
	page_tables other(m.driver);
	other.map(host_va, host_bytes, ATOM_APERTURE_SYSTEM, m.host_address);
	other.map(va, 4096, ATOM_APERTURE_LOCAL, 24 << 20);
	ASSERT_TRUE(m.driver.asid_set(asid, other, 5));
	EXPECT_EQ(write_to(va, 8, 2).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>(16 << 20), 1u);
	EXPECT_EQ(*m.arena<std::uint8_t>(24 << 20), 2u);
	write_to(arena_va);
	EXPECT_EQ(m.driver.faults().back().asid_generation, 5u);
}

TEST_F(mmu_test, address_spaces_do_not_see_each_other)
{
	page_tables other(m.driver);
	other.map(host_va, host_bytes, ATOM_APERTURE_SYSTEM, m.host_address);
	other.map(va, 4096, ATOM_APERTURE_LOCAL, 24 << 20);
	ASSERT_TRUE(m.driver.asid_set(2, other));
	job_queue second = m.make_queue(2, {}, 2);
	m.tables->map(va, 4096, ATOM_APERTURE_LOCAL, 16 << 20);
	ASSERT_EQ(write_to(va, 4096, 1).status, ATOM_CPL_OK);
	command_bytes c;
	c.add(fill(va, 4096, 2));
	EXPECT_EQ(run(second, c).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>(16 << 20), 1u);
	EXPECT_EQ(*m.arena<std::uint8_t>(24 << 20), 2u);
	command_bytes beyond;
	beyond.add(fill(arena_va, 8, 3));
	EXPECT_EQ(run(second, beyond).fault_code, ATOM_FAULT_NOT_PRESENT);
	EXPECT_EQ(*m.arena<std::uint8_t>(0), 0u);
}

TEST_F(mmu_test, a_dma_error_in_the_middle_of_a_copy_is_told_with_its_address)
{
	m.bus.fail_dma(m.host_address + (2 << 20) + 8192, 4096);
	const atom_cpl_record r = read_from(host_va + (2 << 20), 1 << 16);
	EXPECT_EQ(r.status, ATOM_CPL_FAULT);
	EXPECT_EQ(r.fault_code, ATOM_FAULT_DMA_ERROR);
	EXPECT_EQ(r.fault_where, ATOM_WHERE_DATA);
	EXPECT_EQ(r.fault_field, offsetof(atom_cmd_copy, in));
	m.bus.heal_dma();
	EXPECT_EQ(read_from(host_va + (2 << 20), 1 << 16).status, ATOM_CPL_OK);
}

TEST_F(mmu_test, everything_works_without_mapping_of_host_memory)
{
	machine copying({.mapping = false});
	ASSERT_TRUE(copying.ready);
	job_queue queue = copying.make_queue();
	std::memset(copying.host<std::byte>(1 << 20), 0x3c, 1 << 20);
	command_bytes c;
	c.add(copy_bytes(host_va + (1 << 20), arena_va, 1 << 20)).add(copy_bytes(arena_va, host_va + (2 << 20), 1 << 20));
	const std::uint64_t seq = queue.submit(copying.execute(c));
	ASSERT_TRUE(queue.wait(seq));
	EXPECT_EQ(queue.record(seq).status, ATOM_CPL_OK);
	EXPECT_EQ(*copying.host<std::uint8_t>((3 << 20) - 1), 0x3cu);
}

} // namespace atom::test
