/* SPDX-License-Identifier: MIT */
#include "team.h"

#include <algorithm>
#include <exception>
#include <new>

namespace atom::model {

team::team(std::vector<std::unique_ptr<worker>> &workers) : workers_(workers)
{
	try {
		for (std::size_t i = 1; i < workers_.size(); ++i)
			threads_.emplace_back([this, i] { thread(*workers_[i]); });
	} catch (...) {
		{
			const std::lock_guard lock(mutex_);
			end_ = true;
		}
		wake_.notify_all();
		for (std::thread &t : threads_)
			t.join();
		throw;
	}
}

team::~team()
{
	{
		const std::lock_guard lock(mutex_);
		end_ = true;
	}
	wake_.notify_all();
	for (std::thread &t : threads_)
		t.join();
}

/*
 * Tiles are handed out in order, so that when a tile fails all below it have
 * been started: the lowest failing tile is the same whatever the threads do,
 * and so is the fault that the guest is told.
 */
void team::take_tiles(tile_run &run, worker &me, const std::function<void()> *after_tile)
{
	me.memory.act_for(run.queue, true);
	while (!run.stop.load(std::memory_order_relaxed)) {
		const std::uint64_t tile = run.next.fetch_add(1, std::memory_order_relaxed);
		if (tile >= run.end) {
			run.next.fetch_sub(1, std::memory_order_relaxed);
			break;
		}
		engine::fault fault;
		{
			tile_memory memory(me.memory, run.asid, run.operation->operands());
			try {
				run.operation->run(tile, memory, me.scratch);
			} catch (const std::exception &) {
				memory.fail({.code = ATOM_FAULT_INTERNAL, .where = ATOM_WHERE_COMMAND});
			}
			fault = memory.fault();
		}
		if (fault) {
			const std::lock_guard lock(run.fault_mutex);
			if (tile < run.fault_tile) {
				run.fault_tile = tile;
				run.fault = fault;
			}
			run.stop.store(true, std::memory_order_relaxed);
		} else {
			run.progress->fetch_add(1, std::memory_order_relaxed);
		}
		if (after_tile)
			(*after_tile)();
	}
}

void team::thread(worker &me)
{
	std::unique_lock lock(mutex_);
	for (;;) {
		wake_.wait(lock, [this] { return end_ || current_; });
		if (end_)
			return;
		tile_run &run = *current_;
		++joined_;
		lock.unlock();
		take_tiles(run, me, nullptr);
		lock.lock();
		/* Nothing is left of this run, for nobody. */
		if (current_ == &run)
			current_ = nullptr;
		if (--joined_ == 0)
			done_.notify_one();
	}
}

void team::run(tile_run &run, const std::function<void()> &after_tile)
{
	const std::uint64_t left = run.end - run.next.load(std::memory_order_relaxed);
	const bool shared = left > 1 && !threads_.empty();
	if (shared) {
		{
			const std::lock_guard lock(mutex_);
			current_ = &run;
		}
		if (left > threads_.size()) {
			wake_.notify_all();
		} else {
			for (std::uint64_t i = 1; i < left; ++i)
				wake_.notify_one();
		}
	}
	take_tiles(run, *workers_[0], &after_tile);
	if (shared) {
		std::unique_lock lock(mutex_);
		current_ = nullptr;
		done_.wait(lock, [this] { return joined_ == 0; });
	}
}

} // namespace atom::model
