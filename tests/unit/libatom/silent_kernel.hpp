// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fake_kernel.hpp"
#include "sys/process.hpp"

namespace atom::test {

/** A kernel that takes jobs, which are done at once, and does nothing else: what is left is libatom's. */
class silent_kernel final : public sys::os {
public:
	explicit silent_kernel(std::shared_ptr<fake_kernel> real) : real_(std::move(real)) {}

	int open(const char *path, int flags) override { return real_->open(path, flags); }
	void close(int fd) override { real_->close(fd); }
	int ioctl(int fd, unsigned long request, void *argument) override
	{
		if (static_cast<std::uint32_t>(request) != static_cast<std::uint32_t>(DRM_IOCTL_ATOM_SUBMIT))
			return real_->ioctl(fd, request, argument);
		auto &s = *static_cast<drm_atom_submit *>(argument);
		sequence_ += s.jobs.count;
		s.seqno = sequence_;
		if (area_ != nullptr)
			*static_cast<std::uint64_t *>(area_) = sequence_; // retired at once
		return 0;
	}
	int mmap(std::size_t bytes, int protection, int fd, std::uint64_t offset,
	         void **address) override
	{
		const int error = real_->mmap(bytes, protection, fd, offset, address);
		if (offset >= 1ULL << 40)
			area_ = *address;
		return error;
	}
	int read(int, void *, std::size_t) override { return -ENOTTY; }
	void munmap(void *address, std::size_t bytes) override { real_->munmap(address, bytes); }
	int process_id() override { return sys::current_process(); }
	int list_accel_nodes(std::vector<sys::accel_node> &nodes) override
	{
		return real_->list_accel_nodes(nodes);
	}
	int follow_accel_nodes(std::unique_ptr<sys::node_monitor> &out) override
	{
		return real_->follow_accel_nodes(out);
	}
	int make_event(std::unique_ptr<sys::event> &out) override { return real_->make_event(out); }
	void describe_access(const char *, std::string &, std::string &) override {}

private:
	std::shared_ptr<fake_kernel> real_;
	void *area_ = nullptr;
	std::uint64_t sequence_ = 0;
};

} // namespace atom::test
