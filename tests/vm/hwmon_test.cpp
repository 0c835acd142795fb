// SPDX-License-Identifier: MIT
// The sensors, as sensors(1) reads them.
#include "context.hpp"
#include "machine.hpp"
#include "sysfs.hpp"

#include <gtest/gtest.h>

using namespace vmtest;

namespace {

std::uint64_t sensor(const char *name) { return read_number(hwmon_folder() / name); }

drm_atom_dev_telemetry telemetry(const device &dev)
{
	drm_atom_dev_telemetry reading{};
	drm_atom_dev_query query{DRM_ATOM_DEV_QUERY_TELEMETRY, sizeof(reading), reinterpret_cast<std::uintptr_t>(&reading)};
	do_ioctl(dev.fd(), DRM_IOCTL_ATOM_DEV_QUERY, &query, "DEV_QUERY");
	return reading;
}

} // namespace

TEST(hwmon, tells_the_limits_of_the_temperature_in_order)
{
	const auto now = telemetry(device());
	EXPECT_EQ(sensor("temp1_max"), static_cast<std::uint64_t>(now.temp_throttle_mc));
	EXPECT_EQ(sensor("temp1_crit"), static_cast<std::uint64_t>(now.temp_abort_mc));
	EXPECT_EQ(sensor("temp1_emergency"), static_cast<std::uint64_t>(now.temp_shutdown_mc));
	EXPECT_LT(sensor("temp1_input"), sensor("temp1_max"));
	EXPECT_LT(sensor("temp1_max"), sensor("temp1_crit"));
	EXPECT_LT(sensor("temp1_crit"), sensor("temp1_emergency"));
	EXPECT_EQ(read_line(hwmon_folder() / "temp1_label"), "chip");
}

TEST(hwmon, tells_power_in_microwatts_and_an_energy_that_grows)
{
	const auto before = sensor("energy1_input");
	EXPECT_EQ(sensor("power1_average") % 1000, 0u);
	EXPECT_GT(sensor("power1_average"), 1'000'000u);
	EXPECT_TRUE(eventually([&] { return sensor("energy1_input") > before; }));
}

TEST(hwmon, raises_the_alarm_when_the_chip_is_hot_and_takes_it_back)
{
	if (!has_control())
		GTEST_SKIP() << "needs the control port of atom-vm";
	EXPECT_EQ(sensor("temp1_max_alarm"), 0u);
	control("inject 0 kind=thermal,temp_mc=78000");
	EXPECT_TRUE(eventually([] { return sensor("temp1_max_alarm") == 1; }));
	EXPECT_GE(sensor("temp1_input"), sensor("temp1_max"));
	EXPECT_NE(read_line(sysfs_folder() / "throttle").find("thermal"), std::string::npos);
	EXPECT_EQ(sensor("temp1_crit_alarm"), 0u);
	control("inject 0 kind=clear");
	EXPECT_TRUE(eventually([] { return sensor("temp1_max_alarm") == 0; }, 60));
	EXPECT_EQ(read_line(sysfs_folder() / "throttle"), "none");
}
