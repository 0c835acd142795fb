/* SPDX-License-Identifier: MIT */
#include "vm.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "queue.h"

namespace atom::inprocess {

vm::vm(device &dev) : device_(dev), tables_(dev.system()) {}

vm::~vm()
{
	if (asid_)
		device_.give_asid(asid_);
}

int vm::start()
{
	asid_ = device_.take_asid();
	if (asid_ == 0)
		return -ENOSPC;
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_ASID_SET;
	d.id = asid_;
	d.asid_set.root = tables_.root();
	d.asid_set.aperture = ATOM_APERTURE_SYSTEM;
	return device_.admin(d) ? 0 : -EIO;
}

void vm::destroy()
{
	std::vector<std::weak_ptr<queue>> queues;
	{
		const std::lock_guard lock(mutex_);
		destroyed_ = true;
		queues.swap(queues_);
	}
	for (const std::weak_ptr<queue> &weak : queues)
		if (const std::shared_ptr<queue> q = weak.lock())
			q->kill();
	atom_admin_desc d{};
	d.opcode = ATOM_ADMIN_ASID_CLEAR;
	d.id = asid_;
	/* First the device forgets the tables, then what they named may go. */
	device_.admin(d);
	const std::lock_guard lock(mutex_);
	pieces_.clear();
	/* Now, and not with the last reference: a reset that is due may hold a queue of ours for a while. */
	device_.give_asid(std::exchange(asid_, 0));
}

int vm::start(const std::shared_ptr<queue> &q, std::uint32_t priority)
{
	const std::lock_guard lock(mutex_);
	if (destroyed_)
		return -ENOENT;
	std::erase_if(queues_, [](const std::weak_ptr<queue> &w) { return w.expired(); });
	queues_.push_back(q);
	return q->start(priority);
}

/* Takes [va, end) out of the pieces; what loses a buffer goes to @p dropped. */
void vm::carve(std::uint64_t va, std::uint64_t end, std::vector<std::shared_ptr<inprocess::bo>> &dropped)
{
	auto at = pieces_.upper_bound(va);
	if (at != pieces_.begin() && std::prev(at)->second.end > va)
		--at;
	while (at != pieces_.end() && at->first < end) {
		const std::uint64_t begin = at->first;
		const std::uint64_t behind = at->second.end;
		if (behind > end)
			pieces_.emplace(end, piece{behind, at->second.bo});
		if (begin < va) {
			at->second.end = va;
			++at;
		} else {
			dropped.push_back(std::move(at->second.bo));
			at = pieces_.erase(at);
		}
	}
}

int vm::bind(const std::vector<bind_op> &ops)
{
	/* Let go of without the lock, and when the device has forgotten them. */
	std::vector<std::shared_ptr<inprocess::bo>> dropped;
	const std::lock_guard lock(mutex_);
	if (destroyed_)
		return -ENOENT;
	for (const bind_op &op : ops) {
		tables_.reserve_unmap();
		if (op.bo)
			tables_.reserve_map(op.va, op.bytes, op.bo->range.address() + op.offset);
	}
	std::uint64_t low = va_end;
	std::uint64_t high = 0;
	for (const bind_op &op : ops) {
		const std::uint64_t end = op.va + op.bytes;
		low = std::min(low, op.va);
		high = std::max(high, end);
		carve(op.va, end, dropped);
		if (!op.bo) {
			tables_.unmap(op.va, op.bytes);
			continue;
		}
		pieces_.emplace(op.va, piece{end, op.bo});
		tables_.map(op.va, op.bytes, op.bo->aperture(), op.bo->range.address() + op.offset, op.read_only);
	}
	flush(low, high);
	return 0;
}

/* The device forgets what is in the tables no more, in [va, end). */
void vm::flush(std::uint64_t va, std::uint64_t end)
{
	if (tables_.stale()) {
		atom_admin_desc d{};
		d.opcode = ATOM_ADMIN_TLB_INVALIDATE;
		d.id = asid_;
		d.tlb.va = va;
		d.tlb.bytes = end - va;
		device_.admin(d);
	}
	tables_.flushed();
}

} // namespace atom::inprocess
