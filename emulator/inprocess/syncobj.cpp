/* SPDX-License-Identifier: MIT */
#include "syncobj.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace atom::inprocess {

syncobj::~syncobj()
{
	for (const watcher &w : watchers_)
		close(w.fd);
}

void syncobj::advance()
{
	while (!entries_.empty() && entries_.front().what.signalled()) {
		reached_ = entries_.front().point;
		entries_.pop_front();
	}
}

void syncobj::add(std::uint64_t point, fence what)
{
	/* A point that is not beyond the last one moves there, as the end of a chain does. */
	last_ = std::max(last_, point);
	has_fence_ = true;
	entries_.push_back({last_, std::move(what)});
	notify();
}

void syncobj::replace(fence what)
{
	reset();
	has_fence_ = true;
	entries_.push_back({0, std::move(what)});
	notify();
}

void syncobj::reset()
{
	entries_.clear();
	reached_ = last_ = 0;
	has_fence_ = false;
}

bool syncobj::submitted(std::uint64_t point) const
{
	return has_fence_ && point <= last_;
}

bool syncobj::reached(std::uint64_t point)
{
	advance();
	return submitted(point) && (point == 0 ? entries_.empty() : reached_ >= point);
}

std::uint64_t syncobj::value()
{
	advance();
	return reached_;
}

void syncobj::collect(std::uint64_t point, std::vector<fence> &out)
{
	advance();
	for (const entry &e : entries_) {
		if (point != 0 && reached_ >= point)
			break;
		out.push_back(e.what);
		if (point != 0 && e.point >= point)
			break;
	}
}

void syncobj::notify()
{
	advance();
	for (waiter *w : waiters_)
		w->woken.notify_one();
	std::erase_if(watchers_, [this](const watcher &w) {
		if (!(w.available ? submitted(w.point) : reached(w.point)))
			return false;
		const std::uint64_t one = 1;
		/* A counter that is full is readable already. */
		[[maybe_unused]] const ssize_t written = write(w.fd, &one, sizeof one);
		close(w.fd);
		return true;
	});
}

void syncobj::detach(waiter &who)
{
	waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &who));
}

int syncobj::watch(std::uint64_t point, bool available, int fd)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	watchers_.push_back({point, available, copy});
	notify();
	return 0;
}

} // namespace atom::inprocess
