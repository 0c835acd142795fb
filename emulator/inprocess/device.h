/* SPDX-License-Identifier: MIT */
#pragma once

#include <algorithm>
#include <bitset>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "atom/hw/admin.h"
#include "atom/hw/regs.h"
#include "driver.h"
#include "host_bus.h"
#include "memory.h"
#include "options.h"
#include "times.h"

namespace atom::inprocess {

class queue;

/* What the kernel driver has too. */
inline constexpr std::uint32_t syncs_max = 64; ///< of one job
inline constexpr std::uint32_t binds_max = 1024;
inline constexpr std::uint32_t job_timeout_ms = 10000;
inline constexpr std::uint32_t job_timeout_max_ms = 60000;

/** What the device says it can do, and what is made of it. */
struct limits {
	std::uint32_t num_queues;
	std::uint32_t num_asids;
	std::uint32_t cmd_bytes_max;
	std::uint32_t args_max;
	std::uint8_t ring_log2;

	std::uint32_t ring_entries() const { return 1u << ring_log2; }
	std::uint32_t submit_jobs_max() const { return std::min(128u, ring_entries()); }
};

/**
 * One device, powered on, and what the driver knows of all its users. Thread-safe.
 *
 * Locks, from the outside in: vm.mutex, queue.hw_mutex, the admin queue's, progress, those of the
 * memories. None of them is held while a doorbell rings: the device may do the work, and
 * raise its interrupts, on the thread that rings.
 */
class device {
public:
	/** @throw std::runtime_error with a sentence */
	device(const options &how, std::uint32_t number);
	~device();
	device(const device &) = delete;
	device &operator=(const device &) = delete;

	host::host_bus &bus() { return bus_; }
	const limits &limit() const { return limits_; }
	memory &system() { return system_; }
	memory &local() { return local_; }
	memory &shm() { return shm_; }

	/** Arms a fault; as atom_inprocess_ops.inject. */
	int inject(const char *spec, std::string &error);

	/** Sends an admin command and waits for its end. False: the device refused it. */
	bool admin(const atom_admin_desc &command);
	/** Ids of address spaces and generations of queues. 0: all are taken. */
	std::uint32_t take_asid();
	void give_asid(std::uint32_t id);

	/**
	 * Protects the state of queues, jobs and syncobjs. Whoever lets go of it through this
	 * class rings the doorbells that have become due.
	 */
	class progress {
	public:
		explicit progress(device &d) : device_(d), lock_(d.progress_mutex_) {}
		~progress();
		progress(const progress &) = delete;
		progress &operator=(const progress &) = delete;

		std::unique_lock<std::mutex> &lock() { return lock_; }

	private:
		device &device_;
		std::unique_lock<std::mutex> lock_;
	};

	/* Under progress. */

	/** Gives @p q a hardware id; 0: all are taken. */
	std::uint32_t add_queue(queue &q);
	void remove_queue(std::uint32_t id);
	void ring(std::uint32_t id) { due_.set(id); }
	/** @p q has jobs that wait for fences. */
	void note_blocked(queue &q);
	/** Something has been signalled: jobs may have become ready. */
	void start_ready();
	/** Gives the fault FIFO's records to their queues. */
	void read_faults();
	std::uint32_t next_generation() { return ++generation_; }
	/** The device has work: somebody must see whether it gets on. */
	void watch();
	/** Has @p q, which is banned, reset soon. */
	void reset_later(std::shared_ptr<queue> q);

private:
	void interrupt(std::uint32_t vector);
	void run_keeper();
	void look_at_queues();

	std::unique_ptr<times> times_; // outlives the bus, which calls it
	std::unique_ptr<host::host_bus>
		bus_owner_; // goes first: its threads call interrupt() until then
	host::host_bus &bus_;
	host::driver driver_;
	limits limits_{};
	memory system_;
	memory local_;
	memory shm_;

	std::mutex admin_mutex_; // the driver's admin queue

	std::mutex asid_mutex_;
	std::vector<bool> asids_; // taken

	std::mutex progress_mutex_;   // protects what follows
	std::vector<queue *> queues_; // by hardware id; index 0 is not used
	std::bitset<ATOM_REG_QUEUE_MAX> due_;
	std::vector<queue *> blocked_;
	std::uint64_t faults_read_ = 0;
	std::uint32_t generation_ = 0;

	/* What must wait for the device, which an interrupt cannot: resets, and giving jobs up. */
	std::deque<std::shared_ptr<queue>> resets_;
	bool watching_ = false; // the keeper looks at the queues
	bool ending_ = false;
	std::condition_variable keeper_wanted_;
	std::thread keeper_;
};

} // namespace atom::inprocess
