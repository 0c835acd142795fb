/* SPDX-License-Identifier: MIT */
#include "team.h"

#include <chrono>
#include <exception>
#include <new>

namespace atom::model {

namespace {

/* Between two commands of a job; not more, for a thread without work has to sleep. */
constexpr std::chrono::microseconds awake_for(50);

template <class Condition> void stay_awake(const Condition &met)
{
	constexpr int between_looks = 16;
	const auto until = std::chrono::steady_clock::now() + awake_for;
	do {
		for (int i = 0; i < between_looks; ++i) {
			if (met())
				return;
#if defined(__x86_64__)
			__builtin_ia32_pause();
#endif
		}
	} while (std::chrono::steady_clock::now() < until);
}

} // namespace

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

bool team::take(tile_run &run, std::uint64_t &tile, engine::tile_progress &from)
{
	if (run.resumed) {
		const std::lock_guard lock(run.mutex);
		if (!run.again.empty()) {
			tile = run.again.back().tile;
			from = std::move(run.again.back().progress);
			run.again.pop_back();
			return true;
		}
	}
	tile = run.next.fetch_add(1, std::memory_order_relaxed);
	if (tile < run.end)
		return true;
	run.next.fetch_sub(1, std::memory_order_relaxed);
	return false;
}

/*
 * Tiles are handed out in order, so that when a tile fails all below it have
 * been started: the lowest failing tile is the same whatever the threads do,
 * and so is the fault that the guest is told.
 */
void team::take_tiles(tile_run &run, worker &me, const std::function<void()> *after_tile)
{
	me.memory.act_for(run.queue, true);
	std::uint64_t tile = 0;
	for (;;) {
		tile_memory memory(me.memory, me.kept, run.asid, run.operation->operands());
		if (run.stop.load(std::memory_order_relaxed) || !take(run, tile, memory.progress()))
			break;
		const engine::tile_progress before = memory.progress();
		memory.heed(*run.urgency, run.patience);
		try {
			run.operation->run(tile, memory, me.scratch);
		} catch (const std::exception &) {
			memory.fail({.code = ATOM_FAULT_INTERNAL, .where = ATOM_WHERE_COMMAND});
		}
		if (memory.failed()) {
			const std::lock_guard lock(run.mutex);
			if (tile < run.fault_tile) {
				run.fault_tile = tile;
				run.fault = memory.fault();
			}
			run.stop.store(true, std::memory_order_relaxed);
		} else if (memory.was_interrupted()) {
			const std::lock_guard lock(run.mutex);
			if (memory.progress().k != before.k || memory.progress().sums != before.sums)
				run.ahead = true;
			else if (memory.was_given_patience())
				run.stuck = true;
			run.again.push_back({tile, std::move(memory.progress())});
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
	const auto called = [this] { return end_ || current_; };
	std::unique_lock lock(mutex_);
	for (;;) {
		wake_.wait(lock, called);
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
		lock.unlock();
		stay_awake(called);
		lock.lock();
	}
}

void team::run(tile_run &run, const std::function<void()> &after_tile)
{
	const std::uint64_t left = run.end - run.next.load(std::memory_order_relaxed) + run.again.size();
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
		const auto ended = [this] { return joined_ == 0; };
		std::unique_lock lock(mutex_);
		current_ = nullptr;
		if (!ended()) {
			lock.unlock();
			stay_awake(ended);
			lock.lock();
		}
		done_.wait(lock, ended);
	}
}

} // namespace atom::model
