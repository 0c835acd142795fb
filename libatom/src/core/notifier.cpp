// SPDX-License-Identifier: MIT
#include "core/notifier.hpp"

#include <algorithm>

#include "core/failure.hpp"

namespace atom::core {

notifier::notifier(const std::shared_ptr<core::device> &dev)
{
	dev->check_process("create notifier");
	check(-dev->node().system().make_event(event_), "create notifier");
}

void notifier::watch(const std::shared_ptr<fence_source> &source, std::uint64_t point)
{
	if (!watch_unless_ready(source, point))
		event_->set();
}

bool notifier::watch_unless_ready(const std::shared_ptr<fence_source> &source, std::uint64_t point)
{
	source->dev()->check_process("watch fence");
	if (source->known(point))
		return false;
	const std::lock_guard lock(mutex_);
	const moment wanted(source, point);
	const auto place = std::lower_bound(watched_.begin(), watched_.end(), wanted);
	// The kernel tells once, which may have been cleared by who did not look at this fence: one
	// that is cancelled while its event is on the way.
	if (place != watched_.end() && *place == wanted)
		return !source->reached(point);
	const auto added = watched_.insert(place, wanted);
	const int error =
		source->dev()->node().syncobj_eventfd(source->handle(), point, event_->fd());
	if (error == 0)
		return true;
	watched_.erase(added);
	// Where the device is gone the jobs have ended, and their queue knows it.
	if (!source->reached(point))
		fail_errno(error, "watch fence");
	return false;
}

void notifier::clear()
{
	event_->clear();
	const std::lock_guard lock(mutex_);
	watched_.erase(std::remove_if(watched_.begin(), watched_.end(),
	                              [](const moment &m) { return m.first->known(m.second); }),
	               watched_.end());
}

} // namespace atom::core
