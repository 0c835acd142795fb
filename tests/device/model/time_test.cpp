/* SPDX-License-Identifier: MIT */
/* Modelled time, pace, compute=off, telemetry. */
#include "device_fixture.h"

namespace atom::test {

namespace {

/* Modelled ns of one job on a fresh machine. */
std::uint64_t modelled(command_bytes &commands, bus_options options = {})
{
	machine m(options);
	EXPECT_TRUE(m.ready);
	m.tables->map(0x30'0000'0000, 2 << 20, ATOM_APERTURE_SHM, 0);
	job_queue q = m.make_queue();
	const std::uint64_t seq = q.submit(m.execute(commands));
	EXPECT_TRUE(q.wait(seq));
	EXPECT_EQ(q.record(seq).status, ATOM_CPL_OK);
	return q.record(seq).modelled_ns;
}

std::uint64_t modelled(const atom_cmd_copy &c)
{
	command_bytes commands;
	commands.add(c);
	return modelled(commands);
}

std::uint64_t modelled_gemm(std::uint8_t dtype, std::uint64_t size)
{
	command_bytes commands;
	const auto square = [&](std::uint64_t va) { return dense(0, va, dtype, {size, size}); };
	atom_cmd_gemm g = gemm(square(arena_va), square(arena_va + (2 << 20)), square(arena_va + (4 << 20)));
	commands.add(g);
	return modelled(commands, {.compute_off = true});
}

constexpr std::uint64_t launch = 55'000;
constexpr std::uint64_t overhead = 500;

} // namespace

TEST(modelled_time, a_descriptor_costs_its_launch_and_a_command_its_overhead)
{
	command_bytes none;
	EXPECT_EQ(modelled(none), launch);
	command_bytes three;
	atom_cmd_nop n{};
	three.add(n).add(n).add(n);
	EXPECT_EQ(modelled(three), launch + 3 * overhead);
}

TEST(modelled_time, bytes_cost_what_the_bandwidth_of_their_memory_says)
{
	/* 4 MiB at 256 GB/s; 1 MiB at 1 TB/s; 4 MiB at 55 GB/s. */
	EXPECT_NEAR(static_cast<double>(modelled(fill(arena_va, 4 << 20, 1))), launch + overhead + 16384.0, 2.0);
	EXPECT_NEAR(static_cast<double>(modelled(fill(0x30'0000'0000, 1 << 20, 1))), launch + overhead + 1048.6, 2.0);
	EXPECT_NEAR(static_cast<double>(modelled(fill(host_va + (1 << 20), 4 << 20, 1))), launch + overhead + 76260.0, 2.0);
}

TEST(modelled_time, the_slowest_resource_decides)
{
	/* From host to device: PCIe, not DRAM. */
	const std::uint64_t both = modelled(copy_bytes(host_va + (1 << 20), arena_va, 4 << 20));
	EXPECT_EQ(both, modelled(fill(host_va + (1 << 20), 4 << 20, 1)));
}

TEST(modelled_time, narrow_types_compute_faster)
{
	const std::uint64_t f32 = modelled_gemm(ATOM_DTYPE_F32, 512);
	const std::uint64_t bf16 = modelled_gemm(ATOM_DTYPE_BF16, 512);
	/* 512^3 / (4e12 * 0.45) = 74.6 us; a quarter of it at 16e12. */
	EXPECT_NEAR(static_cast<double>(f32), launch + overhead + 74565.0, 10.0);
	EXPECT_NEAR(static_cast<double>(bf16), launch + overhead + 18641.0, 10.0);
}

TEST(modelled_time, a_ragged_shape_wastes_the_matrix_unit)
{
	EXPECT_GT(modelled_gemm(ATOM_DTYPE_F32, 513), modelled_gemm(ATOM_DTYPE_F32, 512) * 105 / 100);
}

TEST(modelled_time, is_the_same_on_every_executor_and_with_compute_off)
{
	const auto square = [](std::uint64_t va) { return dense(0, va, ATOM_DTYPE_F32, {300, 300}); };
	command_bytes c;
	c.add(copy_bytes(host_va + (1 << 20), arena_va, 1 << 20))
		.add(gemm(square(arena_va), square(arena_va + (1 << 20)), square(arena_va + (2 << 20))));
	const std::uint64_t one = modelled(c);
	EXPECT_EQ(one, modelled(c, {.executor = ATOM_EXECUTOR_POOL, .threads = 3}));
	EXPECT_EQ(one, modelled(c, {.engine = ATOM_ENGINE_REFERENCE}));
	EXPECT_EQ(one, modelled(c, {.compute_off = true}));
}

TEST(modelled_time, gaps_between_elements_cost_nothing)
{
	/* Two bytes a terabyte apart: as the bandwidth sees it, they are two bytes. */
	machine m;
	ASSERT_TRUE(m.ready);
	constexpr std::uint64_t va = 0x1000'0000'0000;
	constexpr std::uint64_t gap = 1ull << 40;
	m.tables->map(va, 4096, ATOM_APERTURE_LOCAL, 16 << 20);
	m.tables->map(va + gap, 4096, ATOM_APERTURE_LOCAL, 17 << 20);
	atom_tensor apart = dense(0, va, ATOM_DTYPE_U8, {2});
	apart.strides[0] = gap;
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(copy(apart, dense(0, arena_va, ATOM_DTYPE_U8, {2})));
	const std::uint64_t seq = q.submit(m.execute(c));
	ASSERT_TRUE(q.wait(seq));
	ASSERT_EQ(q.record(seq).status, ATOM_CPL_OK);
	EXPECT_LT(q.record(seq).modelled_ns, 1'000'000u);
}

TEST(compute_off, writes_nothing_but_ends_every_job)
{
	machine m({.compute_off = true});
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(fill(arena_va, 4096, 1));
	const std::uint64_t seq = q.submit(m.execute(c));
	ASSERT_TRUE(q.wait(seq));
	EXPECT_EQ(q.record(seq).status, ATOM_CPL_OK);
	EXPECT_EQ(*m.arena<std::uint8_t>(0), 0u);
}

TEST(pace_device, a_job_retires_when_its_modelled_time_is_over)
{
	machine m({.pace = ATOM_PACE_DEVICE, .manual_clock = true});
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	const std::uint64_t start = m.bus.now_ns();
	q.submit(nop());
	m.bus.pump();
	EXPECT_EQ(q.seqno(), 0u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_QUEUE(1) + ATOM_QREG_STATE), static_cast<std::uint32_t>(ATOM_QUEUE_RUNNING));
	m.bus.advance(launch - 1);
	EXPECT_EQ(q.seqno(), 0u);
	m.bus.advance(1);
	EXPECT_EQ(q.seqno(), 1u);
	EXPECT_EQ(q.record(1).end_ns - start, launch);
	EXPECT_EQ(m.bus.interrupts(1), 1u);
}

TEST(pace_device, launches_of_two_queues_overlap_and_their_work_does_not)
{
	machine m({.pace = ATOM_PACE_DEVICE, .manual_clock = true});
	ASSERT_TRUE(m.ready);
	job_queue a = m.make_queue(1);
	job_queue b = m.make_queue(2);
	command_bytes c;
	c.add(fill(arena_va, 4 << 20, 1));
	const atom_ring_desc d = m.execute(c);
	a.submit(d);
	b.submit(d);
	m.bus.pump();
	const std::uint64_t work = 16384 + overhead;
	m.bus.advance(launch + work);
	EXPECT_EQ(a.seqno(), 1u);
	EXPECT_EQ(b.seqno(), 0u);
	m.bus.advance(work);
	EXPECT_EQ(b.seqno(), 1u);
}

TEST(pace_device, a_reset_does_not_wait_for_modelled_time)
{
	machine m({.pace = ATOM_PACE_DEVICE, .manual_clock = true});
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	q.submit(nop());
	m.bus.pump();
	ASSERT_TRUE(m.driver.queue_reset(1, 2));
	EXPECT_EQ(q.seqno(), 1u);
	EXPECT_EQ(q.record(1).status, ATOM_CPL_ABORTED);
	m.bus.advance(1'000'000);
	EXPECT_EQ(q.seqno(), 1u);
}

TEST(pace_device, the_real_clock_lets_jobs_end_too)
{
	machine m({.executor = ATOM_EXECUTOR_POOL, .pace = ATOM_PACE_DEVICE});
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	for (int i = 0; i < 10; ++i) {
		const std::uint64_t seq = q.submit(nop());
		ASSERT_TRUE(q.wait(seq));
		EXPECT_GE(q.record(seq).end_ns - q.record(seq).start_ns, launch);
	}
}

TEST(telemetry_test, an_idle_device_draws_idle_power_and_counts_energy)
{
	machine m({.manual_clock = true});
	ASSERT_TRUE(m.ready);
	m.bus.read64(ATOM_REG_ENERGY);
	const std::uint64_t before = m.bus.read64(ATOM_REG_ENERGY);
	m.bus.advance(10'000'000'000);
	EXPECT_EQ(m.bus.read32(ATOM_REG_POWER), 19'400u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_PSTATE), 14u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_UTILISATION), 0u);
	EXPECT_NEAR(static_cast<double>(m.bus.read64(ATOM_REG_ENERGY) - before), 194e6, 1e6);
	EXPECT_NEAR(m.bus.read32(ATOM_REG_TEMPERATURE), 40'000, 500);
}

TEST(telemetry_test, work_raises_power_for_a_while)
{
	machine m({.manual_clock = true});
	ASSERT_TRUE(m.ready);
	/* Each look at the clock takes a tenth of a millisecond, so that commands take time. */
	m.bus.on_trace = [&](std::uint32_t event, const std::uint64_t *) {
		if (event == ATOM_TRACE_COMMAND_START)
			m.bus.advance(1'000'000);
	};
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(fill(arena_va, 4096, 1));
	const std::uint64_t seq = q.submit(m.execute(c));
	ASSERT_TRUE(q.wait(seq));
	m.bus.on_trace = nullptr;
	EXPECT_EQ(m.bus.read32(ATOM_REG_PSTATE), 2u);
	EXPECT_GE(m.bus.read32(ATOM_REG_POWER), 29'200u);
	EXPECT_GT(m.bus.read32(ATOM_REG_CLOCK_NE0), 0u);
	m.bus.advance(7'000'000'000);
	EXPECT_EQ(m.bus.read32(ATOM_REG_PSTATE), 14u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_POWER), 19'400u);
}

} // namespace atom::test
