// SPDX-License-Identifier: MIT
#include "worker.hpp"

#include "commands.hpp"
#include "uapi.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <drm.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using vmtest::page;

namespace ioctl_fuzz {

namespace {

// Aligned to its size: a pointer with a low bit turned stays inside, where the kernel may write.
constexpr std::size_t arena_bytes = 4 << 20;
constexpr std::uint64_t va_base = 1ull << 32;

constexpr std::uint64_t interesting[] = {
	0, 1, 2, 63, 64, 255, 256, 1023, 1024, 4095, 4096, 4097, 65535, 65536, 1u << 21, 0x7fffffff, 0x80000000, 0xffffffff,
	1ull << 32, (1ull << 47) - 1, 1ull << 47, (1ull << 48) - 4096, 1ull << 48, 0x7fffffffffffffff, 1ull << 63, ~0ull, ~0ull - 4095,
};

std::uint64_t pointer(const void *object) { return reinterpret_cast<std::uintptr_t>(object); }

} // namespace

worker::worker(std::uint64_t seed, std::string node, tally &count) : random_(seed), node_(std::move(node)), count_(count)
{
	void *memory = mmap(nullptr, 2 * arena_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		throw std::system_error(errno, std::generic_category(), "mmap");
	arena_ = reinterpret_cast<std::byte *>((pointer(memory) + arena_bytes - 1) / arena_bytes * arena_bytes);
}

// The arena goes with the process: the kernel may still hold what a call has named.
worker::~worker() = default;

template <class T> T *worker::fresh(std::size_t count)
{
	const std::size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
	if (used_ + bytes > arena_bytes)
		used_ = 0;
	void *object = arena_ + used_;
	used_ += bytes;
	std::memset(object, 0, bytes);
	return static_cast<T *>(object);
}

/* A bit, a byte, a word or two of an argument become something else. */
void worker::spoil(void *object, std::size_t bytes)
{
	auto *at = static_cast<std::byte *>(object);
	do {
		const std::size_t where = below(random_, bytes);
		switch (below(random_, 3)) {
		case 0:
			at[where] ^= std::byte{1} << below(random_, 8);
			break;
		case 1:
			at[where] = static_cast<std::byte>(random_());
			break;
		default:
			const std::uint64_t value = interesting[below(random_, std::size(interesting))];
			const std::size_t width = one_in(random_, 2) ? 4 : 8;
			std::memcpy(at + where / width * width, &value, std::min(width, bytes - where / width * width));
		}
	} while (one_in(random_, 4));
}

template <class Args> bool worker::call(file &on, unsigned long request, Args *args)
{
	// DRM's own calls stay right: its warnings (of too large an array of syncobjs, say) are not about the driver.
	const bool ours = _IOC_NR(request) >= DRM_COMMAND_BASE && _IOC_NR(request) < DRM_COMMAND_END;
	if (ours && one_in(random_, 3))
		spoil(args, sizeof(*args));
	if (ours && one_in(random_, 32)) { // shorter or longer than we know it
		const unsigned size = static_cast<unsigned>(below(random_, 2 * sizeof(*args)));
		request = (request & ~(static_cast<unsigned long>(_IOC_SIZEMASK) << _IOC_SIZESHIFT)) |
			  static_cast<unsigned long>(size) << _IOC_SIZESHIFT;
	}
	++count_.calls;
	const bool accepted = ::ioctl(on.fd, request, args) == 0;
	count_.accepted += accepted;
	return accepted;
}

std::uint64_t worker::address() { return va_base + below(random_, 64) * (one_in(random_, 2) ? page : vmtest::mib2); }

void worker::query(file &on)
{
	auto *args = fresh<drm_atom_dev_query>();
	args->type = static_cast<__u32>(below(random_, 5));
	args->size = static_cast<__u32>(below(random_, 512));
	args->pointer = one_in(random_, 8) ? 0 : pointer(fresh<std::byte>(512));
	call(on, DRM_IOCTL_ATOM_DEV_QUERY, args);
}

void worker::buffer(file &on)
{
	switch (below(random_, 5)) {
	case 0: {
		auto *args = fresh<drm_atom_bo_create>();
		args->size = (1 + below(random_, 64)) * (one_in(random_, 8) ? vmtest::kib64 : page);
		args->placement = static_cast<__u32>(below(random_, 3));
		args->flags = one_in(random_, 4) ? DRM_ATOM_BO_NO_MMAP : 0;
		args->vm_id = one_in(random_, 4) ? static_cast<__u32>(on.ids.spaces.get(random_)) : 0;
		if (call(on, DRM_IOCTL_ATOM_BO_CREATE, args))
			on.ids.buffers.put(random_, args->handle);
		break;
	}
	case 1: {
		auto *args = fresh<drm_atom_bo_mmap_offset>();
		args->handle = static_cast<__u32>(on.ids.buffers.get(random_));
		if (call(on, DRM_IOCTL_ATOM_BO_MMAP_OFFSET, args))
			on.ids.offsets.put(random_, args->offset);
		break;
	}
	case 2: {
		auto *args = fresh<drm_atom_bo_info>();
		args->handle = static_cast<__u32>(on.ids.buffers.get(random_));
		call(on, DRM_IOCTL_ATOM_BO_INFO, args);
		break;
	}
	case 3: {
		auto *args = fresh<drm_atom_bo_set_label>();
		args->handle = static_cast<__u32>(on.ids.buffers.get(random_));
		args->bytes = static_cast<__u32>(below(random_, 70));
		args->label = pointer(std::memset(fresh<char>(128), 'x', 64));
		call(on, DRM_IOCTL_ATOM_BO_SET_LABEL, args);
		break;
	}
	default: {
		auto *args = fresh<drm_gem_close>();
		args->handle = static_cast<__u32>(on.ids.buffers.get(random_));
		call(on, DRM_IOCTL_GEM_CLOSE, args);
	}
	}
}

void worker::space(file &on)
{
	if (!one_in(random_, 3)) {
		auto *args = fresh<drm_atom_vm_create>();
		if (call(on, DRM_IOCTL_ATOM_VM_CREATE, args))
			on.ids.spaces.put(random_, args->vm_id);
		return;
	}
	auto *args = fresh<drm_atom_vm_destroy>();
	args->vm_id = static_cast<__u32>(on.ids.spaces.get(random_));
	call(on, DRM_IOCTL_ATOM_VM_DESTROY, args);
}

void worker::bind(file &on)
{
	const std::size_t count = 1 + below(random_, one_in(random_, 16) ? 1100 : 6);
	auto *ops = fresh<drm_atom_vm_bind_op>(count);
	for (std::size_t i = 0; i < count; ++i) {
		ops[i].op = static_cast<__u32>(below(random_, one_in(random_, 8) ? 3 : 2));
		ops[i].va = address();
		ops[i].bytes = (1 + below(random_, 32)) * page;
		if (ops[i].op == DRM_ATOM_VM_BIND_OP_MAP) {
			ops[i].bo_handle = static_cast<__u32>(on.ids.buffers.get(random_));
			ops[i].bo_offset = below(random_, 4) * page;
			ops[i].flags = static_cast<__u32>(below(random_, 2));
		}
		if (one_in(random_, 8))
			spoil(&ops[i], sizeof(ops[i]));
	}
	auto *args = fresh<drm_atom_vm_bind>();
	args->vm_id = static_cast<__u32>(on.ids.spaces.get(random_));
	args->ops = {sizeof(*ops), static_cast<__u32>(count), pointer(ops)};
	if (call(on, DRM_IOCTL_ATOM_VM_BIND, args))
		on.ids.addresses.put(random_, ops[0].va);
}

void worker::queue(file &on)
{
	switch (below(random_, 4)) {
	case 0: {
		auto *args = fresh<drm_atom_queue_create>();
		args->vm_id = static_cast<__u32>(on.ids.spaces.get(random_));
		args->priority = static_cast<__u32>(below(random_, 4));
		args->job_timeout_ms = one_in(random_, 2) ? 0 : static_cast<__u32>(below(random_, 2000));
		if (call(on, DRM_IOCTL_ATOM_QUEUE_CREATE, args)) {
			on.ids.queues.put(random_, args->queue_id);
			on.ids.offsets.put(random_, args->completion_offset);
		}
		break;
	}
	case 1: {
		auto *args = fresh<drm_atom_queue_destroy>();
		args->queue_id = static_cast<__u32>(on.ids.queues.get(random_));
		call(on, DRM_IOCTL_ATOM_QUEUE_DESTROY, args);
		break;
	}
	case 2: {
		auto *args = fresh<drm_atom_perf_open>();
		args->period_ns = below(random_, 1'000'000'000);
		args->counters = random_();
		args->fd = -1;
		if (call(on, DRM_IOCTL_ATOM_PERF_OPEN, args) && args->fd > 2)
			::close(args->fd);
		break;
	}
	default: {
		auto *args = fresh<drm_atom_queue_get_state>();
		args->queue_id = static_cast<__u32>(on.ids.queues.get(random_));
		call(on, DRM_IOCTL_ATOM_QUEUE_GET_STATE, args);
	}
	}
}

void worker::submit(file &on)
{
	const std::size_t count = 1 + below(random_, one_in(random_, 16) ? 140 : 4);
	auto *jobs = fresh<drm_atom_job>(count);
	for (std::size_t i = 0; i < count; ++i) {
		const std::size_t sync_count = below(random_, 3);
		auto *syncs = fresh<drm_atom_sync>(sync_count + 1);
		for (std::size_t s = 0; s < sync_count; ++s) {
			syncs[s] = {static_cast<__u32>(below(random_, 4)), static_cast<__u32>(on.ids.syncobjs.get(random_)), 0};
			syncs[s].point = syncs[s].flags & DRM_ATOM_SYNC_TIMELINE ? 1 + below(random_, 100) : 0;
		}
		if (!one_in(random_, 3)) { // else a job without a command
			jobs[i].cmd_va = on.ids.addresses.get(random_) & ~7ull;
			jobs[i].cmd_bytes = static_cast<__u32>(8 * (1 + below(random_, 512)));
		}
		if (one_in(random_, 4))
			jobs[i].result_va = on.ids.addresses.get(random_) & ~7ull;
		jobs[i].cookie = random_();
		jobs[i].syncs = {sizeof(*syncs), static_cast<__u32>(sync_count), pointer(syncs)};
		if (one_in(random_, 8))
			spoil(&jobs[i], sizeof(jobs[i]));
	}
	auto *args = fresh<drm_atom_submit>();
	args->queue_id = static_cast<__u32>(on.ids.queues.get(random_));
	args->jobs = {sizeof(*jobs), static_cast<__u32>(count), pointer(jobs)};
	call(on, DRM_IOCTL_ATOM_SUBMIT, args);
}

void worker::syncobj(file &on)
{
	switch (below(random_, 4)) {
	case 0: {
		auto *args = fresh<drm_syncobj_create>();
		args->flags = one_in(random_, 2) ? DRM_SYNCOBJ_CREATE_SIGNALED : 0;
		if (call(on, DRM_IOCTL_SYNCOBJ_CREATE, args))
			on.ids.syncobjs.put(random_, args->handle);
		break;
	}
	case 1: {
		auto *args = fresh<drm_syncobj_destroy>();
		args->handle = static_cast<__u32>(on.ids.syncobjs.get(random_));
		call(on, DRM_IOCTL_SYNCOBJ_DESTROY, args);
		break;
	}
	default: {
		auto *handle = fresh<std::uint32_t>();
		auto *point = fresh<std::uint64_t>();
		*handle = static_cast<std::uint32_t>(on.ids.syncobjs.get(random_));
		*point = 1 + below(random_, 100);
		auto *args = fresh<drm_syncobj_timeline_array>();
		args->handles = pointer(handle);
		args->points = pointer(point);
		args->count_handles = 1;
		call(on, one_in(random_, 2) ? DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL : DRM_IOCTL_SYNCOBJ_QUERY, args);
	}
	}
}

/* Maps something, writes commands or noise into it, and lets it go. */
void worker::map(file &on)
{
	const std::size_t bytes = (1 + below(random_, 4)) * page;
	const int protection = one_in(random_, 4) ? PROT_READ : PROT_READ | PROT_WRITE;
	++count_.calls;
	void *memory = mmap(nullptr, bytes, protection, one_in(random_, 8) ? MAP_PRIVATE : MAP_SHARED, on.fd,
			    static_cast<off_t>(on.ids.offsets.get(random_)));
	if (memory == MAP_FAILED)
		return;
	++count_.accepted;
	volatile std::byte sink = *static_cast<std::byte *>(memory);
	static_cast<void>(sink);
	if (protection & PROT_WRITE) {
		const std::uint64_t va = on.ids.addresses.get(random_);
		const auto list = vmtest::command_list(
			vmtest::make_nop(), vmtest::make_copy_bytes(va, on.ids.addresses.get(random_), 1 + below(random_, page)));
		auto program = list.finish();
		if (one_in(random_, 2))
			spoil(program.data(), program.size());
		std::memcpy(memory, program.data(), program.size());
	}
	munmap(memory, bytes);
}

/* Closes the file under the other threads' hands. */
void worker::reopen(file &on)
{
	if (!one_in(random_, 64))
		return;
	const int fresh_fd = ::open(node_.c_str(), O_RDWR | O_CLOEXEC);
	if (fresh_fd < 0)
		return;
	// Onto the old number: a thread in the middle of a call never meets a file that is no device.
	dup2(fresh_fd, on.fd);
	::close(fresh_fd);
}

/* A duplicate of the file, and a child that inherits it and goes. */
void worker::borrow(file &on)
{
	const int copy = dup(on.fd);
	if (copy >= 0)
		::close(copy);
	if (!one_in(random_, 32))
		return;
	const pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, nullptr, 0);
}

void worker::step(file &on)
{
	static constexpr void (worker::*kinds[])(file &) = {
		&worker::query, &worker::buffer, &worker::buffer, &worker::buffer, &worker::space,   &worker::bind,   &worker::bind,
		&worker::bind,	&worker::queue,	 &worker::queue,  &worker::submit, &worker::submit, &worker::submit, &worker::syncobj,
		&worker::map,	&worker::map,	 &worker::reopen, &worker::borrow,
	};
	(this->*kinds[below(random_, std::size(kinds))])(on);
}

} // namespace ioctl_fuzz
