/* SPDX-License-Identifier: MIT */
/*
 * Jobs: copying a command buffer, decoding its commands one after the other,
 * and running their tiles.
 */
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "device.h"

namespace atom::model {

namespace {

/* Tiles in a slice when others wait for the engine. */
constexpr std::uint64_t slice_per_worker = 4;
/* What a doorbell may do by itself: some microseconds of work. */
constexpr std::uint64_t small_buffer_bytes = 4096;
constexpr std::uint64_t small_data_bytes = 64 << 10;
constexpr std::uint64_t small_elements = 4096;
/* Busy time of a long command is shown at least so often. */
constexpr std::uint64_t account_every_ns = 10'000'000;

engine::fault bad_header(std::size_t field)
{
	return {.code = ATOM_FAULT_BAD_HEADER,
		.where = ATOM_WHERE_HEADER,
		.field = static_cast<std::uint32_t>(field)};
}

engine::fault check_header(const atom_cmdbuf_header &h, const atom_ring_desc &d)
{
	if (h.magic != ATOM_CMDBUF_MAGIC)
		return bad_header(offsetof(atom_cmdbuf_header, magic));
	if (h.major != ATOM_CMDBUF_MAJOR)
		return bad_header(offsetof(atom_cmdbuf_header, major));
	if (h.bytes != d.cmd_bytes)
		return bad_header(offsetof(atom_cmdbuf_header, bytes));
	if (h.commands > (h.bytes - sizeof h) / sizeof(atom_cmd_header))
		return bad_header(offsetof(atom_cmdbuf_header, commands));
	if (h.slots == 0 || h.slots > ATOM_SLOTS_MAX || h.slots - 1 > d.arg_count)
		return bad_header(offsetof(atom_cmdbuf_header, slots));
	if (h.reserved0)
		return bad_header(offsetof(atom_cmdbuf_header, reserved0));
	if (h.reserved1)
		return bad_header(offsetof(atom_cmdbuf_header, reserved1));
	return {};
}

} // namespace

/* One step of a queue: a descriptor and its first command, a command, or a slice of one. */
void device::run_queue(queue &q)
{
	if (!q.current && !fetch(q))
		return;
	job &j = *q.current;
	if (!j.loaded) {
		if (small_only_ && j.desc.cmd_bytes + j.desc.arg_count * sizeof(atom_arg) > small_buffer_bytes) {
			handed_over_ = true;
			return;
		}
		if (!strike_at_start(q))
			return;
		if (j.desc.type == ATOM_DESC_NOP) {
			++q.regs.progress;
			end_job(q, j);
			return;
		}
		if (!load(q, j))
			return;
	}
	if (!j.operation && j.index < j.command_count && !next_command(q, j))
		return;
	if (j.operation) {
		if (small_only_ && !small(*j.operation)) {
			handed_over_ = true;
			return;
		}
		run_tiles(q, j);
		if (!q.current || j.operation) /* faulted, or more tiles to do */
			return;
	}
	if (j.index < j.command_count)
		return;
	if (j.offset != j.commands.size()) {
		fault_job(q, {.what = {.code = ATOM_FAULT_BAD_SIZE,
				       .where = ATOM_WHERE_HEADER,
				       .field = offsetof(atom_cmdbuf_header, bytes)}});
		return;
	}
	end_job(q, j);
}

bool device::small(const engine::operation &operation) const
{
	if (operation.tiles() > 1 || operation.work().macs > small_elements ||
	    operation.work().elements > small_elements)
		return false;
	std::uint64_t bytes = 0;
	for (const engine::operand &o : operation.operands()) {
		const std::uint64_t extent = static_cast<std::uint64_t>(o.high) - static_cast<std::uint64_t>(o.low);
		bytes += std::min(extent, small_data_bytes + 1);
	}
	return bytes <= small_data_bytes;
}

/* Faults of the hardware that meet a descriptor when it starts. False: it does not go on. */
bool device::strike_at_start(queue &q)
{
	if (too_hot_.load(std::memory_order_relaxed)) {
		fault_job(q, {.what = {.code = ATOM_FAULT_THERMAL}});
		return false;
	}
	if (!inject_.any())
		return true;
	if (inject_.strike(inject_kind::hang, q.id)) {
		/* RUNNING, and nothing moves: the driver's watchdog has to find out. */
		release_copies(*q.current);
		q.frozen = true;
		return false;
	}
	if (inject_.strike(inject_kind::hung_detected, q.id)) {
		job_fault f;
		f.what.code = ATOM_FAULT_HANG;
		f.asid = q.job_asid;
		stop_queue(q, f, q.current->seq, ATOM_QUEUE_HUNG);
		write_header(q, q.regs.seqno.load());
		raise_cause(ATOM_INTR_FAULT);
		return false;
	}
	if (inject_.strike(inject_kind::ecc_ue, q.id)) {
		++counters_.ecc_ue;
		fault_job(q, {.what = {.code = ATOM_FAULT_ECC_UE}});
		raise_cause(ATOM_INTR_ECC);
		return false;
	}
	return true;
}

/* Copies arguments and command buffer, once; all checks are made on the copies. */
bool device::load(queue &q, job &j)
{
	if (!j.charged && !reserve_copies(q, j))
		return false;
	guest_memory &memory = mine().memory;
	engine::fault why{.where = ATOM_WHERE_DESCRIPTOR};
	memory.act_for(q.id, true);
	j.args.resize(j.desc.arg_count);
	if (!memory.read(q.job_asid, j.desc.args_va, j.args.data(), j.args.size() * sizeof(atom_arg), why)) {
		why.field = offsetof(atom_ring_desc, args_va);
		fault_job(q, {.what = why});
		return false;
	}
	j.commands.resize(j.desc.cmd_bytes);
	if (!memory.read(q.job_asid, j.desc.cmd_va, j.commands.data(), j.commands.size(), why)) {
		why.field = offsetof(atom_ring_desc, cmd_va);
		fault_job(q, {.what = why});
		return false;
	}
	atom_cmdbuf_header header;
	std::memcpy(&header, j.commands.data(), sizeof header);
	if (const engine::fault wrong = check_header(header, j.desc)) {
		fault_job(q, {.what = wrong});
		return false;
	}
	/* What the buffer says that it needs is all that its commands may name. */
	j.args.resize(header.slots - 1);
	j.command_count = header.commands;
	j.offset = sizeof header;
	j.loaded = true;
	return true;
}

void device::fault_command(queue &q, const job &j, engine::fault what)
{
	if (what.where == ATOM_WHERE_NONE)
		what.where = ATOM_WHERE_COMMAND;
	fault_job(q, {.what = what, .command = j.index, .opcode = j.header.opcode, .tag = j.header.tag});
}

/* Decodes the command at j.offset. */
bool device::next_command(queue &q, job &j)
{
	const std::size_t left = j.commands.size() - j.offset;
	engine::fault wrong{.code = ATOM_FAULT_BAD_SIZE,
			    .where = ATOM_WHERE_COMMAND,
			    .field = offsetof(atom_cmd_header, bytes)};
	j.header = {};
	if (left < sizeof j.header) {
		fault_command(q, j, wrong);
		return false;
	}
	std::memcpy(&j.header, j.commands.data() + j.offset, sizeof j.header);
	q.regs.command.store(j.index);
	if (j.header.bytes < sizeof j.header || j.header.bytes % 8 || j.header.bytes > left) {
		fault_command(q, j, wrong);
		return false;
	}
	if (j.header.reserved) {
		wrong.code = ATOM_FAULT_BAD_FIELD;
		wrong.field = offsetof(atom_cmd_header, reserved);
		fault_command(q, j, wrong);
		return false;
	}
	wrong = {};
	j.operation = engine::decode({j.commands.data() + j.offset, j.header.bytes}, j.args, engine_options_, wrong);
	if (!j.operation) {
		if (!wrong)
			wrong.code = ATOM_FAULT_INTERNAL;
		fault_command(q, j, wrong);
		return false;
	}
	j.next_tile = 0;
	j.again.clear();
	j.patience = {};
	host_.trace(ATOM_TRACE_COMMAND_START, q.id, j.seq, std::uint64_t{j.index} << 32 | j.header.opcode,
		    j.header.tag);
	return true;
}

/* Runs tiles of the current command: all of them, unless somebody else needs the engine or the dispatcher. */
void device::run_tiles(queue &q, job &j)
{
	const std::uint64_t tiles = j.operation->tiles();
	if (j.header.opcode == ATOM_OP_TIMESTAMP) {
		write_timestamp(q, j);
		return;
	}
	if (config_.compute_off) {
		q.regs.progress += tiles;
		end_command(q, j);
		return;
	}
	tile_run run;
	run.operation = j.operation.get();
	run.asid = q.job_asid;
	run.queue = q.id;
	run.next = j.next_tile;
	run.again = std::move(j.again);
	run.resumed = !run.again.empty();
	run.patience = j.patience.length();
	run.progress = &q.regs.progress;
	run.urgency = &urgency_;
	run.end = tiles;
	if (config_.executor == ATOM_EXECUTOR_INLINE)
		run.end = std::min(tiles, j.next_tile + 1);
	else if (scheduler_.others_than(q.id) || admin_.clear.active)
		run.end = std::min(tiles, j.next_tile + slice_per_worker * workers_.size());
	std::uint64_t accounted = host_.now_ns();
	collect_traffic();
	if (config_.pace == ATOM_PACE_HOST)
		telemetry_.begin_work(accounted);
	team_->run(run, [&] {
		if (attention_.load(std::memory_order_relaxed) || stop_requests_.load(std::memory_order_relaxed) ||
		    urgency_.load(std::memory_order_relaxed))
			run.stop.store(true, std::memory_order_relaxed);
		if (host_.now_ns() - accounted >= account_every_ns)
			account(q, j, accounted);
	});
	account(q, j, accounted);
	if (config_.pace == ATOM_PACE_HOST)
		telemetry_.end_work(accounted);
	drop_traffic();
	if (run.fault) {
		fault_command(q, j, run.fault);
		return;
	}
	j.next_tile = run.next;
	j.again = std::move(run.again);
	if (run.stuck)
		j.patience.grow();
	else if (run.ahead)
		j.patience.shrink();
	if (j.next_tile == tiles && j.again.empty())
		end_command(q, j);
}

} // namespace atom::model
