/* SPDX-License-Identifier: MIT */
/*
 * SUBMIT: all jobs of a call are taken or none. Everything that can fail is done before the first
 * one is pushed.
 */
#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "file.h"

namespace atom::inprocess {

namespace {

bool range_valid(std::uint64_t va, std::uint64_t bytes)
{
	return va % 8 == 0 && va >= va_start && va < va_end && bytes <= va_end - va;
}

int check_job(const limits &limit, const drm_atom_job &j)
{
	if (j.flags || j.pad)
		return -EINVAL;
	if (j.cmd_bytes == 0)
		return j.cmd_va || j.args_va || j.arg_count || j.result_va ? -EINVAL : 0;
	if (j.cmd_bytes > limit.cmd_bytes_max || j.arg_count > limit.args_max)
		return -E2BIG;
	if (j.cmd_bytes % 8 || !range_valid(j.cmd_va, j.cmd_bytes))
		return -EINVAL;
	if (!j.arg_count != !j.args_va ||
	    (j.args_va && !range_valid(j.args_va, std::uint64_t{j.arg_count} * sizeof(atom_arg))))
		return -EINVAL;
	return j.result_va && !range_valid(j.result_va, sizeof(atom_cpl_record)) ? -EINVAL : 0;
}

atom_ring_desc descriptor_of(const drm_atom_job &j)
{
	atom_ring_desc d{};
	d.type = j.cmd_bytes ? ATOM_DESC_EXECUTE : ATOM_DESC_NOP;
	d.cmd_bytes = j.cmd_bytes;
	d.cmd_va = j.cmd_va;
	d.args_va = j.args_va;
	d.arg_count = j.arg_count;
	d.result_va = j.result_va;
	d.cookie = j.cookie;
	return d;
}

/* A sync of a job, checked. */
struct sync {
	std::shared_ptr<syncobj> object;
	std::uint64_t point;
	bool timeline;
	bool signal;
};

struct job_syncs {
	job what;
	std::vector<sync> syncs;
};

int get_syncs(file &f, const drm_atom_obj_array &array, std::vector<sync> &out)
{
	if (array.count == 0)
		return 0;
	std::vector<drm_atom_sync> given;
	if (const int error = get_array(array, syncs_max, sizeof(drm_atom_sync), given))
		return error;
	out.reserve(given.size());
	for (const drm_atom_sync &s : given) {
		const bool timeline = s.flags & DRM_ATOM_SYNC_TIMELINE;
		if (s.flags & ~(DRM_ATOM_SYNC_SIGNAL | DRM_ATOM_SYNC_TIMELINE) || timeline != (s.point != 0))
			return -EINVAL;
		std::shared_ptr<syncobj> object = f.syncobjs.find(s.handle);
		if (!object)
			return -ENOENT;
		out.push_back({std::move(object), s.point, timeline, (s.flags & DRM_ATOM_SYNC_SIGNAL) != 0});
	}
	return 0;
}

/*
 * What @p w waits for. @p earlier: what earlier jobs of the call signal; they run before it anyway,
 * and have no fence yet.
 */
int add_wait(const queue &q, const std::vector<const sync *> &earlier, const sync &w, std::vector<fence> &out)
{
	const auto last = std::find_if(earlier.rbegin(), earlier.rend(),
				       [&w](const sync *s) { return s->object == w.object; });
	const sync *before = last == earlier.rend() ? nullptr : *last;
	if (before && !w.timeline && !before->timeline)
		return 0;
	std::uint64_t point = w.point;
	if (!w.object->submitted(point)) {
		if (!before || !before->timeline || !w.timeline || before->point < point)
			return -EINVAL;
		/* The timeline reaches it only behind all that is on it already. */
		point = 0;
	}
	w.object->collect(point, out);
	/* Jobs of a queue run in order. */
	std::erase_if(out, [&q](const fence &f) { return f.of == q.jobs_track(); });
	return 0;
}

int add_waits(const queue &q, std::vector<job_syncs> &jobs)
{
	std::vector<const sync *> earlier;
	for (job_syncs &j : jobs) {
		for (const sync &s : j.syncs) {
			if (s.signal) {
				j.what.signals.push_back(s.object);
				continue;
			}
			if (const int error = add_wait(q, earlier, s, j.what.waits))
				return error;
		}
		for (const sync &s : j.syncs)
			if (s.signal)
				earlier.push_back(&s);
	}
	/* One interrupt for jobs that nobody waits for singly; faults interrupt in any case. */
	for (std::size_t i = 0; i < jobs.size(); ++i)
		if (i + 1 == jobs.size() || !jobs[i + 1].what.waits.empty() || !jobs[i].what.signals.empty())
			jobs[i].what.descriptor.flags |= ATOM_DESC_IRQ;
	return 0;
}

void push(queue &q, job_syncs &j)
{
	const fence end{q.jobs_track(), q.next_sequence()};
	q.push(std::move(j.what));
	for (const sync &s : j.syncs) {
		if (!s.signal)
			continue;
		if (s.timeline)
			s.object->add(s.point, end);
		else
			s.object->replace(end);
	}
}

} // namespace

int submit(file &f, drm_atom_submit &s)
{
	device &d = f.device();
	if (s.flags || s.jobs.count == 0)
		return -EINVAL;
	const std::shared_ptr<queue> q = f.queues.find(s.queue_id);
	if (!q)
		return -ENOENT;
	std::vector<drm_atom_job> given;
	if (const int error = get_array(s.jobs, d.limit().submit_jobs_max(), offsetof(drm_atom_job, syncs) +
					sizeof(drm_atom_obj_array), given))
		return error;
	std::vector<job_syncs> jobs(given.size());
	for (const drm_atom_job &j : given)
		if (const int error = check_job(d.limit(), j))
			return error;
	for (std::size_t i = 0; i < jobs.size(); ++i) {
		jobs[i].what.descriptor = descriptor_of(given[i]);
		if (const int error = get_syncs(f, given[i].syncs, jobs[i].syncs))
			return error;
	}
	device::progress hold(d);
	if (const int error = q->wait_for_room(hold.lock(), jobs.size()))
		return error;
	if (const int error = add_waits(*q, jobs))
		return error;
	for (job_syncs &j : jobs)
		push(*q, j);
	s.seqno = q->next_sequence() - 1;
	if (!q->start_jobs())
		d.note_blocked(*q);
	return 0;
}

} // namespace atom::inprocess
