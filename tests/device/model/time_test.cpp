/* SPDX-License-Identifier: MIT */
/* Modelled time, pace, compute=off. */
#include "device_fixture.h"
#include "round_figures.h"

#include <cstdlib>
#include <stdexcept>

namespace atom::test {

namespace {

constexpr std::uint64_t shm_va = 0x30'0000'0000;

/* One job on a fresh machine: what its record and its commands say. */
struct times {
	std::uint64_t job = 0;
	std::vector<atom_model_command_time> commands;
};

times run(command_bytes &commands, bus_options options = {})
{
	machine m(with(options));
	EXPECT_TRUE(m.ready);
	times t;
	m.bus.on_command_time = [&](const atom_model_command_time &c) { t.commands.push_back(c); };
	m.tables->map(shm_va, 2 << 20, ATOM_APERTURE_SHM, 0);
	job_queue q = m.make_queue();
	const std::uint64_t seq = q.submit(m.execute(commands));
	EXPECT_TRUE(q.wait(seq));
	EXPECT_EQ(q.record(seq).status, ATOM_CPL_OK);
	t.job = q.record(seq).modelled_ns;
	return t;
}

std::uint64_t modelled(command_bytes &commands, bus_options options = {})
{
	return run(commands, options).job;
}

std::uint64_t modelled(const atom_cmd_copy &c)
{
	command_bytes commands;
	commands.add(c);
	return modelled(commands);
}

atom_cmd_gemm square_gemm(std::uint8_t dtype, std::uint64_t size, std::uint64_t out = arena_va + (4 << 20))
{
	const auto square = [&](std::uint64_t va) { return dense(0, va, dtype, {size, size}); };
	return gemm(square(arena_va), square(arena_va + (2 << 20)), square(out));
}

std::uint64_t modelled_gemm(std::uint8_t dtype, std::uint64_t size)
{
	command_bytes commands;
	commands.add(square_gemm(dtype, size));
	return modelled(commands, {.compute_off = true});
}

} // namespace

TEST(modelled_time, a_descriptor_costs_its_launch_and_a_command_its_overhead)
{
	command_bytes none;
	EXPECT_EQ(modelled(none), launch);
	command_bytes three;
	atom_cmd_nop n{};
	three.add(n).add(n).add(fence()).add(n);
	EXPECT_EQ(modelled(three), launch + 3 * overhead);
}

TEST(modelled_time, bytes_cost_what_the_bandwidth_of_their_memory_says)
{
	/* 4 MiB at 256 GB/s; 1 MiB at 1 TB/s; 4 MiB at 50 GB/s. */
	EXPECT_EQ(modelled(fill(arena_va, 4 << 20, 1)), launch + overhead + 16384);
	EXPECT_EQ(modelled(fill(shm_va, 1 << 20, 1)), launch + overhead + 1049);
	EXPECT_EQ(modelled(fill(host_va + (1 << 20), 4 << 20, 1)), launch + overhead + 83886);
}

TEST(modelled_time, the_slowest_resource_decides)
{
	/* From host to device: PCIe, not DRAM. */
	const std::uint64_t both = modelled(copy_bytes(host_va + (1 << 20), arena_va, 4 << 20));
	EXPECT_EQ(both, modelled(fill(host_va + (1 << 20), 4 << 20, 1)));
}

TEST(modelled_time, narrow_types_compute_faster)
{
	/* 512^3 / (4e12 * 0.5) = 67.1 us; a quarter of it at 16e12. */
	EXPECT_EQ(modelled_gemm(ATOM_DTYPE_F32, 512), launch + overhead + 67109);
	EXPECT_EQ(modelled_gemm(ATOM_DTYPE_BF16, 512), launch + overhead + 16777);
}

TEST(modelled_time, a_ragged_shape_wastes_the_matrix_unit)
{
	/* 33 * 33 tiles, 65 steps of 8 each in bf16: 8849 rounds of the eight engines at 2.048 ns. */
	EXPECT_EQ(modelled_gemm(ATOM_DTYPE_BF16, 513), launch + overhead + 18123);
}

TEST(modelled_time, is_the_same_on_every_executor_and_with_compute_off)
{
	command_bytes c;
	c.add(copy_bytes(host_va + (1 << 20), arena_va, 1 << 20)).add(fence()).add(square_gemm(ATOM_DTYPE_F32, 300));
	const std::uint64_t one = modelled(c);
	EXPECT_EQ(one, modelled(c, {.executor = ATOM_EXECUTOR_POOL, .threads = 3}));
	EXPECT_EQ(one, modelled(c, {.engine = ATOM_ENGINE_REFERENCE}));
	EXPECT_EQ(one, modelled(c, {.compute_off = true}));
}

TEST(modelled_time, commands_between_fences_overlap)
{
	/* A GEMM of 16.8 us on the matrix unit, and a copy of 21 us over the link. */
	const atom_cmd_gemm g = square_gemm(ATOM_DTYPE_BF16, 512);
	const atom_cmd_copy c = copy_bytes(host_va + (1 << 20), shm_va, 1 << 20);
	command_bytes beside, apart;
	beside.add(g).add(c);
	apart.add(g).add(fence()).add(c);
	const times b = run(beside, {.compute_off = true});
	EXPECT_EQ(b.job, launch + 2 * overhead + 20972);
	EXPECT_EQ(modelled(apart, {.compute_off = true}), launch + 2 * overhead + 16777 + 20972);
	/* Each command's length is what it adds. */
	ASSERT_EQ(b.commands.size(), 2u);
	EXPECT_EQ(b.commands[0].ns, overhead + 16777);
	EXPECT_EQ(b.commands[0].limit, static_cast<std::uint32_t>(ATOM_LIMIT_MATRIX));
	EXPECT_EQ(b.commands[1].start_ns, launch + b.commands[0].ns);
	EXPECT_EQ(b.commands[1].limit, static_cast<std::uint32_t>(ATOM_LIMIT_PCIE));
	EXPECT_EQ(b.commands[0].ns + b.commands[1].ns + launch, b.job);
}

TEST(modelled_time, what_others_hide_costs_its_overhead)
{
	command_bytes c;
	c.add(square_gemm(ATOM_DTYPE_BF16, 512)).add(fill(shm_va, 4096, 1));
	const times t = run(c, {.compute_off = true});
	ASSERT_EQ(t.commands.size(), 2u);
	EXPECT_EQ(t.commands[1].ns, overhead);
	EXPECT_EQ(t.commands[1].limit, static_cast<std::uint32_t>(ATOM_LIMIT_OVERHEAD));
}

TEST(modelled_time, weights_are_fetched_ahead_while_commands_before_them_run)
{
	/* [64, 16384] x [16384, 64] in bf16: 2 MiB each of a and b: 16.4 us of DRAM, 8.4 us of matrix unit. */
	const auto long_k = [](std::uint64_t a, std::uint64_t b, std::uint64_t out) {
		return gemm(dense(0, a, ATOM_DTYPE_BF16, {64, 16384}), dense(0, b, ATOM_DTYPE_BF16, {16384, 64}),
			    dense(0, out, ATOM_DTYPE_BF16, {64, 64}));
	};
	const std::uint64_t weights = arena_va, more = arena_va + (2 << 20), written = arena_va + (4 << 20);
	const auto second = [&](std::uint64_t fill_at, std::uint64_t a) {
		command_bytes c;
		c.add(fill(fill_at, 4096, 1)).add(fill(host_va + (1 << 20), 4 << 20, 1)).add(fence());
		c.add(long_k(a, more, shm_va));
		const times t = run(c, {.compute_off = true});
		EXPECT_EQ(t.commands.size(), 4u);
		return t.commands.back();
	};
	/* Room for 1 MiB is 4.1 us of DRAM. */
	const atom_model_command_time ahead = second(written, weights);
	EXPECT_EQ(ahead.dram_ahead_ns, 4096u);
	EXPECT_EQ(ahead.dram_ns, 2 * 8192 - 4096u);
	EXPECT_EQ(ahead.limit, static_cast<std::uint32_t>(ATOM_LIMIT_DRAM));
	/* What the job itself has written has to be read when it is there. */
	const atom_model_command_time after = second(weights + 8192, weights);
	EXPECT_EQ(after.dram_ahead_ns, 4096u);
	EXPECT_EQ(after.dram_bytes, ahead.dram_bytes);
	command_bytes both;
	both.add(fill(weights, 4096, 1)).add(fill(more, 4096, 1)).add(fill(host_va + (1 << 20), 4 << 20, 1)).add(fence());
	both.add(long_k(weights, more, shm_va));
	const times t = run(both, {.compute_off = true});
	EXPECT_EQ(t.commands.back().dram_ahead_ns, 0u);
	EXPECT_EQ(t.commands.back().dram_ns, 2 * 8192u);
}

TEST(modelled_time, gaps_between_elements_cost_nothing)
{
	/* Two bytes a terabyte apart: as the bandwidth sees it, they are two bytes. */
	machine m(with({}));
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
	EXPECT_EQ(q.record(seq).modelled_ns, launch + overhead);
}

TEST(modelled_time, a_broadcast_operand_moves_once)
{
	command_bytes c;
	atom_tensor b = dense(0, arena_va + (2 << 20), ATOM_DTYPE_F32, {512, 1});
	b.dims[1] = 512;
	b.strides[1] = 0;
	c.add(gemm(dense(0, arena_va, ATOM_DTYPE_F32, {512, 512}), b, dense(0, shm_va, ATOM_DTYPE_F32, {512, 512})));
	const times t = run(c, {.compute_off = true});
	EXPECT_EQ(t.commands.back().dram_bytes, 512u * 512 * 4 + 512 * 4);
}

TEST(timing_parameters, a_device_says_them_and_takes_others)
{
	host_bus plain({});
	char *text = atom_model_describe(plain.model());
	EXPECT_NE(std::strstr(text, "timing: bandwidth.dram = 2.56e+11 B/s (published"), nullptr) << text;
	std::free(text);
	host_bus other({.timing = "bandwidth.dram=1e11,launch=0"});
	text = atom_model_describe(other.model());
	EXPECT_NE(std::strstr(text, "timing: bandwidth.dram = 1e+11 B/s (changed"), nullptr) << text;
	EXPECT_NE(std::strstr(text, "timing: launch = 0 ns (changed"), nullptr) << text;
	std::free(text);
}

TEST(timing_parameters, a_wrong_one_is_refused_with_what_would_be_right)
{
	const auto refusal = [](const char *timing) -> std::string {
		try {
			host_bus b({.timing = timing});
		} catch (const std::runtime_error &e) {
			return e.what();
		}
		return "taken";
	};
	EXPECT_NE(refusal("lunch=1").find("no parameter 'lunch'; there are rate.int8"), std::string::npos);
	EXPECT_NE(refusal("launch").find("launch takes 0 to 1e+09 ns"), std::string::npos);
	EXPECT_NE(refusal("utilisation=1.5").find("takes 0.001 to 1 of peak, not '1.5'"), std::string::npos);
	EXPECT_NE(refusal("bandwidth.dram=nan").find("bandwidth.dram takes"), std::string::npos);
	EXPECT_NE(refusal("launch=1x").find("not '1x'"), std::string::npos);
	EXPECT_NE(refusal("launch=1,,").find("no parameter ''"), std::string::npos);
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
	machine m(with({.pace = ATOM_PACE_DEVICE, .manual_clock = true}));
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
	machine m(with({.pace = ATOM_PACE_DEVICE, .manual_clock = true}));
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

TEST(pace_device, what_one_queue_moves_over_the_link_hides_behind_the_work_of_another)
{
	machine m(with({.pace = ATOM_PACE_DEVICE, .compute_off = true, .manual_clock = true}));
	ASSERT_TRUE(m.ready);
	job_queue a = m.make_queue(1);
	job_queue b = m.make_queue(2);
	m.tables->map(shm_va, 2 << 20, ATOM_APERTURE_SHM, 0);
	command_bytes c;
	c.add(copy_bytes(host_va + (1 << 20), shm_va, 1 << 20)).add(fence());
	for (int i = 0; i < 4; ++i)
		c.add(square_gemm(ATOM_DTYPE_BF16, 512)).add(fence());
	/* Four times 16777.2 ns, 1048.6 ns of SHM that the copy needs too, and five overheads; the link takes 20971.5. */
	const std::uint64_t work = 68'157 + 5 * overhead;
	const std::uint64_t link = 20'972 - 1'049;
	const atom_ring_desc d = m.execute(c);
	a.submit(d);
	b.submit(d);
	m.bus.pump();
	m.bus.advance(launch + link + work - 1);
	EXPECT_EQ(a.seqno(), 0u);
	m.bus.advance(1);
	EXPECT_EQ(a.seqno(), 1u);
	EXPECT_EQ(a.record(1).modelled_ns, launch + link + work);
	m.bus.advance(work - 1);
	EXPECT_EQ(b.seqno(), 0u);
	m.bus.advance(1);
	EXPECT_EQ(b.seqno(), 1u);
}

TEST(pace_device, a_reset_does_not_wait_for_modelled_time)
{
	machine m(with({.pace = ATOM_PACE_DEVICE, .manual_clock = true}));
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
	machine m(with({.executor = ATOM_EXECUTOR_POOL, .pace = ATOM_PACE_DEVICE}));
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	for (int i = 0; i < 10; ++i) {
		const std::uint64_t seq = q.submit(nop());
		ASSERT_TRUE(q.wait(seq));
		EXPECT_GE(q.record(seq).end_ns - q.record(seq).start_ns, launch);
	}
}

} // namespace atom::test
