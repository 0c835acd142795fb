// SPDX-License-Identifier: MIT
// The driver's files in debugfs: what they tell, and that reading them at a bad moment harms nobody.
#include "context.hpp"
#include "machine.hpp"
#include "sysfs.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

using namespace vmtest;

namespace {

constexpr const char *files[] = {"counters", "users", "queues", "vms", "buffers", "rings", "faults", "registers"};

std::string read_debug(const std::string &name)
{
	const std::filesystem::path folder = "/sys/kernel/debug/accel";
	std::ifstream file(folder / sysfs_folder().filename() / name);
	std::ostringstream text;
	text << file.rdbuf();
	return text.str();
}

std::string hex(std::uint64_t value)
{
	std::ostringstream text;
	text << "0x" << std::hex << value;
	return text.str();
}

bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

} // namespace

TEST(debugfs, tells_queues_mappings_buffers_rings_and_registers)
{
	context c;
	const memory local = c.alloc(3 * page, DRM_ATOM_BO_LOCAL), target = c.alloc(page);
	const std::string label = "weights";
	drm_atom_bo_set_label name{local.bo.handle(), static_cast<__u32>(label.size()),
				   reinterpret_cast<std::uintptr_t>(label.data())};
	ASSERT_EQ(c.dev.try_call(DRM_IOCTL_ATOM_BO_SET_LABEL, &name), 0);
	c.run(command_list(make_copy_bytes(local.va, target.va, page)));

	EXPECT_TRUE(has(read_debug("queues"), "emitted 1 completed 1")) << read_debug("queues");
	EXPECT_TRUE(has(read_debug("vms"), hex(local.va) + " bytes 0x3000 offset 0x0 local")) << read_debug("vms");
	EXPECT_TRUE(has(read_debug("buffers"), "label=weights")) << read_debug("buffers");
	EXPECT_TRUE(has(read_debug("rings"), "tail 1 seqno 1")) << read_debug("rings");
	EXPECT_TRUE(has(read_debug("registers"), "seqno 1 head 1")) << read_debug("registers");
}

TEST(debugfs, a_label_with_a_line_of_its_own_is_one_line)
{
	const device dev;
	const buffer bo(dev, page);
	const std::string label = "mine\nclient 1 handle 1";
	drm_atom_bo_set_label name{bo.handle(), static_cast<__u32>(label.size()), reinterpret_cast<std::uintptr_t>(label.data())};
	ASSERT_EQ(dev.try_call(DRM_IOCTL_ATOM_BO_SET_LABEL, &name), 0);
	EXPECT_TRUE(has(read_debug("buffers"), "label=mine\\nclient 1 handle 1\n")) << read_debug("buffers");
}

TEST(debugfs, keeps_faults_and_names_the_failed_job)
{
	context c;
	const memory target = c.alloc(page);
	const std::uint64_t nowhere = c.space.reserve(mib);
	c.run_failing(command_list(make_copy_bytes(nowhere, target.va, 64)));
	EXPECT_TRUE(c.q.state().flags & DRM_ATOM_QUEUE_STATE_BANNED);
	EXPECT_TRUE(has(read_debug("faults"), "address not mapped at " + hex(nowhere))) << read_debug("faults");
	EXPECT_TRUE(has(read_debug("queues"), "job 1 failed: address not mapped at " + hex(nowhere))) << read_debug("queues");
}

TEST(debugfs, may_be_read_while_files_open_and_close)
{
	const counters before = read_counters();
	std::atomic<bool> stop = false;
	std::atomic<unsigned> reads = 0;
	std::thread reader([&] {
		while (!stop)
			for (const char *file : files) {
				read_debug(file);
				++reads;
			}
	});
	for (unsigned round = 0; round < 20 || reads < 80; ++round) {
		context c;
		const memory a = c.alloc(64 * page), b = c.alloc(64 * page, DRM_ATOM_BO_LOCAL);
		c.run(command_list(make_copy_bytes(a.va, b.va, 64 * page)));
		const queue second(c.dev, c.space);
	}
	stop = true;
	reader.join();
	EXPECT_EQ(await_counters(before), "");
}
