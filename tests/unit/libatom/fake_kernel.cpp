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

void fake_kernel::close(int)
{
	const std::lock_guard lock(mutex_);
	--open_files_;
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

int fake_kernel::mmap(std::size_t bytes, int, int, std::uint64_t offset, void **address)
{
	const std::lock_guard lock(mutex_);
	if (unplugged_)
		return -ENODEV;
	if (offset >= area_offset_base) {
		const auto q = queues_.find(static_cast<std::uint32_t>(offset - area_offset_base));
		if (q == queues_.end() || bytes > q->second.area.size() * 8)
			return -EINVAL;
		*address = q->second.area.data();
	} else {
		const auto o = objects_.find(static_cast<std::uint32_t>(offset / page));
		if (o == objects_.end() || bytes > o->second.memory.size())
			return -EINVAL;
		*address = o->second.memory.data();
	}
	++mappings_;
	return 0;
}

void fake_kernel::munmap(void *, std::size_t)
{
	const std::lock_guard lock(mutex_);
	--mappings_;
}

int fake_kernel::ioctl(int, unsigned long request, void *argument)
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
	return -dispatch(request, argument);
}

int fake_kernel::dispatch(unsigned long request, void *argument)
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
		close_watchers(s->second);
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
			submitted ? std::max(s->second.value, s->second.pending) : s->second.value;
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
		syncobjs_[next_id_++] = {};
		return 0;
	case DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL: {
		const auto &a = as<drm_syncobj_timeline_array>(argument);
		const auto s = syncobjs_.find(*user<std::uint32_t>(a.handles));
		if (s == syncobjs_.end())
			return ENOENT;
		s->second.value = *user<std::uint64_t>(a.points);
		notify();
		return 0;
	}
	case DRM_IOCTL_SYNCOBJ_EVENTFD:
		return watch(as<drm_syncobj_eventfd>(argument));
	default:
		return ENOTTY;
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

int fake_kernel::bo_create(drm_atom_bo_create &c)
{
	if (c.size == 0 || c.placement > DRM_ATOM_BO_SHM || (c.flags & ~DRM_ATOM_BO_NO_MMAP) != 0)
		return EINVAL;
	if (c.vm_id != 0 && vms_.count(c.vm_id) == 0)
		return ENOENT;
	if (c.size > 1ULL << 30)
		return c.placement == DRM_ATOM_BO_SYSTEM ? ENOMEM : ENOSPC;
	c.size = (c.size + page - 1) & ~(page - 1);
	c.handle = next_id_++;
	object &o = objects_[c.handle];
	o.create = c;
	o.memory.resize(c.size);
	return 0;
}

int fake_kernel::gem_close(const drm_gem_close &c)
{
	for (const auto &[id, vm] : vms_)
		for (const auto &[va, b] : vm)
			if (b.handle == c.handle)
				return EBUSY; // the kernel would keep it; libatom unbinds first
	return objects_.erase(c.handle) == 1 ? 0 : EINVAL;
}

int fake_kernel::vm_create(drm_atom_vm_create &c)
{
	if (c.flags != 0)
		return EINVAL;
	if (vms_.size() == info.vms_max)
		return ENOSPC;
	c.vm_id = next_id_++;
	vms_[c.vm_id] = {};
	return 0;
}

int fake_kernel::vm_destroy(const drm_atom_vm_destroy &d)
{
	if (d.pad != 0)
		return EINVAL;
	return vms_.erase(d.vm_id) == 1 ? 0 : ENOENT;
}

int fake_kernel::vm_bind(const drm_atom_vm_bind &b)
{
	const auto vm = vms_.find(b.vm_id);
	if (vm == vms_.end())
		return ENOENT;
	if (b.flags != 0 || b.syncs.count != 0 || b.ops.stride != sizeof(drm_atom_vm_bind_op))
		return EINVAL;
	for (std::uint32_t i = 0; i < b.ops.count; ++i) {
		const drm_atom_vm_bind_op &op = user<drm_atom_vm_bind_op>(b.ops.array)[i];
		if (op.pad != 0 || op.bytes == 0 || op.bytes % page != 0 || op.va % page != 0 ||
		    op.va < info.va_start || op.va >= info.va_end || op.bytes > info.va_end - op.va)
			return EINVAL;
		if (op.op == DRM_ATOM_VM_BIND_OP_UNMAP) {
			if (op.bo_handle != 0 || op.bo_offset != 0 || op.flags != 0)
				return EINVAL;
			vm->second.erase(op.va);
			continue;
		}
		const auto o = objects_.find(op.bo_handle);
		if (o == objects_.end())
			return ENOENT;
		if (op.bytes > o->second.memory.size())
			return EINVAL;
		vm->second[op.va] = {op.bo_handle, op.bytes,
		                     (op.flags & DRM_ATOM_VM_BIND_READONLY) != 0};
	}
	return 0;
}

std::byte *fake_kernel::translate(std::uint32_t vm, std::uint64_t va, std::uint64_t bytes)
{
	const std::lock_guard lock(mutex_);
	return translate_locked(vm, va, bytes);
}

std::byte *fake_kernel::translate_locked(std::uint32_t vm, std::uint64_t va, std::uint64_t bytes)
{
	const auto space = vms_.find(vm);
	if (space == vms_.end())
		return nullptr;
	auto after = space->second.upper_bound(va);
	if (after == space->second.begin())
		return nullptr;
	const auto &[start, b] = *std::prev(after);
	if (va - start > b.bytes || bytes > b.bytes - (va - start))
		return nullptr;
	return objects_.at(b.handle).memory.data() + (va - start);
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
