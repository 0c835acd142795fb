// SPDX-License-Identifier: MIT
#include "fake_kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "atom/hw/regs.h"

namespace atom::test {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t area_offset_base = 1ULL << 40;

template <class T>
T &as(void *argument)
{
	return *static_cast<T *>(argument);
}

template <class T>
const T *user(std::uint64_t pointer)
{
	return reinterpret_cast<const T *>(static_cast<std::uintptr_t>(pointer));
}

} // namespace

fake_kernel::fake_kernel()
{
	info.interface_version = ATOM_VERSION(1, 0);
	info.platform = ATOM_PLATFORM_EMULATOR;
	for (auto &word : info.opcodes)
		word = ~0ULL;
	info.dtypes = ~0ULL;
	info.va_start = 0x100000;
	info.va_end = 1ULL << 48;
	info.page_sizes = 1ULL << 12 | 1ULL << 16 | 1ULL << 21;
	info.queues_max = 64;
	info.vms_max = 64;
	info.ring_entries = 16;
	info.submit_jobs_max = 64;
	info.syncs_max = 16;
	info.binds_max = 64;
	info.cmd_bytes_max = 1 << 20;
	info.args_max = 1023;
	info.job_timeout_ms = 1000;
	info.job_timeout_max_ms = 60000;
	info.engines = 8;
	info.macs_log2_max = 36;
	info.kernel_caps = DRM_ATOM_CAP_EVENTS;
}

void fake_kernel::fail(unsigned long request, int error, int times)
{
	const std::lock_guard lock(mutex_);
	failures_[request].insert(failures_[request].end(), times, error);
}

std::size_t fake_kernel::count(unsigned long request) const
{
	const std::lock_guard lock(mutex_);
	const auto found = counts_.find(request);
	return found == counts_.end() ? 0 : found->second;
}

std::size_t fake_kernel::objects() const
{
	const std::lock_guard lock(mutex_);
	return objects_.size() + vms_.size() + queues_.size() + syncobjs_.size();
}

std::vector<fake_job> fake_kernel::jobs() const
{
	const std::lock_guard lock(mutex_);
	return jobs_;
}

drm_atom_queue_create fake_kernel::how_made(std::uint32_t queue) const
{
	const std::lock_guard lock(mutex_);
	return queues_.at(queue).create;
}

int fake_kernel::open(const char *path, int)
{
	const std::lock_guard lock(mutex_);
	if (open_error != 0)
		return -open_error;
	const auto same = [path](const sys::accel_node &n) { return n.path == path; };
	if (std::none_of(nodes.begin(), nodes.end(), same))
		return -ENOENT;
	++open_files_;
	return 7;
}

void fake_kernel::close(int fd)
{
	const std::lock_guard lock(mutex_);
	files_.erase(fd);
	--open_files_;
}

void fake_kernel::send(std::vector<std::byte> event)
{
	const std::lock_guard lock(mutex_);
	events_.push_back(std::move(event));
}

// As drm_read(): whole events, as many as fit.
int fake_kernel::read(int, void *buffer, std::size_t bytes)
{
	const std::lock_guard lock(mutex_);
	if (read_error != 0 || events_.empty())
		return read_error != 0 ? -read_error : -EAGAIN;
	auto *out = static_cast<std::byte *>(buffer);
	std::size_t done = 0;
	while (!events_.empty() && events_.front().size() <= bytes - done) {
		std::copy(events_.front().begin(), events_.front().end(), out + done);
		done += events_.front().size();
		events_.pop_front();
	}
	return static_cast<int>(done);
}

int fake_kernel::list_accel_nodes(std::vector<sys::accel_node> &out)
{
	if (list_error != 0)
		return -list_error;
	out = nodes;
	return 0;
}

void fake_kernel::describe_access(const char *, std::string &access, std::string &group)
{
	access = "owner root:render 0660";
	group = "render";
}

int fake_kernel::mmap(std::size_t bytes, int, int fd, std::uint64_t offset, void **address)
{
	const std::lock_guard lock(mutex_);
	if (unplugged_)
		return -ENODEV;
	if (const auto file = files_.find(fd); file != files_.end()) {
		if (!file->second.memory || bytes > file->second.memory->size())
			return -EINVAL;
		*address = file->second.memory->data();
	} else if (offset >= area_offset_base) {
		const auto q = queues_.find(static_cast<std::uint32_t>(offset - area_offset_base));
		if (q == queues_.end() || bytes > q->second.area.size() * 8)
			return -EINVAL;
		*address = q->second.area.data();
	} else {
		const auto o = objects_.find(static_cast<std::uint32_t>(offset / page));
		if (o == objects_.end() || bytes > o->second.memory->size())
			return -EINVAL;
		*address = o->second.memory->data();
	}
	++mappings_;
	return 0;
}

void fake_kernel::munmap(void *, std::size_t)
{
	const std::lock_guard lock(mutex_);
	--mappings_;
}

int fake_kernel::ioctl(int fd, unsigned long request, void *argument)
{
	std::unique_lock lock(mutex_);
	request = static_cast<std::uint32_t>(request);
	++counts_[request];
	auto &planned = failures_[request];
	if (!planned.empty()) {
		const int error = planned.front();
		planned.pop_front();
		return -error;
	}
	if (request == DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT && !unplugged_)
		return -timeline_wait(lock, as<drm_syncobj_timeline_wait>(argument));
	return -dispatch(fd, request, argument);
}

int fake_kernel::dispatch(int fd, unsigned long request, void *argument)
{
	// What works also without the device.
	switch (request) {
	case DRM_IOCTL_GEM_CLOSE:
		return gem_close(as<drm_gem_close>(argument));
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_VM_DESTROY):
		return vm_destroy(as<drm_atom_vm_destroy>(argument));
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_QUEUE_DESTROY):
		return queue_destroy(as<drm_atom_queue_destroy>(argument));
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_QUEUE_GET_STATE):
		return queue_get_state(as<drm_atom_queue_get_state>(argument));
	case DRM_IOCTL_SYNCOBJ_DESTROY: {
		const auto s = syncobjs_.find(as<drm_syncobj_destroy>(argument).handle);
		if (s == syncobjs_.end())
			return EINVAL;
		close_watchers(*s->second);
		syncobjs_.erase(s);
		return 0;
	}
	default:
		break;
	}
	if (unplugged_)
		return ENODEV;
	switch (request) {
	case DRM_IOCTL_SYNCOBJ_QUERY: {
		const auto &a = as<drm_syncobj_timeline_array>(argument);
		const auto s = syncobjs_.find(*user<std::uint32_t>(a.handles));
		if (s == syncobjs_.end())
			return ENOENT;
		const bool submitted = (a.flags & DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED) != 0;
		*const_cast<std::uint64_t *>(user<std::uint64_t>(a.points)) =
			submitted ? std::max(s->second->value, s->second->pending)
			          : s->second->value;
		return 0;
	}
	case DRM_IOCTL_VERSION: {
		auto &v = as<drm_version>(argument);
		v.version_major = driver_major;
		std::strncpy(v.name, driver_name.c_str(), v.name_len);
		return 0;
	}
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_DEV_QUERY):
		return dev_query(as<drm_atom_dev_query>(argument));
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_BO_CREATE):
		return bo_create(as<drm_atom_bo_create>(argument));
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_BO_MMAP_OFFSET): {
		auto &m = as<drm_atom_bo_mmap_offset>(argument);
		const auto o = objects_.find(m.handle);
		if (o == objects_.end())
			return ENOENT;
		m.offset = m.handle * page;
		return (o->second.create.flags & DRM_ATOM_BO_NO_MMAP) != 0 ? EINVAL : 0;
	}
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_BO_SET_LABEL): {
		const auto &l = as<drm_atom_bo_set_label>(argument);
		if (objects_.count(l.handle) == 0)
			return ENOENT;
		objects_[l.handle].label.assign(user<char>(l.label), l.bytes);
		return l.bytes > 63 ? EINVAL : 0;
	}
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_VM_CREATE):
		return vm_create(as<drm_atom_vm_create>(argument));
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_VM_BIND):
		return vm_bind(as<drm_atom_vm_bind>(argument));
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_QUEUE_CREATE):
		return queue_create(as<drm_atom_queue_create>(argument));
	case static_cast<std::uint32_t>(DRM_IOCTL_ATOM_SUBMIT):
		return submit(as<drm_atom_submit>(argument));
	case DRM_IOCTL_SYNCOBJ_CREATE:
		as<drm_syncobj_create>(argument).handle = next_id_;
		syncobjs_[next_id_++] = std::make_shared<fake_syncobj>();
		return 0;
	case DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL: {
		const auto &a = as<drm_syncobj_timeline_array>(argument);
		const auto s = syncobjs_.find(*user<std::uint32_t>(a.handles));
		if (s == syncobjs_.end())
			return ENOENT;
		s->second->value = *user<std::uint64_t>(a.points);
		notify();
		return 0;
	}
	case DRM_IOCTL_SYNCOBJ_EVENTFD:
		return watch(as<drm_syncobj_eventfd>(argument));
	default:
		return share(fd, request, argument);
	}
}

int fake_kernel::dev_query(drm_atom_dev_query &q)
{
	const auto give = [&q](const auto &data) {
		const std::size_t known = sizeof(data);
		auto *to = const_cast<std::byte *>(user<std::byte>(q.pointer));
		std::memset(to, 0, q.size);
		std::memcpy(to, &data, std::min<std::size_t>(q.size, known));
		q.size = known;
		return 0;
	};
	switch (q.type) {
	case DRM_ATOM_DEV_QUERY_INFO:
		return give(info);
	case DRM_ATOM_DEV_QUERY_MEMORY: {
		drm_atom_dev_memory m{};
		m.local_size = 1ULL << 30;
		m.shm_size = 32ULL << 20;
		return give(m);
	}
	case DRM_ATOM_DEV_QUERY_TIMESTAMP: {
		drm_atom_dev_timestamp t{};
		t.device_ns = clock_ns_;
		t.monotonic_ns = clock_ns_ + 500;
		t.uncertainty_ns = 10;
		return give(t);
	}
	case DRM_ATOM_DEV_QUERY_TELEMETRY: {
		drm_atom_dev_telemetry t{};
		t.temperature_mc = 41500;
		t.jobs_done = jobs_.size();
		return give(t);
	}
	default:
		return EINVAL;
	}
}

void fake_kernel::unplug()
{
	const std::lock_guard lock(mutex_);
	unplugged_ = true;
	for (auto &[id, q] : queues_) {
		q.state.flags |= DRM_ATOM_QUEUE_STATE_DEVICE_LOST;
		for (const fake_job &j : q.waiting)
			finish(q, j, {ATOM_CPL_ABORTED, 0, 0, 0, 0, 0, 0, 0, ENODEV}, false);
		q.waiting.clear();
	}
	notify();
}

} // namespace atom::test
