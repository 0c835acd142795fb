// SPDX-License-Identifier: MIT
// Devices that go away while programs use them, and come back.
#include "context.hpp"
#include "machine.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include <sys/mman.h>

using namespace vmtest;

namespace {

class hotplug : public troubled {
protected:
	/** A program in full swing whose device is taken by @p take. */
	static void lose_the_device(void (*take)())
	{
		auto c = std::make_unique<context>();
		const memory local = c->alloc(mib, DRM_ATOM_BO_LOCAL), system = c->alloc(mib);
		const mapping records(c->dev.fd(), c->q.completion_offset(), c->q.completion_bytes(), PROT_READ);
		std::memset(local.map.data(), 1, mib);
		const auto job = c->job(command_list(make_copy_bytes(system.va, local.va, mib)));
		for (int i = 0; i < 200; ++i)
			c->submit(job);
		take();
		// Either the fence signals, or DRM tells the waiter itself that the device has left.
		const int woken = c->timeline.try_wait(c->point, 60'000'000'000);
		EXPECT_TRUE(woken == 0 || woken == ENODEV) << "a waiter waits for a device that is gone: " << woken;
		drm_atom_bo_create create{};
		create.size = page;
		EXPECT_TRUE(eventually([&] { return try_create_buffer(c->dev, create) == ENODEV; }));
		EXPECT_EQ(c->q.try_submit(std::span(&job, 1)), ENODEV);
		const auto state = c->q.state();
		EXPECT_TRUE(state.flags & DRM_ATOM_QUEUE_STATE_DEVICE_LOST) << describe(state);
		// It goes on to tell what became of jobs: none is left.
		EXPECT_TRUE(eventually([&] { return c->q.state().completed == c->point; })) << describe(c->q.state());
		EXPECT_EQ(c->q.state().submitted, c->point);
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
	lose_the_device(pull_device);
	ASSERT_NO_THROW(plug_back());
}

TEST_F(hotplug, a_device_that_is_asked_to_leave_goes_while_programs_use_it)
{
	lose_the_device(unplug_device);
	ASSERT_NO_THROW(plug_back());
}

TEST_F(hotplug, the_driver_is_unbound_and_bound_again_while_a_program_uses_it)
{
	context c;
	const memory local = c.alloc(mib, DRM_ATOM_BO_LOCAL);
	const auto job = c.job(command_list(make_fill(tensor(ATOM_DTYPE_U8, {mib}, local.va), 3)));
	for (int i = 0; i < 100; ++i)
		c.submit(job);
	ASSERT_NO_THROW(rebind_driver());
	const int woken = c.timeline.try_wait(c.point, 60'000'000'000);
	EXPECT_TRUE(woken == 0 || woken == ENODEV) << woken;
	EXPECT_EQ(c.q.try_submit(std::span(&job, 1)), ENODEV);
	std::memset(local.map.data(), 4, mib);
	context again;
	EXPECT_NO_THROW(again.run(command_list(make_nop())));
}
