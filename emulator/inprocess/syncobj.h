/* SPDX-License-Identifier: MIT */
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace atom::inprocess {

/** How far the jobs of a queue have got. They end in order. */
struct track {
	std::uint64_t done = 0;
};

/** The end of a job, or of nothing: then it has come already. */
struct fence {
	std::shared_ptr<track> of;
	std::uint64_t sequence = 0;

	bool signalled() const { return !of || of->done >= sequence; }
};

/** Somebody who waits for one or several syncobjs. */
struct waiter {
	std::condition_variable woken;
};

/**
 * A DRM syncobj: a fence, or a timeline of points with a fence each; a point is reached when its
 * fence and those before it are signalled. All of it under device.progress.
 */
class syncobj {
public:
	syncobj() = default;
	~syncobj();
	syncobj(const syncobj &) = delete;
	syncobj &operator=(const syncobj &) = delete;

	/** Adds a point to the timeline. */
	void add(std::uint64_t point, fence what);
	/** Makes @p what all that is in it. */
	void replace(fence what);
	/** Nothing is in it. */
	void reset();

	/** Whether somebody has given @p point a fence; point 0 is all that is in it. */
	bool submitted(std::uint64_t point) const;
	/** Whether @p point has been submitted and reached. */
	bool reached(std::uint64_t point);
	/** Last point reached, or last one submitted; 0 if it is no timeline. */
	std::uint64_t value();
	std::uint64_t last() const { return last_; }
	/** Fences to wait for before @p point, which was submitted, is reached. */
	void collect(std::uint64_t point, std::vector<fence> &out);

	/** Something that it stands for may have been signalled. */
	void notify();
	void attach(waiter &who) { waiters_.push_back(&who); }
	void detach(waiter &who);
	/**
	 * Writes 1 to eventfd @p fd when @p point is reached (@p available: submitted).
	 * @return 0 or a negative errno value
	 */
	int watch(std::uint64_t point, bool available, int fd);

private:
	struct entry {
		std::uint64_t point;
		fence what;
	};

	struct watcher {
		std::uint64_t point;
		bool available;
		int fd; // a copy, so that the program may close its own
	};

	void advance();

	std::deque<entry> entries_; // not reached yet
	std::uint64_t reached_ = 0;
	std::uint64_t last_ = 0;
	bool has_fence_ = false;
	std::vector<waiter *> waiters_;
	std::vector<watcher> watchers_;
};

} // namespace atom::inprocess
