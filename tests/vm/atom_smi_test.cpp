// SPDX-License-Identifier: MIT
// atom-smi on the kernel's driver, as users of different rights call it.
#include "context.hpp"
#include "sysfs.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace vmtest;
namespace fs = std::filesystem;

namespace {

constexpr unsigned stranger = 65534;
constexpr unsigned render = 4321; ///< the device's group, whatever it is here
enum : int { ok = 0, failed = 4, no_permission = 7 };

struct answer {
	int status;
	std::string text; ///< of both, standard output and error
};

class atom_smi : public testing::Test {
protected:
	// What is built may lie where only root can look.
	static void SetUpTestSuite()
	{
		fs::create_directories(folder_);
		for (const char *file : {ATOM_SMI, LIBATOM})
			fs::copy_file(file, folder_ / fs::path(file).filename(), fs::copy_options::overwrite_existing);
	}

	void SetUp() override
	{
		struct stat before;
		ASSERT_EQ(stat(node_.c_str(), &before), 0);
		mode_ = before.st_mode & 07777U;
		ASSERT_EQ(chown(node_.c_str(), 0, render), 0);
		ASSERT_EQ(chmod(node_.c_str(), 0660), 0);
	}
	void TearDown() override
	{
		EXPECT_EQ(chown(node_.c_str(), 0, 0), 0);
		EXPECT_EQ(chmod(node_.c_str(), mode_), 0);
	}

	static answer run(unsigned uid, unsigned gid, const std::string &arguments)
	{
		const std::string command = "LD_LIBRARY_PATH=" + folder_.string() + " setpriv --reuid=" + std::to_string(uid) +
					    " --regid=" + std::to_string(gid) + " --clear-groups " +
					    (folder_ / "atom-smi").string() + " " + arguments + " 2>&1 </dev/null";
		FILE *const pipe = popen(command.c_str(), "re");
		if (!pipe)
			throw std::runtime_error("cannot run " + command);
		answer got{};
		std::array<char, 4096> part;
		while (const std::size_t bytes = fread(part.data(), 1, part.size(), pipe))
			got.text.append(part.data(), bytes);
		const int status = pclose(pipe);
		got.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		return got;
	}

	static inline const fs::path folder_ = "/tmp/atom-smi";
	const std::string node_ = device_nodes().at(0);
	unsigned mode_ = 0;
};

} // namespace

TEST_F(atom_smi, a_user_without_any_right_reads_all_that_operators_read)
{
	for (const char *command : {"", "info", "ps", "topo", "events", "metrics", "set", "version"}) {
		const answer got = run(stranger, stranger, command);
		EXPECT_EQ(got.status, ok) << command << ": " << got.text;
	}
	const std::string metrics = run(stranger, stranger, "metrics").text;
	for (const char *name : {"atom_temperature_celsius{", "atom_power_watts{", "atom_energy_joules_total{",
				 "atom_utilisation_ratio{", "atom_memory_bytes{", "atom_jobs_done_total{"})
		EXPECT_NE(metrics.find(name), std::string::npos) << name << " is not in:\n" << metrics;
	EXPECT_NE(run(stranger, stranger, "--json").text.find('"' + read_line(sysfs_folder() / "serial") + '"'), std::string::npos);
}

TEST_F(atom_smi, a_user_without_any_right_is_told_which_one_is_missing)
{
	for (const char *command : {"validate --quick", "set job-timeout 500"}) {
		const answer got = run(stranger, stranger, command);
		EXPECT_EQ(got.status, no_permission) << command << ": " << got.text;
	}
	const answer doctor = run(stranger, stranger, "doctor");
	EXPECT_EQ(doctor.status, 1);
	EXPECT_NE(doctor.text.find("usermod -aG render"), std::string::npos) << doctor.text;
}

TEST_F(atom_smi, a_member_of_the_devices_group_may_validate_it_but_not_change_it)
{
	const answer validated = run(stranger, render, "validate --quick");
	EXPECT_EQ(validated.status, ok) << validated.text;
	EXPECT_EQ(validated.text.find("FAILED"), std::string::npos) << validated.text;
	EXPECT_EQ(run(stranger, render, "doctor").status, ok);
	EXPECT_EQ(run(stranger, render, "set job-timeout 500").status, no_permission);
}

TEST_F(atom_smi, root_sets_a_time_out)
{
	const std::string before = read_line(sysfs_folder() / "job_timeout_ms");
	EXPECT_EQ(run(0, 0, "set job-timeout 1234").status, ok);
	EXPECT_EQ(read_line(sysfs_folder() / "job_timeout_ms"), "1234");
	const answer refused = run(0, 0, "set job-timeout 3600001");
	EXPECT_EQ(refused.status, 2);
	EXPECT_NE(refused.text.find("the driver refuses 3600001"), std::string::npos) << refused.text;
	EXPECT_EQ(run(0, 0, "set job-timeout " + before).status, ok);
}

TEST_F(atom_smi, root_sees_who_uses_the_device)
{
	context c;
	c.run(command_list(make_nop()));
	const answer got = run(0, 0, "ps");
	EXPECT_EQ(got.status, ok);
	EXPECT_NE(got.text.find(' ' + std::to_string(getpid()) + ' '), std::string::npos) << got.text;
}

TEST_F(atom_smi, root_resets_a_device_that_others_use_only_by_force)
{
	context c;
	c.run(command_list(make_nop()));
	const answer held = run(0, 0, "reset");
	EXPECT_EQ(held.status, failed);
	EXPECT_NE(held.text.find("--force"), std::string::npos) << held.text;

	const answer forced = run(0, 0, "reset --force");
	EXPECT_EQ(forced.status, ok) << forced.text;
	EXPECT_NE(run(stranger, stranger, "events").text.find("device_reset: "), std::string::npos);
	EXPECT_EQ(run(0, 0, "validate --quick").status, ok);
}
