/* SPDX-License-Identifier: MIT */
/*
 * What commands cost: wall time, modelled time, bytes moved.
 */
#include "device.h"

#include <algorithm>

namespace atom::model {

void device::account(queue &q, const job &j, std::uint64_t &from_ns)
{
	const std::uint64_t now = host_.now_ns();
	const std::uint64_t ns = now > from_ns ? now - from_ns : 0;
	from_ns = now;
	q.regs.busy_ns += ns;
	switch (j.operation->work().where) {
	case engine::cost::unit::none:
		return;
	case engine::cost::unit::dma:
		counters_.busy_dma += ns;
		break;
	default:
		counters_.busy_compute += ns;
		break;
	}
}

void device::collect_traffic()
{
	for (const auto &w : workers_)
		counters_.add(w->memory.take_traffic());
}

/* What tiles move depends on how this host computes them: end_command() counts what the device moves. */
void device::drop_traffic()
{
	for (const auto &w : workers_)
		w->memory.take_traffic();
}

/*
 * What DRAM is read for, before its command's turn too: inputs that no command
 * of the job has written, unless a copy or an index decides when and where.
 */
footprint device::footprint_of(job &j, std::uint32_t asid)
{
	footprint f;
	const bool ahead = j.operation->work().where != engine::cost::unit::dma && j.header.opcode != ATOM_OP_GATHER &&
			   j.header.opcode != ATOM_OP_SCATTER;
	for (const engine::operand &o : j.operation->operands()) {
		if (o.high <= o.low)
			continue;
		const std::uint64_t begin = o.va + static_cast<std::uint64_t>(o.low);
		const std::uint64_t end = o.va + static_cast<std::uint64_t>(o.high);
		const std::uint64_t read = o.access & ATOM_ACCESS_READ ? o.bytes : 0;
		const std::uint64_t write = o.access & ATOM_ACCESS_WRITE ? o.bytes : 0;
		/* One look is enough: programs do not spread a tensor over apertures. */
		switch (mine().memory.aperture(asid, begin)) {
		case ATOM_APERTURE_LOCAL:
			f.dram_read += read;
			f.dram_write += write;
			if (ahead && !write && !j.written.overlap(begin, end))
				f.dram_ahead += read;
			if (write)
				j.written.add(begin, end);
			break;
		case ATOM_APERTURE_SHM:
			f.shm_read += read;
			f.shm_write += write;
			break;
		default:
			f.pcie_in += read;
			f.pcie_out += write;
			break;
		}
	}
	return f;
}

void device::tell_time(const queue &q, const job &j, const command_time &c, const footprint &bytes)
{
	const engine::cost &work = j.operation->work();
	atom_model_command_time t{};
	t.struct_size = sizeof t;
	t.queue = q.id;
	t.seq = j.seq;
	t.index = j.index;
	t.opcode = j.header.opcode;
	t.tag = j.header.tag;
	t.limit = static_cast<std::uint32_t>(c.by);
	t.start_ns = whole_ns(c.start);
	t.ns = whole_ns(c.start + c.length) - t.start_ns;
	t.matrix_ns = whole_ns(c.own.matrix);
	t.vector_ns = whole_ns(c.own.vector);
	t.dram_ns = whole_ns(c.own.dram);
	t.dram_ahead_ns = whole_ns(c.own.dram_ahead);
	t.shm_ns = whole_ns(std::max(c.own.shm_read, c.own.shm_write));
	t.pcie_ns = whole_ns(std::max(c.own.pcie_in, c.own.pcie_out));
	t.overhead_ns = whole_ns(c.own.overhead);
	t.macs = work.macs;
	t.dram_bytes = bytes.dram_read + bytes.dram_write;
	t.shm_bytes = bytes.shm_read + bytes.shm_write;
	t.pcie_bytes = bytes.pcie_in + bytes.pcie_out;
	host_.command_time(t);
	host_.trace(ATOM_TRACE_COMMAND_END, q.id, j.seq, std::uint64_t{j.index} << 32 | j.header.opcode, t.ns);
}

void device::end_command(queue &q, job &j)
{
	const engine::cost &work = j.operation->work();
	const footprint bytes = footprint_of(j, q.job_asid);
	command_time time;
	if (j.header.opcode == ATOM_OP_FENCE) { /* its cost is in the overhead of the commands on both sides */
		time.start = j.clock.total();
		j.clock.fence(timing_);
	} else {
		time = j.clock.add(timing_, work, bytes, telemetry_.clock_share());
	}
	const bool compute = work.where == engine::cost::unit::matrix || work.where == engine::cost::unit::vector;
	if (compute)
		j.compute_ns += time.length;
	if (config_.pace == ATOM_PACE_HOST)
		telemetry_.add_work(host_.now_ns(), whole_ns(time.length), compute ? whole_ns(time.length) : 0);
	counters_.add(work, bytes, time);
	tell_time(q, j, time, bytes);
	j.operation.reset();
	j.offset += j.header.bytes;
	++j.index;
}

void device::write_timestamp(queue &q, job &j)
{
	tile_memory memory(mine().memory, kept_, q.job_asid, j.operation->operands());
	j.clock.fence(timing_);
	const atom_timestamp stamp{host_.now_ns(), whole_ns(j.clock.total())};
	collect_traffic();
	mine().memory.act_for(q.id, true);
	if (!memory.write(0, 0, &stamp, sizeof stamp)) {
		const engine::fault why = memory.fault();
		fault_command(q, j, why);
		return;
	}
	drop_traffic();
	++q.regs.progress;
	end_command(q, j);
}

/* pace=device: when the job that has done its work retires. */
void device::pace(job &j)
{
	/* The engines are one resource, and the link is one: the launch is not, and hides behind the work of other
	 * queues. So does what a job moves over the link, which is taken to come before its work.
	 */
	const std::uint64_t launch = whole_ns(timing_[parameter::launch]);
	const std::uint64_t work = whole_ns(j.clock.engines());
	const std::uint64_t total = std::max(whole_ns(j.clock.total()), launch + work); /* roundings differ by one */
	const std::uint64_t link = total - launch - work;
	link_free_at_ = std::max(link_free_at_, j.start_ns + launch) + link;
	engines_free_at_ = std::max(engines_free_at_, link_free_at_) + work;
	j.retire_at = engines_free_at_;
	const std::uint64_t compute = std::min(work, whole_ns(j.compute_ns));
	telemetry_.add_span(host_.now_ns(), engines_free_at_ - compute, engines_free_at_);
}

} // namespace atom::model
