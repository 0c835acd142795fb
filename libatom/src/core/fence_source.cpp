// SPDX-License-Identifier: MIT
#include "core/fence_source.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "core/failure.hpp"

namespace atom::core {

std::int64_t kernel_time(deadline until)
{
	using std::chrono::nanoseconds;
	// steady_clock is CLOCK_MONOTONIC on Linux.
	const auto since_boot = std::chrono::duration_cast<nanoseconds>(until.time_since_epoch());
	return std::max<std::int64_t>(since_boot.count(), 0);
}

syncobj::syncobj(std::shared_ptr<core::device> dev) : device_(std::move(dev))
{
	device_->check_process("create timeline");
	check(device_->node().syncobj_create(handle_), "create timeline");
}

std::shared_ptr<syncobj> syncobj::import(std::shared_ptr<core::device> dev, int fd)
{
	dev->check_process("import timeline");
	std::uint32_t handle = 0;
	check(dev->node().syncobj_import(fd, handle), "import timeline");
	return std::shared_ptr<syncobj>(new syncobj(std::move(dev), handle));
}

syncobj::~syncobj()
{
	if (device_->owned())
		device_->node().syncobj_destroy(handle_);
}

std::uint64_t syncobj::value()
{
	std::uint64_t point = 0;
	check(device_->node().syncobj_query(handle_, false, point), "read timeline");
	note_reached(point);
	return point;
}

void syncobj::note_reached(std::uint64_t point) noexcept
{
	std::uint64_t before = reached_.load(std::memory_order_relaxed);
	while (before < point && !reached_.compare_exchange_weak(before, point))
		;
}

void syncobj::signal(std::uint64_t point)
{
	device_->check_process("signal timeline");
	const std::uint64_t now = value();
	if (point <= now)
		fail(errc::invalid_argument, "signal timeline: point " + std::to_string(point) +
		                                     " is not beyond its value, " +
		                                     std::to_string(now));
	check(device_->node().syncobj_signal(handle_, point), "signal timeline");
}

bool syncobj::reached(std::uint64_t point) { return known(point) || value() >= point; }

bool syncobj::wait(std::uint64_t point, deadline until)
{
	if (known(point))
		return true;
	const int error = device_->node().syncobj_wait(handle_, point, kernel_time(until));
	if (error == ETIME)
		return false;
	check(error, "wait for fence");
	note_reached(point);
	return true;
}

completion syncobj::outcome(std::uint64_t) { return {}; }

} // namespace atom::core
