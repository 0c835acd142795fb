// SPDX-License-Identifier: MIT
// What the fake kernel tells to those who wait: points of timelines, and device nodes that come and
// go.
#include "fake_kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <unistd.h>

namespace atom::test {

struct node_news {
	std::unique_ptr<sys::event> pending;
	std::deque<sys::node_event> events;
	int error = 0; ///< of the next read
};

namespace {

template <class T>
const T *user(std::uint64_t pointer)
{
	return reinterpret_cast<const T *>(static_cast<std::uintptr_t>(pointer));
}

class fake_node_monitor final : public sys::node_monitor {
public:
	explicit fake_node_monitor(std::shared_ptr<node_news> news) : news_(std::move(news)) {}

	[[nodiscard]] int fd() const override { return news_->pending->fd(); }
	int next(sys::node_event &out) override
	{
		if (news_->error != 0)
			return -news_->error;
		if (news_->events.empty()) {
			news_->pending->clear();
			return 0;
		}
		out = std::move(news_->events.front());
		news_->events.pop_front();
		return 1;
	}

private:
	std::shared_ptr<node_news> news_;
};

} // namespace

fake_kernel::~fake_kernel()
{
	for (const auto &[handle, s] : syncobjs_)
		close_watchers(*s);
}

void fake_kernel::close_watchers(const fake_syncobj &s)
{
	for (const watcher &w : s.watchers)
		::close(w.fd);
}

int fake_kernel::make_event(std::unique_ptr<sys::event> &out)
{
	return event_error != 0 ? -event_error : sys::make_eventfd(out);
}

int fake_kernel::follow_accel_nodes(std::unique_ptr<sys::node_monitor> &out)
{
	if (follow_error != 0)
		return -follow_error;
	news_ = std::make_shared<node_news>();
	out = std::make_unique<fake_node_monitor>(news_);
	return sys::make_eventfd(news_->pending);
}

void fake_kernel::tell(const sys::node_event &what)
{
	news_->error = follow_error;
	news_->events.push_back(what);
	news_->pending->set();
}

int fake_kernel::watch(const drm_syncobj_eventfd &e)
{
	const auto s = syncobjs_.find(e.handle);
	if (e.flags != 0 || e.pad != 0)
		return EINVAL;
	if (s == syncobjs_.end())
		return ENOENT;
	const int copy = ::fcntl(e.fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return errno;
	s->second->watchers.push_back({e.point, copy});
	notify();
	return 0;
}

void fake_kernel::notify()
{
	changed_.notify_all();
	for (auto &[handle, s] : syncobjs_) {
		auto &watchers = s->watchers;
		const auto rest = std::partition(
			watchers.begin(), watchers.end(),
			[value = s->value](const watcher &w) { return w.point > value; });
		for (auto w = rest; w != watchers.end(); ++w) {
			const std::uint64_t one = 1;
			[[maybe_unused]] const ssize_t written = ::write(w->fd, &one, sizeof(one));
			::close(w->fd);
		}
		watchers.erase(rest, watchers.end());
	}
}

int fake_kernel::timeline_wait(std::unique_lock<std::mutex> &lock, drm_syncobj_timeline_wait &w)
{
	const auto *handles = user<std::uint32_t>(w.handles);
	const auto *points = user<std::uint64_t>(w.points);
	for (std::uint32_t i = 0; i < w.count_handles; ++i)
		if (syncobjs_.count(handles[i]) == 0)
			return ENOENT;
	const auto done = [&] {
		std::uint32_t good = 0;
		for (std::uint32_t i = 0; i < w.count_handles; ++i)
			if (syncobjs_.at(handles[i])->value >= points[i] && good++ == 0)
				w.first_signaled = i;
		const bool all = (w.flags & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL) != 0;
		return all ? good == w.count_handles : good != 0;
	};
	if (w.timeout_nsec == INT64_MAX) {
		changed_.wait(lock, done);
		return 0;
	}
	const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(w.timeout_nsec)};
	return changed_.wait_until(lock, until, done) ? 0 : ETIME;
}

} // namespace atom::test
