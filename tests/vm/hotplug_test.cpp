// SPDX-License-Identifier: MIT
// Devices that go away while programs use them, and come back.
#include "context.hpp"
#include "machine.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <climits>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>

#include <sys/mman.h>

using namespace vmtest;

namespace {

class hotplug : public testing::Test {
protected:
	hotplug()
	{
		if (!has_control())
			throw std::runtime_error("there is no control port: the test must run in atom-vm");
	}

	/** A device in the slot again, and a driver that serves it. */
	static void plug_back_and_try()
	{
		std::string refusal;
		ASSERT_TRUE(eventually([&] {
			try {
				control("plug 0");
				return true;
			} catch (const std::exception &error) {
				refusal = error.what();
				return false;
			}
		}, 60)) << refusal;
		ASSERT_TRUE(eventually([] {
			try {
				context c;
				c.run(command_list(make_nop()));
				return true;
			} catch (const std::exception &) {
				return false;
			}
		}, 60)) << "the new device does not work";
	}

	/** A program in full swing whose device is taken by @p take. */
	static void lose_the_device(const char *take)
	{
		auto c = std::make_unique<context>();
		const memory local = c->alloc(mib, DRM_ATOM_BO_LOCAL), system = c->alloc(mib);
		const mapping records(c->dev.fd(), c->q.completion_offset(), c->q.completion_bytes(), PROT_READ);
		std::memset(local.map.data(), 1, mib);
		const auto job = c->job(command_list(make_copy_bytes(system.va, local.va, mib)));
		for (int i = 0; i < 200; ++i)
			c->submit(job);
		control(take);
		// Either the fence signals, or DRM tells the waiter itself that the device has left.
		const int woken = c->timeline.try_wait(c->point, 60'000'000'000);
		EXPECT_TRUE(woken == 0 || woken == ENODEV) << "a waiter waits for a device that is gone: " << woken;
	
		drm_atom_bo_create create{};
		create.size = page;
		EXPECT_TRUE(eventually([&] { return try_create_buffer(c->dev, create) == ENODEV; }));
		EXPECT_EQ(c->q.try_submit(std::span(&job, 1)), ENODEV);
		const auto state = c->q.state();
		EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_DEVICE_LOST) << describe(state);
		// Mappings stay readable and writable, whatever they hold: no SIGBUS.
		std::memset(local.map.data(), 2, mib);
		std::memset(system.map.data(), 2, mib);
		volatile std::uint64_t sum = 0;
		for (const std::uint64_t word : records.as<const std::uint64_t>())
			sum = sum + word;
		c->dev.close();
	}
};

} // namespace

TEST_F(hotplug, a_device_that_is_pulled_out_wakes_its_waiters_and_answers_enodev)
{
	lose_the_device("surprise-remove 0");
	plug_back_and_try();
}

TEST_F(hotplug, a_device_that_is_asked_to_leave_goes_while_programs_use_it)
{
	lose_the_device("unplug 0");
	plug_back_and_try();
}

TEST_F(hotplug, the_driver_is_unbound_and_bound_again_while_a_program_uses_it)
{
	const auto node = device_nodes().at(0);
	const std::string folder = "/sys/class/accel/" + node.substr(node.rfind('/') + 1) + "/device";
	char path[PATH_MAX];
	ASSERT_NE(realpath(folder.c_str(), path), nullptr);
	const std::string address = std::string(path).substr(std::string(path).rfind('/') + 1);
	const auto write_to = [&](const std::string &file) {
		const std::string command = "echo " + address + " >/sys/bus/pci/drivers/atom_npu/" + file;
		return run_program({"sh", "-c", command.c_str()});
	};
	context c;
	const memory local = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	const auto job = c.job(command_list(make_fill(tensor(ATOM_DTYPE_U8, {mib}, local.va), 3)));
	for (int i = 0; i < 100; ++i)
		c.submit(job);
	ASSERT_EQ(write_to("unbind"), 0);
	const int woken = c.timeline.try_wait(c.point, 60'000'000'000);
	EXPECT_TRUE(woken == 0 || woken == ENODEV) << woken;
	EXPECT_EQ(c.q.try_submit(std::span(&job, 1)), ENODEV);
	std::memset(local.map.data(), 4, mib);
	ASSERT_EQ(write_to("bind"), 0);
	ASSERT_TRUE(eventually([] { return device_nodes().size() == 1; }));
	context again;
	EXPECT_NO_THROW(again.run(command_list(make_nop())));
}
