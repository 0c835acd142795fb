// SPDX-License-Identifier: MIT
// The queues of the fake kernel and its device: taking jobs, ending them, telling it.
#include "fake_kernel.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "atom/hw/command.h"
#include "atom/hw/fault.h"

namespace atom::test {
namespace {

constexpr std::size_t header_words = sizeof(atom_cpl_header) / 8;
constexpr std::size_t record_words = sizeof(atom_cpl_record) / 8;

void store(std::uint64_t &word, std::uint64_t value)
{
	__atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

template <class T>
const T *user(std::uint64_t pointer)
{
	return reinterpret_cast<const T *>(static_cast<std::uintptr_t>(pointer));
}

} // namespace

int fake_kernel::queue_create(drm_atom_queue_create &c)
{
	if (vms_.count(c.vm_id) == 0)
		return ENOENT;
	if (c.flags != 0)
		return EOPNOTSUPP;
	if (c.priority > DRM_ATOM_QUEUE_PRIORITY_REALTIME || c.ring_va != 0 || c.ring_bytes != 0 ||
	    c.job_timeout_ms > info.job_timeout_max_ms || c.name[sizeof(c.name) - 1] != 0)
		return EINVAL;
	if (c.priority > DRM_ATOM_QUEUE_PRIORITY_NORMAL)
		return EACCES;
	if (queues_.size() == info.queues_max)
		return ENOSPC;
	c.queue_id = next_id_++;
	c.ring_entries = info.ring_entries;
	c.completion_offset = (1ULL << 40) + c.queue_id;
	c.completion_bytes = (sizeof(atom_cpl_header) +
	                      std::uint64_t{c.ring_entries} * sizeof(atom_cpl_record) + 4095) &
	                     ~4095ULL;
	fake_queue &q = queues_[c.queue_id];
	q.create = c;
	q.state.queue_id = c.queue_id;
	q.area.resize(c.completion_bytes / 8);
	return 0;
}

int fake_kernel::queue_destroy(const drm_atom_queue_destroy &d)
{
	const auto found = queues_.find(d.queue_id);
	if (found == queues_.end())
		return ENOENT;
	fake_queue &q = found->second;
	for (const fake_job &j : q.waiting)
		finish(q, j, {ATOM_CPL_ABORTED, 0, 0, 0, 0, 0, 0, 0, ECANCELED});
	old_areas_.push_back(std::move(q.area));
	queues_.erase(found);
	notify();
	return 0;
}

int fake_kernel::queue_get_state(drm_atom_queue_get_state &s)
{
	const auto found = queues_.find(s.queue_id);
	if (found == queues_.end())
		return ENOENT;
	s = found->second.state;
	return 0;
}

int fake_kernel::check_job(const drm_atom_job &j) const
{
	if (j.flags != 0 || j.pad != 0 || j.cmd_bytes % 8 != 0 || j.cmd_va % 8 != 0 ||
	    j.args_va % 8 != 0 || (j.cmd_bytes == 0) != (j.cmd_va == 0) ||
	    (j.arg_count == 0) != (j.args_va == 0))
		return EINVAL;
	if (j.arg_count > info.args_max || j.syncs.count > info.syncs_max)
		return E2BIG;
	if (j.syncs.count != 0 && j.syncs.stride != sizeof(drm_atom_sync))
		return EINVAL;
	for (std::uint32_t i = 0; i < j.syncs.count; ++i) {
		const drm_atom_sync &s = user<drm_atom_sync>(j.syncs.array)[i];
		if (syncobjs_.count(s.handle) == 0)
			return ENOENT;
		if ((s.flags & DRM_ATOM_SYNC_TIMELINE) == 0 || s.point == 0)
			return EINVAL;
		const fake_syncobj &o = *syncobjs_.at(s.handle);
		if ((s.flags & DRM_ATOM_SYNC_SIGNAL) == 0 && std::max(o.value, o.pending) < s.point)
			return EINVAL; // nobody will signal it
	}
	return 0;
}

int fake_kernel::submit(drm_atom_submit &s)
{
	const auto found = queues_.find(s.queue_id);
	if (found == queues_.end())
		return ENOENT;
	if (s.flags != 0 || s.jobs.count == 0 || s.jobs.stride != sizeof(drm_atom_job))
		return EINVAL;
	if (s.jobs.count > info.submit_jobs_max)
		return E2BIG;
	fake_queue &q = found->second;
	if ((q.state.flags & DRM_ATOM_QUEUE_STATE_BANNED) != 0)
		return ECANCELED;
	const auto *jobs = user<drm_atom_job>(s.jobs.array);
	for (std::uint32_t i = 0; i < s.jobs.count; ++i)
		if (const int error = check_job(jobs[i]))
			return error;
	for (std::uint32_t i = 0; i < s.jobs.count; ++i) {
		fake_job j;
		j.sequence = ++q.state.submitted;
		j.job = jobs[i];
		const auto *syncs = user<drm_atom_sync>(jobs[i].syncs.array);
		j.syncs.assign(syncs, syncs + jobs[i].syncs.count);
		for (const drm_atom_sync &sync : j.syncs)
			if ((sync.flags & DRM_ATOM_SYNC_SIGNAL) != 0)
				syncobjs_[sync.handle]->pending = sync.point;
		jobs_.push_back(j);
		q.waiting.push_back(std::move(j));
	}
	s.seqno = q.state.submitted;
	std::size_t all = ~std::size_t{0};
	if (auto_run)
		run_waiting(q, all);
	return 0;
}

void fake_kernel::run_jobs(std::size_t count)
{
	const std::lock_guard lock(mutex_);
	for (auto &[id, q] : queues_)
		run_waiting(q, count);
}

// What the device does: whatever the job needs must be mapped now, not only when it was submitted.
job_end fake_kernel::judge(fake_queue &q, const fake_job &j)
{
	const std::uint32_t vm = q.create.vm_id;
	const auto not_present = [](std::uint16_t where, std::uint64_t va) {
		job_end end{ATOM_CPL_FAULT, ATOM_FAULT_NOT_PRESENT, where, 0, ATOM_COMMAND_NONE};
		end.fault_va = va;
		end.state_flags = DRM_ATOM_QUEUE_STATE_FAULT | DRM_ATOM_QUEUE_STATE_BANNED;
		end.error = EFAULT;
		return end;
	};
	if (j.job.cmd_bytes != 0) {
		atom_cmdbuf_header header;
		const std::byte *commands = translate_locked(vm, j.job.cmd_va, j.job.cmd_bytes);
		if (commands == nullptr)
			return not_present(ATOM_WHERE_HEADER, j.job.cmd_va);
		std::memcpy(&header, commands, sizeof(header));
		if (header.magic != ATOM_CMDBUF_MAGIC || header.bytes != j.job.cmd_bytes ||
		    header.slots > j.job.arg_count + 1)
			return {ATOM_CPL_FAULT,
			        ATOM_FAULT_BAD_HEADER,
			        ATOM_WHERE_HEADER,
			        0,
			        ATOM_COMMAND_NONE,
			        0,
			        0,
			        DRM_ATOM_QUEUE_STATE_FAULT,
			        EINVAL};
	}
	for (std::uint32_t i = 0; i < j.job.arg_count; ++i) {
		atom_arg arg;
		const std::uint64_t va = j.job.args_va + i * sizeof(arg);
		const std::byte *entry = translate_locked(vm, va, sizeof(arg));
		if (entry == nullptr)
			return not_present(ATOM_WHERE_ARGS, va);
		std::memcpy(&arg, entry, sizeof(arg));
		if (arg.bytes != 0 && translate_locked(vm, arg.va, arg.bytes) == nullptr)
			return not_present(ATOM_WHERE_DATA, arg.va);
	}
	return policy ? policy(j) : job_end{};
}

void fake_kernel::run_waiting(fake_queue &q, std::size_t &count)
{
	while (!q.waiting.empty() && count != 0) {
		const fake_job &next = q.waiting.front();
		const bool blocked = std::any_of(
			next.syncs.begin(), next.syncs.end(), [this](const drm_atom_sync &s) {
				return (s.flags & DRM_ATOM_SYNC_SIGNAL) == 0 &&
			               syncobjs_[s.handle]->value < s.point;
			});
		if (blocked)
			break;
		--count;
		const fake_job job = std::move(q.waiting.front());
		q.waiting.pop_front();
		const job_end end = judge(q, job);
		finish(q, job, end);
		if (end.status == ATOM_CPL_OK)
			continue;
		// The queue has stopped: the kernel retires what is left.
		for (const fake_job &rest : q.waiting)
			finish(q, rest, {ATOM_CPL_ABORTED, 0, 0, 0, 0, 0, 0, 0, ECANCELED});
		q.waiting.clear();
	}
	notify();
}

void fake_kernel::finish(fake_queue &q, const fake_job &j, const job_end &end, bool write_record)
{
	atom_cpl_record r{};
	r.status = end.status;
	r.fault_code = end.fault_code;
	r.fault_command = end.fault_command;
	r.fault_where = end.fault_where;
	r.fault_opcode = end.fault_opcode;
	r.fault_field = end.fault_field;
	r.fault_va = end.fault_va;
	r.cookie = j.job.cookie;
	if (end.status != ATOM_CPL_ABORTED) {
		r.start_ns = clock_ns_;
		r.end_ns = clock_ns_ += 100;
		r.modelled_ns = 40;
	}
	if (write_record) {
		std::uint64_t words[record_words];
		std::memcpy(words, &r, sizeof(r));
		std::uint64_t *slot =
			&q.area[header_words +
		                ((j.sequence - 1) & (q.create.ring_entries - 1)) * record_words];
		store(slot[0], 0);
		for (std::size_t i = 1; i < record_words; ++i)
			store(slot[i], words[i]);
		store(slot[0], j.sequence);
		store(q.area[0], j.sequence);
	}
	if (end.status != ATOM_CPL_OK && q.state.failed_seqno <= q.state.lost_seqno &&
	    j.sequence > q.state.lost_seqno) {
		q.state.flags |= end.state_flags;
		q.state.error = end.error;
		q.state.lost_before = q.state.lost_seqno;
		q.state.failed_seqno = j.sequence;
		q.state.fault_code = end.fault_code;
		q.state.fault_where = end.fault_where;
		q.state.fault_opcode = end.fault_opcode;
		q.state.fault_command = end.fault_command;
		q.state.fault_field = end.fault_field;
		q.state.fault_va = end.fault_va;
	}
	q.state.completed = j.sequence;
	for (const drm_atom_sync &s : j.syncs)
		if ((s.flags & DRM_ATOM_SYNC_SIGNAL) != 0 && syncobjs_.count(s.handle) != 0)
			syncobjs_[s.handle]->value =
				std::max<std::uint64_t>(syncobjs_[s.handle]->value, s.point);
}

void fake_kernel::reset_device(std::size_t on_ring)
{
	const std::lock_guard lock(mutex_);
	for (auto &[id, q] : queues_) {
		++q.state.generation;
		if (q.waiting.empty() || (q.state.flags & DRM_ATOM_QUEUE_STATE_BANNED) != 0)
			continue;
		q.state.flags |= DRM_ATOM_QUEUE_STATE_INNOCENT;
		q.state.error = ECANCELED;
		q.state.failed_seqno = q.state.completed + 1;
		q.state.lost_before = q.state.lost_seqno;
		q.state.lost_seqno = q.state.submitted;
		for (std::size_t left = on_ring; !q.waiting.empty(); left -= left != 0) {
			job_end lost;
			lost.status = ATOM_CPL_ABORTED;
			finish(q, q.waiting.front(), lost, left != 0);
			q.waiting.pop_front();
		}
		store(q.area[0], q.state.submitted);
	}
	notify();
}

void fake_kernel::forget_records()
{
	const std::lock_guard lock(mutex_);
	for (auto &[id, q] : queues_)
		for (std::size_t i = header_words; i < q.area.size(); i += record_words)
			if (q.area[i] != 0)
				store(q.area[i], q.area[i] + q.create.ring_entries);
}

} // namespace atom::test
