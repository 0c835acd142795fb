// SPDX-License-Identifier: MIT
#include <cerrno>

#include <poll.h>

#include "core/device_monitor.hpp"
#include "fixture.hpp"

namespace atom::test {
namespace {

using kind = sys::node_event::kind;

class a_device_monitor : public testing::Test {
protected:
	std::shared_ptr<fake_kernel> kernel = std::make_shared<fake_kernel>();
	core::device_monitor monitor{kernel};

	static sys::node_event event(kind what, const char *path, const char *wedged = "")
	{
		return {what, {path, "0000:05:00.0", 1}, wedged};
	}
	[[nodiscard]] bool readable() const
	{
		pollfd p{monitor.fd(), POLLIN, 0};
		return ::poll(&p, 1, 0) == 1;
	}
};

TEST_F(a_device_monitor, starts_with_the_devices_that_are_there)
{
	ASSERT_EQ(monitor.devices().size(), 1U);
	EXPECT_EQ(monitor.devices()[0].path, "/dev/accel/accel0");
	EXPECT_FALSE(readable());
	EXPECT_FALSE(monitor.next());
}

TEST_F(a_device_monitor, tells_of_devices_that_come_and_go)
{
	kernel->tell(event(kind::added, "/dev/accel/accel10"));
	kernel->tell(event(kind::added, "/dev/accel/accel2"));
	EXPECT_TRUE(readable());
	EXPECT_EQ(monitor.next()->device.index, 1U);
	const auto second = monitor.next();
	ASSERT_TRUE(second);
	EXPECT_EQ(second->what, device_change_kind::added);
	EXPECT_EQ(second->device.bdf, "0000:05:00.0");
	EXPECT_EQ(second->device.index, 1U) << "accel2 stands before accel10";
	EXPECT_EQ(monitor.devices()[2].path, "/dev/accel/accel10");
	EXPECT_EQ(monitor.devices()[2].index, 2U);
	EXPECT_FALSE(monitor.next());
	EXPECT_FALSE(readable());

	kernel->tell(event(kind::removed, "/dev/accel/accel0"));
	const auto gone = monitor.next();
	ASSERT_TRUE(gone);
	EXPECT_EQ(gone->what, device_change_kind::removed);
	EXPECT_EQ(gone->device.bdf, "0000:01:00.0") << "the kernel has told the path only";
	EXPECT_EQ(monitor.devices().size(), 2U);
	EXPECT_EQ(monitor.devices()[0].index, 0U);
}

TEST_F(a_device_monitor, tells_nothing_twice)
{
	// Plugged in between the start of listening and the look at what is there.
	kernel->tell(event(kind::added, "/dev/accel/accel0"));
	EXPECT_FALSE(monitor.next());
	kernel->tell(event(kind::removed, "/dev/accel/accel7"));
	EXPECT_FALSE(monitor.next()) << "a device of another driver";
	EXPECT_EQ(monitor.devices().size(), 1U);
}

TEST_F(a_device_monitor, tells_a_dead_device_from_one_that_changed)
{
	kernel->tell(event(kind::changed, "/dev/accel/accel0"));
	EXPECT_EQ(monitor.next()->what, device_change_kind::changed);
	kernel->tell(event(kind::changed, "/dev/accel/accel0", "rebind,bus-reset"));
	const auto dead = monitor.next();
	ASSERT_TRUE(dead);
	EXPECT_EQ(dead->what, device_change_kind::wedged);
	EXPECT_EQ(dead->remedies, "rebind,bus-reset");
	kernel->tell(event(kind::changed, "/dev/accel/accel3"));
	EXPECT_EQ(monitor.next()->what, device_change_kind::added) << "its arrival was dropped";
}

TEST_F(a_device_monitor, says_when_it_cannot_listen)
{
	kernel->follow_error = ENOBUFS;
	EXPECT_THROW(core::device_monitor{kernel}, system_error);
	kernel->tell(event(kind::added, "/dev/accel/accel1"));
	EXPECT_THROW(monitor.next(), system_error);
	kernel->follow_error = 0;
	kernel->list_error = ENOMEM;
	error_of(errc::out_of_host_memory, [&] { core::device_monitor{kernel}; });
}

TEST(the_device_monitor_of_this_machine, can_be_polled_and_moved)
{
	device_monitor monitor;
	EXPECT_GE(monitor.fd(), 0);
	EXPECT_FALSE(monitor.next());
	EXPECT_EQ(monitor.devices().size(), enumerate().size());
	const device_monitor other = std::move(monitor);
	EXPECT_GE(other.fd(), 0);
	error_of(errc::invalid_argument, [&] { (void)monitor.fd(); });
	std::error_code ec;
	EXPECT_TRUE(device_monitor::create(ec));
	EXPECT_FALSE(ec);
}

} // namespace
} // namespace atom::test
