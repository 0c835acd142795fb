/* SPDX-License-Identifier: MIT */
/*
 * The admin queue. The dispatcher executes it between tiles, in order; what
 * takes long (MEM_CLEAR) is done in steps between which other work goes on.
 */
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "device.h"

namespace atom::model {

namespace {

constexpr unsigned admin_batch = 16;             ///< descriptors a step
constexpr std::uint64_t clear_bytes = 4ull << 20; ///< bytes of MEM_CLEAR a step

constexpr std::uint32_t field_flags = offsetof(atom_admin_desc, flags);
constexpr std::uint32_t field_id = offsetof(atom_admin_desc, id);

/* How many of the 48 bytes of the union an opcode uses. */
std::size_t used_bytes(std::uint16_t opcode)
{
	switch (opcode) {
	case ATOM_ADMIN_ASID_SET:
		return offsetof(atom_admin_desc, asid_set.reserved) - offsetof(atom_admin_desc, raw);
	case ATOM_ADMIN_TLB_INVALIDATE:
		return offsetof(atom_admin_desc, tlb.reserved) - offsetof(atom_admin_desc, raw);
	case ATOM_ADMIN_QUEUE_CREATE:
		return sizeof(atom_admin_desc::raw);
	case ATOM_ADMIN_QUEUE_RESET:
		return offsetof(atom_admin_desc, queue_reset.reserved) - offsetof(atom_admin_desc, raw);
	case ATOM_ADMIN_QUEUE_PRIORITY:
		return offsetof(atom_admin_desc, queue_priority.reserved) - offsetof(atom_admin_desc, raw);
	case ATOM_ADMIN_MEM_CLEAR:
		return offsetof(atom_admin_desc, mem_clear.reserved) - offsetof(atom_admin_desc, raw);
	default:
		return 0;
	}
}

bool multiple(std::uint64_t value, std::uint64_t of)
{
	return value % of == 0;
}

bool wraps(std::uint64_t start, std::uint64_t bytes)
{
	return start + bytes < start;
}

} // namespace

/* Reads the admin tail. What cannot be read or cannot be true leaves no way to talk to the driver: FATAL. */
void device::look_at_admin_tail()
{
	if (admin_changed_.load()) {
		const std::lock_guard lock(regs_mutex_);
		/* Disabled since: the registers have not been checked, and the next ENABLE comes with a doorbell. */
		if (!regs_.enabled)
			return;
		admin_changed_.store(false);
		admin_.ring = regs_.admin_ring;
		admin_.tail_address = regs_.admin_tail;
		admin_.completion = regs_.admin_completion;
		admin_.entries = 1ull << regs_.admin_log2;
		admin_.clear.active = false;
		admin_.head = admin_.tail = 0;
		admin_.regs.seqno = admin_.regs.head = 0;
		admin_.regs.state = ATOM_QUEUE_IDLE;
	}
	std::uint64_t tail = 0;
	if ((inject_.any() && inject_.strike(inject_kind::dma_error, 0)) ||
	    !host_.dma_read(admin_.tail_address, &tail, sizeof tail)) {
		set_fatal(ATOM_FAULT_DMA_ERROR);
		return;
	}
	if (tail < admin_.head || tail - admin_.regs.seqno.load() > admin_.entries) {
		host_.misuse(guest_error::admin_tail, tail, "admin tail behind the head or more than a ring ahead");
		set_fatal(ATOM_FAULT_TAIL_RANGE);
		return;
	}
	admin_.tail = tail;
}

/* @return true if admin work is left */
bool device::admin_step()
{
	if (admin_changed_.load()) /* what is known is of another ring: a doorbell opens the new one */
		return false;
	if (admin_.clear.active) {
		if (small_only_)
			handed_over_ = true;
		else
			admin_clear_step();
		return true;
	}
	/* One at a time where a CPU of the guest waits; and whoever wants the device to stand still waits for one only. */
	const unsigned batch = small_only_ ? 1 : admin_batch;
	for (unsigned i = 0; i < batch && admin_.head != admin_.tail && !admin_.clear.active; ++i) {
		if (i && (stop_requests_.load() || reset_pending_.load()))
			break;
		atom_admin_desc desc;
		const std::uint64_t slot = admin_.head & (admin_.entries - 1);
		if (!host_.dma_read(admin_.ring + slot * sizeof desc, &desc, sizeof desc)) {
			set_fatal(ATOM_FAULT_DMA_ERROR);
			return false;
		}
		admin_.regs.head.store(++admin_.head);
		admin_.regs.state = ATOM_QUEUE_RUNNING;
		admin_execute(desc);
	}
	if (admin_.head == admin_.tail && !admin_.clear.active && admin_.regs.state == ATOM_QUEUE_RUNNING)
		admin_.regs.state = ATOM_QUEUE_IDLE;
	return admin_.clear.active || admin_.head != admin_.tail;
}

/* Admin work that is left waits for the end of a tile, not of a command. MEM_CLEAR shares the time with the queues. */
void device::settle_admin_urgency()
{
	if (admin_.head != admin_.tail && !admin_.clear.active && !admin_changed_.load()) {
		urgency_.fetch_or(urgency_admin);
		return;
	}
	urgency_.fetch_and(~std::uint32_t{urgency_admin});
	if (doorbells_[0].load() & 1) /* rung since */
		urgency_.fetch_or(urgency_admin);
}

device::admin_result device::admin_check_unused(const atom_admin_desc &desc) const
{
	const auto *bytes = reinterpret_cast<const unsigned char *>(desc.raw);
	for (std::size_t i = used_bytes(desc.opcode); i < sizeof desc.raw; ++i) {
		if (bytes[i])
			return {ATOM_FAULT_ADMIN_FIELD,
				static_cast<std::uint32_t>(offsetof(atom_admin_desc, raw) + i / 4 * 4)};
	}
	return {};
}

void device::admin_execute(const atom_admin_desc &desc)
{
	const std::uint64_t start = host_.now_ns();
	admin_result r;
	bool known = true;
	switch (desc.opcode) {
	case ATOM_ADMIN_NOP:
	case ATOM_ADMIN_ASID_SET:
	case ATOM_ADMIN_ASID_CLEAR:
	case ATOM_ADMIN_TLB_INVALIDATE:
	case ATOM_ADMIN_QUEUE_CREATE:
	case ATOM_ADMIN_QUEUE_DESTROY:
	case ATOM_ADMIN_QUEUE_RESET:
	case ATOM_ADMIN_QUEUE_PRIORITY:
	case ATOM_ADMIN_MEM_CLEAR:
		break;
	default:
		known = false;
		break;
	}
	if (!known)
		r = {ATOM_FAULT_ADMIN_OPCODE, offsetof(atom_admin_desc, opcode)};
	else if (desc.flags & ~ATOM_DESC_IRQ)
		r = {ATOM_FAULT_ADMIN_FIELD, field_flags};
	else if (desc.seq != admin_.head)
		r = {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, seq)};
	else
		r = admin_check_unused(desc);
	if (!r.code) {
		switch (desc.opcode) {
		case ATOM_ADMIN_NOP:
			if (desc.id)
				r = {ATOM_FAULT_ADMIN_FIELD, field_id};
			break;
		case ATOM_ADMIN_ASID_SET:
			r = admin_asid_set(desc);
			break;
		case ATOM_ADMIN_ASID_CLEAR:
			r = admin_asid_clear(desc);
			break;
		case ATOM_ADMIN_TLB_INVALIDATE:
			r = admin_tlb_invalidate(desc);
			break;
		case ATOM_ADMIN_QUEUE_CREATE:
			r = admin_queue_create(desc);
			break;
		case ATOM_ADMIN_QUEUE_DESTROY:
			r = admin_queue_destroy(desc);
			break;
		case ATOM_ADMIN_QUEUE_RESET:
			r = admin_queue_reset(desc);
			break;
		case ATOM_ADMIN_QUEUE_PRIORITY:
			r = admin_queue_priority(desc);
			break;
		case ATOM_ADMIN_MEM_CLEAR:
			r = admin_mem_clear(desc);
			if (!r.code) {
				admin_.clear.desc = desc;
				admin_.clear.start_ns = start;
				return; /* retires when it is done */
			}
			break;
		}
	}
	admin_retire(desc, start, r.code, r.field);
}

void device::admin_retire(const atom_admin_desc &desc, std::uint64_t start_ns, std::uint16_t code,
			  std::uint32_t field)
{
	atom_cpl_record r{};
	r.seq = admin_.head;
	r.status = code ? ATOM_CPL_FAULT : ATOM_CPL_OK;
	r.fault_code = code;
	r.fault_command = ATOM_COMMAND_NONE;
	r.start_ns = start_ns;
	r.end_ns = host_.now_ns();
	r.fault_where = code ? ATOM_WHERE_DESCRIPTOR : ATOM_WHERE_NONE;
	r.fault_field = field;
	std::uint64_t seqno = admin_.head;
	if (inject_.any()) {
		if (inject_.strike(inject_kind::corrupt_record, 0))
			r.seq = ~r.seq;
		if (const auto hit = inject_.strike(inject_kind::corrupt_seqno, 0))
			seqno = hit->value;
	}

	const std::uint64_t slot = (admin_.head - 1) & (admin_.entries - 1);
	const std::uint64_t at = admin_.completion + sizeof(atom_cpl_header) + slot * sizeof r;
	const std::uint64_t none = 0;
	const std::uint32_t about[2] = {0, ATOM_QUEUE_IDLE};
	const auto *bytes = reinterpret_cast<const std::byte *>(&r);
	host_.trace(ATOM_TRACE_ADMIN, desc.opcode, desc.id, r.status, code);
	admin_.regs.seqno.store(admin_.head);
	++admin_.regs.progress;
	if (!host_.dma_write(at, &none, sizeof none) ||
	    !host_.dma_write(at + sizeof none, bytes + sizeof none, sizeof r - sizeof none) ||
	    !host_.dma_write(at, bytes, sizeof none) ||
	    !host_.dma_write(admin_.completion + offsetof(atom_cpl_header, generation), about, sizeof about) ||
	    !host_.dma_write(admin_.completion + offsetof(atom_cpl_header, seqno), &seqno, sizeof seqno)) {
		set_fatal(ATOM_FAULT_DMA_ERROR);
		return;
	}
	if (code || (desc.flags & ATOM_DESC_IRQ))
		raise_cause(ATOM_INTR_ADMIN);
}

/* Between tiles nobody translates or uses what is kept: to empty the caches is all that it takes. */
void device::invalidate(std::uint32_t asid, std::uint64_t va, std::uint64_t bytes)
{
	for (const auto &w : workers_)
		w->memory.cache().invalidate(asid, va, bytes);
	kept_.forget(asid, va, bytes);
	host_.trace(ATOM_TRACE_TLB_INVALIDATE, asid, va, bytes);
}

device::admin_result device::admin_asid_set(const atom_admin_desc &desc)
{
	const auto &a = desc.asid_set;
	if (desc.id >= mmu_.count())
		return {ATOM_FAULT_ADMIN_ID, field_id};
	const bool identity = a.flags & ATOM_ASID_IDENTITY;
	if (identity ? a.root != 0
		     : !multiple(a.root, ATOM_PT_BYTES) || (a.root & ~ATOM_PTE_ADDR_MASK) != 0)
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, asid_set.root)};
	const location root{a.aperture, a.root};
	if (a.aperture != ATOM_APERTURE_SYSTEM &&
	    (identity || a.aperture != ATOM_APERTURE_LOCAL || !memory_.find(root, ATOM_PT_BYTES)))
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, asid_set.aperture)};
	if ((a.flags & ~ATOM_ASID_IDENTITY) || (identity && desc.id != ATOM_ASID_DRIVER))
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, asid_set.flags)};
	asid_entry &space = mmu_.space(desc.id);
	invalidate(desc.id, 0, 0);
	space.present = true;
	space.identity = identity;
	space.root = root;
	space.generation = a.generation;
	return {};
}

device::admin_result device::admin_asid_clear(const atom_admin_desc &desc)
{
	if (desc.id >= mmu_.count())
		return {ATOM_FAULT_ADMIN_ID, field_id};
	asid_entry &space = mmu_.space(desc.id);
	if (!space.present || space.users)
		return {ATOM_FAULT_ADMIN_STATE, field_id};
	invalidate(desc.id, 0, 0);
	space = {};
	return {};
}

device::admin_result device::admin_tlb_invalidate(const atom_admin_desc &desc)
{
	constexpr std::uint64_t va_end = 1ull << ATOM_VA_BITS;
	if (desc.id >= mmu_.count())
		return {ATOM_FAULT_ADMIN_ID, field_id};
	if (!multiple(desc.tlb.va, ATOM_PT_BYTES) || desc.tlb.va >= va_end)
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, tlb.va)};
	if (!multiple(desc.tlb.bytes, ATOM_PT_BYTES) || desc.tlb.bytes > va_end - desc.tlb.va)
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, tlb.bytes)};
	invalidate(desc.id, desc.tlb.va, desc.tlb.bytes);
	return {};
}

device::admin_result device::admin_queue_create(const atom_admin_desc &desc)
{
	const auto &c = desc.queue_create;
	const auto bad = [](std::size_t field) {
		return admin_result{ATOM_FAULT_ADMIN_FIELD, static_cast<std::uint32_t>(field)};
	};
	if (desc.id == 0 || desc.id > config_.num_queues)
		return {ATOM_FAULT_ADMIN_ID, field_id};
	queue &q = queues_[desc.id];
	if (q.created)
		return {ATOM_FAULT_ADMIN_STATE, field_id};
	/* The size first: how far the addresses reach depends on it. */
	if (c.ring_log2 < 1 || c.ring_log2 > ring_log2_max)
		return bad(offsetof(atom_admin_desc, queue_create.ring_log2));
	const std::uint64_t entries = 1ull << c.ring_log2;
	if (!multiple(c.ring_va, 64) || wraps(c.ring_va, entries * sizeof(atom_ring_desc)))
		return bad(offsetof(atom_admin_desc, queue_create.ring_va));
	if (!multiple(c.tail_va, 8))
		return bad(offsetof(atom_admin_desc, queue_create.tail_va));
	if (!multiple(c.completion_va, 64) || wraps(c.completion_va, ATOM_CPL_AREA_BYTES(c.ring_log2)))
		return bad(offsetof(atom_admin_desc, queue_create.completion_va));
	/* Counters never wrap: leave them room. */
	if (c.seq_start >> 62)
		return bad(offsetof(atom_admin_desc, queue_create.seq_start));
	constexpr std::uint32_t field_job_asid = offsetof(atom_admin_desc, queue_create.job_asid);
	constexpr std::uint32_t field_ring_asid = offsetof(atom_admin_desc, queue_create.ring_asid);
	if (c.job_asid == ATOM_ASID_DRIVER || c.job_asid >= mmu_.count())
		return {ATOM_FAULT_ADMIN_ID, field_job_asid};
	if (!mmu_.space(c.job_asid).present)
		return {ATOM_FAULT_ADMIN_STATE, field_job_asid};
	if (c.ring_asid >= mmu_.count())
		return {ATOM_FAULT_ADMIN_ID, field_ring_asid};
	if (!mmu_.space(c.ring_asid).present)
		return {ATOM_FAULT_ADMIN_STATE, field_ring_asid};
	if (c.vector >= config_.num_vectors)
		return {ATOM_FAULT_ADMIN_ID, offsetof(atom_admin_desc, queue_create.vector)};
	if (c.priority > ATOM_PRIORITY_REALTIME)
		return bad(offsetof(atom_admin_desc, queue_create.priority));
	if (c.flags)
		return bad(offsetof(atom_admin_desc, queue_create.flags));

	q.created = true;
	q.ring_va = c.ring_va;
	q.tail_va = c.tail_va;
	q.completion_va = c.completion_va;
	q.entries = entries;
	q.job_asid = c.job_asid;
	q.ring_asid = c.ring_asid;
	q.vector = c.vector;
	q.priority = c.priority;
	q.head = q.tail = c.seq_start;
	++mmu_.space(q.job_asid).users;
	++mmu_.space(q.ring_asid).users;
	q.regs.generation = c.generation;
	q.regs.seqno = q.regs.head = c.seq_start;
	q.regs.progress = q.regs.busy_ns = q.regs.modelled_ns = 0;
	q.regs.command = ATOM_COMMAND_NONE;
	q.regs.fault_code = ATOM_FAULT_NONE;
	set_state(q, ATOM_QUEUE_IDLE);
	return {};
}

device::admin_result device::admin_queue_destroy(const atom_admin_desc &desc)
{
	if (desc.id == 0 || desc.id > config_.num_queues)
		return {ATOM_FAULT_ADMIN_ID, field_id};
	queue &q = queues_[desc.id];
	if (!q.created)
		return {ATOM_FAULT_ADMIN_STATE, field_id};
	reset_queue(q, q.regs.generation.load());
	--mmu_.space(q.job_asid).users;
	--mmu_.space(q.ring_asid).users;
	q.created = false;
	set_state(q, ATOM_QUEUE_NONE);
	return {};
}

device::admin_result device::admin_queue_reset(const atom_admin_desc &desc)
{
	if (desc.id == 0 || desc.id > config_.num_queues)
		return {ATOM_FAULT_ADMIN_ID, field_id};
	queue &q = queues_[desc.id];
	if (!q.created)
		return {ATOM_FAULT_ADMIN_STATE, field_id};
	reset_queue(q, desc.queue_reset.generation);
	return {};
}

device::admin_result device::admin_queue_priority(const atom_admin_desc &desc)
{
	if (desc.id == 0 || desc.id > config_.num_queues)
		return {ATOM_FAULT_ADMIN_ID, field_id};
	queue &q = queues_[desc.id];
	if (!q.created)
		return {ATOM_FAULT_ADMIN_STATE, field_id};
	if (desc.queue_priority.priority > ATOM_PRIORITY_REALTIME)
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, queue_priority.priority)};
	q.priority = desc.queue_priority.priority;
	update_runnable(q);
	return {};
}

device::admin_result device::admin_mem_clear(const atom_admin_desc &desc)
{
	const auto &c = desc.mem_clear;
	if (desc.id)
		return {ATOM_FAULT_ADMIN_FIELD, field_id};
	if (!multiple(c.address, ATOM_PT_BYTES))
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, mem_clear.address)};
	if (!multiple(c.bytes, ATOM_PT_BYTES) || c.bytes == 0)
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, mem_clear.bytes)};
	if (c.aperture != ATOM_APERTURE_LOCAL && c.aperture != ATOM_APERTURE_SHM)
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, mem_clear.aperture)};
	std::byte *start = memory_.find({c.aperture, c.address}, c.bytes);
	if (!start)
		return {ATOM_FAULT_ADMIN_FIELD, offsetof(atom_admin_desc, mem_clear.address)};
	admin_.clear.active = true;
	admin_.clear.next = start;
	admin_.clear.bytes = c.bytes;
	admin_.clear.dram = c.aperture == ATOM_APERTURE_LOCAL;
	return {};
}

void device::admin_clear_step()
{
	auto &c = admin_.clear;
	const std::uint64_t bytes = std::min(c.bytes, clear_bytes);
	guest_zero(c.next, bytes);
	if (c.dram)
		counters_.dram_write += bytes;
	c.next += bytes;
	c.bytes -= bytes;
	++admin_.regs.progress;
	if (c.bytes)
		return;
	c.active = false;
	admin_retire(c.desc, c.start_ns, ATOM_FAULT_NONE, 0);
}

} // namespace atom::model
