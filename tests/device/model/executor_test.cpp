/* SPDX-License-Identifier: MIT */
/* Inline and pool give the same; many queues and threads at once; a doorbell's short cut. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "device_fixture.h"

namespace atom::test {

namespace {

/* What is left of a run: all records that do not tell the time, and all memory. */
struct outcome {
	std::vector<atom_cpl_record> records;
	std::vector<atom_fault_record> faults;
	std::vector<std::byte> dram;
	std::vector<std::byte> host;
};

/* A program made of the seed: fills, copies, GEMMs, casts of places, some of them bad. */
outcome run_program(atom_executor executor, unsigned seed, std::uint32_t threads)
{
	machine m({.executor = executor, .threads = threads});
	EXPECT_TRUE(m.ready);
	std::mt19937 random(seed);
	const auto pick = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
	outcome out;
	auto *data = m.host<std::uint32_t>(1 << 20);
	for (int i = 0; i < 1 << 20; ++i) /* floats between 1 and 2 */
		data[i] = 0x3f800000u | (random() & 0x7fffff);
	constexpr std::uint32_t queues = 4;
	std::vector<job_queue> qs;
	for (std::uint32_t id = 1; id <= queues; ++id)
		qs.push_back(m.make_queue(id));
	/* Queue q works in its own megabyte of DRAM: what is raced for has no one result. */
	for (int round = 0; round < 12; ++round) {
		std::vector<std::uint64_t> seqs;
		for (std::uint32_t q = 0; q < queues; ++q) {
			const std::uint64_t home = arena_va + (1ull << 20) * q;
			const auto matrix = [](std::uint64_t va, std::uint64_t rows, std::uint64_t columns) {
				return dense(0, va, ATOM_DTYPE_F32, {rows, columns});
			};
			command_bytes c;
			c.add(copy_bytes(host_va + (1 << 20) + pick(1 << 18) * 4, home, 1 << 18));
			for (std::uint32_t n = pick(5); n > 0; --n) {
				const std::uint64_t rows = 1 + pick(96);
				const std::uint64_t inner = 1 + pick(96);
				const std::uint64_t columns = 1 + pick(96);
				switch (pick(8)) {
				case 0:
					c.add(fill(home + pick(1 << 18), 1 + pick(5000), static_cast<std::uint8_t>(pick(256))));
					break;
				case 1: { /* a hole, or beyond: fails somewhere in the middle */
					c.add(fill(arena_va + arena_bytes - pick(1 << 16), 1 + pick(1 << 17), 0xbb));
					break;
				}
				case 2: {
					atom_cmd_copy bad = fill(home, 64, 1);
					bad.header.reserved = pick(2);
					c.add(bad);
					break;
				}
				default:
					c.add(gemm(matrix(home, rows, inner), matrix(home + (1 << 16), inner, columns),
						   matrix(home + (3 << 18), rows, columns)));
				}
			}
			c.add(copy_bytes(home, host_va + (6 << 20) + (1ull << 18) * q, 1 << 18));
			atom_ring_desc d = m.execute(c, 0x10000 * q);
			d.cookie = random();
			qs[q].push(d);
			d = nop();
			qs[q].push(d);
			seqs.push_back(qs[q].last());
		}
		for (job_queue &q : qs)
			q.ring();
		for (std::uint32_t q = 0; q < queues; ++q) {
			const auto state = [&] { return m.bus.read32(ATOM_REG_QUEUE(q + 1) + ATOM_QREG_STATE); };
			EXPECT_TRUE(m.bus.wait([&] { return qs[q].seqno() == seqs[q] || state() == ATOM_QUEUE_FAULTED; }));
			if (state() == ATOM_QUEUE_FAULTED) {
				EXPECT_TRUE(m.driver.queue_reset(q + 1, 100u + static_cast<unsigned>(round)));
			}
			EXPECT_EQ(qs[q].seqno(), seqs[q]);
			for (std::uint64_t s = seqs[q] - 1; s <= seqs[q]; ++s) {
				atom_cpl_record r = qs[q].record(s);
				r.start_ns = r.end_ns = 0;
				out.records.push_back(r);
			}
		}
	}
	out.faults = m.driver.faults();
	out.dram.assign(m.bus.dram(), m.bus.dram() + arena_bytes);
	out.host.assign(m.host<std::byte>(6 << 20), m.host<std::byte>(7 << 20));
	return out;
}

bool same(const atom_cpl_record &a, const atom_cpl_record &b)
{
	return std::memcmp(&a, &b, sizeof a) == 0;
}

} // namespace

TEST(executors, give_the_same_results_and_the_same_faults)
{
	bool any_fault = false;
	for (unsigned seed = 1; seed <= 6; ++seed) {
		const outcome one = run_program(ATOM_EXECUTOR_INLINE, seed, 1);
		const outcome many = run_program(ATOM_EXECUTOR_POOL, seed, 3);
		ASSERT_EQ(one.records.size(), many.records.size());
		for (std::size_t i = 0; i < one.records.size(); ++i) {
			EXPECT_TRUE(same(one.records[i], many.records[i])) << "seed " << seed << " record " << i << " code "
									  << one.records[i].fault_code << " and "
									  << many.records[i].fault_code;
			any_fault |= one.records[i].status == ATOM_CPL_FAULT;
		}
		EXPECT_EQ(one.faults.size(), many.faults.size());
		EXPECT_TRUE(one.dram == many.dram) << seed;
		EXPECT_TRUE(one.host == many.host) << seed;
	}
	EXPECT_TRUE(any_fault) << "the programs should have had faults in them";
}

TEST(executors, the_lowest_faulting_tile_is_told_whatever_the_threads_do)
{
	/* A fill over many tiles with two holes: the first one is told. */
	for (int round = 0; round < 10; ++round) {
		machine m({.dram_size = 128ull << 20, .executor = ATOM_EXECUTOR_POOL, .threads = 4});
		ASSERT_TRUE(m.ready);
		const std::uint64_t va = 0x60'0000'0000;
		m.tables->map(va, 64 << 20, ATOM_APERTURE_LOCAL, 16 << 20);
		m.tables->unmap(va + (37 << 20), 4096);
		m.tables->unmap(va + (38 << 20), 4096);
		job_queue q = m.make_queue();
		command_bytes c;
		c.add(fill(va, 64 << 20, 1));
		const std::uint64_t seq = q.submit(m.execute(c));
		ASSERT_TRUE(q.wait(seq));
		EXPECT_EQ(q.record(seq).fault_code, ATOM_FAULT_NOT_PRESENT);
		EXPECT_EQ(q.record(seq).fault_va, va + (37 << 20));
	}
}

TEST(executors, thousands_of_jobs_on_64_queues_from_several_threads_all_end_right)
{
	machine m({.ram_size = 128ull << 20, .executor = ATOM_EXECUTOR_POOL, .threads = 3});
	ASSERT_TRUE(m.ready);
	std::vector<job_queue> queues;
	for (std::uint32_t id = 1; id <= 64; ++id)
		queues.push_back(m.make_queue(id, {.ring_log2 = 5, .priority = static_cast<std::uint8_t>(id % 4),
						   .vector = static_cast<std::uint16_t>(id)}));
	constexpr int jobs = 80;
	constexpr unsigned threads = 4;
	/* Each queue has a page for its buffer and one that it fills. */
	for (std::uint32_t i = 0; i < 64; ++i) {
		command_bytes c;
		c.add(fill(arena_va + 4096u * i, 4096, static_cast<std::uint8_t>(i + 1)));
		m.execute(c, 4096u * i);
	}
	std::atomic<int> bad{0};
	std::vector<std::thread> drivers;
	for (unsigned t = 0; t < threads; ++t) {
		drivers.emplace_back([&, t] {
			for (int n = 0; n < jobs; ++n) {
				for (unsigned i = t; i < 64; i += threads) {
					job_queue &q = queues[i];
					if (q.last() - q.seqno() >= q.entries())
						bad += !q.wait(q.last() - q.entries() / 2);
					atom_ring_desc d = nop();
					if (n % 3) {
						d.type = ATOM_DESC_EXECUTE;
						d.cmd_va = host_va + 4096u * i;
						d.cmd_bytes = sizeof(atom_cmdbuf_header) + sizeof(atom_cmd_copy);
					}
					d.cookie = q.last() + 1;
					q.submit(d);
				}
				m.bus.read64(ATOM_REG_JOBS_DONE);
				m.bus.read32(ATOM_REG_POWER);
			}
			for (unsigned i = t; i < 64; i += threads) {
				job_queue &q = queues[i];
				bad += !q.wait(q.last());
				for (std::uint64_t s = q.last() - q.entries() + 1; s <= q.last(); ++s) {
					const atom_cpl_record r = q.record(s);
					bad += r.seq != s || r.status != ATOM_CPL_OK || r.cookie != s;
				}
			}
		});
	}
	for (std::thread &t : drivers)
		t.join();
	EXPECT_EQ(bad, 0);
	EXPECT_EQ(m.bus.read64(ATOM_REG_JOBS_DONE), 64u * jobs);
	for (unsigned i = 0; i < 64; ++i) {
		EXPECT_EQ(*m.arena<std::uint8_t>(4096 * i + 4095), i + 1);
		/* The interrupt follows the number that was waited for. */
		EXPECT_TRUE(m.bus.wait([&] { return m.bus.interrupts(i + 1) >= 27u; })) << i;
	}
}

TEST(executors, a_small_job_is_done_when_its_doorbell_returns)
{
	machine m({.executor = ATOM_EXECUTOR_POOL});
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	command_bytes c;
	c.add(fill(arena_va, 64, 5));
	const atom_ring_desc execute = m.execute(c);
	/* Not always: whenever the dispatcher happens to be awake, it does the work. */
	int nops = 0;
	int jobs = 0;
	for (int i = 0; i < 100; ++i) {
		std::uint64_t seq = q.submit(nop());
		nops += q.seqno() == seq;
		ASSERT_TRUE(q.wait(seq));
		seq = q.submit(execute);
		jobs += q.seqno() == seq;
		ASSERT_TRUE(q.wait(seq));
	}
	EXPECT_GT(nops, 50);
	EXPECT_GT(jobs, 50);
}

TEST(executors, a_large_job_does_not_hold_up_its_doorbell)
{
	machine m({.executor = ATOM_EXECUTOR_POOL});
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	command_bytes c;
	const auto square = [](std::uint64_t va) { return dense(0, va, ATOM_DTYPE_F32, {768, 768}); };
	for (int i = 0; i < 20; ++i)
		c.add(gemm(square(arena_va), square(arena_va), square(arena_va + (4 << 20))));
	const std::uint64_t seq = q.submit(m.execute(c));
	EXPECT_LT(q.seqno(), seq) << "nine billion multiply-accumulates inside a doorbell";
	ASSERT_TRUE(q.wait(seq));
	EXPECT_EQ(q.record(seq).status, ATOM_CPL_OK);
}

TEST(executors, the_short_cut_is_taken_from_an_interrupt_handler_only_by_the_dispatcher)
{
	/* A handler that rings the next doorbell from inside the upcall: must neither deadlock nor recurse. */
	machine m({.executor = ATOM_EXECUTOR_POOL});
	ASSERT_TRUE(m.ready);
	std::optional<job_queue> q;
	std::atomic<int> depth{0};
	std::atomic<int> deepest{0};
	std::atomic<int> left{200};
	m.bus.on_irq = [&](std::uint32_t vector) {
		if (vector != 1)
			return;
		deepest = std::max(deepest.load(), ++depth);
		if (--left > 0)
			q->submit(nop());
		--depth;
	};
	q.emplace(m.make_queue());
	q->submit(nop());
	EXPECT_TRUE(m.bus.wait([&] { return q->seqno() >= 200; }));
	EXPECT_EQ(deepest, 1);
	atom_model_quiesce(m.bus.model());
	m.bus.on_irq = nullptr;
	atom_model_resume(m.bus.model());
}

TEST(executors, admin_work_is_done_while_a_long_job_runs)
{
	machine m({.executor = ATOM_EXECUTOR_POOL, .threads = 3});
	ASSERT_TRUE(m.ready);
	job_queue q = m.make_queue();
	command_bytes c;
	const auto square = [](std::uint64_t va) { return dense(0, va, ATOM_DTYPE_F32, {768, 768}); };
	for (int i = 0; i < 100; ++i)
		c.add(gemm(square(arena_va), square(arena_va), square(arena_va + (4 << 20))));
	const std::uint64_t seq = q.submit(m.execute(c));
	for (int i = 0; i < 20; ++i)
		ASSERT_TRUE(m.driver.invalidate(asid));
	atom_admin_desc clear{};
	clear.opcode = ATOM_ADMIN_MEM_CLEAR;
	clear.mem_clear.address = 32 << 20;
	clear.mem_clear.bytes = 16 << 20;
	clear.mem_clear.aperture = ATOM_APERTURE_LOCAL;
	ASSERT_EQ(m.driver.admin(clear).status, ATOM_CPL_OK);
	EXPECT_LT(q.seqno(), seq) << "the job should have been running all the time";
	ASSERT_TRUE(m.driver.queue_reset(1, 2));
}

/* Of the thread that it interrupts: a scheduler's whim. */
void hold_up(int)
{
	const timespec time{.tv_sec = 0, .tv_nsec = 300'000};
	nanosleep(&time, nullptr);
}

std::vector<pid_t> other_threads()
{
	std::vector<pid_t> threads;
	for (const auto &entry : std::filesystem::directory_iterator("/proc/self/task"))
		if (const pid_t thread = std::stoi(entry.path().filename()); thread != gettid())
			threads.push_back(thread);
	return threads;
}

TEST(executors, a_device_ends_whatever_its_dispatcher_is_about_to_do)
{
	/* At each step the dispatcher takes back that it was called: the call to end must not be lost with it. */
	struct sigaction before, held = {};
	held.sa_handler = hold_up;
	ASSERT_EQ(sigaction(SIGUSR1, &held, &before), 0);
	for (int i = 0; i < 1000; ++i) {
		machine m({.ram_size = 32 << 20, .dram_size = 16 << 20, .executor = ATOM_EXECUTOR_POOL, .threads = 1});
		ASSERT_TRUE(m.ready);
		job_queue q = m.make_queue(1, {.ring_log2 = 12});
		for (std::uint64_t n = q.entries(); n; --n)
			q.push(nop(0));
		const std::vector<pid_t> threads = other_threads();
		q.ring();
		while (q.seqno() < q.entries() / 8)
			std::this_thread::yield();
		for (const pid_t thread : threads)
			tgkill(getpid(), thread, SIGUSR1);
	}
	sigaction(SIGUSR1, &before, nullptr);
}

TEST(executors, a_bad_configuration_is_refused_with_a_sentence)
{
	const bus_options bad[] = {
		{.dram_size = 3},
		{.dram_size = 4 << 20, .dram_window = 8 << 20},
		{.shm_size = 100},
		{.num_queues = 0},
		{.num_queues = 256},
		{.num_asids = 1},
		{.num_asids = 5000},
		{.num_vectors = 0},
		{.num_vectors = 4096},
		{.executor = 7},
		{.engine = 7},
		{.threads = 1000},
		{.pace = 7},
	};
	for (const bus_options &o : bad)
		EXPECT_THROW(host_bus{o}, std::runtime_error);
	char *error = nullptr;
	EXPECT_EQ(atom_model_create(nullptr, nullptr, nullptr, &error), nullptr);
	ASSERT_NE(error, nullptr);
	std::free(error);
	EXPECT_EQ(atom_model_abi(), ATOM_MODEL_ABI);
	for (std::uint32_t e = 0; e < ATOM_TRACE_COUNT; ++e)
		EXPECT_NE(atom_model_trace_name(e), nullptr);
	EXPECT_EQ(atom_model_trace_name(ATOM_TRACE_COUNT), nullptr);
}

} // namespace atom::test
