/* SPDX-License-Identifier: MIT */
/**
 * @file team.h
 * @brief The threads that run the tiles of one command at a time.
 *
 * The dispatcher is a member itself: it hands out a run, works on it and ends
 * it. Between two runs no tile is executed by anybody, which is when address
 * spaces and queues may change.
 *
 * Commands of a job follow one another within microseconds, which is less than
 * a thread takes to sleep and to wake: members wait awake for that long, then sleep.
 */
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "guest_memory.h"

namespace atom::model {

/** What each thread that computes has. */
struct worker {
	worker(host_port &host, class mmu &mmu, const local_memory &memory, constants &kept, injector &inject)
		: memory(host, mmu, memory, inject), kept(kept)
	{
	}
	guest_memory memory;
	constants &kept; ///< everybody's
	engine::scratch scratch;
};

/** A tile that gave way to something urgent. */
struct interrupted_tile {
	std::uint64_t tile = 0;
	engine::tile_progress progress;
};

/** Tiles of one command to be run. */
struct tile_run {
	const engine::operation *operation = nullptr;
	std::uint32_t asid = 0;
	std::uint32_t queue = 0;
	std::uint64_t end = 0;                        ///< one behind the last tile to run
	std::atomic<std::uint64_t> next{0};           ///< tiles below it have been taken
	std::atomic<bool> stop{false};                ///< take no more tiles
	std::atomic<std::uint64_t> *progress = nullptr; ///< counts tiles that ended well
	const std::atomic<std::uint32_t> *urgency = nullptr; ///< enum tile_urgency
	std::chrono::milliseconds patience{};         ///< what a tile has before it gives way to the admin queue
	bool resumed = false;                         ///< `again` is not empty at the start
	std::mutex mutex;                             ///< of what follows
	std::vector<interrupted_tile> again;          ///< to be gone on with; one a worker at most
	bool ahead = false;                           ///< an interrupted tile has come further than it had before..
	bool stuck = false;                           ///< ..or used up its patience and has not
	std::uint64_t fault_tile = UINT64_MAX;        ///< lowest tile that failed
	engine::fault fault;
};

class team {
public:
	/** @p workers: the first belongs to the dispatcher, each other gets a thread. */
	explicit team(std::vector<std::unique_ptr<worker>> &workers);
	~team();
	team(const team &) = delete;
	team &operator=(const team &) = delete;

	/**
	 * Runs tiles from run.next to run.end, or until run.stop; @p after_tile is
	 * called on the dispatcher's thread after each of its own tiles and may set
	 * run.stop. On return no tile is being run; tiles below run.next have ended but for those in run.again.
	 */
	void run(tile_run &run, const std::function<void()> &after_tile);

private:
	void thread(worker &me);
	static bool take(tile_run &run, std::uint64_t &tile, engine::tile_progress &from);
	static void take_tiles(tile_run &run, worker &me, const std::function<void()> *after_tile);

	std::vector<std::unique_ptr<worker>> &workers_;
	std::mutex mutex_;
	std::condition_variable wake_;
	std::condition_variable done_;
	/* Changed under the mutex. */
	std::atomic<tile_run *> current_{nullptr};
	std::atomic<unsigned> joined_{0};
	std::atomic<bool> end_{false};
	std::vector<std::thread> threads_;
};

} // namespace atom::model
