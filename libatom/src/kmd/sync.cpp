// SPDX-License-Identifier: MIT
// Syncobjs: timelines, their events and files.
#include <drm/atom_accel.h>

#include "kmd/drm_compat.h"
#include "kmd/kmd.hpp"
#include "kmd/user_pointer.hpp"

namespace atom::kmd {

int node::syncobj_create(std::uint32_t &handle) const
{
	drm_syncobj_create c{};
	if (const int error = call(DRM_IOCTL_SYNCOBJ_CREATE, &c))
		return error;
	handle = c.handle;
	return 0;
}

int node::syncobj_destroy(std::uint32_t handle) const
{
	drm_syncobj_destroy d{};
	d.handle = handle;
	return call(DRM_IOCTL_SYNCOBJ_DESTROY, &d);
}

int node::syncobj_wait(std::uint32_t handle, std::uint64_t point, std::int64_t until_ns) const
{
	std::uint32_t first = 0;
	return syncobj_wait({&handle, 1}, {&point, 1}, true, until_ns, first);
}

int node::syncobj_wait(span<const std::uint32_t> handles, span<const std::uint64_t> points,
                       bool all, std::int64_t until_ns, std::uint32_t &first) const
{
	drm_syncobj_timeline_wait w{};
	w.handles = user_pointer(handles.data());
	w.points = user_pointer(points.data());
	w.timeout_nsec = until_ns;
	w.count_handles = static_cast<std::uint32_t>(handles.size());
	w.flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT;
	if (all)
		w.flags |= DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL;
	const int error = call(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &w);
	first = w.first_signaled;
	return error;
}

int node::syncobj_eventfd(std::uint32_t handle, std::uint64_t point, int fd) const
{
	drm_syncobj_eventfd e{};
	e.handle = handle;
	e.point = point;
	e.fd = fd;
	return call(DRM_IOCTL_SYNCOBJ_EVENTFD, &e);
}

int node::syncobj_signal(std::uint32_t handle, std::uint64_t point) const
{
	drm_syncobj_timeline_array a{};
	a.handles = user_pointer(&handle);
	a.points = user_pointer(&point);
	a.count_handles = 1;
	return call(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &a);
}

int node::syncobj_query(std::uint32_t handle, bool submitted, std::uint64_t &point) const
{
	drm_syncobj_timeline_array a{};
	a.flags = submitted ? DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED : 0;
	a.handles = user_pointer(&handle);
	a.points = user_pointer(&point);
	a.count_handles = 1;
	return call(DRM_IOCTL_SYNCOBJ_QUERY, &a);
}

int node::syncobj_export(std::uint32_t handle, int &fd) const
{
	drm_syncobj_handle h{};
	h.handle = handle;
	const int error = call(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &h);
	fd = h.fd;
	return error;
}

int node::syncobj_import(int fd, std::uint32_t &handle) const
{
	drm_syncobj_handle h{};
	h.fd = fd;
	const int error = call(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &h);
	handle = h.handle;
	return error;
}

// A sync_file comes from and goes to a syncobj without points only, which is made for the moment.
template <class F>
int node::with_binary(F &&use) const
{
	std::uint32_t binary = 0;
	if (const int error = syncobj_create(binary))
		return error;
	const int error = use(binary);
	syncobj_destroy(binary);
	return error;
}

int node::transfer(std::uint32_t to, std::uint64_t to_point, std::uint32_t from,
                   std::uint64_t from_point) const
{
	drm_syncobj_transfer t{};
	t.src_handle = from;
	t.src_point = from_point;
	t.dst_handle = to;
	t.dst_point = to_point;
	return call(DRM_IOCTL_SYNCOBJ_TRANSFER, &t);
}

int node::sync_file_export(std::uint32_t handle, std::uint64_t point, int &fd) const
{
	return with_binary([&](std::uint32_t binary) {
		if (const int error = transfer(binary, 0, handle, point))
			return error;
		drm_syncobj_handle h{};
		h.handle = binary;
		h.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE;
		const int error = call(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &h);
		fd = h.fd;
		return error;
	});
}

int node::sync_file_import(std::uint32_t handle, std::uint64_t point, int fd) const
{
	return with_binary([&](std::uint32_t binary) {
		drm_syncobj_handle h{};
		h.handle = binary;
		h.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE;
		h.fd = fd;
		if (const int error = call(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &h))
			return error;
		return transfer(handle, point, binary, 0);
	});
}

} // namespace atom::kmd
