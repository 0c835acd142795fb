/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cerrno>
#include <chrono>

#include "file.h"

namespace atom::inprocess {

namespace {

using objects = std::vector<std::shared_ptr<syncobj>>;

constexpr std::uint32_t handles_max = 4096;

int find_all(file &f, std::uint64_t handles, std::uint32_t count, objects &out)
{
	if (count == 0 || count > handles_max)
		return -EINVAL;
	out.reserve(count);
	for (std::uint32_t i = 0; i < count; ++i) {
		out.push_back(f.syncobjs.find(user<const std::uint32_t>(handles)[i]));
		if (!out.back())
			return -ENOENT;
	}
	return 0;
}

/* One wait for some points. Under progress. */
class point_wait {
public:
	point_wait(const objects &all, const std::uint64_t *points, std::uint32_t flags)
		: all_(all), points_(points), flags_(flags)
	{
		for (const std::shared_ptr<syncobj> &s : all_)
			s->attach(waiter_);
	}
	~point_wait()
	{
		for (const std::shared_ptr<syncobj> &s : all_)
			s->detach(waiter_);
	}
	point_wait(const point_wait &) = delete;
	point_wait &operator=(const point_wait &) = delete;

	/** 0, -ETIME or -EINVAL. */
	int run(std::unique_lock<std::mutex> &lock, std::int64_t until_ns, std::uint32_t &first)
	{
		if (!(flags_ & (DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT | DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE)))
			for (std::size_t i = 0; i < all_.size(); ++i)
				if (!all_[i]->submitted(point(i)))
					return -EINVAL;
		const auto done = [this, &first] { return satisfied(first); };
		if (done())
			return 0;
		if (until_ns <= 0)
			return -ETIME;
		if (until_ns == INT64_MAX) {
			waiter_.woken.wait(lock, done);
			return 0;
		}
		const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(until_ns)};
		return waiter_.woken.wait_until(lock, until, done) ? 0 : -ETIME;
	}

private:
	std::uint64_t point(std::size_t i) const { return points_ ? points_[i] : 0; }

	bool satisfied(std::uint32_t &first)
	{
		std::size_t good = 0;
		for (std::size_t i = 0; i < all_.size(); ++i) {
			const bool here = flags_ & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE ? all_[i]->submitted(point(i))
											 : all_[i]->reached(point(i));
			if (here && good++ == 0)
				first = static_cast<std::uint32_t>(i);
		}
		return flags_ & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL ? good == all_.size() : good != 0;
	}

	const objects &all_;
	const std::uint64_t *points_;
	const std::uint32_t flags_;
	waiter waiter_;
};

int wait_for(file &f, std::uint64_t handles, std::uint64_t points, std::uint32_t count, std::uint32_t flags,
	     std::int64_t until_ns, std::uint32_t &first)
{
	constexpr std::uint32_t known = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL | DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT |
					DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE;
	if (flags & ~known)
		return -EINVAL;
	objects all;
	if (const int error = find_all(f, handles, count, all))
		return error;
	device::progress hold(f.device());
	point_wait w(all, user<const std::uint64_t>(points), flags);
	return w.run(hold.lock(), until_ns, first);
}

} // namespace

int syncobj_create(file &f, drm_syncobj_create &c)
{
	if (c.flags & ~DRM_SYNCOBJ_CREATE_SIGNALED)
		return -EINVAL;
	auto s = std::make_shared<syncobj>();
	if (c.flags & DRM_SYNCOBJ_CREATE_SIGNALED)
		s->replace({});
	c.handle = f.syncobjs.add(std::move(s));
	return 0;
}

int syncobj_destroy(file &f, const drm_syncobj_destroy &d)
{
	if (d.pad)
		return -EINVAL;
	return f.syncobjs.take(d.handle) ? 0 : -EINVAL;
}

int syncobj_wait(file &f, drm_syncobj_wait &w)
{
	return wait_for(f, w.handles, 0, w.count_handles, w.flags & ~DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE,
			w.timeout_nsec, w.first_signaled);
}

int syncobj_timeline_wait(file &f, drm_syncobj_timeline_wait &w)
{
	return wait_for(f, w.handles, w.points, w.count_handles, w.flags, w.timeout_nsec, w.first_signaled);
}

int syncobj_reset(file &f, const drm_syncobj_array &a)
{
	objects all;
	if (a.pad)
		return -EINVAL;
	if (const int error = find_all(f, a.handles, a.count_handles, all))
		return error;
	const device::progress hold(f.device());
	for (const std::shared_ptr<syncobj> &s : all)
		s->reset();
	return 0;
}

int syncobj_signal(file &f, const drm_syncobj_array &a)
{
	objects all;
	if (a.pad)
		return -EINVAL;
	if (const int error = find_all(f, a.handles, a.count_handles, all))
		return error;
	const device::progress hold(f.device());
	for (const std::shared_ptr<syncobj> &s : all)
		s->replace({});
	return 0;
}

int syncobj_timeline_signal(file &f, const drm_syncobj_timeline_array &a)
{
	objects all;
	if (a.flags)
		return -EINVAL;
	if (const int error = find_all(f, a.handles, a.count_handles, all))
		return error;
	const device::progress hold(f.device());
	for (std::size_t i = 0; i < all.size(); ++i)
		all[i]->add(user<const std::uint64_t>(a.points)[i], {});
	return 0;
}

int syncobj_query(file &f, const drm_syncobj_timeline_array &a)
{
	objects all;
	if (a.flags & ~DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED)
		return -EINVAL;
	if (const int error = find_all(f, a.handles, a.count_handles, all))
		return error;
	const device::progress hold(f.device());
	for (std::size_t i = 0; i < all.size(); ++i)
		user<std::uint64_t>(a.points)[i] = a.flags ? all[i]->last() : all[i]->value();
	return 0;
}

int syncobj_eventfd(file &f, const drm_syncobj_eventfd &e)
{
	if (e.flags & ~DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE || e.pad)
		return -EINVAL;
	const std::shared_ptr<syncobj> s = f.syncobjs.find(e.handle);
	if (!s)
		return -ENOENT;
	const device::progress hold(f.device());
	return s->watch(e.point, e.flags & DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE, e.fd);
}

} // namespace atom::inprocess
