/* SPDX-License-Identifier: MIT */
/* Power, energy, temperature, utilisation, busy time: all in chip time. */
#include "device_fixture.h"
#include "round_figures.h"

namespace atom::test {

namespace {

/* 512^3 in bf16: 16777.2 ns of the matrix unit. */
constexpr std::uint64_t gemm_ns = 16'777;

atom_cmd_gemm gemm_512()
{
	const auto square = [](std::uint64_t va) { return dense(0, va, ATOM_DTYPE_BF16, {512, 512}); };
	return gemm(square(arena_va), square(arena_va + (2 << 20)), square(arena_va + (4 << 20)));
}

/* 4096^3 multiply-accumulates in f32: 34 ms. All rows of an input are the same memory. */
atom_cmd_gemm long_gemm()
{
	atom_tensor a = dense(0, arena_va, ATOM_DTYPE_F32, {4096, 4096}), b = a, out = dense(0, arena_va, ATOM_DTYPE_F32, {4096, 4096});
	a.strides[0] = b.strides[0] = 0;
	out.offset = arena_va + (1 << 20);
	return gemm(a, b, out);
}

struct meter {
	machine &m;
	std::uint64_t energy_uj() { return m.bus.read64(ATOM_REG_ENERGY); }
	std::uint32_t power_mw() { return m.bus.read32(ATOM_REG_POWER); }
	std::uint32_t permille() { return m.bus.read32(ATOM_REG_UTILISATION); }
	std::uint32_t pstate() { return m.bus.read32(ATOM_REG_PSTATE); }
	std::int32_t temperature_mc() { return static_cast<std::int32_t>(m.bus.read32(ATOM_REG_TEMPERATURE)); }
};

/* Watts times nanoseconds. */
double uj(double watts, double ns)
{
	return watts * ns * 1e-3;
}

} // namespace

TEST(telemetry_test, an_idle_device_draws_idle_power_and_counts_energy)
{
	machine m({.manual_clock = true});
	ASSERT_TRUE(m.ready);
	meter t{m};
	const std::uint64_t before = t.energy_uj();
	m.bus.advance(10'000'000'000);
	EXPECT_EQ(t.power_mw(), 19'400u);
	EXPECT_EQ(t.pstate(), 14u);
	EXPECT_EQ(t.permille(), 0u);
	EXPECT_NEAR(static_cast<double>(t.energy_uj() - before), uj(19.4, 10e9), 1);
	EXPECT_NEAR(t.temperature_mc(), 40'000, 5);
}

TEST(telemetry_test, work_raises_power_and_the_clocks_for_six_seconds)
{
	machine m(with({.compute_off = true, .manual_clock = true}));
	ASSERT_TRUE(m.ready);
	meter t{m};
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(fill(arena_va, 4096, 1));
	ASSERT_TRUE(q.wait(q.submit(m.execute(c))));
	EXPECT_EQ(t.pstate(), 2u);
	EXPECT_EQ(t.power_mw(), 29'200u);
	EXPECT_EQ(m.bus.read32(ATOM_REG_CLOCK_NE0), 1'000'000u);
	const std::uint64_t before = t.energy_uj();
	m.bus.advance(5'999'999'999);
	EXPECT_EQ(t.pstate(), 2u);
	m.bus.advance(4'000'000'001);
	EXPECT_EQ(t.pstate(), 14u);
	EXPECT_EQ(t.power_mw(), 19'400u);
	EXPECT_NEAR(static_cast<double>(t.energy_uj() - before), uj(29.2, 6e9) + uj(19.4, 4e9), 1);
}

TEST(telemetry_test, energy_of_a_job_is_that_of_its_modelled_time_however_long_the_host_takes)
{
	for (const std::uint64_t host_ns : {0ull, 50'000'000ull}) {
		machine m(with({.manual_clock = true}));
		ASSERT_TRUE(m.ready);
		meter t{m};
		job_queue q = m.make_queue();
		command_bytes c;
		c.add(gemm_512());
		/* The wall clock goes on while a tile runs. */
		bool in_command = false;
		m.bus.on_trace = [&](std::uint32_t event, const std::uint64_t *) {
			if (event == ATOM_TRACE_COMMAND_START)
				in_command = true;
			if (event == ATOM_TRACE_TLB_MISS && in_command) {
				in_command = false;
				m.bus.advance(host_ns);
			}
		};
		const std::uint64_t before = t.energy_uj(), start = m.bus.now_ns();
		ASSERT_TRUE(q.wait(q.submit(m.execute(c))));
		EXPECT_EQ(m.bus.now_ns() - start, host_ns);
		/* All of it with compute running. */
		EXPECT_NEAR(static_cast<double>(t.energy_uj() - before), uj(69.2, gemm_ns + overhead), 1.1) << host_ns;
		EXPECT_EQ(t.permille(), 1000u) << host_ns;
		EXPECT_EQ(t.power_mw(), 69'200u);
	}
}

TEST(telemetry_test, utilisation_is_the_share_of_the_last_second_in_which_compute_ran)
{
	machine m(with({.pace = ATOM_PACE_DEVICE, .compute_off = true, .manual_clock = true}));
	ASSERT_TRUE(m.ready);
	meter t{m};
	job_queue q = m.make_queue();
	/* 100 times 17277 ns of compute, then as much without: half of the time. */
	command_bytes c;
	for (int i = 0; i < 100; ++i)
		c.add(gemm_512()).add(fence());
	const std::uint64_t work = 100 * (gemm_ns + overhead) + 22; /* a GEMM takes 16777.216 ns */
	const atom_ring_desc job = m.execute(c);
	const std::uint64_t before = t.energy_uj(), begin = m.bus.now_ns();
	std::uint64_t energy_at_end = 0;
	while (m.bus.now_ns() - begin < 1'200'000'000) {
		const std::uint64_t seq = q.submit(job);
		m.bus.pump();
		m.bus.advance(launch + work);
		ASSERT_EQ(q.seqno(), seq);
		m.bus.advance(work - launch);
		energy_at_end = t.energy_uj();
	}
	EXPECT_NEAR(t.permille(), 500, 2);
	EXPECT_NEAR(t.power_mw(), 29'200 + 20'000, 80);
	const double passed = static_cast<double>(m.bus.now_ns() - begin);
	EXPECT_NEAR(static_cast<double>(energy_at_end - before) / uj(49.2, passed), 1.0, 0.001);
	m.bus.advance(1'100'000'000);
	EXPECT_EQ(t.permille(), 0u);
	EXPECT_EQ(t.power_mw(), 29'200u);
}

TEST(telemetry_test, copies_are_work_but_not_compute)
{
	machine m(with({.compute_off = true, .manual_clock = true}));
	ASSERT_TRUE(m.ready);
	meter t{m};
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(copy_bytes(host_va + (1 << 20), arena_va, 1 << 20));
	const std::uint64_t before = t.energy_uj();
	ASSERT_TRUE(q.wait(q.submit(m.execute(c))));
	EXPECT_NEAR(static_cast<double>(t.energy_uj() - before), uj(29.2, 20'972 + overhead), 1.1);
	EXPECT_EQ(t.permille(), 0u);
	EXPECT_EQ(t.pstate(), 2u);
}

TEST(telemetry_test, busy_time_of_each_engine_and_bytes_follow_the_model)
{
	machine m(with({.compute_off = true, .manual_clock = true}));
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(copy_bytes(host_va + (1 << 20), arena_va, 1 << 20)).add(fence()).add(gemm_512());
	const std::uint64_t seq = q.submit(m.execute(c));
	ASSERT_TRUE(q.wait(seq));
	const std::uint64_t matrix = 512 * 512 * 2;
	EXPECT_EQ(m.bus.read64(ATOM_REG_MODELLED_COMPUTE), gemm_ns);
	EXPECT_EQ(m.bus.read64(ATOM_REG_MODELLED_LINK), 20'972u);
	EXPECT_EQ(m.bus.read64(ATOM_REG_MODELLED_DRAM), 4096u + 3 * matrix * 1000 / 256'000);
	EXPECT_EQ(m.bus.read64(ATOM_REG_DRAM_READ), 2 * matrix);
	EXPECT_EQ(m.bus.read64(ATOM_REG_DRAM_WRITE), (1 << 20) + matrix);
	EXPECT_GE(m.bus.read64(ATOM_REG_DMA_READ), 1u << 20);
	EXPECT_EQ(m.bus.read64(ATOM_REG_MODELLED_BUSY), q.record(seq).modelled_ns);
}

TEST(telemetry_test, a_hot_device_has_half_clocks_and_takes_longer)
{
	const auto run = [](const char *fault, std::uint32_t pstate, double watts) {
		machine m(with({.compute_off = true, .manual_clock = true}));
		EXPECT_TRUE(m.ready);
		meter t{m};
		if (fault) {
			EXPECT_EQ(atom_model_inject(m.bus.model(), fault, nullptr), 0);
		}
		job_queue q = m.make_queue();
		command_bytes c;
		c.add(gemm_512()).add(fence()).add(fill(arena_va, 4 << 20, 1));
		const std::uint64_t before = t.energy_uj(), seq = q.submit(m.execute(c));
		EXPECT_TRUE(q.wait(seq));
		EXPECT_EQ(t.pstate(), pstate);
		/* The fill is no compute. */
		const double fill_ns = 16'384 + 500 * (fault ? 2 : 1);
		const double gemm_time = static_cast<double>(q.record(seq).modelled_ns - launch) - fill_ns;
		const double base = fault ? 24.3 : 29.2;
		EXPECT_NEAR(static_cast<double>(t.energy_uj() - before), uj(watts, gemm_time) + uj(base, fill_ns), 1.1);
		return q.record(seq).modelled_ns;
	};
	/* Compute and overhead take twice as long; DRAM and the launch have clocks of their own. */
	const std::uint64_t cool = launch + gemm_ns + 16'384 + 2 * overhead;
	const std::uint64_t hot = launch + 2 * gemm_ns + 16'384 + 4 * overhead;
	EXPECT_EQ(run(nullptr, 2, 69.2), cool);
	EXPECT_EQ(run("kind=thermal,temp_mc=75000", 10, 44.3), hot);
	EXPECT_EQ(run("kind=power", 6, 44.3), hot);
}

TEST(telemetry_test, throttling_delays_completions_with_pace_device)
{
	machine m(with({.pace = ATOM_PACE_DEVICE, .compute_off = true, .manual_clock = true}));
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(gemm_512());
	const atom_ring_desc job = m.execute(c);
	ASSERT_EQ(atom_model_inject(m.bus.model(), "kind=thermal,temp_mc=80000", nullptr), 0);
	q.submit(job);
	m.bus.pump();
	m.bus.advance(launch + 2 * (gemm_ns + overhead) - 1);
	EXPECT_EQ(q.seqno(), 0u);
	m.bus.advance(1);
	EXPECT_EQ(q.seqno(), 1u);
	ASSERT_EQ(atom_model_inject(m.bus.model(), "kind=clear", nullptr), 0);
	q.submit(job);
	m.bus.pump();
	m.bus.advance(launch + gemm_ns + overhead);
	EXPECT_EQ(q.seqno(), 2u);
}

TEST(telemetry_test, temperature_follows_power_over_half_minutes)
{
	machine m(with({.compute_off = true, .manual_clock = true}));
	ASSERT_TRUE(m.ready);
	meter t{m};
	t.temperature_mc();
	job_queue q = m.make_queue();
	command_bytes c;
	for (int i = 0; i < 100; ++i)
		c.add(long_gemm()).add(fence());
	const atom_ring_desc job = m.execute(c);
	std::int32_t last = t.temperature_mc();
	double seconds = 0;
	std::uint64_t seq = 0;
	while (seconds < 300) {
		seq = q.submit(job);
		ASSERT_TRUE(q.wait(seq));
		seconds += static_cast<double>(q.record(seq).modelled_ns) * 1e-9;
		EXPECT_GE(t.temperature_mc(), last);
		last = t.temperature_mc();
	}
	/* 30.3 C and half a degree a watt; 69.2 W with all of it compute. */
	EXPECT_NEAR(last, 64'900, 20);
	EXPECT_EQ(m.bus.read32(ATOM_REG_THROTTLE), 0u);
	m.bus.advance(300'000'000'000);
	EXPECT_NEAR(t.temperature_mc(), 40'000, 20);
}

TEST(telemetry_test, a_reset_ends_what_was_to_come_and_keeps_what_was)
{
	machine m(with({.pace = ATOM_PACE_DEVICE, .compute_off = true, .manual_clock = true}));
	ASSERT_TRUE(m.ready);
	meter t{m};
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(gemm_512());
	q.submit(m.execute(c));
	m.bus.pump();
	const std::uint64_t before = t.energy_uj();
	m.bus.advance(launch + 10'000);
	const std::uint64_t spent = t.energy_uj() - before;
	EXPECT_NEAR(static_cast<double>(spent), uj(19.4, launch + overhead) + uj(69.2, 10'000 - overhead), 60);
	ASSERT_TRUE(m.driver.reset());
	EXPECT_GE(t.energy_uj() - before, spent);
	const std::uint64_t after = t.energy_uj();
	m.bus.advance(20'000);
	EXPECT_NEAR(static_cast<double>(t.energy_uj() - after), uj(29.2, 20'000), 1.1);
}

} // namespace atom::test
