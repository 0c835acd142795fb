// SPDX-License-Identifier: MIT
#include "atom/device.hpp"

#include <utility>

#include "core/access.hpp"
#include "core/context.hpp"
#include "core/device.hpp"
#include "core/failure.hpp"

namespace atom {
inline namespace v1 {
namespace {

const core::device &open_one(const std::shared_ptr<core::device> &d)
{
	if (!d)
		core::fail(errc::invalid_argument,
		           "device: the handle is empty; open a device first");
	return *d;
}

} // namespace

std::vector<device_node> enumerate() { return core::enumerate(*sys::chosen_os()); }

std::vector<device_node> enumerate(std::error_code &ec) noexcept
{
	return core::guarded(ec, [] { return enumerate(); });
}

device device::open(std::string_view which)
{
	return device(core::device::open(sys::chosen_os(), which));
}

device device::open(std::string_view which, std::error_code &ec) noexcept
{
	return core::guarded(ec, [&] { return open(which); });
}

device device::open(unsigned index) { return open(std::string_view(std::to_string(index))); }

device device::open(unsigned index, std::error_code &ec) noexcept
{
	return core::guarded(ec, [&] { return open(index); });
}

const device_info &device::info() const { return open_one(impl_).info(); }

memory_info device::memory() const
{
	memory_info out;
	core::check(open_one(impl_).node().query_memory(out), "read device memory");
	return out;
}

memory_info device::memory(std::error_code &ec) const noexcept
{
	return core::guarded(ec, impl_.get(), [&] { return memory(); });
}

atom::telemetry device::read_telemetry() const
{
	atom::telemetry out;
	core::check(open_one(impl_).node().query_telemetry(out), "read telemetry");
	return out;
}

atom::telemetry device::read_telemetry(std::error_code &ec) const noexcept
{
	return core::guarded(ec, impl_.get(), [&] { return read_telemetry(); });
}

clock_sample device::clock() const
{
	clock_sample out;
	core::check(open_one(impl_).node().query_clock(out), "read device clock");
	return out;
}

clock_sample device::clock(std::error_code &ec) const noexcept
{
	return core::guarded(ec, impl_.get(), [&] { return clock(); });
}

std::optional<device_event> device::next_event() const
{
	open_one(impl_);
	return impl_->next_event();
}

std::optional<device_event> device::next_event(std::error_code &ec) const noexcept
{
	return core::guarded(ec, impl_.get(), [&] { return next_event(); });
}

void device::set_log_sink(log_sink sink, log_level up_to) const
{
	open_one(impl_);
	impl_->set_log_sink(std::move(sink), up_to);
}

void device::set_log_sink(log_sink sink, log_level up_to, std::error_code &ec) const noexcept
{
	core::guarded(ec, impl_.get(), [&] { set_log_sink(std::move(sink), up_to); });
}

int device::fd() const { return open_one(impl_).node().fd(); }

context::context(const atom::device &dev)
{
	open_one(core::access::dev(dev));
	impl_ = std::make_shared<core::context>(core::access::dev(dev));
}

context context::create(const atom::device &dev, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::access::dev(dev).get(), [&] { return context(dev); });
}

context::context(const atom::device &dev, const context_options &options)
{
	open_one(core::access::dev(dev));
	impl_ = std::make_shared<core::context>(core::access::dev(dev), options);
}

context context::create(const atom::device &dev, const context_options &options,
                        std::error_code &ec) noexcept
{
	return core::guarded(ec, core::access::dev(dev).get(),
	                     [&] { return context(dev, options); });
}

atom::device context::device() const
{
	if (!impl_)
		core::fail(errc::invalid_argument, "context: the handle is empty");
	return core::access::wrap(impl_->dev());
}

context_options context::options() const
{
	if (!impl_)
		core::fail(errc::invalid_argument, "context: the handle is empty");
	return impl_->options();
}

} // namespace v1
} // namespace atom
