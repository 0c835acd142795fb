/* SPDX-License-Identifier: MIT */
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace atom::inprocess {

/** What an open file is to be told of its queues, oldest first, as DRM keeps it. Thread-safe. */
class events {
public:
	/** @p fd, an eventfd that counts like a semaphore, is readable while there is one. */
	void attach(int fd);
	/** @p fd is about to be closed: nobody is told any more. */
	void detach();
	/** Takes a struct drm_event with what is behind it; one without room is dropped. */
	void send(std::span<const std::byte> event);
	/** As read(2) that does not block: whole events, as many as fit. @return bytes or -EAGAIN */
	int read(void *to, std::size_t bytes);

private:
	std::mutex mutex_; // protects what follows
	int fd_ = -1;
	std::deque<std::vector<std::byte>> pending_;
	std::size_t room_ = 4096; ///< bytes, as in the kernel
};

} // namespace atom::inprocess
