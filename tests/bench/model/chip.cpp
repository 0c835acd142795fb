// SPDX-License-Identifier: MIT
#include "chip.hpp"

#include <cstring>
#include <memory>
#include <stdexcept>

namespace bench {

namespace {

using namespace atom::host;

constexpr std::uint16_t asid = 1;
constexpr std::uint64_t large_page = 2ull << 20;

bus_options options(const std::string &timing)
{
	bus_options o;
	o.ram_size = 128ull << 20;
	o.dram_size = local_bytes;
	o.shm_size = shm_bytes;
	o.compute_off = true;
	o.manual_clock = true;
	o.timing = timing;
	return o;
}

/** A device with one address space, in which the stream's areas are mapped. */
class chip {
public:
	chip(stream &s, const bus_options &o) : bus_(o), driver_(bus_)
	{
		if (!driver_.bring_up())
			throw std::runtime_error("the device does not come up");
		tables_ = std::make_unique<page_tables>(driver_);
		tables_->map(local_va, local_bytes, ATOM_APERTURE_LOCAL, 0, ATOM_PTE_READ | ATOM_PTE_WRITE, large_page);
		tables_->map(shm_va, shm_bytes, ATOM_APERTURE_SHM, 0, ATOM_PTE_READ | ATOM_PTE_WRITE, large_page);
		tables_->map(system_va, system_bytes, ATOM_APERTURE_SYSTEM, driver_.allocate(system_bytes, large_page),
			     ATOM_PTE_READ | ATOM_PTE_WRITE, large_page);
		const std::vector<std::byte> &bytes = s.bytes();
		const std::uint64_t address = driver_.allocate(bytes.size(), 4096);
		std::memcpy(bus_.ram(address, bytes.size()), bytes.data(), bytes.size());
		tables_->map(commands_va, (bytes.size() + 4095) / 4096 * 4096, ATOM_APERTURE_SYSTEM, address);
		job_.type = ATOM_DESC_EXECUTE;
		job_.cmd_bytes = static_cast<std::uint32_t>(bytes.size());
		job_.cmd_va = commands_va;
		if (!driver_.asid_set(asid, *tables_))
			throw std::runtime_error("the device does not take the page tables");
	}

	host_bus &bus() { return bus_; }
	const atom_ring_desc &job() const { return job_; }
	job_queue make_queue(std::uint32_t id)
	{
		job_queue q(driver_, id, asid, {.vector = static_cast<std::uint16_t>(id)});
		if (!driver_.create(q))
			throw std::runtime_error("the device does not create a queue");
		return q;
	}

	static void check(const atom_cpl_record &r)
	{
		if (r.status == ATOM_CPL_OK)
			return;
		throw std::runtime_error("command " + std::to_string(r.fault_command) + " (opcode " +
					 std::to_string(r.fault_opcode) + ") faults: code " + std::to_string(r.fault_code) +
					 ", field offset " + std::to_string(r.fault_field));
	}

private:
	static constexpr std::uint64_t commands_va = 0x40'0000'0000;

	host_bus bus_;
	driver driver_;
	std::unique_ptr<page_tables> tables_;
	atom_ring_desc job_{};
};

} // namespace

timed_run run_single(stream &s, const std::string &timing)
{
	chip c(s, options(timing));
	timed_run run;
	c.bus().on_command_time = [&](const atom_model_command_time &t) { run.commands.push_back(t); };
	job_queue q = c.make_queue(1);
	const std::uint64_t seq = q.submit(c.job());
	if (!q.wait(seq))
		throw std::runtime_error("the job does not end");
	chip::check(q.record(seq));
	run.job_ns = static_cast<double>(q.record(seq).modelled_ns);
	run.launch_ns = run.commands.empty() ? q.record(seq).modelled_ns : run.commands.front().start_ns;
	return run;
}

double run_offline(stream &s, const std::string &timing)
{
	constexpr std::uint64_t jobs = 16; // a queue; the first few are not looked at
	constexpr std::uint64_t first = 4;
	constexpr std::uint64_t step_ns = 100;

	bus_options o = options(timing);
	o.pace = ATOM_PACE_DEVICE;
	chip c(s, o);
	std::vector<job_queue> queues{c.make_queue(1), c.make_queue(2)};
	for (job_queue &q : queues) {
		for (std::uint64_t i = 0; i < jobs; ++i)
			q.push(c.job());
		q.ring();
	}
	c.bus().pump();
	while (queues[0].seqno() < jobs || queues[1].seqno() < jobs)
		c.bus().advance(step_ns);
	const auto end = [&](std::uint64_t seq) {
		chip::check(queues[0].record(seq));
		return static_cast<double>(queues[0].record(seq).end_ns);
	};
	return (end(jobs) - end(first)) / static_cast<double>(2 * (jobs - first));
}

} // namespace bench
