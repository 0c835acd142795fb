// SPDX-License-Identifier: MIT
#include "atom/queue.hpp"

#include <utility>

#include "core/access.hpp"
#include "core/failure.hpp"
#include "core/queue.hpp"

namespace atom {
inline namespace v1 {
namespace {

core::queue &live(const std::shared_ptr<core::queue> &q)
{
	if (!q)
		core::fail(errc::invalid_argument, "queue: it is empty");
	return *q;
}

} // namespace

queue::queue() noexcept = default;

queue::queue(const context &ctx, const queue_options &options)
{
	if (!ctx)
		core::fail(errc::invalid_argument, "create queue: the context is empty");
	impl_ = std::make_shared<core::queue>(core::access::ctx(ctx), options);
}

queue queue::create(const context &ctx, const queue_options &options, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(core::access::ctx(ctx)),
	                     [&] { return queue(ctx, options); });
}

queue::queue(queue &&) noexcept = default;

queue &queue::operator=(queue &&other) noexcept
{
	const queue old(std::move(*this));
	impl_ = std::move(other.impl_);
	return *this;
}

queue::~queue()
{
	if (!impl_)
		return;
	const core::told_at_end news(impl_.get());
	impl_->close();
}

fence queue::submit(span<const submission> jobs)
{
	const core::told_at_end news(impl_.get());
	const std::uint64_t last = live(impl_).submit(jobs);
	return core::access::fence(impl_, last);
}

fence queue::submit(span<const submission> jobs, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(impl_), [&] { return submit(jobs); });
}

completion queue::run(const submission &job, deadline until) { return submit(job).wait(until); }

completion queue::run(const submission &job, deadline until, std::error_code &ec) noexcept
{
	completion none;
	const fence done = submit(job, ec);
	if (!ec)
		return done.wait(until, ec);
	none.error = ec;
	return none;
}

fence queue::fence_of(std::uint64_t sequence) const
{
	if (sequence == 0 || sequence > live(impl_).submitted())
		core::fail(errc::invalid_argument, "fence of job " + std::to_string(sequence) +
		                                           ": no such job; there were " +
		                                           std::to_string(impl_->submitted()));
	return core::access::fence(impl_, sequence);
}

fence queue::last() const
{
	const std::uint64_t sequence = live(impl_).submitted();
	return sequence == 0 ? fence() : core::access::fence(impl_, sequence);
}

fence queue::last(std::error_code &ec) const noexcept
{
	return core::guarded(ec, core::device_of(impl_), [&] { return last(); });
}

fence queue::room_for(std::uint32_t jobs) const
{
	const std::uint64_t room = live(impl_).ring_entries();
	if (jobs > room)
		core::fail(errc::too_large, "room for " + std::to_string(jobs) +
		                                    " jobs: the queue has " + std::to_string(room) +
		                                    " entries");
	const std::uint64_t wanted = impl_->submitted() + jobs;
	if (wanted <= room || impl_->known(wanted - room))
		return {};
	return core::access::fence(impl_, wanted - room);
}

std::size_t queue::reap(span<completion> out)
{
	const core::told_at_end news(impl_.get());
	return live(impl_).take(out);
}

std::size_t queue::reap(span<completion> out, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(impl_), [&] { return reap(out); });
}

queue_state queue::state() const
{
	const core::told_at_end news(impl_.get());
	return live(impl_).state();
}

queue_state queue::state(std::error_code &ec) const noexcept
{
	return core::guarded(ec, core::device_of(impl_), [&] { return state(); });
}

std::uint32_t queue::id() const { return live(impl_).id(); }

std::uint32_t queue::ring_entries() const { return live(impl_).ring_entries(); }

} // namespace v1
} // namespace atom
