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

// Whose log it goes to, if it goes wrong.
const core::device *device_of_first(span<const fence> fences)
{
	return fences.empty() ? nullptr : core::device_of(core::access::source(fences[0]));
}

struct all_told_at_end {
	explicit all_told_at_end(span<const fence> of) noexcept : fences(of) {}
	~all_told_at_end()
	{
		for (const fence &f : fences)
			core::access::source(f)->tell_news();
	}
	all_told_at_end(const all_told_at_end &) = delete;
	all_told_at_end &operator=(const all_told_at_end &) = delete;

	span<const fence> fences;
};

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
	const core::told_at_end news(source_.get());
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
	const core::told_at_end news(source_.get());
	completion done = core::guarded(ec, core::device_of(source_), [&] {
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

completion fence::wait_for(std::chrono::nanoseconds limit, std::error_code &ec) const noexcept
{
	return wait(after(limit), ec);
}

bool fence::ready() const
{
	const core::told_at_end news(source_.get());
	return live(source_).reached(point_);
}

bool fence::ready(std::error_code &ec) const noexcept
{
	return core::guarded(ec, core::device_of(source_), [&] { return ready(); });
}

std::optional<completion> fence::status(std::error_code &ec) const noexcept
{
	return core::guarded(ec, core::device_of(source_), [&] { return status(); });
}

std::optional<completion> fence::status() const
{
	const core::told_at_end news(source_.get());
	if (!live(source_).reached(point_))
		return std::nullopt;
	return source_->outcome(point_);
}

std::size_t wait_any(span<const fence> fences, deadline until)
{
	check_all(fences);
	const all_told_at_end news(fences);
	const auto found = core::wait_any(fences, until);
	if (!found)
		core::fail(errc::timed_out, "wait for any of " + std::to_string(fences.size()) +
		                                    " fences: the deadline passed");
	return *found;
}

std::size_t wait_any(span<const fence> fences, deadline until, std::error_code &ec) noexcept
{
	return core::guarded(ec, device_of_first(fences), [&] { return wait_any(fences, until); });
}

void wait_all(span<const fence> fences, deadline until)
{
	check_all(fences);
	const all_told_at_end news(fences);
	if (!core::wait_all(fences, until))
		core::fail(errc::timed_out, "wait for all of " + std::to_string(fences.size()) +
		                                    " fences: the deadline passed");
	for (const fence &f : fences)
		f.wait(until);
}

void wait_all(span<const fence> fences, deadline until, std::error_code &ec) noexcept
{
	core::guarded(ec, device_of_first(fences), [&] { wait_all(fences, until); });
}

timeline::timeline(const device &dev)
{
	if (!dev)
		core::fail(errc::invalid_argument, "create timeline: the device is empty");
	impl_ = std::make_shared<core::syncobj>(core::access::dev(dev));
}

timeline timeline::create(const device &dev, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::access::dev(dev).get(), [&] { return timeline(dev); });
}

std::uint64_t timeline::value() const { return live(impl_).value(); }

std::uint64_t timeline::value(std::error_code &ec) const noexcept
{
	return core::guarded(ec, core::device_of(impl_), [&] { return value(); });
}

void timeline::signal(std::uint64_t point) { live(impl_).signal(point); }

void timeline::signal(std::uint64_t point, std::error_code &ec) noexcept
{
	core::guarded(ec, core::device_of(impl_), [&] { signal(point); });
}

fence timeline::at(std::uint64_t point) const
{
	live(impl_);
	if (point == 0)
		core::fail(errc::invalid_argument, "timeline: points count from 1");
	return core::access::fence(impl_, point);
}

} // namespace v1
} // namespace atom
