// SPDX-License-Identifier: MIT
// What most tests need: a client with an address space, a queue and a timeline.
#pragma once

#include "commands.hpp"
#include "atom/hw/fault.h"
#include "uapi.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace vmtest {

/** A buffer that an address space maps and, unless it is SHM, the CPU too. */
struct memory {
	buffer bo;
	std::uint64_t va = 0;
	mapping map;
	template <class T> std::span<T> as() const { return map.as<T>(); }
	std::uint64_t size() const { return bo.size(); }
};

class context {
public:
	explicit context(std::size_t device_index = 0, const queue::options &how = {});

	device dev;
	address_space space;
	queue q;
	syncobj timeline;
	std::uint64_t point = 0; ///< last point that a job of ours signals

	/** New memory, mapped for the device read-write and for the CPU (not SHM). */
	memory alloc(std::uint64_t bytes, std::uint32_t placement = DRM_ATOM_BO_SYSTEM);
	/** Job that runs @p commands (their memory lives as long as the context). No syncs. */
	drm_atom_job job(const command_list &commands);
	drm_atom_job job(std::span<const std::byte> command_buffer);
	/** Submits a job that signals the next point of the timeline. @return sequence number */
	std::uint64_t submit(drm_atom_job job);
	std::uint64_t submit(const command_list &commands) { return submit(job(commands)); }
	/** Waits for the last point. */
	void wait(double seconds = 120) { timeline.wait(point, seconds); }
	/** Runs @p commands to the end; throws with the fault in words if they fail. */
	void run(const command_list &commands) { run(job(commands)); }
	void run(const drm_atom_job &job);
	/** Runs a job that must fail. @return the state of the queue after it; throws if the job succeeds */
	drm_atom_queue_get_state run_failing(const drm_atom_job &job);
	drm_atom_queue_get_state run_failing(const command_list &commands) { return run_failing(job(commands)); }

private:
	std::deque<memory> programs_;
};

/** The state of a queue in words. */
std::string describe(const drm_atom_queue_get_state &state);

/** Runs @p body in a child process; a child that throws or fails ends with 1. */
class child {
public:
	explicit child(const std::function<void()> &body);
	child(child &&) = delete;
	/** Kills it if it still runs. */
	~child();
	int pid() const { return pid_; }
	void kill();
	/** @return its exit status, or 128 + signal */
	int wait();

private:
	int pid_ = -1;
};

/** A counter shared with children, for meeting them. */
class shared_flag {
public:
	shared_flag();
	shared_flag(shared_flag &&) = delete;
	~shared_flag();
	void raise();
	unsigned count() const;
	/** Waits until it was raised @p times; false after @p seconds. */
	bool wait(unsigned times = 1, double seconds = 60) const;

private:
	unsigned *counter_;
};

/** Fills with words that depend on @p seed. */
void fill_pattern(std::span<std::uint32_t> words, std::uint32_t seed);
/** Index of the first word that is not of fill_pattern(), or -1. */
long find_damage(std::span<const std::uint32_t> words, std::uint32_t seed);
/** Index of the first byte that is not 0, or -1. */
long find_nonzero(std::span<const std::byte> bytes);

/** Sleeps. */
void pause_ms(unsigned ms);
/** Asks @p condition every few milliseconds. @return whether it came true in time */
bool eventually(const std::function<bool()> &condition, double seconds = 20);

} // namespace vmtest
