// SPDX-License-Identifier: MIT
// The kernel interface as it is, with owners for what it hands out. No libatom here: what is tested is the kernel.
//
// Functions named try_* return 0 or the (positive) errno; the others throw std::system_error, which fails the test.
#pragma once

#include <drm/atom_accel.h>

#include "atom/hw/queue.h"

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace vmtest {

inline constexpr std::uint64_t page = 4096;
inline constexpr std::uint64_t kib64 = 64 << 10;
inline constexpr std::uint64_t mib = 1 << 20;
inline constexpr std::uint64_t mib2 = 2 << 20;

/** ioctl(2), again after EINTR. @return 0 or errno. */
int try_ioctl(int fd, unsigned long request, void *argument);
/** The same; throws with @p what in the message. */
void do_ioctl(int fd, unsigned long request, void *argument, const char *what);

/** Nanoseconds of CLOCK_MONOTONIC. */
std::int64_t now_ns();

class unique_fd {
public:
	unique_fd() = default;
	explicit unique_fd(int fd) : fd_(fd) {}
	unique_fd(unique_fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	unique_fd &operator=(unique_fd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	~unique_fd() { reset(); }
	int get() const { return fd_; }
	void reset();

private:
	int fd_ = -1;
};

/** A mapping of the device file. */
class mapping {
public:
	mapping() = default;
	mapping(int fd, std::uint64_t offset, std::size_t bytes, int protection);
	mapping(mapping &&other) noexcept
		: data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0))
	{
	}
	mapping &operator=(mapping &&other) noexcept
	{
		std::swap(data_, other.data_);
		std::swap(bytes_, other.bytes_);
		return *this;
	}
	~mapping();
	std::byte *data() const { return data_; }
	std::size_t size() const { return bytes_; }
	template <class T> std::span<T> as() const
	{
		return {reinterpret_cast<T *>(data_), bytes_ / sizeof(T)};
	}

private:
	std::byte *data_ = nullptr;
	std::size_t bytes_ = 0;
};

/** Device files of the driver, in the order of their numbers. */
std::vector<std::string> device_nodes();

/** An open device file: one client. */
class device {
public:
	/** The @p index-th device of the driver. */
	explicit device(std::size_t index = 0);
	int fd() const { return fd_.get(); }
	const drm_atom_dev_info &info() const { return info_; }
	const std::string &node() const { return node_; }
	drm_atom_dev_memory memory() const;
	int try_call(unsigned long request, void *argument) const { return try_ioctl(fd(), request, argument); }
	/** Closes the file, with all that belongs to it. */
	void close() { fd_.reset(); }

private:
	std::string node_;
	unique_fd fd_;
	drm_atom_dev_info info_{};
};

/** A buffer object. */
class buffer {
public:
	buffer() = default;
	buffer(const device &dev, std::uint64_t bytes, std::uint32_t placement = DRM_ATOM_BO_SYSTEM,
	       std::uint32_t flags = 0, std::uint32_t vm_id = 0);
	buffer(buffer &&other) noexcept { swap(other); }
	buffer &operator=(buffer &&other) noexcept
	{
		swap(other);
		return *this;
	}
	~buffer();
	std::uint32_t handle() const { return handle_; }
	std::uint64_t size() const { return size_; }
	/** Offset for mmap(); throws if the buffer refuses. */
	std::uint64_t mmap_offset() const;
	mapping map() const;

private:
	void swap(buffer &other) noexcept;
	int fd_ = -1;
	std::uint32_t handle_ = 0;
	std::uint64_t size_ = 0;
};

/** BO_CREATE without an owner. @return errno; on success the handle is in @p args. */
int try_create_buffer(const device &dev, drm_atom_bo_create &args);

/** An address space; addresses are handed out by counting up. */
class address_space {
public:
	explicit address_space(const device &dev);
	address_space(address_space &&) = delete;
	~address_space();
	std::uint32_t id() const { return id_; }
	/** Unused range of @p bytes, aligned to @p align and then moved by @p shift. */
	std::uint64_t reserve(std::uint64_t bytes, std::uint64_t align = mib2, std::uint64_t shift = 0);
	int try_bind(std::span<const drm_atom_vm_bind_op> ops) const;
	int try_bind(std::initializer_list<drm_atom_vm_bind_op> ops) const
	{
		return try_bind(std::span(ops.begin(), ops.size()));
	}
	void map(std::uint64_t va, const buffer &bo, std::uint64_t offset, std::uint64_t bytes,
		 std::uint32_t flags = 0) const;
	void unmap(std::uint64_t va, std::uint64_t bytes) const;
	/** Maps all of @p bo at a new address. */
	std::uint64_t map(const buffer &bo, std::uint32_t flags = 0);
	void destroy();

private:
	int fd_;
	std::uint32_t id_ = 0;
	std::uint64_t next_;
};

drm_atom_vm_bind_op map_op(std::uint64_t va, const buffer &bo, std::uint64_t offset, std::uint64_t bytes,
			   std::uint32_t flags = 0);
drm_atom_vm_bind_op unmap_op(std::uint64_t va, std::uint64_t bytes);

/** A DRM synchronisation object. */
class syncobj {
public:
	explicit syncobj(const device &dev, bool signalled = false);
	syncobj(syncobj &&other) noexcept : fd_(other.fd_), handle_(std::exchange(other.handle_, 0)) {}
	~syncobj();
	std::uint32_t handle() const { return handle_; }
	drm_atom_sync wait_for(std::uint64_t point) const;
	drm_atom_sync signal_at(std::uint64_t point) const;
	drm_atom_sync wait_for_binary() const { return {0, handle_, 0}; }
	drm_atom_sync signal_binary() const { return {DRM_ATOM_SYNC_SIGNAL, handle_, 0}; }
	/** Waits for a timeline point. @p flags: DRM_SYNCOBJ_WAIT_FLAGS_*. @return 0, ETIME, ... */
	int try_wait(std::uint64_t point, std::int64_t timeout_ns,
		     std::uint32_t flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT) const;
	int try_wait_binary(std::int64_t timeout_ns, std::uint32_t flags = 0) const;
	/** Throws when the point has not come within @p seconds. */
	void wait(std::uint64_t point, double seconds = 60) const;
	void signal(std::uint64_t point) const;
	/** Last point signalled. */
	std::uint64_t value() const;
	/** Binary: error that its fence carries (0 or negative errno; 1 = not signalled yet). */
	int fence_status() const;
	/** Calls for @p event_fd to be signalled at @p point. */
	int try_eventfd(std::uint64_t point, int event_fd) const;

private:
	int fd_;
	std::uint32_t handle_ = 0;
};

/** A queue and its completion area. */
class queue {
public:
	struct options {
		std::uint32_t priority = DRM_ATOM_QUEUE_PRIORITY_NORMAL;
		std::uint32_t job_timeout_ms = 0;
	};
	queue(const device &dev, const address_space &space) : queue(dev, space, options{}) {}
	queue(const device &dev, const address_space &space, const options &how);
	queue(queue &&other) noexcept;
	~queue();
	std::uint32_t id() const { return id_; }
	std::uint32_t ring_entries() const { return entries_; }
	std::uint64_t completion_offset() const { return completion_offset_; }
	std::uint64_t completion_bytes() const { return completion_bytes_; }
	const drm_atom_queue_create &created() const { return created_; }
	/** @param[out] seqno number of the last job */
	int try_submit(std::span<const drm_atom_job> jobs, std::uint64_t *seqno = nullptr) const;
	std::uint64_t submit(std::span<const drm_atom_job> jobs) const;
	std::uint64_t submit(const drm_atom_job &job) const { return submit(std::span(&job, 1)); }
	drm_atom_queue_get_state state() const;
	/** The record of job @p seqno, read as the contract says. Throws if it is not there (any more). */
	atom_cpl_record completion(std::uint64_t seqno);
	void destroy();

private:
	int fd_;
	std::uint32_t id_ = 0;
	std::uint32_t entries_ = 0;
	std::uint64_t completion_offset_ = 0;
	std::uint64_t completion_bytes_ = 0;
	drm_atom_queue_create created_{};
	mapping completions_;
};

/** Job with @p syncs, which must live until the submission. */
drm_atom_job job_with(std::span<const drm_atom_sync> syncs);

} // namespace vmtest
