// SPDX-License-Identifier: MIT
#include "uapi.hpp"

#include "kmd/drm_compat.h"
#include "system.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <linux/sync_file.h>
#include <sys/mman.h>

namespace vmtest {

namespace {

std::uint64_t address_of(const void *pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

[[noreturn]] void fail(int error, const std::string &what)
{
	throw std::system_error(error, std::generic_category(), what);
}

} // namespace

int try_ioctl(int fd, unsigned long request, void *argument)
{
	while (system::ioctl(fd, request, argument) != 0) {
		if (errno != EINTR)
			return errno;
	}
	return 0;
}

void do_ioctl(int fd, unsigned long request, void *argument, const char *what)
{
	if (const int error = try_ioctl(fd, request, argument))
		fail(error, what);
}

std::int64_t now_ns()
{
	timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void unique_fd::reset()
{
	if (fd_ >= 0)
		system::close(std::exchange(fd_, -1));
}

mapping::mapping(int fd, std::uint64_t offset, std::size_t bytes, int protection)
{
	void *address = system::mmap(bytes, protection, MAP_SHARED, fd, offset);
	if (address == MAP_FAILED)
		fail(errno, "mmap");
	data_ = static_cast<std::byte *>(address);
	bytes_ = bytes;
}

mapping::~mapping()
{
	if (data_)
		system::munmap(data_, bytes_);
}

device::device(std::size_t index)
{
	const auto nodes = device_nodes();
	if (index >= nodes.size())
		throw std::runtime_error("there is no device " + std::to_string(index) +
					 ": is the driver atom_npu loaded?");
	node_ = nodes[index];
	fd_ = unique_fd(system::open(node_));
	if (fd() < 0)
		fail(errno, "open " + node_);
	drm_atom_dev_query query{DRM_ATOM_DEV_QUERY_INFO, sizeof(info_), address_of(&info_)};
	do_ioctl(fd(), DRM_IOCTL_ATOM_DEV_QUERY, &query, "DEV_QUERY info");
}

drm_atom_dev_memory device::memory() const
{
	drm_atom_dev_memory memory{};
	drm_atom_dev_query query{DRM_ATOM_DEV_QUERY_MEMORY, sizeof(memory), address_of(&memory)};
	do_ioctl(fd(), DRM_IOCTL_ATOM_DEV_QUERY, &query, "DEV_QUERY memory");
	return memory;
}

int try_create_buffer(const device &dev, drm_atom_bo_create &args)
{
	return dev.try_call(DRM_IOCTL_ATOM_BO_CREATE, &args);
}

buffer::buffer(const device &dev, std::uint64_t bytes, std::uint32_t placement, std::uint32_t flags,
	       std::uint32_t vm_id)
	: fd_(dev.fd())
{
	drm_atom_bo_create args{};
	args.size = bytes;
	args.placement = placement;
	args.flags = flags;
	args.vm_id = vm_id;
	do_ioctl(fd_, DRM_IOCTL_ATOM_BO_CREATE, &args, "BO_CREATE");
	handle_ = args.handle;
	size_ = args.size;
}

buffer::~buffer()
{
	if (handle_) {
		drm_gem_close args{handle_, 0};
		try_ioctl(fd_, DRM_IOCTL_GEM_CLOSE, &args);
	}
}

void buffer::swap(buffer &other) noexcept
{
	std::swap(fd_, other.fd_);
	std::swap(handle_, other.handle_);
	std::swap(size_, other.size_);
}

std::uint64_t buffer::mmap_offset() const
{
	drm_atom_bo_mmap_offset args{handle_, 0, 0};
	do_ioctl(fd_, DRM_IOCTL_ATOM_BO_MMAP_OFFSET, &args, "BO_MMAP_OFFSET");
	return args.offset;
}

mapping buffer::map() const { return mapping(fd_, mmap_offset(), size_, PROT_READ | PROT_WRITE); }

address_space::address_space(const device &dev) : fd_(dev.fd()), next_(dev.info().va_start)
{
	drm_atom_vm_create args{};
	do_ioctl(fd_, DRM_IOCTL_ATOM_VM_CREATE, &args, "VM_CREATE");
	id_ = args.vm_id;
}

void address_space::destroy()
{
	drm_atom_vm_destroy args{std::exchange(id_, 0), 0};
	do_ioctl(fd_, DRM_IOCTL_ATOM_VM_DESTROY, &args, "VM_DESTROY");
}

address_space::~address_space()
{
	if (id_) {
		drm_atom_vm_destroy args{id_, 0};
		try_ioctl(fd_, DRM_IOCTL_ATOM_VM_DESTROY, &args);
	}
}

std::uint64_t address_space::reserve(std::uint64_t bytes, std::uint64_t align, std::uint64_t shift)
{
	const std::uint64_t va = (next_ + align - 1) / align * align + shift;
	next_ = va + bytes + page; // a hole of a page behind each range finds what runs over
	return va;
}

int address_space::try_bind(std::span<const drm_atom_vm_bind_op> ops) const
{
	drm_atom_vm_bind args{};
	args.vm_id = id_;
	args.ops = {sizeof(drm_atom_vm_bind_op), static_cast<__u32>(ops.size()), address_of(ops.data())};
	return try_ioctl(fd_, DRM_IOCTL_ATOM_VM_BIND, &args);
}

drm_atom_vm_bind_op map_op(std::uint64_t va, const buffer &bo, std::uint64_t offset, std::uint64_t bytes,
			   std::uint32_t flags)
{
	drm_atom_vm_bind_op op{};
	op.op = DRM_ATOM_VM_BIND_OP_MAP;
	op.flags = flags;
	op.bo_handle = bo.handle();
	op.bo_offset = offset;
	op.va = va;
	op.bytes = bytes;
	return op;
}

drm_atom_vm_bind_op unmap_op(std::uint64_t va, std::uint64_t bytes)
{
	drm_atom_vm_bind_op op{};
	op.op = DRM_ATOM_VM_BIND_OP_UNMAP;
	op.va = va;
	op.bytes = bytes;
	return op;
}

void address_space::map(std::uint64_t va, const buffer &bo, std::uint64_t offset, std::uint64_t bytes,
			std::uint32_t flags) const
{
	if (const int error = try_bind({map_op(va, bo, offset, bytes, flags)}))
		fail(error, "VM_BIND map");
}

void address_space::unmap(std::uint64_t va, std::uint64_t bytes) const
{
	if (const int error = try_bind({unmap_op(va, bytes)}))
		fail(error, "VM_BIND unmap");
}

std::uint64_t address_space::map(const buffer &bo, std::uint32_t flags)
{
	const std::uint64_t va = reserve(bo.size());
	map(va, bo, 0, bo.size(), flags);
	return va;
}

syncobj::syncobj(const device &dev, bool signalled) : fd_(dev.fd())
{
	drm_syncobj_create args{};
	args.flags = signalled ? DRM_SYNCOBJ_CREATE_SIGNALED : 0;
	do_ioctl(fd_, DRM_IOCTL_SYNCOBJ_CREATE, &args, "SYNCOBJ_CREATE");
	handle_ = args.handle;
}

syncobj::~syncobj()
{
	if (handle_) {
		drm_syncobj_destroy args{handle_, 0};
		try_ioctl(fd_, DRM_IOCTL_SYNCOBJ_DESTROY, &args);
	}
}

drm_atom_sync syncobj::wait_for(std::uint64_t point) const
{
	return {DRM_ATOM_SYNC_TIMELINE, handle_, point};
}

drm_atom_sync syncobj::signal_at(std::uint64_t point) const
{
	return {DRM_ATOM_SYNC_TIMELINE | DRM_ATOM_SYNC_SIGNAL, handle_, point};
}

int syncobj::try_wait(std::uint64_t point, std::int64_t timeout_ns, std::uint32_t flags) const
{
	drm_syncobj_timeline_wait args{};
	args.handles = address_of(&handle_);
	args.points = address_of(&point);
	args.timeout_nsec = now_ns() + timeout_ns;
	args.count_handles = 1;
	args.flags = flags;
	return try_ioctl(fd_, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &args);
}

int syncobj::try_wait_binary(std::int64_t timeout_ns, std::uint32_t flags) const
{
	drm_syncobj_wait args{};
	args.handles = address_of(&handle_);
	args.timeout_nsec = now_ns() + timeout_ns;
	args.count_handles = 1;
	args.flags = flags;
	return try_ioctl(fd_, DRM_IOCTL_SYNCOBJ_WAIT, &args);
}

void syncobj::wait(std::uint64_t point, double seconds) const
{
	if (const int error = try_wait(point, static_cast<std::int64_t>(seconds * 1e9)))
		fail(error, "waiting for point " + std::to_string(point) + ", at " + std::to_string(value()));
}

void syncobj::signal(std::uint64_t point) const
{
	drm_syncobj_timeline_array args{};
	args.handles = address_of(&handle_);
	args.points = address_of(&point);
	args.count_handles = 1;
	do_ioctl(fd_, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &args, "SYNCOBJ_TIMELINE_SIGNAL");
}

std::uint64_t syncobj::value() const
{
	std::uint64_t point = 0;
	drm_syncobj_timeline_array args{};
	args.handles = address_of(&handle_);
	args.points = address_of(&point);
	args.count_handles = 1;
	do_ioctl(fd_, DRM_IOCTL_SYNCOBJ_QUERY, &args, "SYNCOBJ_QUERY");
	return point;
}

int syncobj::fence_status() const
{
	drm_syncobj_handle args{};
	args.handle = handle_;
	args.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE;
	args.fd = -1;
	do_ioctl(fd_, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args, "SYNCOBJ_HANDLE_TO_FD");
	const unique_fd file(args.fd);
	sync_file_info info{};
	do_ioctl(file.get(), SYNC_IOC_FILE_INFO, &info, "SYNC_IOC_FILE_INFO");
	// The kernel: 0 active, 1 signalled, negative error.
	return info.status < 0 ? info.status : 1 - info.status;
}

int syncobj::try_eventfd(std::uint64_t point, int event_fd) const
{
	drm_syncobj_eventfd args{};
	args.handle = handle_;
	args.point = point;
	args.fd = event_fd;
	return try_ioctl(fd_, DRM_IOCTL_SYNCOBJ_EVENTFD, &args);
}

queue::queue(const device &dev, const address_space &space, const options &how) : fd_(dev.fd())
{
	drm_atom_queue_create args{};
	args.vm_id = space.id();
	args.priority = how.priority;
	args.job_timeout_ms = how.job_timeout_ms;
	std::memcpy(args.name, "test", 5);
	do_ioctl(fd_, DRM_IOCTL_ATOM_QUEUE_CREATE, &args, "QUEUE_CREATE");
	id_ = args.queue_id;
	entries_ = args.ring_entries;
	completion_offset_ = args.completion_offset;
	completion_bytes_ = args.completion_bytes;
	created_ = args;
}

queue::queue(queue &&other) noexcept
	: fd_(other.fd_), id_(std::exchange(other.id_, 0)), entries_(other.entries_),
	  completion_offset_(other.completion_offset_), completion_bytes_(other.completion_bytes_),
	  created_(other.created_), completions_(std::move(other.completions_))
{
}

void queue::destroy()
{
	drm_atom_queue_destroy args{std::exchange(id_, 0), 0};
	do_ioctl(fd_, DRM_IOCTL_ATOM_QUEUE_DESTROY, &args, "QUEUE_DESTROY");
}

queue::~queue()
{
	if (id_) {
		drm_atom_queue_destroy args{id_, 0};
		try_ioctl(fd_, DRM_IOCTL_ATOM_QUEUE_DESTROY, &args);
	}
}

int queue::try_submit(std::span<const drm_atom_job> jobs, std::uint64_t *seqno) const
{
	drm_atom_submit args{};
	args.queue_id = id_;
	args.jobs = {sizeof(drm_atom_job), static_cast<__u32>(jobs.size()), address_of(jobs.data())};
	const int error = try_ioctl(fd_, DRM_IOCTL_ATOM_SUBMIT, &args);
	if (!error && seqno)
		*seqno = args.seqno;
	return error;
}

std::uint64_t queue::submit(std::span<const drm_atom_job> jobs) const
{
	std::uint64_t seqno = 0;
	if (const int error = try_submit(jobs, &seqno))
		fail(error, "SUBMIT");
	return seqno;
}

drm_atom_queue_get_state queue::state() const
{
	drm_atom_queue_get_state args{};
	args.queue_id = id_;
	do_ioctl(fd_, DRM_IOCTL_ATOM_QUEUE_GET_STATE, &args, "QUEUE_GET_STATE");
	return args;
}

atom_cpl_record queue::completion(std::uint64_t seqno)
{
	if (!completions_.data())
		completions_ = mapping(fd_, completion_offset_, completion_bytes_, PROT_READ);
	const std::byte *slot = completions_.data() + sizeof(atom_cpl_header) +
				((seqno - 1) & (entries_ - 1)) * sizeof(atom_cpl_record);
	const auto load = [slot](std::size_t word) {
		return __atomic_load_n(reinterpret_cast<const std::uint64_t *>(slot) + word, __ATOMIC_ACQUIRE);
	};
	std::array<std::uint64_t, sizeof(atom_cpl_record) / sizeof(std::uint64_t)> words;
	static_assert(offsetof(atom_cpl_record, seq) == 0);
	for (std::size_t i = 0; i < words.size(); ++i)
		words[i] = load(i);
	/* The device may write the slot for a later job at any time: one number before and after. */
	if (const std::uint64_t after = load(0); words[0] != seqno || after != seqno)
		throw std::runtime_error("slot of job " + std::to_string(seqno) + " holds the record of job " +
					 std::to_string(after));
	atom_cpl_record record;
	std::memcpy(&record, words.data(), sizeof(record));
	return record;
}

drm_atom_job job_with(std::span<const drm_atom_sync> syncs)
{
	drm_atom_job job{};
	job.syncs = {sizeof(drm_atom_sync), static_cast<__u32>(syncs.size()), address_of(syncs.data())};
	return job;
}

} // namespace vmtest
