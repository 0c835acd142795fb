/* SPDX-License-Identifier: MIT */
/*
 * Rings: tails, descriptors, completion records, faults and the reset of a
 * queue. Everything here runs under control_, between tiles.
 */
#include <cstddef>

#include "device.h"

namespace atom::model {

namespace {

/* What a descriptor has wrong by itself, in the order of its fields. */
engine::fault check_descriptor(const atom_ring_desc &d, std::uint64_t expected_seq)
{
	const auto bad = [](std::size_t field) {
		return engine::fault{.code = ATOM_FAULT_BAD_DESCRIPTOR,
				     .where = ATOM_WHERE_DESCRIPTOR,
				     .field = static_cast<std::uint32_t>(field)};
	};
	const bool nop = d.type == ATOM_DESC_NOP;
	if (!nop && d.type != ATOM_DESC_EXECUTE)
		return bad(offsetof(atom_ring_desc, type));
	if (d.flags & ~ATOM_DESC_FLAGS)
		return bad(offsetof(atom_ring_desc, flags));
	if (nop ? d.cmd_bytes != 0
		: d.cmd_bytes % 8 || d.cmd_bytes < sizeof(atom_cmdbuf_header) || d.cmd_bytes > cmdbuf_bytes_max)
		return bad(offsetof(atom_ring_desc, cmd_bytes));
	if (nop ? d.cmd_va != 0 : d.cmd_va % 8 != 0)
		return bad(offsetof(atom_ring_desc, cmd_va));
	if (nop || d.arg_count == 0 ? d.args_va != 0 : d.args_va % 8 != 0)
		return bad(offsetof(atom_ring_desc, args_va));
	if (nop ? d.arg_count != 0 : d.arg_count > args_max)
		return bad(offsetof(atom_ring_desc, arg_count));
	if (d.reserved0)
		return bad(offsetof(atom_ring_desc, reserved0));
	if (nop ? d.result_va != 0 : d.result_va % 8 != 0)
		return bad(offsetof(atom_ring_desc, result_va));
	if (d.seq != expected_seq)
		return bad(offsetof(atom_ring_desc, seq));
	if (d.reserved1)
		return bad(offsetof(atom_ring_desc, reserved1));
	return {};
}

std::uint64_t slot_of(const queue &q, std::uint64_t seq)
{
	return (seq - 1) & (q.entries - 1);
}

} // namespace

void device::set_state(queue &q, std::uint32_t state)
{
	if (q.state() == state)
		return;
	q.regs.state.store(state);
	host_.trace(ATOM_TRACE_QUEUE_STATE, q.id, state, q.regs.generation.load());
}

void device::update_runnable(queue &q)
{
	scheduler_.set_runnable(q.id, q.priority, q.runnable());
	if (q.created && !q.stopped())
		set_state(q, q.current || q.head != q.tail ? ATOM_QUEUE_RUNNING : ATOM_QUEUE_IDLE);
}

/* A tail is believed only if it can be true. */
void device::read_tail(queue &q)
{
	engine::fault why{.where = ATOM_WHERE_RING};
	std::uint64_t tail = 0;
	mine().memory.act_for(q.id, false);
	if (!mine().memory.read(q.ring_asid, q.tail_va, &tail, sizeof tail, why)) {
		fault_ring(q, why);
		return;
	}
	if (tail < q.head || tail - q.regs.seqno.load() > q.entries) {
		why.code = ATOM_FAULT_TAIL_RANGE;
		why.va = q.tail_va;
		fault_ring(q, why);
		return;
	}
	q.tail = tail;
}

/* @return false if there is no job to go on with */
bool device::fetch(queue &q)
{
	engine::fault why{.where = ATOM_WHERE_RING};
	auto j = std::make_unique<job>();
	const std::uint64_t seq = q.head + 1;
	mine().memory.act_for(q.id, false);
	if (!mine().memory.read(q.ring_asid, q.ring_va + slot_of(q, seq) * sizeof j->desc, &j->desc,
				sizeof j->desc, why)) {
		fault_ring(q, why);
		return false;
	}
	q.head = seq;
	q.regs.head.store(seq);
	j->seq = seq;
	j->start_ns = host_.now_ns();
	j->clock.launch(timing_);
	host_.trace(ATOM_TRACE_FETCH, q.id, seq, j->desc.type, j->desc.cmd_va);
	const engine::fault wrong = check_descriptor(j->desc, seq);
	q.current = std::move(j);
	if (wrong) {
		fault_job(q, {.what = wrong});
		return false;
	}
	set_state(q, ATOM_QUEUE_RUNNING);
	return true;
}

/* seq = 0, the fields, seq: each an access of its own, so that the order holds. */
bool device::write_record(std::uint32_t asid, std::uint64_t va, const atom_cpl_record &record,
			  engine::fault &why)
{
	const std::uint64_t none = 0;
	const auto *bytes = reinterpret_cast<const std::byte *>(&record);
	guest_memory &memory = mine().memory;
	return memory.write(asid, va, &none, sizeof none, why) &&
	       memory.write(asid, va + sizeof none, bytes + sizeof none, sizeof record - sizeof none, why) &&
	       memory.write(asid, va, bytes, sizeof none, why);
}

void device::write_header(queue &q, std::uint64_t seqno)
{
	const std::uint32_t about[2] = {q.regs.generation.load(), q.state()};
	engine::fault why{.where = ATOM_WHERE_RING};
	mine().memory.act_for(q.id, false);
	if (!mine().memory.write(q.ring_asid, q.completion_va + offsetof(atom_cpl_header, generation), about,
				 sizeof about, why) ||
	    !mine().memory.write(q.ring_asid, q.completion_va + offsetof(atom_cpl_header, seqno), &seqno,
				 sizeof seqno, why)) {
		if (!q.stopped() && q.state() != ATOM_QUEUE_RESETTING)
			fault_ring(q, why);
	}
}

/* Tells the end of a descriptor: result copy, record, sequence number, interrupt. */
void device::retire(queue &q, const job &j, std::uint16_t status, const job_fault *fault)
{
	atom_cpl_record r{};
	r.seq = j.seq;
	r.status = status;
	r.start_ns = j.start_ns;
	r.end_ns = host_.now_ns();
	r.modelled_ns = whole_ns(j.clock.total());
	r.cookie = j.desc.cookie;
	r.fault_command = ATOM_COMMAND_NONE;
	if (status == ATOM_CPL_ABORTED)
		r.fault_code = ATOM_FAULT_ABORTED;
	const auto tell = [&r](const job_fault &f) {
		r.fault_code = f.what.code;
		r.fault_command = f.command;
		r.fault_va = f.what.va;
		r.fault_where = f.what.where;
		r.fault_opcode = f.opcode;
		r.fault_field = f.what.field;
	};
	if (fault)
		tell(*fault);

	guest_memory &memory = mine().memory;
	/* A descriptor that failed its check has no address to be trusted, and what a reset
	 * takes back has an owner who may be gone.
	 */
	const bool trusted = !fault || fault->what.where != ATOM_WHERE_DESCRIPTOR;
	if (j.desc.result_va && trusted && status != ATOM_CPL_ABORTED) {
		job_fault f;
		memory.act_for(q.id, true);
		if (!write_record(q.job_asid, j.desc.result_va, r, f.what) && status == ATOM_CPL_OK) {
			f.what.where = ATOM_WHERE_DESCRIPTOR;
			f.what.field = offsetof(atom_ring_desc, result_va);
			f.asid = q.job_asid;
			r.status = ATOM_CPL_FAULT;
			tell(f);
			stop_queue(q, f, j.seq, ATOM_QUEUE_FAULTED);
		}
	}
	if (inject_.any() && inject_.strike(inject_kind::corrupt_record, q.id)) {
		r.status = 0xffff;
		r.cookie = ~r.cookie;
	}
	engine::fault why{.where = ATOM_WHERE_RING};
	memory.act_for(q.id, false);
	const std::uint64_t at = q.completion_va + sizeof(atom_cpl_header) + slot_of(q, j.seq) * sizeof r;
	const bool written = write_record(q.ring_asid, at, r, why);
	q.regs.seqno.store(j.seq);
	q.regs.command.store(ATOM_COMMAND_NONE);
	q.regs.modelled_ns += r.modelled_ns;
	counters_.modelled += r.modelled_ns;
	++counters_.jobs_done;
	host_.trace(ATOM_TRACE_COMPLETE, q.id, j.seq, r.status, r.modelled_ns);
	collect_traffic();
	if (q.state() == ATOM_QUEUE_RUNNING && q.head == q.tail)
		set_state(q, ATOM_QUEUE_IDLE);
	std::uint64_t seqno = j.seq;
	if (inject_.any()) {
		if (const auto hit = inject_.strike(inject_kind::corrupt_seqno, q.id))
			seqno = hit->value;
	}
	if (!written) {
		if (!q.stopped() && q.state() != ATOM_QUEUE_RESETTING)
			fault_ring(q, why);
		else if (r.status == ATOM_CPL_FAULT) /* its fault record is all that tells of it */
			raise_cause(ATOM_INTR_FAULT);
		return;
	}
	write_header(q, seqno);
	if (q.state() != ATOM_QUEUE_RESETTING && ((j.desc.flags & ATOM_DESC_IRQ) || r.status != ATOM_CPL_OK))
		raise_vector(q.id, q.vector);
	if (r.status == ATOM_CPL_FAULT)
		raise_cause(ATOM_INTR_FAULT);
}

/* The job has done its work. */
void device::end_job(queue &q, job &j)
{
	release_copies(j);
	q.regs.command.store(ATOM_COMMAND_NONE);
	if (config_.pace != ATOM_PACE_DEVICE) {
		finish(q);
		return;
	}
	pace(j);
	j.ended = true;
	if (j.retire_at <= host_.now_ns())
		finish(q);
}

void device::finish(queue &q)
{
	const std::unique_ptr<job> j = std::move(q.current);
	retire(q, *j, ATOM_CPL_OK, nullptr);
}

/* The job of @p q cannot go on: it retires, and its queue stops. */
void device::fault_job(queue &q, const job_fault &fault)
{
	if (!q.current) {
		fault_ring(q, fault.what);
		return;
	}
	const std::unique_ptr<job> j = std::move(q.current);
	release_copies(*j);
	job_fault full = fault;
	full.asid = q.job_asid;
	stop_queue(q, full, j->seq, ATOM_QUEUE_FAULTED);
	retire(q, *j, ATOM_CPL_FAULT, &full);
}

/* The ring itself cannot be used: no descriptor to retire. */
void device::fault_ring(queue &q, const engine::fault &what)
{
	job_fault f;
	f.what = what;
	f.asid = q.ring_asid;
	stop_queue(q, f, q.head, ATOM_QUEUE_FAULTED);
	if (what.code == ATOM_FAULT_TAIL_RANGE)
		write_header(q, q.regs.seqno.load());
	raise_cause(ATOM_INTR_FAULT);
}

void device::stop_queue(queue &q, const job_fault &fault, std::uint64_t seq, std::uint32_t state)
{
	if (q.current)
		release_copies(*q.current);
	q.regs.fault_code.store(fault.what.code);
	set_state(q, state);
	scheduler_.set_runnable(q.id, q.priority, false);
	host_.trace(ATOM_TRACE_FAULT, q.id, fault.what.code, fault.what.va,
		    std::uint64_t{fault.command} << 32 | fault.what.field);
	write_fault_record(q, fault, seq);
}

void device::write_fault_record(const queue &q, const job_fault &fault, std::uint64_t seq)
{
	std::uint64_t base = 0;
	std::uint64_t number = 0;
	std::uint64_t entries = 0;
	{
		const std::lock_guard lock(regs_mutex_);
		base = regs_.fault_base;
		number = regs_.fault_tail;
		entries = 1ull << regs_.fault_log2;
		if (!base || number - regs_.fault_head >= entries) {
			++regs_.fault_lost;
			return;
		}
	}
	atom_fault_record r{};
	r.seq = number + 1;
	r.code = fault.what.code;
	r.where = fault.what.where;
	r.queue = q.id;
	r.queue_generation = q.regs.generation.load();
	r.asid = fault.asid;
	r.asid_generation = mmu_.space(fault.asid).generation;
	r.access = fault.what.access;
	r.va = fault.what.va;
	r.desc_seq = seq;
	r.command = fault.command;
	r.field_offset = fault.what.field;
	r.opcode = fault.opcode;
	r.tag = fault.tag;
	if (inject_.any()) {
		if (inject_.strike(inject_kind::corrupt_fault, q.id))
			r.seq = ~r.seq;
		if (const auto forged = inject_.strike(inject_kind::forged_fault, q.id)) {
			r.queue = static_cast<std::uint32_t>(forged->value);
			r.queue_generation = r.queue < queues_.size() ? queues_[r.queue].regs.generation.load() : UINT32_MAX;
			r.va = r.desc_seq = UINT64_MAX;
		}
	}
	const std::uint64_t at = base + (number & (entries - 1)) * sizeof r;
	const auto *bytes = reinterpret_cast<const std::byte *>(&r);
	const bool written = host_.dma_write(at + sizeof r.seq, bytes + sizeof r.seq, sizeof r - sizeof r.seq) &&
			     host_.dma_write(at, &r.seq, sizeof r.seq);
	const std::lock_guard lock(regs_mutex_);
	if (written)
		regs_.fault_tail = number + 1;
	else
		++regs_.fault_lost;
}

/*
 * Retires everything up to the tail as ABORTED and makes the queue usable
 * again. No tile runs while this does, so that "stopping running work" is done
 * already. One interrupt tells all of it.
 */
void device::reset_queue(queue &q, std::uint32_t generation)
{
	set_state(q, ATOM_QUEUE_RESETTING);
	scheduler_.set_runnable(q.id, q.priority, false);
	const std::unique_ptr<job> interrupted = std::move(q.current);
	if (interrupted)
		release_copies(*interrupted);
	q.frozen = false;
	q.waiting_for_room = false;

	guest_memory &memory = mine().memory;
	engine::fault why;
	std::uint64_t end = q.head;
	std::uint64_t tail = 0;
	const std::uint64_t retired = q.regs.seqno.load();
	memory.act_for(q.id, false);
	if (memory.read(q.ring_asid, q.tail_va, &tail, sizeof tail, why) && tail >= q.head &&
	    tail - retired <= q.entries)
		end = tail;
	for (std::uint64_t seq = retired + 1; seq <= end; ++seq) {
		job lost;
		lost.seq = seq;
		if (interrupted && interrupted->seq == seq) {
			lost.desc = interrupted->desc;
			lost.start_ns = interrupted->start_ns;
			lost.clock = interrupted->clock;
		} else if (!memory.read(q.ring_asid, q.ring_va + slot_of(q, seq) * sizeof lost.desc, &lost.desc,
					sizeof lost.desc, why)) {
			lost.desc = {}; /* the cookie cannot be echoed */
		}
		retire(q, lost, ATOM_CPL_ABORTED, nullptr);
	}
	q.head = q.tail = end;
	q.regs.head.store(end);
	q.regs.generation.store(generation);
	q.regs.fault_code.store(ATOM_FAULT_NONE);
	set_state(q, ATOM_QUEUE_IDLE);
	write_header(q, q.regs.seqno.load());
	if (end != retired)
		raise_vector(q.id, q.vector);
}

bool device::reserve_copies(queue &q, job &j)
{
	const std::uint64_t bytes = j.desc.cmd_bytes + std::uint64_t{j.desc.arg_count} * sizeof(atom_arg);
	if (bytes > copies_bytes_max - copies_bytes_) {
		q.waiting_for_room = true;
		return false;
	}
	copies_bytes_ += bytes;
	j.charged = bytes;
	return true;
}

void device::release_copies(job &j)
{
	j.operation.reset();
	j.commands = {};
	j.args = {};
	if (!j.charged)
		return;
	copies_bytes_ -= j.charged;
	j.charged = 0;
	for (queue &q : queues_) {
		if (q.waiting_for_room) {
			q.waiting_for_room = false;
			scheduler_.set_runnable(q.id, q.priority, q.runnable());
		}
	}
}

} // namespace atom::model
