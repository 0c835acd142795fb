// SPDX-License-Identifier: MIT
// A program of its own: it counts what operator new gives.
#include <atomic>
#include <cstdlib>
#include <new>

#include "fixture.hpp"

namespace {

std::atomic<std::size_t> allocations{0};

} // namespace

// Once both are inlined GCC 12 sees free() of what operator new gave, and not that this operator new calls malloc().
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void *operator new(std::size_t bytes)
{
	++allocations;
	if (void *p = std::malloc(bytes == 0 ? 1 : bytes))
		return p;
	throw std::bad_alloc();
}

void operator delete(void *p) noexcept { std::free(p); }
void operator delete(void *p, std::size_t) noexcept { std::free(p); }

namespace atom::test {
namespace {

// A kernel that takes jobs and does nothing else, so that only libatom's allocations count.
class silent_kernel final : public sys::os {
public:
	explicit silent_kernel(std::shared_ptr<fake_kernel> real) : real_(std::move(real)) {}

	int open(const char *path, int flags) override { return real_->open(path, flags); }
	void close(int fd) override { real_->close(fd); }
	int ioctl(int fd, unsigned long request, void *argument) override
	{
		if (static_cast<std::uint32_t>(request) != number(DRM_IOCTL_ATOM_SUBMIT))
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
	void munmap(void *address, std::size_t bytes) override { real_->munmap(address, bytes); }
	int process_id() override { return 1; }
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

TEST(a_warm_queue, submits_without_allocating_memory)
{
	const auto kernel = std::make_shared<silent_kernel>(std::make_shared<fake_kernel>());
	const context ctx(core::access::wrap(core::device::open(kernel, "0")));
	queue q(ctx);
	const buffer data(ctx, 4096);
	const command_buffer commands =
		command_builder(ctx).fill(tensor(slot(1), dtype::i8, {64}), 0).finish();
	const args a{data};
	const std::vector<submission> jobs(32, submission(commands, a));
	for (int i = 0; i < 3000; ++i)
		q.submit(jobs);
	const std::size_t warm = allocations;
	for (int i = 0; i < 3000; ++i)
		q.submit(jobs);
	EXPECT_EQ(allocations, warm);
}

} // namespace
} // namespace atom::test
