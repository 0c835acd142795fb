// SPDX-License-Identifier: MIT
#include "atom/fence.hpp"

#include <utility>

#include "core/access.hpp"
#include "core/failure.hpp"
#include "core/fence_source.hpp"
#include "core/wait.hpp"
#include "decode/describe.hpp"

namespace atom {
inline namespace v1 {
namespace {

core::fence_source &live(const std::shared_ptr<core::fence_source> &s)
{
	if (!s)
		core::fail(errc::invalid_argument, "fence: it is empty");
	return *s;
}

core::syncobj &live(const std::shared_ptr<core::syncobj> &s)
{
	if (!s)
		core::fail(errc::invalid_argument, "timeline: the handle is empty");
	return *s;
}

void check_all(span<const fence> fences)
{
	if (fences.empty())
		core::fail(errc::invalid_argument, "wait for fences: there is none");
	for (const fence &f : fences)
		if (!f)
			core::fail(errc::invalid_argument, "wait for fences: one is empty");
}

deadline after(std::chrono::nanoseconds limit)
{
	const deadline now = std::chrono::steady_clock::now();
	return limit >= no_deadline - now ? no_deadline : now + limit;
}

} // namespace

std::string to_string(const fault &what)
{
	return decode::describe_fault({what.code, what.where, what.opcode, what.access,
	                               what.command, what.field, what.address});
}

std::string completion::to_string() const
{
	const std::string job = "job " + std::to_string(sequence) + ": ";
	if (!error)
		return job + "ok" +
		       (has_times ? ", " + std::to_string(end_ns - start_ns) + " ns" : "");
	if (!fault)
		return job + error.message();
	if (error == errc::job_fault)
		return job + atom::to_string(*fault);
	return job + error.message() + ", because job " + std::to_string(first_failed) +
	       " of its queue faulted: " + atom::to_string(*fault);
}

completion fence::wait(deadline until) const
{
	core::fence_source &source = live(source_);
	source.dev()->check_process("wait for fence");
	if (!source.wait(point_, until))
		core::fail(errc::timed_out,
		           "wait for fence " + std::to_string(point_) + ": the deadline passed");
	completion done = source.outcome(point_);
	if (done.error)
		throw job_error(done);
	return done;
}

completion fence::wait(deadline until, std::error_code &ec) const noexcept
{
	completion done = core::guarded(ec, [&] {
		core::fence_source &source = live(source_);
		source.dev()->check_process("wait for fence");
		if (!source.wait(point_, until))
			core::fail(errc::timed_out, "wait for fence: the deadline passed");
		return source.outcome(point_);
	});
	if (!ec)
		ec = done.error;
	else
		done.error = ec;
	return done;
}

completion fence::wait_for(std::chrono::nanoseconds limit) const { return wait(after(limit)); }

bool fence::ready() const { return live(source_).reached(point_); }

std::optional<completion> fence::status() const
{
	if (!ready())
		return std::nullopt;
	return source_->outcome(point_);
}

std::size_t wait_any(span<const fence> fences, deadline until)
{
	check_all(fences);
	const auto found = core::wait_any(fences, until);
	if (!found)
		core::fail(errc::timed_out, "wait for any of " + std::to_string(fences.size()) +
		                                    " fences: the deadline passed");
	return *found;
}

std::size_t wait_any(span<const fence> fences, deadline until, std::error_code &ec) noexcept
{
	return core::guarded(ec, [&] { return wait_any(fences, until); });
}

void wait_all(span<const fence> fences, deadline until)
{
	check_all(fences);
	if (!core::wait_all(fences, until))
		core::fail(errc::timed_out, "wait for all of " + std::to_string(fences.size()) +
		                                    " fences: the deadline passed");
	for (const fence &f : fences)
		f.wait(until);
}

void wait_all(span<const fence> fences, deadline until, std::error_code &ec) noexcept
{
	core::guarded(ec, [&] { wait_all(fences, until); });
}

timeline::timeline(const device &dev)
{
	if (!dev)
		core::fail(errc::invalid_argument, "create timeline: the device is empty");
	impl_ = std::make_shared<core::syncobj>(core::access::dev(dev));
}

timeline timeline::create(const device &dev, std::error_code &ec) noexcept
{
	return core::guarded(ec, [&] { return timeline(dev); });
}

std::uint64_t timeline::value() const { return live(impl_).value(); }

void timeline::signal(std::uint64_t point) { live(impl_).signal(point); }

fence timeline::at(std::uint64_t point) const
{
	live(impl_);
	if (point == 0)
		core::fail(errc::invalid_argument, "timeline: points count from 1");
	return core::access::fence(impl_, point);
}

} // namespace v1
} // namespace atom
