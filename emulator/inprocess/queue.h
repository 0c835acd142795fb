/* SPDX-License-Identifier: MIT */
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <drm/atom_accel.h>

#include "atom/hw/fault.h"
#include "atom/hw/queue.h"
#include "device.h"
#include "events.h"
#include "memory.h"
#include "syncobj.h"

namespace atom::inprocess {

class vm;

/** One job as the queue keeps it until it has ended. */
struct job {
	atom_ring_desc descriptor{};
	std::vector<fence> waits;
	std::vector<std::shared_ptr<syncobj>> signals;
};

/**
 * A queue. The first job that fails bans it: nothing more goes on the ring, the hardware queue is
 * reset, and what was outstanding is cancelled.
 */
class queue : public std::enable_shared_from_this<queue> {
public:
	using clock = std::chrono::steady_clock;

	/** @p patience: time without progress after which a job is given up. @p told is told when it is banned. */
	queue(device &dev, std::shared_ptr<vm> space, std::chrono::milliseconds patience, std::shared_ptr<events> told);
	~queue();
	queue(const queue &) = delete;
	queue &operator=(const queue &) = delete;

	/** The handle that its file has given it: who is told of it knows it by that. */
	void name(std::uint32_t handle) { handle_ = handle; }
	/** Makes it known to the device. @return 0, -ENOSPC, -ENOMEM or -EIO */
	int start(std::uint32_t priority);
	/** Ends all its jobs and gives its hardware back. May be called again. */
	void kill();
	/** Resets the hardware queue after a failure and cancels what was on it. */
	void reset();
	void state(drm_atom_queue_get_state &out);

	device &dev() { return device_; }
	const std::shared_ptr<vm> &space() const { return vm_; }
	/** Completion area; a mapping of it may outlive the queue. */
	const std::shared_ptr<memory_range> &area() const { return area_; }
	std::uint32_t entries() const { return entries_; }

	/* Under device::progress. */

	bool banned() const { return banned_; }
	/** Waits until @p count more jobs have a place on the ring, or none will. 0 or -ECANCELED. */
	int wait_for_room(std::unique_lock<std::mutex> &lock, std::size_t count);
	const std::shared_ptr<track> &jobs_track() const { return track_; }
	/** The number that the next job gets. */
	std::uint64_t next_sequence() const { return submitted_ + 1; }
	/** Takes a job, for which there is room; start_jobs() puts it on the ring. */
	void push(job &&what);
	/** Puts jobs that are ready on the ring, in order. @return whether none is left that waits */
	bool start_jobs();
	/** Signals what the device has retired. */
	void complete();
	/** Whether the device has jobs of it. */
	bool has_work() const { return emitted_ != track_->done; }
	/** Gives its job up if the device makes no progress with it. */
	void look(clock::time_point now);
	/** The fault FIFO speaks of it. */
	void note_fault(const atom_fault_record &record);

private:
	void ban(std::uint32_t flags);
	void note_failure(std::uint64_t sequence, int error);
	int judge(std::uint64_t sequence);
	void retire_one();
	void cancel();
	void tell() const;
	bool has_moved();
	bool admin(std::uint16_t opcode, std::uint32_t generation);

	device &device_;
	const std::shared_ptr<vm> vm_;
	const std::shared_ptr<events> told_;
	std::atomic<std::uint32_t> handle_ = 0; // of the file
	const std::uint32_t entries_;
	memory_range ring_; // descriptors, then the tail
	std::shared_ptr<memory_range> area_;
	std::uint32_t id_ = 0; // of the hardware

	std::mutex hw_mutex_; // held while the hardware queue is reset or destroyed
	bool alive_ = false;  // the hardware knows it; under hw_mutex_

	/* Under device::progress. */
	const std::shared_ptr<track> track_ = std::make_shared<track>();
	std::deque<job> jobs_;        // those that have not ended, oldest first
	std::uint64_t submitted_ = 0; // number of the last job
	std::uint64_t emitted_ = 0;   // of the last one on the ring
	bool banned_ = false;
	bool killed_ = false;
	std::condition_variable room_;
	std::uint32_t generation_ = 0; // as told to the hardware
	drm_atom_queue_get_state state_{};

	static constexpr std::uint32_t looks = 4; // at a job, in the time that it has
	const clock::duration look_every_;
	clock::time_point next_look_;
	struct {
		bool taken;
		std::uint32_t stalls; ///< looks in a row without progress
		std::uint64_t progress;
		std::uint64_t done;
		std::uint64_t others; ///< time that the device worked for other queues
	} seen_{};
};

} // namespace atom::inprocess
