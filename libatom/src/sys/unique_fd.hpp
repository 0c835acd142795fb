// SPDX-License-Identifier: MIT
// Ownership of a file descriptor that was opened through sys::os.
#pragma once

#include <memory>
#include <utility>

#include "sys/os.hpp"

namespace atom::sys {

class unique_fd {
public:
	unique_fd() = default;
	unique_fd(std::shared_ptr<os> system, int fd) : os_(std::move(system)), fd_(fd) {}
	unique_fd(unique_fd &&other) noexcept
		: os_(std::move(other.os_)), fd_(std::exchange(other.fd_, -1))
	{
	}
	unique_fd &operator=(unique_fd &&other) noexcept
	{
		unique_fd old(std::move(*this));
		os_ = std::move(other.os_);
		fd_ = std::exchange(other.fd_, -1);
		return *this;
	}
	~unique_fd()
	{
		if (fd_ >= 0)
			os_->close(fd_);
	}

	[[nodiscard]] int get() const { return fd_; }
	[[nodiscard]] os &system() const { return *os_; }
	[[nodiscard]] const std::shared_ptr<os> &shared_system() const { return os_; }

private:
	std::shared_ptr<os> os_;
	int fd_ = -1;
};

} // namespace atom::sys
