// SPDX-License-Identifier: MIT
// The attributes of the PCI function, and the document that describes them.
#include "context.hpp"
#include "machine.hpp"
#include "sysfs.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace vmtest;
namespace fs = std::filesystem;

namespace {

/** Files in @p folder and one level below, without the folders that the kernel keeps there for others. */
std::set<std::string> files_in(const fs::path &folder)
{
	static const std::set<std::string> others{"accel", "hwmon", "power", "msi_irqs", "link"};
	std::set<std::string> names;
	for (const auto &entry : fs::directory_iterator(folder)) {
		const std::string name = entry.path().filename();
		if (entry.is_symlink() || others.contains(name))
			continue;
		if (!entry.is_directory())
			names.insert(name);
		else
			for (const auto &inner : fs::directory_iterator(entry.path()))
				names.insert(name + "/" + inner.path().filename().string());
	}
	return names;
}

std::set<std::string> sensor_files()
{
	std::set<std::string> names;
	for (const auto &entry : fs::directory_iterator(hwmon_folder()))
		if (entry.is_regular_file() && entry.path().filename() != "uevent")
			names.insert("hwmon/hwmon<i>/" + entry.path().filename().string());
	return names;
}

std::set<std::string> documented()
{
	const std::string what = "What:\t\t/sys/bus/pci/drivers/atom_npu/.../";
	std::ifstream file(ATOM_ABI_DOCUMENT);
	std::set<std::string> names;
	std::string line;
	while (std::getline(file, line))
		if (line.starts_with(what))
			names.insert(line.substr(what.size()));
	return names;
}

unsigned mode_of(const fs::path &file)
{
	struct stat status;
	return stat(file.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}
}

std::uint64_t number(const std::string &name) { return read_number(sysfs_folder() / name); }


TEST(sysfs, has_the_attributes_that_are_documented_and_no_others)
{
	const fs::path folder = sysfs_folder();
	auto with_driver = files_in(folder);
	const auto sensors = sensor_files();
	unload_driver();
	const auto without_driver = files_in(folder);
	load_driver(1);
	for (const auto &name : without_driver)
		with_driver.erase(name);
	with_driver.insert(sensors.begin(), sensors.end());
	EXPECT_EQ(with_driver, documented());
	EXPECT_GT(documented().size(), 40u);
}

TEST(sysfs, everybody_may_read_every_attribute_and_root_alone_may_write_the_time_outs_and_quotas)
{
	const fs::path folder = sysfs_folder();
	for (const auto &name : documented())
		if (!name.starts_with("hwmon/")) {
			const bool writable = name.starts_with("job_timeout") || name.starts_with("quota/");
			EXPECT_EQ(mode_of(folder / name), writable ? 0644u : 0444u) << name;
			EXPECT_FALSE(read_line(folder / name).empty()) << name;
		}
}

TEST(sysfs, a_time_out_that_was_written_holds_for_queues_made_afterwards)
{
	const fs::path file = sysfs_folder() / "job_timeout_ms", most = sysfs_folder() / "job_timeout_max_ms";
	const std::string before = read_line(file), most_before = read_line(most);
	EXPECT_EQ(write_error(most, "600000"), 0);
	{
		const context long_one(0, {.job_timeout_ms = 600000});
		EXPECT_EQ(long_one.dev.info().job_timeout_max_ms, 600000u);
	}
	EXPECT_EQ(write_error(most, "20000"), 0);
	EXPECT_THROW(context(0, {.job_timeout_ms = 20001}), std::runtime_error);
	EXPECT_EQ(write_error(file, "150"), 0);
	EXPECT_EQ(device().info().job_timeout_ms, 150u);

	EXPECT_EQ(write_error(file, before), 0);
	EXPECT_EQ(write_error(most, most_before), 0);
}

TEST(sysfs, a_time_out_that_is_no_number_or_out_of_range_is_refused)
{
	const fs::path file = sysfs_folder() / "job_timeout_ms", most = sysfs_folder() / "job_timeout_max_ms";
	const std::string before = read_line(file), most_before = read_line(most);
	for (const char *wrong : {"0", "-1", "soup", "4294967296", "60001"})
		EXPECT_NE(write_error(file, wrong), 0) << wrong;
	for (const char *wrong : {"0", "soup", "9999", "3600001"})
		EXPECT_NE(write_error(most, wrong), 0) << wrong;
	EXPECT_EQ(read_line(file), before);
	EXPECT_EQ(read_line(most), most_before);
}

TEST(sysfs, tells_what_the_ioctls_tell)
{
	const device dev;
	const auto &info = dev.info();
	char serial[17];
	std::snprintf(serial, sizeof(serial), "%016llx", static_cast<unsigned long long>(info.serial));
	const fs::path folder = sysfs_folder();
	EXPECT_EQ(read_line(folder / "serial"), serial);
	EXPECT_EQ(read_line(folder / "uuid").size(), 36u);
	EXPECT_EQ(read_line(folder / "state"), "ok");
	EXPECT_EQ(read_line(folder / "platform"), "emulator");
	EXPECT_EQ(number("fw_version"), info.fw_version);
	EXPECT_EQ(number("queues_max"), info.queues_max);
	EXPECT_EQ(number("contexts_max"), info.vms_max);
	EXPECT_EQ(number("job_timeout_ms"), info.job_timeout_ms);
	EXPECT_EQ(number("job_timeout_max_ms"), info.job_timeout_max_ms);
	EXPECT_EQ(number("memory/local_total"), dev.memory().local_size);
	EXPECT_EQ(number("memory/shm_total"), dev.memory().shm_size);
}

TEST(sysfs, counts_what_programs_hold)
{
	const auto clients = number("clients"), contexts = number("contexts"), queues = number("queues"),
		   used = number("memory/local_used"), done = number("jobs_done");
	context c;
	const memory local = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	EXPECT_EQ(number("clients"), clients + 1);
	EXPECT_EQ(number("contexts"), contexts + 1);
	EXPECT_EQ(number("queues"), queues + 1);
	EXPECT_GE(number("memory/local_used"), used + mib);
	c.run(command_list(make_nop()));
	EXPECT_EQ(number("jobs_done"), done + 1);
}

TEST(sysfs, counts_a_fault_and_the_reset_that_follows)
{
	const auto faults = number("errors/job_faults"), resets = number("errors/queue_resets");
	context c, bystander;
	const memory target = c.alloc(page);
	c.run_failing(command_list(make_copy_bytes(c.space.reserve(page), target.va, page)));
	EXPECT_EQ(number("errors/job_faults"), faults + 1);
	EXPECT_TRUE(eventually([&] { return number("errors/queue_resets") == resets + 1; }));
	bystander.run(command_list(make_nop()));
	EXPECT_EQ(number("errors/job_faults"), faults + 1) << "a good job was counted";
}

TEST(sysfs, a_file_that_was_open_when_the_driver_left_reads_an_error)
{
	const int fd = ::open((sysfs_folder() / "pstate").c_str(), O_RDONLY);
	ASSERT_GE(fd, 0);
	unload_driver();
	char buffer[16];
	EXPECT_LT(::read(fd, buffer, sizeof(buffer)), 0);
	::close(fd);
	load_driver(1);
	EXPECT_EQ(read_line(sysfs_folder() / "state"), "ok");
}
