/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

namespace atom::inprocess {

void events::attach(int fd)
{
	const std::lock_guard lock(mutex_);
	fd_ = fd;
}

void events::detach()
{
	attach(-1);
}

void events::send(std::span<const std::byte> event)
{
	const std::lock_guard lock(mutex_);
	if (fd_ < 0 || event.size() > room_)
		return;
	pending_.emplace_back(event.begin(), event.end());
	room_ -= event.size();
	eventfd_write(fd_, 1); /* far from its limit */
}

int events::read(void *to, std::size_t bytes)
{
	const std::lock_guard lock(mutex_);
	if (pending_.empty())
		return -EAGAIN;
	auto *out = static_cast<std::byte *>(to);
	std::size_t done = 0;
	while (!pending_.empty() && pending_.front().size() <= bytes - done) {
		const std::vector<std::byte> &event = pending_.front();
		std::copy(event.begin(), event.end(), out + done);
		done += event.size();
		room_ += event.size();
		pending_.pop_front();
		eventfd_t one = 0;
		eventfd_read(fd_, &one);
	}
	return static_cast<int>(done);
}

} // namespace atom::inprocess
