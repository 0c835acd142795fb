// SPDX-License-Identifier: MIT
#include "fail_nth_calls.hpp"

#include "rejection.hpp"
#include "share_file.hpp"
#include "sysfs.hpp"
#include "system.hpp"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

namespace vmtest {

fail_nth_bench::fail_nth_bench()
	: small(c.dev, page), large(c.dev, 2 * mib2), memory(c.alloc(mib)), local(c.alloc(mib, DRM_ATOM_BO_LOCAL)),
	  spare_space(c.dev), spare_queue(c.dev, c.space), memory_offset(memory.bo.mmap_offset()), large_va(c.space.map(large)),
	  hole_va(c.space.reserve(mib2)), job(c.job(command_list(make_nop()))), done(c.dev)
{
}

namespace {

template <class Answer> int query(fail_nth_bench &b, std::uint32_t type)
{
	Answer answer{};
	return b.call(DRM_IOCTL_ATOM_DEV_QUERY, drm_atom_dev_query{type, sizeof(answer), address_of(&answer)});
}

int create_buffer(fail_nth_bench &b, std::uint32_t placement, std::uint64_t bytes = 5 * page)
{
	drm_atom_bo_create args{};
	args.size = bytes;
	args.placement = placement;
	return try_create_buffer(b.c.dev, args);
}

int submit(fail_nth_bench &b)
{
	const drm_atom_sync syncs[] = {b.c.timeline.signal_at(b.c.point + 1), b.done.signal_binary()};
	std::vector jobs(3, b.job);
	jobs.back().syncs = {sizeof(syncs[0]), 2, address_of(syncs)};
	return b.c.q.try_submit(jobs);
}

int map_and_unmap(std::size_t bytes, int protection, int fd, std::uint64_t offset)
{
	void *address = system::mmap(bytes, protection, MAP_SHARED, fd, offset);
	if (address == MAP_FAILED)
		return errno;
	system::munmap(address, bytes);
	return 0;
}

/** A free block of LOCAL memory whose other half is in use, so that it stays one. */
void leave_a_block(fail_nth_bench &b)
{
	const buffer gone(b.c.dev, kib64, DRM_ATOM_BO_LOCAL);
	b.local_neighbour = buffer(b.c.dev, kib64, DRM_ATOM_BO_LOCAL);
}

void finish_a_job(fail_nth_bench &b)
{
	b.finished.emplace(b.c.dev);
	const drm_atom_sync syncs[] = {b.finished->signal_binary(), b.c.timeline.signal_at(++b.c.point)};
	drm_atom_job job = b.job;
	job.syncs = {sizeof(syncs[0]), 2, address_of(syncs)};
	b.c.q.submit(job);
	b.c.wait();
}

int export_sync_file(fail_nth_bench &b, unique_fd &file)
{
	drm_syncobj_handle args{b.finished->handle(), DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE, -1, 0};
	const int error = b.c.dev.try_call(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);
	if (!error)
		file = unique_fd(args.fd);
	return error;
}

void make_a_sync_file(fail_nth_bench &b)
{
	finish_a_job(b);
	export_sync_file(b, b.file);
}

int import(fail_nth_bench &b) { return try_import(b.c.dev.fd(), b.file.get(), b.handle); }

int import_and_close(fail_nth_bench &b)
{
	if (const int error = import(b))
		return error;
	return b.call(DRM_IOCTL_GEM_CLOSE, drm_gem_close{b.handle, 0});
}

int open_stream(fail_nth_bench &b, unique_fd &file)
{
	drm_atom_perf_open args{};
	args.period_ns = DRM_ATOM_PERF_PERIOD_MIN_NS;
	const int error = b.c.dev.try_call(DRM_IOCTL_ATOM_PERF_OPEN, &args);
	if (!error)
		file = unique_fd(args.fd);
	return error;
}

void start_a_stream(fail_nth_bench &b)
{
	open_stream(b, b.file);
	pollfd entry{b.file.get(), POLLIN, 0};
	::poll(&entry, 1, 60'000);
}

const std::vector<fail_nth_call> calls = {
	{"open", 0, [](fail_nth_bench &b) {
		 const int fd = system::open(b.c.dev.node());
		 const int error = fd < 0 ? errno : 0;
		 if (fd >= 0)
			 system::close(fd);
		 return error;
	 }},
	{"dev_query_info", DRM_IOCTL_ATOM_DEV_QUERY, [](fail_nth_bench &b) { return query<drm_atom_dev_info>(b, DRM_ATOM_DEV_QUERY_INFO); }},
	{"dev_query_memory", DRM_IOCTL_ATOM_DEV_QUERY, [](fail_nth_bench &b) { return query<drm_atom_dev_memory>(b, DRM_ATOM_DEV_QUERY_MEMORY); }},
	{"dev_query_timestamp", DRM_IOCTL_ATOM_DEV_QUERY, [](fail_nth_bench &b) { return query<drm_atom_dev_timestamp>(b, DRM_ATOM_DEV_QUERY_TIMESTAMP); }},
	{"dev_query_telemetry", DRM_IOCTL_ATOM_DEV_QUERY, [](fail_nth_bench &b) { return query<drm_atom_dev_telemetry>(b, DRM_ATOM_DEV_QUERY_TELEMETRY); }},
	{"bo_create_system", DRM_IOCTL_ATOM_BO_CREATE, [](fail_nth_bench &b) { return create_buffer(b, DRM_ATOM_BO_SYSTEM); }},
	// drm_buddy frees a block that is still in its tree when a split finds no memory: here it has a block of the size.
	{"bo_create_local", DRM_IOCTL_ATOM_BO_CREATE, [](fail_nth_bench &b) { return create_buffer(b, DRM_ATOM_BO_LOCAL, kib64); },
	 false, leave_a_block},
	{"bo_create_shm", DRM_IOCTL_ATOM_BO_CREATE, [](fail_nth_bench &b) { return create_buffer(b, DRM_ATOM_BO_SHM); }},
	{"bo_mmap_offset", DRM_IOCTL_ATOM_BO_MMAP_OFFSET, [](fail_nth_bench &b) {
		 return b.call(DRM_IOCTL_ATOM_BO_MMAP_OFFSET, drm_atom_bo_mmap_offset{b.small.handle(), 0, 0});
	 }},
	{"bo_info", DRM_IOCTL_ATOM_BO_INFO, [](fail_nth_bench &b) {
		 drm_atom_bo_info args{};
		 args.handle = b.small.handle();
		 return b.call(DRM_IOCTL_ATOM_BO_INFO, args);
	 }},
	{"bo_set_label", DRM_IOCTL_ATOM_BO_SET_LABEL, [](fail_nth_bench &b) {
		 return b.call(DRM_IOCTL_ATOM_BO_SET_LABEL, drm_atom_bo_set_label{b.small.handle(), 5, address_of("label")});
	 }},
	{"vm_create", DRM_IOCTL_ATOM_VM_CREATE, [](fail_nth_bench &b) { return b.call(DRM_IOCTL_ATOM_VM_CREATE, drm_atom_vm_create{}); }},
	{"vm_bind_map", DRM_IOCTL_ATOM_VM_BIND, [](fail_nth_bench &b) { return b.c.space.try_bind({map_op(b.hole_va, b.small, 0, page)}); }, true},
	{"vm_bind_replace", DRM_IOCTL_ATOM_VM_BIND, [](fail_nth_bench &b) {
		 return b.c.space.try_bind({map_op(b.large_va + kib64, b.small, 0, page), unmap_op(b.large_va + mib2 + page, page)});
	 }, true},
	{"vm_bind_unmap", DRM_IOCTL_ATOM_VM_BIND, [](fail_nth_bench &b) { return b.c.space.try_bind({unmap_op(b.large_va + page, mib2)}); }, true},
	{"vm_bind_userptr", DRM_IOCTL_ATOM_VM_BIND, [](fail_nth_bench &b) {
		 return b.c.space.try_bind({userptr_op(b.hole_va, b.own.address(), kib64)});
	 }, true},
	{"queue_create", DRM_IOCTL_ATOM_QUEUE_CREATE, [](fail_nth_bench &b) {
		 drm_atom_queue_create args{};
		 args.vm_id = b.c.space.id();
		 args.priority = DRM_ATOM_QUEUE_PRIORITY_NORMAL;
		 return b.call(DRM_IOCTL_ATOM_QUEUE_CREATE, args);
	 }},
	{"queue_get_state", DRM_IOCTL_ATOM_QUEUE_GET_STATE, [](fail_nth_bench &b) {
		 drm_atom_queue_get_state args{};
		 args.queue_id = b.c.q.id();
		 return b.call(DRM_IOCTL_ATOM_QUEUE_GET_STATE, args);
	 }},
	{"submit", DRM_IOCTL_ATOM_SUBMIT, submit},
	{"submit_behind_a_fence", DRM_IOCTL_ATOM_SUBMIT, [](fail_nth_bench &b) {
		 const drm_atom_sync syncs[] = {b.finished->wait_for_binary(), b.c.timeline.wait_for(b.c.point),
						b.done.signal_binary()};
		 b.job.syncs = {sizeof(syncs[0]), 3, address_of(syncs)};
		 return b.c.q.try_submit({&b.job, 1});
	 }, false, finish_a_job},
	{"perf_open", DRM_IOCTL_ATOM_PERF_OPEN, [](fail_nth_bench &b) { return open_stream(b, b.file); }},
	{"perf_read", 0, [](fail_nth_bench &b) {
		 drm_atom_perf_record record;
		 return ::read(b.file.get(), &record, sizeof(record)) < 0 ? errno : 0;
	 }, false, start_a_stream},
	// With EFAULT the file is there, but nobody has told its number.
	{"prime_export", 0, [](fail_nth_bench &b) {
		 unique_fd file;
		 const int error = try_export(b.c.dev.fd(), b.small.handle(), file);
		 if (error == EFAULT)
			 ::close(b.next_file);
		 return error;
	 }, false, [](fail_nth_bench &b) { b.next_file = unique_fd(dup(b.c.dev.fd())).get(); }},
	{"prime_import_of_an_own_buffer", 0, import, false, [](fail_nth_bench &b) {
		 try_export(b.c.dev.fd(), b.small.handle(), b.file);
	 }},
	{"prime_import_from_another_file", 0, import_and_close, false, [](fail_nth_bench &b) {
		 const device other;
		 const buffer theirs(other, kib64);
		 try_export(other.fd(), theirs.handle(), b.file);
	 }},
	{"prime_import_from_another_driver", 0, import_and_close, false, [](fail_nth_bench &b) {
		 mapping view;
		 b.file = make_udmabuf(kib64, view);
	 }},
	{"sync_file_of_a_job", 0, [](fail_nth_bench &b) {
		 unique_fd file;
		 return export_sync_file(b, file);
	 }, false, finish_a_job, EINVAL},
	{"syncobj_from_a_sync_file", 0, [](fail_nth_bench &b) {
		 drm_syncobj_handle args{b.done.handle(), DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE, b.file.get(), 0};
		 return b.call(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, args);
	 }, false, make_a_sync_file},
	{"timeline_wait", 0, [](fail_nth_bench &b) { return b.c.timeline.try_wait(b.c.point, 60'000'000'000); }, false, finish_a_job},
	{"timeline_eventfd", 0, [](fail_nth_bench &b) { return b.done.try_eventfd(1, b.file.get()); }, false, [](fail_nth_bench &b) {
		 b.file = unique_fd(eventfd(0, EFD_CLOEXEC));
	 }},
	{"gem_close", 0, [](fail_nth_bench &b) { return b.call(DRM_IOCTL_GEM_CLOSE, drm_gem_close{b.handle, 0}); }, false,
	 [](fail_nth_bench &b) {
		 drm_atom_bo_create args{};
		 args.size = kib64;
		 try_create_buffer(b.c.dev, args);
		 b.handle = args.handle;
	 }},
	{"fdinfo", 0, [](fail_nth_bench &b) {
		 char text[4096];
		 const unique_fd file(::open(b.path.c_str(), O_RDONLY | O_CLOEXEC));
		 return file.get() < 0 || ::read(file.get(), text, sizeof(text)) < 0 ? errno : 0;
	 }, false, [](fail_nth_bench &b) { b.path = "/proc/self/fdinfo/" + std::to_string(b.c.dev.fd()); }},
	{"reset_by_the_administrator", 0, [](fail_nth_bench &b) { return write_error(b.path, "1"); }, false,
	 [](fail_nth_bench &b) { b.path = sysfs_folder() / "reset"; }},
	{"mmap_buffer", 0, [](fail_nth_bench &b) {
		 return map_and_unmap(mib, PROT_READ | PROT_WRITE, b.c.dev.fd(), b.memory_offset);
	 }},
	{"mmap_completions", 0, [](fail_nth_bench &b) {
		 return map_and_unmap(b.c.q.completion_bytes(), PROT_READ, b.c.dev.fd(), b.c.q.completion_offset());
	 }},
	{"poll", 0, [](fail_nth_bench &b) {
		 pollfd entry{b.c.dev.fd(), POLLIN, 0};
		 return ::poll(&entry, 1, 0) < 0 ? errno : 0;
	 }},
	// A page fault that finds no memory is tried again: the program must not see a signal.
	{"touch_buffer", 0, [](fail_nth_bench &b) {
		 b.memory.as<volatile std::uint32_t>()[page] = 1;
		 return 0;
	 }},
	{"touch_local", 0, [](fail_nth_bench &b) {
		 b.local.as<volatile std::uint32_t>()[page] = 1;
		 return 0;
	 }},
	// What gives things back cannot fail for want of memory, or nobody could ever get out of it.
	{"queue_destroy", DRM_IOCTL_ATOM_QUEUE_DESTROY, [](fail_nth_bench &b) {
		 const auto id = b.spare_queue.id();
		 return b.call(DRM_IOCTL_ATOM_QUEUE_DESTROY, drm_atom_queue_destroy{id, 0});
	 }},
	{"vm_destroy", DRM_IOCTL_ATOM_VM_DESTROY, [](fail_nth_bench &b) {
		 return b.call(DRM_IOCTL_ATOM_VM_DESTROY, drm_atom_vm_destroy{b.spare_space.id(), 0});
	 }},
	{"close", 0, [](fail_nth_bench &b) {
		 b.c.dev.close();
		 return 0;
	 }},
};

} // namespace

const std::vector<fail_nth_call> &fail_nth_calls() { return calls; }

} // namespace vmtest
