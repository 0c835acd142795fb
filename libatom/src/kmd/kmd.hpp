// SPDX-License-Identifier: MIT
// The kernel driver's interface, one function for each ioctl. Nothing else includes
// drm/atom_accel.h: above this line nobody knows how an ioctl looks.
//
// Functions return 0, or a positive errno value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "atom/buffer.hpp"
#include "atom/device.hpp"
#include "atom/queue.hpp"
#include "sys/unique_fd.hpp"

struct drm_atom_job;
struct drm_atom_sync;
struct drm_atom_vm_bind_op;

namespace atom::kmd {

struct driver_version {
	std::string name;
	int major = 0;
	int minor = 0;
	int patch = 0;
};

struct new_queue {
	std::uint32_t id = 0;
	std::uint32_t ring_entries = 0;
	std::uint64_t completion_offset = 0;
	std::uint64_t completion_bytes = 0;
};

/** What users are told of a queue, and what only the fate of its jobs needs. */
struct queue_report : queue_state {
	/** Sequence of the last job that may have been lost before first_failed, or 0. */
	std::uint64_t lost_before = 0;
};

struct bo_facts {
	placement where = placement::system;
	bool mappable = false;
	bool imported = false; ///< memory of another driver
	std::uint64_t bytes = 0;
};

struct sync_point {
	std::uint32_t syncobj = 0;
	std::uint64_t point = 0;
	bool signal = false;
};

struct job {
	std::uint64_t commands_va = 0;
	std::uint32_t command_bytes = 0;
	std::uint64_t arguments_va = 0;
	std::uint32_t argument_count = 0;
	std::uint64_t cookie = 0;
};

/** Jobs of one SUBMIT. Keeps its memory when cleared. */
class batch {
public:
	batch();
	~batch();
	batch(const batch &) = delete;
	batch &operator=(const batch &) = delete;

	void clear();
	void add(const job &what);
	/** For the job added last. */
	void add(const sync_point &what);
	[[nodiscard]] std::size_t size() const;

private:
	friend class node;
	std::vector<drm_atom_job> jobs_;
	std::vector<drm_atom_sync> syncs_;
};

/** An event as read() gives it; nothing if it is of a kind that is not known, or no event. */
std::optional<device_event> event_of(span<const std::byte> bytes);

/** An open device file. Thread-safe. */
class node {
public:
	explicit node(sys::unique_fd fd) : fd_(std::move(fd)) {}

	[[nodiscard]] int fd() const { return fd_.get(); }
	[[nodiscard]] sys::os &system() const { return fd_.system(); }
	[[nodiscard]] const std::shared_ptr<sys::os> &shared_system() const
	{
		return fd_.shared_system();
	}
	/** Whether memory of the program can be mapped for the device. */
	static bool has_user_memory(const device_info &info);
	/** Whether the driver sends events. */
	static bool has_events(const device_info &info);

	int version(driver_version &out) const;
	int query_info(device_info &out) const;
	int query_memory(memory_info &out) const;
	int query_clock(clock_sample &out) const;
	int query_telemetry(telemetry &out) const;

	/** Does not block. For one thread at a time. */
	int next_event(std::optional<device_event> &out) const;

	int bo_create(std::uint64_t bytes, placement where, bool mappable, std::uint32_t vm,
	              std::uint32_t &handle, std::uint64_t &real_bytes) const;
	int bo_mmap_offset(std::uint32_t handle, std::uint64_t &offset) const;
	int bo_set_label(std::uint32_t handle, const std::string &label) const;
	int bo_close(std::uint32_t handle) const;
	int bo_info(std::uint32_t handle, bo_facts &out) const;
	/** As a dma-buf, a new file of the process. */
	int bo_export(std::uint32_t handle, int &dmabuf) const;
	/** The handle that the file already has, if the buffer is its own. */
	int bo_import(int dmabuf, std::uint32_t &handle) const;
	/** Begins or ends an access of the CPU to a dma-buf that is mapped. */
	int dmabuf_sync(int dmabuf, bool end, bool read, bool write) const;

	int vm_create(std::uint32_t &id) const;
	int vm_destroy(std::uint32_t id) const;
	int vm_map(std::uint32_t id, std::uint32_t handle, std::uint64_t va, std::uint64_t bytes,
	           bool read_only) const;
	/** Memory of the program, in whole pages. */
	int vm_map_user(std::uint32_t id, const void *memory, std::uint64_t va, std::uint64_t bytes,
	                bool read_only) const;
	int vm_unmap(std::uint32_t id, std::uint64_t va, std::uint64_t bytes) const;

	int queue_create(std::uint32_t vm, const queue_options &options, new_queue &out) const;
	int queue_destroy(std::uint32_t id) const;
	int queue_get_state(std::uint32_t id, queue_report &out) const;
	int submit(std::uint32_t queue, batch &jobs, std::uint64_t &sequence) const;

	int syncobj_create(std::uint32_t &handle) const;
	int syncobj_destroy(std::uint32_t handle) const;
	/** ETIME when @p until_ns of CLOCK_MONOTONIC has passed. Waits also for points nobody
	 * submitted yet. */
	int syncobj_wait(std::uint32_t handle, std::uint64_t point, std::int64_t until_ns) const;
	/** The same for several: @p all of them, or one, whose index is @p first. */
	int syncobj_wait(span<const std::uint32_t> handles, span<const std::uint64_t> points,
	                 bool all, std::int64_t until_ns, std::uint32_t &first) const;
	/** Has eventfd @p fd set when @p point is reached. */
	int syncobj_eventfd(std::uint32_t handle, std::uint64_t point, int fd) const;
	int syncobj_signal(std::uint32_t handle, std::uint64_t point) const;
	/** The last point reached, or the last one that was given to a job or signalled. */
	int syncobj_query(std::uint32_t handle, bool submitted, std::uint64_t &point) const;
	/** The timeline itself, a new file of the process. */
	int syncobj_export(std::uint32_t handle, int &fd) const;
	int syncobj_import(int fd, std::uint32_t &handle) const;
	/** The moment of @p point as a sync_file, a new file of the process. */
	int sync_file_export(std::uint32_t handle, std::uint64_t point, int &fd) const;
	/** @p point becomes the moment of the sync_file. */
	int sync_file_import(std::uint32_t handle, std::uint64_t point, int fd) const;

private:
	int call(unsigned long request, void *argument) const;
	template <class F>
	int with_binary(F &&use) const;
	int transfer(std::uint32_t to, std::uint64_t to_point, std::uint32_t from,
	             std::uint64_t from_point) const;
	int bind(std::uint32_t vm, const drm_atom_vm_bind_op &op) const;
	template <class T>
	int query(std::uint32_t type, T &out) const;

	sys::unique_fd fd_;
};

} // namespace atom::kmd
