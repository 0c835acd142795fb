/* SPDX-License-Identifier: MIT */
/*
 * A guest that rewrites descriptors, arguments, commands, indices and data while
 * the device works on them: a result or a fault, and nobody else's business.
 */
#include <algorithm>

#include "device_fixture.h"
#include "rewriting_guest.h"
#include "valid_commands.h"

namespace atom::test {

namespace {

constexpr std::uint64_t commands_at = 0, args_at = 1 << 16, data_at = 1 << 20, data_bytes = 16384;
constexpr std::uint64_t rest_at = 16 << 20, rest_bytes = 1 << 20; /* DRAM that is mapped nowhere */
constexpr unsigned jobs = 400;

/* A command buffer; all tensors are in slot 1. */
std::vector<std::byte> buffer_of(const std::vector<std::vector<std::byte>> &commands)
{
	std::vector<std::byte> all = command_bytes(2).bytes();
	for (const auto &c : commands)
		all.insert(all.end(), c.begin(), c.end());
	atom_cmdbuf_header h;
	std::memcpy(&h, all.data(), sizeof h);
	h.bytes = static_cast<std::uint32_t>(all.size());
	h.commands = static_cast<std::uint32_t>(commands.size());
	std::memcpy(all.data(), &h, sizeof h);
	return all;
}

/* A job that is good as long as nobody writes it. */
atom_ring_desc prepare(machine &m, const std::vector<std::byte> &buffer)
{
	std::memcpy(m.host<std::byte>(commands_at), buffer.data(), buffer.size());
	const atom_arg arg{host_va + data_at, data_bytes};
	std::memcpy(m.host<std::byte>(args_at), &arg, sizeof arg);
	for (unsigned i = 0; i < engine::test::indices; ++i)
		m.host<std::int64_t>(data_at + engine::test::indices_at)[i] = i * 5 % 4;
	atom_ring_desc d{};
	d.type = ATOM_DESC_EXECUTE;
	d.cmd_bytes = static_cast<std::uint32_t>(buffer.size());
	d.cmd_va = host_va + commands_at;
	d.arg_count = 1;
	d.args_va = host_va + args_at;
	return d;
}

/* Data and indices, or anything of what makes the job. */
void write_something(machine &m, atom_ring_desc &slot, std::minstd_rand &random)
{
	const auto value = static_cast<std::uint32_t>(random() << 1);
	const auto poke = [&](void *from, std::uint64_t bytes) {
		rewriting_guest::poke(static_cast<std::uint32_t *>(from) + random() % (bytes / 4), value);
	};
	switch (random() % 512) {
	case 0:
		return poke(m.host<void>(commands_at), 4096);
	case 1:
		return poke(m.host<void>(args_at), sizeof(atom_arg));
	case 2:
		return poke(&slot, sizeof slot);
	case 3:
		return poke(m.host<void>(data_at + engine::test::indices_at), 8 * engine::test::indices);
	default:
		return poke(m.host<void>(data_at), engine::test::indices_at);
	}
}

} // namespace

TEST(rewriting_test, a_guest_that_rewrites_its_jobs_while_they_run_gets_results_or_faults)
{
	machine m(bus_options{.executor = ATOM_EXECUTOR_POOL, .threads = 2});
	ASSERT_TRUE(m.ready);
	std::byte *rest = m.bus.dram() + rest_at, *own = rest + rest_bytes;
	std::memset(rest, 0x77, rest_bytes);
	/* Another context has a page to itself: a command, and what that writes. */
	page_tables tables(m.driver);
	tables.map(arena_va, 4096, ATOM_APERTURE_LOCAL, rest_at + rest_bytes);
	ASSERT_TRUE(m.driver.asid_set(2, tables));
	job_queue neighbour = m.make_queue(2, {}, 2);
	command_bytes fills;
	fills.add(fill(arena_va + 2048, 2048, 0x31));
	atom_ring_desc good = m.execute(fills);
	good.cmd_va = arena_va;
	std::memcpy(own, fills.bytes().data(), fills.bytes().size());

	std::optional<job_queue> q(m.make_queue());
	std::minstd_rand random(3);
	auto commands = engine::test::valid_commands();
	unsigned finished = 0, faulted = 0;
	for (unsigned i = 0; i < jobs; ++i) {
		SCOPED_TRACE(i);
		std::shuffle(commands.begin(), commands.end(), random);
		const std::uint64_t seq = q->submit(prepare(m, buffer_of(commands)));
		for (unsigned n = 0; n < i * 16 && q->seqno() < seq; ++n)
			write_something(m, q->slot(seq), random);
		if (i % 32 == 0) {
			std::memset(own + 2048, 0, 2048);
			const std::uint64_t theirs = neighbour.submit(good);
			ASSERT_TRUE(neighbour.wait(theirs));
			ASSERT_EQ(neighbour.record(theirs).status, ATOM_CPL_OK);
			for (std::uint64_t at = 2048; at < 4096; ++at)
				ASSERT_EQ(static_cast<unsigned>(own[at]), 0x31u) << at;
		}
		ASSERT_TRUE(q->wait(seq)) << "the job did not end";
		if (q->record(seq).status == ATOM_CPL_OK) {
			++finished;
			continue;
		}
		ASSERT_EQ(q->record(seq).status, ATOM_CPL_FAULT);
		++faulted;
		ASSERT_TRUE(m.driver.queue_destroy(1));
		m.bus.write64(ATOM_REG_FAULT_HEAD, m.bus.read64(ATOM_REG_FAULT_TAIL));
		q.emplace(m.make_queue());
	}
	EXPECT_GT(finished, 0u);
	EXPECT_GT(faulted, 0u);
	for (std::uint64_t at = 0; at < rest_bytes; ++at)
		ASSERT_EQ(static_cast<unsigned>(rest[at]), 0x77u) << at;
	EXPECT_EQ(m.bus.mappings(), 0);
}

} // namespace atom::test
