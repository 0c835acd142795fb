// SPDX-License-Identifier: MIT
// Dumps of queues and devices that fail, as an operator finds them, and what atom-decode says of them.
#include "context.hpp"
#include "machine.hpp"
#include "sysfs.hpp"
#include "trouble.hpp"

#include "atom/hw/coredump.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using namespace vmtest;

namespace {

class coredump : public troubled {
protected:
	coredump() { throw_away(); }
	~coredump() override { throw_away(); }

	/** The files of all dumps there are. */
	static std::vector<fs::path> dumps()
	{
		std::vector<fs::path> out;
		std::error_code error;
		for (const auto &entry : fs::directory_iterator("/sys/class/devcoredump", error))
			if (fs::exists(entry.path() / "data"))
				out.push_back(entry.path() / "data");
		return out;
	}

	/** Waits for the one dump there is. */
	static fs::path wait_for_one()
	{
		if (!eventually([] { return !dumps().empty(); }))
			throw std::runtime_error("there is no dump");
		return dumps().front();
	}

	static std::string read(const fs::path &file)
	{
		std::ifstream stream(file, std::ios::binary);
		return {std::istreambuf_iterator<char>(stream), {}};
	}

	static atom_dump_header header_of(const std::string &dump)
	{
		atom_dump_header header{};
		if (dump.size() < sizeof(header))
			throw std::runtime_error("the dump has " + std::to_string(dump.size()) + " bytes");
		std::memcpy(&header, dump.data(), sizeof(header));
		return header;
	}

	/** What atom-decode prints of a dump that it finds nothing wrong with. */
	static std::string decoded(const fs::path &file)
	{
		FILE *const pipe = popen((std::string(ATOM_DECODE) + " " + file.string() + " 2>&1").c_str(), "re");
		if (!pipe)
			throw std::runtime_error("cannot run atom-decode");
		std::string text;
		std::array<char, 4096> part;
		while (const std::size_t bytes = fread(part.data(), 1, part.size(), pipe))
			text.append(part.data(), bytes);
		if (pclose(pipe) != 0)
			throw std::runtime_error("atom-decode refuses the dump: " + text);
		return text;
	}

	static std::string hex(std::uint64_t value)
	{
		std::array<char, 24> text;
		std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
		return text.data();
	}

	/** Also those that are on their way. */
	static void throw_away()
	{
		int looks = 0;
		const bool gone = eventually([&looks] {
			looks = dumps().empty() ? looks + 1 : 0;
			for (const fs::path &file : dumps())
				write_error(file, "1"); // it may go by itself
			return looks == 10;
		});
		if (!gone)
			throw std::runtime_error("the kernel keeps a dump that is not wanted");
	}
};

::testing::AssertionResult has(const std::string &text, const std::string &part)
{
	if (text.find(part) != std::string::npos)
		return ::testing::AssertionSuccess();
	return ::testing::AssertionFailure() << "\"" << part << "\" is not in\n" << text;
}

} // namespace

TEST_F(coredump, a_fault_of_an_address_tells_the_command_and_its_surroundings)
{
	context c;
	const memory target = c.alloc(page);
	const std::uint64_t nowhere = c.space.reserve(mib);
	c.run(command_list(make_nop()));
	c.run_failing(command_list(make_nop(5), make_copy_bytes(nowhere, target.va, 64)));
	const fs::path file = wait_for_one();
	const auto header = header_of(read(file));
	EXPECT_EQ(header.reason, static_cast<unsigned>(ATOM_DUMP_MMU_FAULT));
	EXPECT_EQ(header.flags, 0u);
	EXPECT_LE(header.bytes, ATOM_DUMP_BYTES_MAX);
	EXPECT_EQ(header.bytes, read(file).size());

	const std::string text = decoded(file);
	EXPECT_TRUE(has(text, "reason: mmu fault"));
	EXPECT_TRUE(has(text, "device: " + sysfs_folder().filename().string()));
	const std::string failed = text.substr(text.find("failed\n"), text.find("sections\n") - text.find("failed\n"));
	EXPECT_TRUE(has(failed, "job: 2\n"));
	EXPECT_TRUE(has(failed, "COPY (command 1), data of"));
	EXPECT_TRUE(has(failed, "read of address " + hex(nowhere)));
	EXPECT_TRUE(has(failed, "opcode: COPY"));
	EXPECT_TRUE(has(text, "STATUS: 0x"));
	EXPECT_TRUE(has(text, "STATE: 0x4"));
	EXPECT_TRUE(has(text, "tag: 5")) << "the command before it";
	EXPECT_TRUE(has(text, "va: " + hex(target.va)));
	EXPECT_TRUE(has(text, "status: ok")) << "the job before it";
	EXPECT_TRUE(has(text, "status: fault"));
}

TEST_F(coredump, a_hang_tells_the_job_that_hangs)
{
	context c(0, {.job_timeout_ms = 300});
	const memory a = c.alloc(page), b = c.alloc(page);
	inject("kind=hang,count=1");
	c.submit(command_list(make_copy_bytes(a.va, b.va, 64), make_nop(9)));
	c.submit(command_list(make_nop()));
	ASSERT_EQ(c.timeline.try_wait(2, 60'000'000'000), 0);
	const fs::path file = wait_for_one();
	EXPECT_EQ(header_of(read(file)).reason, static_cast<unsigned>(ATOM_DUMP_HANG));
	const std::string text = decoded(file);
	EXPECT_TRUE(has(text, "reason: hang"));
	EXPECT_TRUE(has(text, "job: 1\n"));
	EXPECT_TRUE(has(text, "opcode: COPY")) << "its command buffer";
	EXPECT_TRUE(has(text, "tag: 9"));
	EXPECT_TRUE(has(text, "flags: timed out, banned"));
	EXPECT_TRUE(has(text, "va: " + hex(a.va)));
}

TEST_F(coredump, a_reset_of_the_device_tells_why_and_what_was_on_it)
{
	context c(0, {.job_timeout_ms = 60'000}), idle;
	inject("kind=hang,count=1");
	c.submit(command_list(make_nop(3)));
	pause_ms(50);
	break_device();
	const fs::path file = wait_for_one();
	EXPECT_EQ(header_of(read(file)).queue, 0u);
	const std::string text = decoded(file);
	EXPECT_TRUE(has(text, "reason: device reset"));
	EXPECT_TRUE(has(text, "on_the_device\n"));
	EXPECT_TRUE(has(text, "job: 1\n"));
	EXPECT_TRUE(has(text, "ERROR_CODE: 0x"));
}

TEST_F(coredump, the_first_one_is_kept_until_somebody_has_seen_it)
{
	context first, second;
	for (context *c : {&first, &second})
		c->run_failing(command_list(make_copy_bytes(c->space.reserve(mib), c->alloc(page).va, 64)));
	const fs::path file = wait_for_one();
	pause_ms(200);
	ASSERT_EQ(dumps().size(), 1u);
	const std::string kept = read(file);
	EXPECT_EQ(read(file), kept) << "reading it changes it";
	throw_away();
	context third;
	third.run_failing(command_list(make_copy_bytes(third.space.reserve(mib), third.alloc(page).va, 64)));
	EXPECT_NE(read(wait_for_one()), kept);
}

TEST_F(coredump, what_a_job_says_wrongly_makes_none)
{
	context c;
	auto copy = make_copy_bytes(0, 0, 64);
	copy.header.reserved = 1;
	const auto state = c.run_failing(command_list(copy));
	EXPECT_EQ(state.fault_code, ATOM_FAULT_BAD_FIELD) << describe(state);
	pause_ms(300);
	EXPECT_TRUE(dumps().empty());
}

TEST_F(coredump, only_root_reads_what_it_has_of_programs)
{
	context c;
	c.run_failing(command_list(make_copy_bytes(c.space.reserve(mib), c.alloc(page).va, 64)));
	struct stat how {};
	ASSERT_EQ(stat(wait_for_one().c_str(), &how), 0);
	EXPECT_EQ(how.st_uid, 0u);
	EXPECT_EQ(how.st_mode & 0077, 0u);
}

TEST_F(coredump, a_command_buffer_that_nobody_maps_or_that_is_cut_off_is_left_out)
{
	context c;
	const memory target = c.alloc(page);
	const auto bytes = command_list(make_nop(1), make_copy_bytes(c.space.reserve(mib), target.va, 64)).finish();
	// Its second half lies behind the end of what is mapped.
	const std::uint64_t va = target.va + page - 48;
	std::memcpy(target.map.data() + page - 48, bytes.data(), 48);
	drm_atom_job job{};
	job.cmd_va = va;
	job.cmd_bytes = static_cast<std::uint32_t>(bytes.size());
	job.syncs.stride = sizeof(drm_atom_sync);
	c.run_failing(job);
	const std::string text = decoded(wait_for_one());
	EXPECT_TRUE(has(text, "left_out_bytes: " + std::to_string(bytes.size() - 48)));
	EXPECT_TRUE(has(text, "tag: 1"));
}

TEST_F(coredump, many_in_a_row_leave_nothing_behind)
{
	const counters before = read_counters();
	for (int i = 0; i < 20; ++i) {
		context c;
		c.run_failing(command_list(make_copy_bytes(c.space.reserve(mib), c.alloc(page).va, 64)));
		if (i % 5 == 0)
			throw_away();
	}
	EXPECT_EQ(await_counters(before), "");
}
