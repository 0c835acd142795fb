/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include <atomic>
#include <cerrno>
#include <cstring>

#include "vm.h"

namespace atom::inprocess {

namespace {

template <typename T> std::uint64_t load_acquire(T &from)
{
	return std::atomic_ref(from).load(std::memory_order_acquire);
}

} // namespace

queue::queue(device &dev, std::shared_ptr<vm> space, std::chrono::milliseconds patience, std::shared_ptr<events> told)
	: device_(dev), vm_(std::move(space)), told_(std::move(told)), entries_(dev.limit().ring_entries()),
	  look_every_(patience / looks)
{
	state_.fault_command = ATOM_COMMAND_NONE;
}

queue::~queue() = default;

int queue::start(std::uint32_t priority)
{
	ring_ = device_.system().allocate(entries_ * sizeof(atom_ring_desc) + sizeof(std::uint64_t));
	area_ = std::make_shared<memory_range>(
		device_.system().allocate(ATOM_CPL_AREA_BYTES(device_.limit().ring_log2)));
	if (!ring_ || !*area_)
		return -ENOMEM;
	atom_admin_desc d{};
	{
		const device::progress hold(device_);
		id_ = device_.add_queue(*this);
		if (id_ == 0)
			return -ENOSPC;
		generation_ = device_.next_generation();
	}
	d.opcode = ATOM_ADMIN_QUEUE_CREATE;
	d.id = id_;
	d.queue_create.ring_va = ring_.address();
	d.queue_create.tail_va = ring_.address() + entries_ * sizeof(atom_ring_desc);
	d.queue_create.completion_va = area_->address();
	d.queue_create.job_asid = static_cast<std::uint16_t>(vm_->asid());
	d.queue_create.ring_asid = ATOM_ASID_DRIVER;
	d.queue_create.vector = static_cast<std::uint16_t>(id_);
	d.queue_create.ring_log2 = device_.limit().ring_log2;
	d.queue_create.priority = static_cast<std::uint8_t>(priority);
	d.queue_create.generation = generation_;
	const std::lock_guard lock(hw_mutex_);
	alive_ = device_.admin(d);
	if (alive_)
		return 0;
	const device::progress hold(device_);
	device_.remove_queue(id_);
	return -EIO;
}

bool queue::admin(std::uint16_t opcode, std::uint32_t generation)
{
	atom_admin_desc d{};
	d.opcode = opcode;
	d.id = id_;
	d.queue_reset.generation = generation;
	return device_.admin(d);
}

void queue::kill()
{
	{
		const device::progress hold(device_);
		killed_ = true;
		ban(0);
	}
	const std::lock_guard lock(hw_mutex_);
	if (!alive_)
		return;
	admin(ATOM_ADMIN_QUEUE_DESTROY, 0);
	alive_ = false;
	const device::progress hold(device_);
	complete();
	cancel();
	device_.remove_queue(id_);
}

void queue::reset()
{
	const std::lock_guard lock(hw_mutex_);
	if (!alive_)
		return;
	std::uint32_t generation = 0;
	{
		const device::progress hold(device_);
		generation = device_.next_generation();
	}
	admin(ATOM_ADMIN_QUEUE_RESET, generation);
	const device::progress hold(device_);
	generation_ = generation;
	complete();
	cancel();
	++state_.generation;
	tell();
}

/* All its jobs have ended. Who destroys it knows. */
void queue::tell() const
{
	if (killed_)
		return;
	drm_atom_event_queue_fault event{};
	event.base.type = DRM_ATOM_EVENT_QUEUE_FAULT;
	event.base.length = sizeof event;
	event.queue_id = handle_;
	event.flags = state_.flags;
	event.failed_seqno = state_.failed_seqno;
	event.fault_va = state_.fault_va;
	event.fault_code = state_.fault_code;
	event.fault_command = state_.fault_command;
	told_->send(std::as_bytes(std::span(&event, 1)));
}

void queue::state(drm_atom_queue_get_state &out)
{
	const std::uint32_t id = out.queue_id;
	const std::lock_guard lock(hw_mutex_);
	if (alive_)
		state_.busy_ns = device_.bus().read64(ATOM_REG_QUEUE(id_) + ATOM_QREG_BUSY_NS);
	const device::progress hold(device_);
	out = state_;
	out.queue_id = id;
	out.submitted = submitted_;
	out.completed = track_->done;
}

int queue::wait_for_room(std::unique_lock<std::mutex> &lock, std::size_t count)
{
	room_.wait(lock, [&] { return banned_ || jobs_.size() + count <= entries_; });
	return banned_ ? -ECANCELED : 0;
}

void queue::push(job &&what)
{
	what.descriptor.seq = ++submitted_;
	jobs_.push_back(std::move(what));
}

bool queue::start_jobs()
{
	if (banned_)
		return true;
	auto *ring = reinterpret_cast<atom_ring_desc *>(ring_.cpu());
	const std::uint64_t before = emitted_;
	while (emitted_ < submitted_) {
		job &next = jobs_[emitted_ - track_->done];
		std::erase_if(next.waits, [](const fence &f) { return f.signalled(); });
		if (!next.waits.empty())
			break;
		ring[emitted_++ & (entries_ - 1)] = next.descriptor;
	}
	if (emitted_ != before) {
		if (before == track_->done) {
			seen_.taken = false;
			next_look_ = clock::now() + look_every_;
			device_.watch();
		}
		auto *tail = reinterpret_cast<std::uint64_t *>(ring + entries_);
		std::atomic_ref(*tail).store(emitted_, std::memory_order_release);
		device_.ring(id_);
	}
	return emitted_ == submitted_;
}

void queue::note_failure(std::uint64_t sequence, int error)
{
	if (state_.error)
		return;
	state_.error = static_cast<std::uint32_t>(error);
	state_.failed_seqno = sequence;
}

void queue::ban(std::uint32_t flags)
{
	const bool first = !banned_;
	banned_ = true;
	state_.flags |= flags | DRM_ATOM_QUEUE_STATE_BANNED;
	if (first && !killed_)
		device_.reset_later(shared_from_this());
	room_.notify_all();
}

/* What became of a job that the device has retired: 0 or an errno. */
int queue::judge(std::uint64_t sequence)
{
	const auto *records =
		reinterpret_cast<const atom_cpl_record *>(area_->cpu() + sizeof(atom_cpl_header));
	const atom_cpl_record &r = records[(sequence - 1) & (entries_ - 1)];
	if (r.seq == sequence && r.status == ATOM_CPL_OK)
		return 0;
	if (r.seq == sequence && r.status == ATOM_CPL_ABORTED) {
		note_failure(sequence, ECANCELED);
		return ECANCELED;
	}
	if (r.seq != sequence || r.status != ATOM_CPL_FAULT) { /* a device that contradicts itself */
		note_failure(sequence, EIO);
		ban(0);
		return EIO;
	}
	if (!state_.error) {
		note_failure(sequence, EIO);
		state_.fault_va = r.fault_va;
		state_.fault_code = r.fault_code;
		state_.fault_where = r.fault_where;
		state_.fault_opcode = r.fault_opcode;
		state_.fault_command = r.fault_command;
		state_.fault_field = r.fault_field;
	}
	ban(DRM_ATOM_QUEUE_STATE_FAULT);
	return EIO;
}

/* The oldest job has ended. */
void queue::retire_one()
{
	const std::vector<std::shared_ptr<syncobj>> signals = std::move(jobs_.front().signals);
	jobs_.pop_front();
	++track_->done;
	for (const std::shared_ptr<syncobj> &s : signals)
		s->notify();
}

void queue::complete()
{
	auto &header = *reinterpret_cast<atom_cpl_header *>(area_->cpu());
	const std::uint64_t seqno = load_acquire(header.seqno);
	if (seqno == track_->done)
		return;
	if (seqno - track_->done > emitted_ - track_->done) { /* more than it was given */
		if (!banned_) {
			note_failure(track_->done + 1, EIO);
			ban(DRM_ATOM_QUEUE_STATE_FAULT);
		}
		return;
	}
	while (track_->done < seqno) {
		/* The completion record tells of a fault first, the FIFO of the kind of access. */
		if (judge(track_->done + 1) == EIO)
			device_.read_faults();
		retire_one();
	}
	room_.notify_all();
	device_.start_ready();
}

void queue::cancel()
{
	while (track_->done < submitted_) {
		note_failure(track_->done + 1, ECANCELED);
		retire_one();
	}
	emitted_ = submitted_;
	room_.notify_all();
	device_.start_ready();
}

/*
 * As the kernel driver looks: an interrupt or a doorbell may be lost, or the device works for others. A job that
 * hangs is given up after 1 to 1 1/4 of its queue's time-out, or up to four of them if the device works for others.
 */
void queue::look(clock::time_point now)
{
	if (banned_ || !has_work() || now < next_look_)
		return;
	next_look_ = now + look_every_;
	complete();
	if (banned_ || !has_work() || has_moved())
		return;
	note_failure(track_->done + 1, ETIME);
	ban(DRM_ATOM_QUEUE_STATE_TIMEDOUT);
}

bool queue::has_moved()
{
	constexpr std::uint64_t others_min_ns = 1'000'000; /* less is none: it is not read at one moment */
	constexpr std::uint32_t stalls_max = 4;

	host::host_bus &bus = device_.bus();
	const std::uint64_t block = ATOM_REG_QUEUE(id_);
	const std::uint32_t hw_state = bus.read32(block + ATOM_QREG_STATE);
	const std::uint64_t progress = bus.read64(block + ATOM_QREG_PROGRESS);
	const std::uint64_t others = bus.read64(ATOM_REG_BUSY_COMPUTE) + bus.read64(ATOM_REG_BUSY_DMA) -
				     bus.read64(block + ATOM_QREG_BUSY_NS);
	if (hw_state == ATOM_QUEUE_HUNG || hw_state == ATOM_QUEUE_FAULTED)
		return false;
	if (hw_state == ATOM_QUEUE_IDLE)
		device_.ring(id_);
	if (!seen_.taken || progress != seen_.progress || track_->done != seen_.done) {
		seen_ = {true, 0, progress, track_->done, others};
		return true;
	}
	if (++seen_.stalls % looks)
		return true;
	const bool others_moved = others - seen_.others > others_min_ns && others > seen_.others;
	seen_.others = others;
	return others_moved && seen_.stalls < looks * stalls_max;
}

void queue::note_fault(const atom_fault_record &record)
{
	if (record.queue_generation != generation_ || killed_)
		return;
	if (!state_.error) {
		/* Its completion record comes later, or never: a hang, or the ring itself. */
		const bool hang = record.code == ATOM_FAULT_HANG;
		const bool known = record.desc_seq > track_->done && record.desc_seq <= emitted_;
		note_failure(known ? record.desc_seq : track_->done + 1, hang ? ETIME : EIO);
		state_.fault_va = record.va;
		state_.fault_code = record.code;
		state_.fault_where = record.where;
		state_.fault_opcode = record.opcode;
		state_.fault_command = record.command;
		state_.fault_field = record.field_offset;
		ban(hang ? DRM_ATOM_QUEUE_STATE_TIMEDOUT : DRM_ATOM_QUEUE_STATE_FAULT);
	}
	if (state_.failed_seqno == record.desc_seq)
		state_.fault_access = static_cast<std::uint16_t>(record.access);
}

} // namespace atom::inprocess
