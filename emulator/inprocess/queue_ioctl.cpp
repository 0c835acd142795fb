/* SPDX-License-Identifier: MIT */
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>

#include "file.h"
#include "offset.h"

namespace atom::inprocess {

namespace {

/* As the kernel asks: what it would refuse is refused. */
bool capable_of_nice()
{
	__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
	__user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
	return syscall(SYS_capget, &header, data) == 0 && data[0].effective >> CAP_SYS_NICE & 1;
}

bool name_valid(const drm_atom_queue_create &c)
{
	const auto *end = std::find(std::begin(c.name), std::end(c.name), 0);
	return end != std::end(c.name) &&
	       std::all_of(std::begin(c.name), end, [](std::uint8_t l) { return l >= ' ' && l <= '~'; });
}

int check(const drm_atom_queue_create &c)
{
	if (c.flags & ~DRM_ATOM_QUEUE_USER)
		return -EINVAL;
	if (c.flags & DRM_ATOM_QUEUE_USER)
		return -EOPNOTSUPP;
	if (c.priority > DRM_ATOM_QUEUE_PRIORITY_REALTIME || c.ring_va || c.ring_bytes ||
	    c.job_timeout_ms > job_timeout_max_ms || !name_valid(c))
		return -EINVAL;
	if (c.priority >= DRM_ATOM_QUEUE_PRIORITY_HIGH && !capable_of_nice())
		return -EACCES;
	return 0;
}

} // namespace

int queue_create(file &f, drm_atom_queue_create &c)
{
	if (const int error = check(c))
		return error;
	const std::shared_ptr<vm> v = f.vms.find(c.vm_id);
	if (!v)
		return -ENOENT;
	const auto q = std::make_shared<queue>(
		f.device(), v, std::chrono::milliseconds(c.job_timeout_ms ? c.job_timeout_ms : job_timeout_ms), f.events());
	if (const int error = v->start(q, c.priority))
		return error;
	c.queue_id = f.queues.add(q);
	q->name(c.queue_id);
	c.ring_entries = q->entries();
	c.completion_offset = offset::make(offset::kind::completion_area, c.queue_id);
	c.completion_bytes = q->area()->bytes();
	c.doorbell_offset = 0;
	return 0;
}

int queue_destroy(file &f, const drm_atom_queue_destroy &d)
{
	if (d.pad)
		return -EINVAL;
	const std::shared_ptr<queue> q = f.queues.take(d.queue_id);
	if (!q)
		return -ENOENT;
	q->kill();
	return 0;
}

int queue_get_state(file &f, drm_atom_queue_get_state &s)
{
	const std::shared_ptr<queue> q = f.queues.find(s.queue_id);
	if (!q)
		return -ENOENT;
	q->state(s);
	return 0;
}

} // namespace atom::inprocess
