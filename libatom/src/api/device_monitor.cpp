// SPDX-License-Identifier: MIT
#include "atom/device_monitor.hpp"

#include <utility>

#include "core/access.hpp"
#include "core/device_monitor.hpp"
#include "core/failure.hpp"

namespace atom {

atom::device_monitor core::access::wrap(std::unique_ptr<core::device_monitor> m)
{
	return atom::device_monitor(std::move(m));
}

inline namespace v1 {
namespace {

core::device_monitor &live(const std::unique_ptr<core::device_monitor> &m)
{
	if (!m)
		core::fail(errc::invalid_argument, "device monitor: it was moved from");
	return *m;
}

} // namespace

device_monitor::device_monitor() : impl_(std::make_unique<core::device_monitor>(sys::chosen_os()))
{
}
device_monitor::device_monitor(std::unique_ptr<core::device_monitor> impl) noexcept
	: impl_(std::move(impl))
{
}
device_monitor::device_monitor(device_monitor &&) noexcept = default;
device_monitor &device_monitor::operator=(device_monitor &&) noexcept = default;
device_monitor::~device_monitor() = default;

std::optional<device_monitor> device_monitor::create(std::error_code &ec) noexcept
{
	return core::guarded(ec, [] { return std::optional<device_monitor>(device_monitor()); });
}

const std::vector<device_node> &device_monitor::devices() const { return live(impl_).devices(); }

int device_monitor::fd() const { return live(impl_).fd(); }

std::optional<device_change> device_monitor::next() { return live(impl_).next(); }

std::optional<device_change> device_monitor::next(std::error_code &ec) noexcept
{
	return core::guarded(ec, [&] { return next(); });
}

} // namespace v1
} // namespace atom
