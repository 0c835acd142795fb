// SPDX-License-Identifier: MIT
// Devices that leave and drivers that go, again and again, while programs have jobs in flight.
#include "context.hpp"
#include "load.hpp"
#include "machine.hpp"
#include "stress.hpp"
#include "trouble.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

using namespace vmtest;

namespace {

class stress_life : public troubled {
protected:
	/** Calls @p lose, which takes the device and gives it back, while eight processes use it. */
	static void lose_and_regain(unsigned times, const std::function<void(unsigned)> &lose)
	{
		const counters before = read_counters();
		{
			load innocents({.allowed = losses::device});
			for (unsigned i = 0; i < times; ++i) {
				SCOPED_TRACE(i);
				const std::uint64_t told = innocents.told();
				ASSERT_NO_THROW(lose(i));
				ASSERT_EQ(innocents.await_progress(), "");
				ASSERT_GE(innocents.told(), told + 8) << "not everybody was told that the device was lost";
			}
			EXPECT_EQ(innocents.stop(), "");
		}
		EXPECT_EQ(await_counters(before), "");
	}
};

} // namespace

TEST_F(stress_life, a_device_that_is_pulled_or_asked_to_leave_comes_back_to_those_who_used_it)
{
	lose_and_regain(rounds(2, 100), [](unsigned i) {
		i % 2 ? unplug_device() : pull_device();
		plug_back();
	});
}

TEST_F(stress_life, a_driver_that_is_unbound_and_bound_again_serves_those_who_used_it)
{
	lose_and_regain(rounds(2, 100), [](unsigned) { rebind_driver(); });
}

TEST_F(stress_life, the_driver_can_be_unloaded_and_loaded_again)
{
	const std::size_t devices = device_nodes().size();
	ASSERT_GT(devices, 0u);
	for (unsigned round = 0; round < rounds(5, 50); ++round) {
		SCOPED_TRACE(round);
		ASSERT_NO_THROW(unload_driver());
		ASSERT_TRUE(device_nodes().empty());
		ASSERT_NO_THROW(load_driver(devices));
		context c;
		const memory m = c.alloc(page, DRM_ATOM_BO_LOCAL);
		ASSERT_NO_THROW(c.run(command_list(make_fill(tensor(ATOM_DTYPE_I32, {page / 4}, m.va), 0x01020304u + round))));
		ASSERT_EQ(m.as<std::uint32_t>()[page / 4 - 1], 0x01020304u + round);
	}
}
