// SPDX-License-Identifier: MIT
#include "kmd/kmd.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <drm/atom_accel.h>

#include "atom/hw/regs.h"
#include "atom/uapi_layout.h"
#include "kmd/drm_compat.h"
#include "kmd/user_pointer.hpp"

namespace atom::kmd {

batch::batch() = default;
batch::~batch() = default;

void batch::clear()
{
	jobs_.clear();
	syncs_.clear();
}

std::size_t batch::size() const { return jobs_.size(); }

void batch::add(const job &what)
{
	drm_atom_job &j = jobs_.emplace_back();
	j.cmd_va = what.commands_va;
	j.cmd_bytes = what.command_bytes;
	j.args_va = what.arguments_va;
	j.arg_count = what.argument_count;
	j.cookie = what.cookie;
	j.syncs.stride = sizeof(drm_atom_sync);
}

void batch::add(const sync_point &what)
{
	drm_atom_sync &s = syncs_.emplace_back();
	s.flags = DRM_ATOM_SYNC_TIMELINE;
	if (what.signal)
		s.flags |= DRM_ATOM_SYNC_SIGNAL;
	s.handle = what.syncobj;
	s.point = what.point;
	++jobs_.back().syncs.count;
}

int node::call(unsigned long request, void *argument) const
{
	return -fd_.system().ioctl(fd_.get(), request, argument);
}

template <class T>
int node::query(std::uint32_t type, T &out) const
{
	drm_atom_dev_query q{};
	q.type = type;
	q.size = sizeof(out);
	q.pointer = user_pointer(&out);
	return call(DRM_IOCTL_ATOM_DEV_QUERY, &q);
}

int node::version(driver_version &out) const
{
	char name[32] = {};
	drm_version v{};
	v.name = name;
	v.name_len = sizeof(name) - 1;
	if (const int error = call(DRM_IOCTL_VERSION, &v))
		return error;
	out.name = name;
	out.major = v.version_major;
	out.minor = v.version_minor;
	out.patch = v.version_patchlevel;
	return 0;
}

int node::query_info(device_info &out) const
{
	drm_atom_dev_info i{};
	if (const int error = query(DRM_ATOM_DEV_QUERY_INFO, i))
		return error;
	out.interface_major = ATOM_VERSION_MAJOR(i.interface_version);
	out.interface_minor = ATOM_VERSION_MINOR(i.interface_version);
	out.firmware_version = i.fw_version;
	out.device_caps = i.device_caps;
	out.kernel_caps = i.kernel_caps;
	std::copy(std::begin(i.opcodes), std::end(i.opcodes), out.opcodes.begin());
	out.dtypes = i.dtypes;
	out.serial = i.serial;
	std::copy(std::begin(i.uuid), std::end(i.uuid), out.uuid.begin());
	out.emulated = i.platform != ATOM_PLATFORM_SILICON;
	out.generation = i.generation;
	out.va_start = i.va_start;
	out.va_end = i.va_end;
	out.page_sizes = i.page_sizes;
	out.queues_max = i.queues_max;
	out.contexts_max = i.vms_max;
	out.ring_entries = i.ring_entries;
	out.submit_jobs_max = i.submit_jobs_max;
	out.syncs_max = i.syncs_max;
	out.command_bytes_max = i.cmd_bytes_max;
	out.arguments_max = i.args_max;
	out.job_timeout = std::chrono::milliseconds(i.job_timeout_ms);
	out.job_timeout_max = std::chrono::milliseconds(i.job_timeout_max_ms);
	out.engines = i.engines;
	out.macs_log2_max = i.macs_log2_max;
	return 0;
}

int node::query_memory(memory_info &out) const
{
	drm_atom_dev_memory m{};
	if (const int error = query(DRM_ATOM_DEV_QUERY_MEMORY, m))
		return error;
	out = {m.local_size,         m.local_used, m.local_visible_size,
	       m.local_visible_used, m.shm_size,   m.shm_used};
	return 0;
}

int node::query_clock(clock_sample &out) const
{
	drm_atom_dev_timestamp t{};
	if (const int error = query(DRM_ATOM_DEV_QUERY_TIMESTAMP, t))
		return error;
	out.device_ns = t.device_ns;
	// steady_clock is CLOCK_MONOTONIC on Linux.
	out.host = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(t.monotonic_ns));
	out.uncertainty = std::chrono::nanoseconds(t.uncertainty_ns);
	return 0;
}

int node::query_telemetry(telemetry &out) const
{
	drm_atom_dev_telemetry t{};
	if (const int error = query(DRM_ATOM_DEV_QUERY_TELEMETRY, t))
		return error;
	out.temperature_millidegrees = t.temperature_mc;
	out.throttle_temperature_millidegrees = t.temp_throttle_mc;
	out.abort_temperature_millidegrees = t.temp_abort_mc;
	out.shutdown_temperature_millidegrees = t.temp_shutdown_mc;
	out.power_milliwatts = t.power_mw;
	out.pstate = t.pstate;
	out.throttle = t.throttle;
	out.utilisation_permille = t.utilisation_permille;
	out.energy_microjoules = t.energy_uj;
	std::copy(std::begin(t.clocks_khz), std::end(t.clocks_khz), out.clocks_khz.begin());
	out.ecc_corrected = t.ecc_ce;
	out.ecc_uncorrected = t.ecc_ue;
	out.busy_compute_ns = t.busy_compute_ns;
	out.busy_dma_ns = t.busy_dma_ns;
	out.modelled_ns = t.modelled_ns;
	out.dram_read_bytes = t.dram_read;
	out.dram_written_bytes = t.dram_write;
	out.dma_read_bytes = t.dma_read;
	out.dma_written_bytes = t.dma_write;
	out.jobs_done = t.jobs_done;
	out.macs = t.macs;
	return 0;
}

int node::bo_create(std::uint64_t bytes, placement where, bool mappable, std::uint32_t vm,
                    std::uint32_t &handle, std::uint64_t &real_bytes) const
{
	static_assert(static_cast<int>(placement::system) == DRM_ATOM_BO_SYSTEM &&
	              static_cast<int>(placement::local) == DRM_ATOM_BO_LOCAL &&
	              static_cast<int>(placement::shm) == DRM_ATOM_BO_SHM);
	drm_atom_bo_create c{};
	c.size = bytes;
	c.placement = static_cast<std::uint32_t>(where);
	c.flags = mappable ? 0 : DRM_ATOM_BO_NO_MMAP;
	c.vm_id = vm;
	if (const int error = call(DRM_IOCTL_ATOM_BO_CREATE, &c))
		return error;
	handle = c.handle;
	real_bytes = c.size;
	return 0;
}

int node::bo_mmap_offset(std::uint32_t handle, std::uint64_t &offset) const
{
	drm_atom_bo_mmap_offset m{};
	m.handle = handle;
	if (const int error = call(DRM_IOCTL_ATOM_BO_MMAP_OFFSET, &m))
		return error;
	offset = m.offset;
	return 0;
}

int node::bo_set_label(std::uint32_t handle, const std::string &label) const
{
	drm_atom_bo_set_label l{};
	l.handle = handle;
	l.bytes = static_cast<std::uint32_t>(label.size());
	l.label = user_pointer(label.data());
	return call(DRM_IOCTL_ATOM_BO_SET_LABEL, &l);
}

int node::bo_close(std::uint32_t handle) const
{
	drm_gem_close c{};
	c.handle = handle;
	return call(DRM_IOCTL_GEM_CLOSE, &c);
}

int node::vm_create(std::uint32_t &id) const
{
	drm_atom_vm_create c{};
	if (const int error = call(DRM_IOCTL_ATOM_VM_CREATE, &c))
		return error;
	id = c.vm_id;
	return 0;
}

int node::vm_destroy(std::uint32_t id) const
{
	drm_atom_vm_destroy d{};
	d.vm_id = id;
	return call(DRM_IOCTL_ATOM_VM_DESTROY, &d);
}

int node::bind(std::uint32_t vm, const drm_atom_vm_bind_op &op) const
{
	drm_atom_vm_bind b{};
	b.vm_id = vm;
	b.ops = {sizeof(op), 1, user_pointer(&op)};
	return call(DRM_IOCTL_ATOM_VM_BIND, &b);
}

int node::vm_map(std::uint32_t id, std::uint32_t handle, std::uint64_t va, std::uint64_t bytes,
                 bool read_only) const
{
	drm_atom_vm_bind_op op{};
	op.op = DRM_ATOM_VM_BIND_OP_MAP;
	op.flags = read_only ? DRM_ATOM_VM_BIND_READONLY : 0;
	op.bo_handle = handle;
	op.va = va;
	op.bytes = bytes;
	return bind(id, op);
}

int node::vm_map_user(std::uint32_t id, const void *memory, std::uint64_t va, std::uint64_t bytes,
                      bool read_only) const
{
	drm_atom_vm_bind_op op{};
	op.op = DRM_ATOM_VM_BIND_OP_MAP_USERPTR;
	op.flags = read_only ? DRM_ATOM_VM_BIND_READONLY : 0;
	op.bo_offset = user_pointer(memory);
	op.va = va;
	op.bytes = bytes;
	return bind(id, op);
}

int node::vm_unmap(std::uint32_t id, std::uint64_t va, std::uint64_t bytes) const
{
	drm_atom_vm_bind_op op{};
	op.op = DRM_ATOM_VM_BIND_OP_UNMAP;
	op.va = va;
	op.bytes = bytes;
	return bind(id, op);
}

int node::queue_create(std::uint32_t vm, const queue_options &options, new_queue &out) const
{
	drm_atom_queue_create c{};
	c.vm_id = vm;
	c.priority = static_cast<std::uint32_t>(options.priority);
	c.job_timeout_ms = static_cast<std::uint32_t>(options.job_timeout.count());
	if (options.name.size() >= sizeof(c.name))
		return EINVAL;
	std::memcpy(c.name, options.name.data(), options.name.size());
	if (const int error = call(DRM_IOCTL_ATOM_QUEUE_CREATE, &c))
		return error;
	out = {c.queue_id, c.ring_entries, c.completion_offset, c.completion_bytes};
	return 0;
}

int node::queue_destroy(std::uint32_t id) const
{
	drm_atom_queue_destroy d{};
	d.queue_id = id;
	return call(DRM_IOCTL_ATOM_QUEUE_DESTROY, &d);
}

int node::queue_get_state(std::uint32_t id, queue_report &out) const
{
	drm_atom_queue_get_state s{};
	s.queue_id = id;
	if (const int error = call(DRM_IOCTL_ATOM_QUEUE_GET_STATE, &s))
		return error;
	out.faulted = (s.flags & DRM_ATOM_QUEUE_STATE_FAULT) != 0;
	out.timed_out = (s.flags & DRM_ATOM_QUEUE_STATE_TIMEDOUT) != 0;
	out.innocent = (s.flags & DRM_ATOM_QUEUE_STATE_INNOCENT) != 0;
	out.banned = (s.flags & DRM_ATOM_QUEUE_STATE_BANNED) != 0;
	out.device_lost = (s.flags & DRM_ATOM_QUEUE_STATE_DEVICE_LOST) != 0;
	out.generation = s.generation;
	out.error = static_cast<int>(s.error);
	out.submitted = s.submitted;
	out.completed = s.completed;
	out.first_failed = s.failed_seqno;
	out.fault = {s.fault_code,  s.fault_where, s.fault_opcode, s.fault_command,
	             s.fault_field, s.fault_va,    s.fault_access};
	out.busy_ns = s.busy_ns;
	out.last_lost = s.lost_seqno;
	out.lost_before = s.lost_before;
	return 0;
}

int node::submit(std::uint32_t queue, batch &jobs, std::uint64_t &sequence) const
{
	// The vectors have stopped growing: now the jobs can point at their syncs.
	const drm_atom_sync *next = jobs.syncs_.data();
	for (drm_atom_job &j : jobs.jobs_) {
		j.syncs.array = j.syncs.count != 0 ? user_pointer(next) : 0;
		next += j.syncs.count;
	}
	drm_atom_submit s{};
	s.queue_id = queue;
	s.jobs = {sizeof(drm_atom_job), static_cast<std::uint32_t>(jobs.jobs_.size()),
	          user_pointer(jobs.jobs_.data())};
	if (const int error = call(DRM_IOCTL_ATOM_SUBMIT, &s))
		return error;
	sequence = s.seqno;
	return 0;
}

} // namespace atom::kmd
