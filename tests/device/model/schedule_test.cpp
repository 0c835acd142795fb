/* SPDX-License-Identifier: MIT */
/* Who gets the engine: priorities, turns, ageing, preemption. Inline, so that the order is exact. */
#include <algorithm>
#include <vector>

#include "device_fixture.h"

namespace atom::test {

class schedule_test : public device_test {
protected:
	void SetUp() override
	{
		device_test::SetUp();
		m.bus.on_trace = [this](std::uint32_t event, const std::uint64_t *args) {
			if (event == ATOM_TRACE_COMPLETE)
				order.push_back(static_cast<std::uint32_t>(args[0]));
		};
	}
	void TearDown() override { m.bus.on_trace = nullptr; }
	job_queue &add(std::uint32_t id, std::uint8_t priority)
	{
		queues.push_back(m.make_queue(id, {.ring_log2 = 10, .priority = priority}));
		return queues.back();
	}
	/* Puts n jobs on each, then rings all; the order in which they retire is in `order`. */
	void go(int n)
	{
		for (job_queue &q : queues) {
			for (int i = 0; i < n; ++i)
				q.push(nop(0));
		}
		order.clear();
		for (job_queue &q : queues)
			q.ring();
		m.bus.pump();
	}
	std::ptrdiff_t first(std::uint32_t id) const { return std::find(order.begin(), order.end(), id) - order.begin(); }
	std::ptrdiff_t last(std::uint32_t id) const
	{
		return static_cast<std::ptrdiff_t>(order.size()) - 1 -
		       (std::find(order.rbegin(), order.rend(), id) - order.rbegin());
	}

	std::vector<job_queue> queues;
	std::vector<std::uint32_t> order;
};

TEST_F(schedule_test, realtime_goes_before_everything)
{
	queues.reserve(4);
	add(1, ATOM_PRIORITY_LOW);
	add(2, ATOM_PRIORITY_NORMAL);
	add(3, ATOM_PRIORITY_HIGH);
	add(4, ATOM_PRIORITY_REALTIME);
	go(100);
	ASSERT_EQ(order.size(), 400u);
	EXPECT_EQ(last(4), 99);
}

TEST_F(schedule_test, equals_take_turns)
{
	queues.reserve(3);
	add(1, ATOM_PRIORITY_NORMAL);
	add(7, ATOM_PRIORITY_NORMAL);
	add(64, ATOM_PRIORITY_NORMAL);
	go(50);
	ASSERT_EQ(order.size(), 150u);
	for (std::size_t i = 3; i < order.size(); ++i)
		ASSERT_EQ(order[i], order[i - 3]);
}

TEST_F(schedule_test, the_low_are_passed_over_but_not_for_ever)
{
	queues.reserve(3);
	add(1, ATOM_PRIORITY_LOW);
	add(2, ATOM_PRIORITY_NORMAL);
	add(3, ATOM_PRIORITY_HIGH);
	go(900);
	ASSERT_EQ(order.size(), 2700u);
	std::size_t low = 0;
	std::size_t normal = 0;
	const auto end_of_high = static_cast<std::size_t>(last(3));
	for (std::size_t i = 0; i < end_of_high; ++i) {
		low += order[i] == 1;
		normal += order[i] == 2;
	}
	EXPECT_GE(low * 32, end_of_high) << "a thirty-second at least";
	EXPECT_GE(normal * 32, end_of_high);
	EXPECT_LE((low + normal) * 4, end_of_high) << "but HIGH has most of it";
}

TEST_F(schedule_test, a_new_priority_holds_from_the_next_command_on)
{
	queues.reserve(2);
	add(1, ATOM_PRIORITY_LOW);
	add(2, ATOM_PRIORITY_NORMAL);
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_QUEUE_PRIORITY;
	d.id = 1;
	d.queue_priority.priority = ATOM_PRIORITY_REALTIME;
	ASSERT_EQ(m.driver.admin(d).status, ATOM_CPL_OK);
	go(50);
	EXPECT_EQ(last(1), 49);
}

TEST_F(schedule_test, a_higher_queue_takes_the_engine_between_two_commands)
{
	queues.reserve(2);
	job_queue &low = add(1, ATOM_PRIORITY_LOW);
	job_queue &high = add(2, ATOM_PRIORITY_REALTIME);
	command_bytes c;
	for (int i = 0; i < 10; ++i)
		c.add(fill(arena_va + 4096u * i, 4096, 1));
	bool rung = false;
	std::uint64_t low_commands_after = 0;
	m.bus.on_trace = [&](std::uint32_t event, const std::uint64_t *args) {
		if (event == ATOM_TRACE_COMMAND_END && args[0] == 1 && args[2] >> 32 == 3 && !rung) {
			rung = true;
			high.ring();
		} else if (event == ATOM_TRACE_COMMAND_START && args[0] == 1 && rung && order.empty()) {
			++low_commands_after;
		} else if (event == ATOM_TRACE_COMPLETE) {
			order.push_back(static_cast<std::uint32_t>(args[0]));
		}
	};
	high.push(nop(0));
	low.submit(m.execute(c));
	m.bus.pump();
	EXPECT_EQ(order, (std::vector<std::uint32_t>{2, 1}));
	EXPECT_EQ(low_commands_after, 0u);
	EXPECT_EQ(low.record(1).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>(9 * 4096 + 4095), 1u);
}

TEST_F(schedule_test, a_higher_queue_takes_the_engine_between_two_tiles)
{
	queues.reserve(2);
	job_queue &low = add(1, ATOM_PRIORITY_LOW);
	job_queue &high = add(2, ATOM_PRIORITY_HIGH);
	command_bytes c;
	const auto square = [](std::uint64_t va) { return dense(0, va, ATOM_DTYPE_F32, {1024, 1024}); };
	c.add(gemm(square(arena_va), square(arena_va), square(arena_va + (4 << 20))));
	low.submit(m.execute(c));
	while (m.bus.read64(ATOM_REG_QUEUE(1) + ATOM_QREG_PROGRESS) == 0)
		atom_model_run(m.bus.model(), 1);
	ASSERT_EQ(low.seqno(), 0u) << "a GEMM of this size has more than one tile";
	const std::uint64_t seq = high.submit(nop(0));
	atom_model_run(m.bus.model(), 1);
	atom_model_run(m.bus.model(), 1);
	EXPECT_EQ(high.seqno(), seq);
	EXPECT_EQ(low.seqno(), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_QUEUE(1) + ATOM_QREG_COMMAND), 0u);
	ASSERT_TRUE(low.wait(1));
	EXPECT_EQ(low.record(1).status, ATOM_CPL_OK);
}

TEST_F(schedule_test, copies_of_large_buffers_are_bounded_and_every_job_still_ends)
{
	/* Ten queues with a buffer of some 15 MiB each want more than the model keeps at a time. */
	machine big({.ram_size = 96ull << 20});
	ASSERT_TRUE(big.ready);
	constexpr std::uint64_t bytes = 15u << 20;
	const std::uint64_t at = big.driver.allocate(bytes, 4096);
	const std::uint64_t va = 0x50'0000'0000;
	big.tables->map(va, bytes, ATOM_APERTURE_SYSTEM, at);
	auto *p = big.bus.ram(at, bytes);
	constexpr std::uint32_t commands = 4;
	constexpr std::uint32_t each = (bytes - sizeof(atom_cmdbuf_header)) / commands / 8 * 8;
	atom_cmdbuf_header h{};
	h.magic = ATOM_CMDBUF_MAGIC;
	h.major = 1;
	h.bytes = sizeof h + commands * each;
	h.commands = commands;
	h.slots = 1;
	std::memcpy(p, &h, sizeof h);
	for (std::uint32_t i = 0; i < commands; ++i) {
		/* A fill that a later version made longer: the surplus is zero. */
		atom_cmd_copy f = fill(arena_va + 4096u * i, 64, 1);
		f.header.bytes = each;
		std::memcpy(p + sizeof h + std::uint64_t{i} * each, &f, sizeof f);
	}
	std::vector<job_queue> all;
	for (std::uint32_t id = 1; id <= 10; ++id)
		all.push_back(big.make_queue(id));
	atom_ring_desc d{};
	d.type = ATOM_DESC_EXECUTE;
	d.cmd_va = va;
	d.cmd_bytes = h.bytes;
	for (job_queue &q : all)
		q.submit(d);
	for (job_queue &q : all) {
		ASSERT_TRUE(q.wait(1));
		EXPECT_EQ(q.record(1).status, ATOM_CPL_OK);
	}
}

} // namespace atom::test
