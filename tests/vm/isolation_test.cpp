// SPDX-License-Identifier: MIT
// What one program does must not touch another's memory, jobs or results.
#include "context.hpp"
#include "machine.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

using namespace vmtest;

namespace {

/** Jobs of a well-behaved program: adds vectors again and again and checks each result. */
void work_and_check(context &c, int jobs)
{
	constexpr std::uint64_t n = 4096;
	const memory a = c.alloc(n * 4), b = c.alloc(n * 4, DRM_ATOM_BO_LOCAL), out = c.alloc(n * 4);
	const auto program = c.job(command_list(make_binary(ATOM_BINARY_ADD, tensor(ATOM_DTYPE_I32, {n}, a.va),
							    tensor(ATOM_DTYPE_I32, {n}, b.va),
							    tensor(ATOM_DTYPE_I32, {n}, out.va))));
	for (int job = 0; job < jobs; ++job) {
		for (std::uint64_t i = 0; i < n; ++i) {
			a.as<std::int32_t>()[i] = static_cast<std::int32_t>(i) * 3 + job;
			b.as<std::int32_t>()[i] = 1000000 - static_cast<std::int32_t>(i);
		}
		c.run(program);
		for (std::uint64_t i = 0; i < n; ++i)
			if (out.as<std::int32_t>()[i] != static_cast<std::int32_t>(i) * 2 + job + 1000000)
				throw std::runtime_error("wrong result in job " + std::to_string(job));
	}
}

/** A GEMM that takes a while even on a fast host: out += is as large as one command may be, times @p repeat. */
command_list long_gemm(std::uint64_t a, std::uint64_t b, std::uint64_t out, std::uint64_t n, int repeat)
{
	command_list commands;
	for (int i = 0; i < repeat; ++i)
		commands.add(make_gemm(tensor(ATOM_DTYPE_F32, {n, n}, a), tensor(ATOM_DTYPE_F32, {n, n}, b),
				       tensor(ATOM_DTYPE_F32, {n, n}, out)));
	return commands;
}

} // namespace

TEST(isolation, a_fault_stops_only_its_own_queue_while_another_process_goes_on)
{
	shared_flag started, stop;
	child neighbour([&] {
		context c;
		while (stop.count() == 0) {
			work_and_check(c, 5);
			started.raise();
		}
		work_and_check(c, 5);
	});
	ASSERT_TRUE(started.wait());
	for (int i = 0; i < 25; ++i) {
		context c;
		queue healthy(c.dev, c.space);
		const memory m = c.alloc(page);
		const auto state = c.run_failing(command_list(make_copy_bytes(c.space.reserve(mib), m.va, page)));
		ASSERT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_FAULT) << describe(state);
		ASSERT_EQ(c.q.try_submit(std::vector{c.job(command_list(make_nop()))}), ECANCELED);
		// The client's own other queue is not the guilty one.
		healthy.submit(c.job(command_list(make_nop())));
		ASSERT_TRUE(eventually([&] { return healthy.state().completed == 1; }));
		ASSERT_EQ(healthy.state().flags, 0u) << describe(healthy.state());
	}
	const unsigned rounds = started.count();
	EXPECT_TRUE(started.wait(rounds + 2)) << "the other process makes no progress any more";
	stop.raise();
	EXPECT_EQ(neighbour.wait(), 0);
}

TEST(isolation, address_spaces_of_two_processes_do_not_see_each_other)
{
	constexpr std::uint64_t va = std::uint64_t{1} << 40; // mapped in our address space only
	context mine;
	const buffer secret(mine.dev, page, DRM_ATOM_BO_LOCAL);
	const auto map = secret.map();
	fill_pattern(map.as<std::uint32_t>(), 83);
	mine.space.map(va, secret, 0, page);
	const memory check = mine.alloc(page);
	mine.run(command_list(make_copy_bytes(va, check.va, page)));
	EXPECT_EQ(find_damage(check.as<std::uint32_t>(), 83), -1);
	child spy([&] {
		for (const bool write : {false, true}) {
			context c;
			const memory m = c.alloc(page);
			const auto state = c.run_failing(command_list(write ? make_copy_bytes(m.va, va, page)
									    : make_copy_bytes(va, m.va, page)));
			if (state.fault_code != ATOM_FAULT_NOT_PRESENT || find_nonzero({m.map.data(), page}) >= 0)
				throw std::runtime_error("reached it: " + describe(state));
		}
	});
	EXPECT_EQ(spy.wait(), 0);
	EXPECT_EQ(find_damage(map.as<std::uint32_t>(), 83), -1);
}

class reuse : public testing::TestWithParam<drm_atom_bo_placement> {};

INSTANTIATE_TEST_SUITE_P(isolation, reuse, testing::Values(DRM_ATOM_BO_SYSTEM, DRM_ATOM_BO_LOCAL),
			 [](const auto &info) {
				 return info.param == DRM_ATOM_BO_SYSTEM ? std::string("system_memory")
									 : std::string("device_memory");
			 });

TEST_P(reuse, memory_unmapped_freed_and_reused_while_a_long_gemm_runs_is_never_touched)
{
	constexpr std::uint64_t n = 768, bytes = n * n * 4;
	for (int round = 0; round < 4; ++round) {
		context c;
		const memory a = c.alloc(bytes), b = c.alloc(bytes);
		for (std::uint64_t i = 0; i < n * n; ++i)
			a.as<float>()[i] = b.as<float>()[i] = 1.0f;
		auto out = std::make_unique<memory>(c.alloc(bytes, GetParam()));
		const std::uint64_t out_va = out->va;
		const std::uint64_t out_size = out->size();
		c.submit(long_gemm(a.va, b.va, out_va, n, 40));
		// Once results come, the job is in the middle of its writes.
		ASSERT_TRUE(eventually([&] {
			return reinterpret_cast<volatile float *>(out->map.data())[0] != 0.0f || c.timeline.value() >= c.point;
		}, 60));
		const bool running = c.timeline.value() < c.point;
		c.space.unmap(out_va, out_size);
		// From here on no access of the job may reach the memory: another program gets it.
		out.reset();
		child next([&] {
			context mine;
			std::vector<memory> taken;
			for (int i = 0; i < 8; ++i) {
				taken.push_back(mine.alloc(bytes, GetParam()));
				if (find_nonzero({taken.back().map.data(), bytes}) >= 0)
					throw std::runtime_error("memory is not zero at hand-over");
				fill_pattern(taken.back().as<std::uint32_t>(), static_cast<std::uint32_t>(89 + i));
			}
			for (int look = 0; look < 20; ++look) {
				for (int i = 0; i < 8; ++i)
					if (find_damage(taken[i].as<std::uint32_t>(), static_cast<std::uint32_t>(89 + i)) >= 0)
						throw std::runtime_error("the other program's job wrote our memory");
				pause_ms(10);
			}
		});
		EXPECT_EQ(next.wait(), 0);
		c.wait();
		const auto state = c.q.state();
		if (running) {
			EXPECT_EQ(state.fault_code, ATOM_FAULT_NOT_PRESENT) << describe(state);
			EXPECT_EQ(state.fault_opcode, ATOM_OP_GEMM) << describe(state);
		}
	}
}

TEST(isolation, an_endless_stream_of_faults_does_not_starve_a_neighbour)
{
	shared_flag stop;
	child vandal([&] {
		while (stop.count() == 0) {
			context c;
			c.run_failing(command_list(make_copy_bytes(c.space.reserve(mib), c.space.reserve(mib), page)));
		}
	});
	context c;
	EXPECT_NO_THROW(work_and_check(c, 50));
	stop.raise();
	EXPECT_EQ(vandal.wait(), 0);
}

TEST(isolation, rewriting_a_command_buffer_while_it_runs_hurts_only_the_writer)
{
	// The device copies a command before it checks it: whatever the program does to it meanwhile, either it runs or it
	// faults, and a range outside the client's mappings is never written.
	context good;
	shared_flag stop;
	child vandal([&] {
		while (stop.count() == 0) {
			context c;
			const memory target = c.alloc(kib64), code = c.alloc(page);
			command_list commands;
			for (int i = 0; i < 10; ++i)
				commands.add(make_fill(tensor(ATOM_DTYPE_U8, {kib64}, target.va), 0x11));
			const auto bytes = commands.finish();
			std::memcpy(code.map.data(), bytes.data(), bytes.size());
			drm_atom_job job{};
			job.cmd_va = code.va;
			job.cmd_bytes = static_cast<__u32>(bytes.size());
			c.submit(job);
			auto *words = reinterpret_cast<volatile std::uint32_t *>(code.map.data());
			for (std::uint32_t i = 0; c.timeline.value() < c.point; ++i)
				words[8 + i * 2654435761u % (bytes.size() / 4 - 8)] = i * 40503u;
			c.wait();
		}
	});
	EXPECT_NO_THROW(work_and_check(good, 50));
	stop.raise();
	EXPECT_EQ(vandal.wait(), 0);
}
