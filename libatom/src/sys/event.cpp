// SPDX-License-Identifier: MIT
#include "sys/event.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <new>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace atom::sys {
namespace {

constexpr std::int64_t second_ns = 1000000000;

std::int64_t now_ns()
{
	timespec now;
	::clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * second_ns + now.tv_nsec;
}

class eventfd_event final : public event {
public:
	explicit eventfd_event(int fd) : fd_(fd) {}
	~eventfd_event() override { ::close(fd_); }
	eventfd_event(const eventfd_event &) = delete;
	eventfd_event &operator=(const eventfd_event &) = delete;

	[[nodiscard]] int fd() const override { return fd_; }

	void set() override
	{
		const std::uint64_t one = 1;
		// Fails only where the counter is full, and then it is set.
		[[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof(one));
	}

	void clear() override
	{
		std::uint64_t count = 0;
		// Fails where it is clear already.
		[[maybe_unused]] const ssize_t taken = ::read(fd_, &count, sizeof(count));
	}

	int wait(std::int64_t until_ns) override
	{
		pollfd readable{fd_, POLLIN, 0};
		for (;;) {
			const std::int64_t left = std::max<std::int64_t>(until_ns - now_ns(), 0);
			const timespec limit{left / second_ns, left % second_ns};
			const int ready = ::ppoll(&readable, 1, &limit, nullptr);
			if (ready >= 0)
				return ready;
			if (errno != EINTR)
				return -errno;
		}
	}

private:
	int fd_;
};

} // namespace

int make_eventfd(std::unique_ptr<event> &out)
{
	const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	out.reset(new (std::nothrow) eventfd_event(fd));
	if (!out) {
		::close(fd);
		return -ENOMEM;
	}
	return 0;
}

} // namespace atom::sys
