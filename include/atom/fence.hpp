// SPDX-License-Identifier: MIT
/**
 * @file fence.hpp
 * @brief Waiting for work, and learning what became of it.
 */
#ifndef ATOM_FENCE_HPP
#define ATOM_FENCE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "atom/device.hpp"
#include "atom/error.hpp"
#include "atom/fault.hpp"
#include "atom/span.hpp"

namespace atom {
namespace core {
class fence_source;
class syncobj;
} // namespace core

inline namespace v1 {

/** A moment to give up at. Absolute, so that waits in a loop do not add up. */
using deadline = std::chrono::steady_clock::time_point;
/** Never gives up. */
inline constexpr deadline no_deadline = deadline::max();

/** What became of a job. */
struct completion {
	/** No error: the job ran to its end. Else job_fault, job_timed_out, canceled,
	 * device_reset or device_lost of atom::errc.
	 */
	std::error_code error;
	std::uint64_t sequence = 0; ///< of the job in its queue, from 1; 0 for a timeline's fence
	std::uint64_t cookie = 0;   ///< of the submission; 0 if its record is gone
	/** Whether the four below are known: the record of a job is kept until
	 * device_info::ring_entries more jobs were done. A job that a reset took has no times.
	 */
	bool has_times = false;
	std::uint64_t start_ns = 0;    ///< device clock: the job started
	std::uint64_t end_ns = 0;      ///< device clock: the job was done
	std::uint64_t modelled_ns = 0; ///< time that the modelled silicon takes
	/** With job_fault: the fault. With canceled: the fault of the job that stopped the queue.
	 */
	std::optional<atom::fault> fault;
	/** Sequence of the first failed job of the queue; 0 if none is known to have failed. */
	std::uint64_t first_failed = 0;

	/** In words: "job 7: ok, 1234 ns" or "job 7: GEMM (command 0) .. ". */
	[[nodiscard]] ATOM_API std::string to_string() const;
};

/** Thrown when a job that was waited for did not end well. */
class ATOM_API job_error : public system_error {
public:
	/** Of a job that ended with @p result's error. */
	explicit job_error(const completion &result);
	/** A copy; does not throw. */
	job_error(const job_error &) noexcept;
	/** A copy; does not throw. */
	job_error &operator=(const job_error &) noexcept;
	~job_error() override;

	/** What became of the job. */
	[[nodiscard]] const completion &result() const noexcept;

private:
	std::shared_ptr<const completion> result_;
};

/**
 * A moment in the life of a timeline or a queue. A cheap value: copies mean
 * the same moment. Keeps what it needs alive, not the queue's right to run: when a
 * queue is destroyed, fences of its unfinished jobs become ready with canceled.
 * Thread-safe.
 */
class ATOM_API fence {
public:
	/** An empty fence. */
	fence() noexcept = default;

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return source_ != nullptr; }
	/** Point on the timeline; for a job, its sequence number. */
	[[nodiscard]] std::uint64_t point() const noexcept { return point_; }
	/** Tells timelines and queues apart: the same for all fences of one, as long as any lives.
	 */
	[[nodiscard]] const void *id() const noexcept { return source_.get(); }

	/**
	 * Blocks until the moment has come.
	 * @return what became of the job
	 * @throws job_error if it did not end well; system_error timed_out, forked_child
	 */
	completion wait(deadline until = no_deadline) const;

	/** The same; @p ec is timed_out, or the job's error. No call is made if the fence is ready.
	 */
	completion wait(deadline until, std::error_code &ec) const noexcept;

	/** wait() for at most @p limit from now. */
	completion wait_for(std::chrono::nanoseconds limit) const;
	/** The same; @p ec is timed_out, or the job's error. */
	completion wait_for(std::chrono::nanoseconds limit, std::error_code &ec) const noexcept;

	/** Whether the moment has come. Does not block. @throws system_error device_lost */
	[[nodiscard]] bool ready() const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] bool ready(std::error_code &ec) const noexcept;

	/**
	 * What became of the job; empty as long as ready() is false. Does not block.
	 * @throws system_error as ready()
	 */
	[[nodiscard]] std::optional<completion> status() const;
	/** The same; @p ec tells what went wrong with asking, not with the job. */
	[[nodiscard]] std::optional<completion> status(std::error_code &ec) const noexcept;

	/**
	 * The moment as a sync_file, for other drivers and for poll(): a new file, close-on-exec, which
	 * the caller closes. It tells that the job has ended, not whether well.
	 * @throws system_error invalid_argument (empty, or no job was given the point yet),
	 *         unsupported (the device inside of the process), device_lost
	 */
	[[nodiscard]] int export_sync_file() const;
	/** The same; -1 if @p ec is set. */
	[[nodiscard]] int export_sync_file(std::error_code &ec) const noexcept;

private:
	friend struct core::access;
	std::shared_ptr<core::fence_source> source_;
	std::uint64_t point_ = 0;
};

/**
 * Blocks until one of @p fences is ready, which may be of several queues, timelines and devices.
 * One system call if none is ready and all are of one device.
 *
 * @return index of a fence that is ready; fence::wait() on it does not block and tells what became
 *         of its job
 * @throws system_error timed_out, invalid_argument (there is none, or one is empty), forked_child,
 *         device_lost (none is ready, and a timeline's device is gone)
 */
ATOM_API std::size_t wait_any(span<const fence> fences, deadline until = no_deadline);
/** The same; the result is meaningless if @p ec is set. */
ATOM_API std::size_t wait_any(span<const fence> fences, deadline until,
                              std::error_code &ec) noexcept;

/**
 * Blocks until all of @p fences are ready. At most one system call for each device.
 *
 * @throws job_error if a job did not end well, of the first such; system_error as wait_any()
 */
ATOM_API void wait_all(span<const fence> fences, deadline until = no_deadline);
/** The same; @p ec is timed_out, or the error of the first job that did not end well. */
ATOM_API void wait_all(span<const fence> fences, deadline until, std::error_code &ec) noexcept;

/**
 * A counter that jobs and the CPU move forward and wait for. A cheap handle; thread-safe.
 */
class ATOM_API timeline {
public:
	/** An empty handle. */
	timeline() noexcept = default;
	/** At 0. @throws system_error out_of_host_memory, device_lost, invalid_argument */
	explicit timeline(const device &dev);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static timeline create(const device &dev, std::error_code &ec) noexcept;

	/** Whether it is not empty. */
	[[nodiscard]] explicit operator bool() const noexcept { return impl_ != nullptr; }
	/** The last point reached. One system call. @throws system_error device_lost */
	[[nodiscard]] std::uint64_t value() const;
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] std::uint64_t value(std::error_code &ec) const noexcept;
	/** Moves it to @p point from the CPU. @throws system_error invalid_argument: not beyond value(); device_lost */
	void signal(std::uint64_t point);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	void signal(std::uint64_t point, std::error_code &ec) noexcept;
	/** The fence of @p point, which is to be given to a job, or waited for. 1 or more. */
	[[nodiscard]] fence at(std::uint64_t point) const;

	/**
	 * The timeline as a new file, close-on-exec, for another process or device, which the caller
	 * closes. All who have it see and move the same points.
	 * @throws system_error unsupported (the device inside of the process), device_lost
	 */
	[[nodiscard]] int export_fd() const;
	/** The same; -1 if @p ec is set. */
	[[nodiscard]] int export_fd(std::error_code &ec) const noexcept;
	/**
	 * The timeline behind a file of export_fd(), for jobs of @p dev. @p fd stays the caller's
	 * and may be closed then. @throws system_error invalid_argument, unsupported, device_lost
	 */
	[[nodiscard]] static timeline import_fd(const device &dev, int fd);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	[[nodiscard]] static timeline import_fd(const device &dev, int fd,
	                                        std::error_code &ec) noexcept;
	/**
	 * @p point becomes the moment of a sync_file of whatever driver, so that jobs can wait for it.
	 * @p fd stays the caller's and may be closed then.
	 * @return the fence of @p point
	 * @throws system_error invalid_argument (no sync_file, point 0), unsupported, device_lost
	 */
	fence import_sync_file(std::uint64_t point, int fd);
	/** The same; @p ec tells what went wrong, and is cleared otherwise. */
	fence import_sync_file(std::uint64_t point, int fd, std::error_code &ec) noexcept;

private:
	friend struct core::access;
	explicit timeline(std::shared_ptr<core::syncobj> impl) noexcept : impl_(std::move(impl)) {}
	std::shared_ptr<core::syncobj> impl_;
};

} // namespace v1
} // namespace atom

#endif
