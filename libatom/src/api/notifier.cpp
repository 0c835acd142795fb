// SPDX-License-Identifier: MIT
#include "atom/notifier.hpp"

#include "core/access.hpp"
#include "core/failure.hpp"
#include "core/notifier.hpp"

namespace atom {
inline namespace v1 {
namespace {

core::notifier &live(const std::unique_ptr<core::notifier> &n)
{
	if (!n)
		core::fail(errc::invalid_argument, "notifier: it is empty");
	return *n;
}

} // namespace

notifier::notifier() noexcept = default;

notifier::notifier(const device &dev)
{
	if (!dev)
		core::fail(errc::invalid_argument, "create notifier: the device is empty");
	impl_ = std::make_unique<core::notifier>(core::access::dev(dev));
}

notifier notifier::create(const device &dev, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::access::dev(dev).get(), [&] { return notifier(dev); });
}

notifier::notifier(notifier &&) noexcept = default;
notifier &notifier::operator=(notifier &&) noexcept = default;
notifier::~notifier() = default;

int notifier::fd() const { return live(impl_).event().fd(); }

void notifier::watch(const fence &what)
{
	core::notifier &n = live(impl_);
	if (!what)
		core::fail(errc::invalid_argument, "watch fence: the fence is empty");
	const core::told_at_end news(core::access::source(what).get());
	n.watch(core::access::source(what), what.point());
}

void notifier::watch(const fence &what, std::error_code &ec) noexcept
{
	core::guarded(ec, core::device_of(core::access::source(what)), [&] { watch(what); });
}

bool notifier::watch_unless_ready(const fence &what)
{
	core::notifier &n = live(impl_);
	if (!what)
		core::fail(errc::invalid_argument, "watch fence: the fence is empty");
	const core::told_at_end news(core::access::source(what).get());
	return n.watch_unless_ready(core::access::source(what), what.point());
}

bool notifier::watch_unless_ready(const fence &what, std::error_code &ec) noexcept
{
	return core::guarded(ec, core::device_of(core::access::source(what)),
	                     [&] { return watch_unless_ready(what); });
}

void notifier::clear() { live(impl_).clear(); }

} // namespace v1
} // namespace atom
