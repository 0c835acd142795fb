// SPDX-License-Identifier: MIT
// A client whose threads race on one file, with hostile arguments: errors at worst, for itself alone.
#include "context.hpp"
#include "host_memory.hpp"
#include "hostile_client.hpp"
#include "load.hpp"
#include "machine.hpp"
#include "stress.hpp"
#include "trouble.hpp"
#include "users.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <new>

using namespace vmtest;

TEST(stress_hostile, threads_that_race_on_one_file_get_errors_at_worst_and_nobody_else_notices)
{
	const counters before = read_counters();
	const std::uint32_t generation = device_generation();
	const host_memory shared(sizeof(hostile_report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
	auto *report = new (shared.data()) hostile_report{};
	{
		context bystander;
		const memory system = bystander.alloc(mib), local = bystander.alloc(mib, DRM_ATOM_BO_LOCAL);
		for (const memory *kept : {&system, &local})
			fill_pattern(kept->as<std::uint32_t>(), 11);
		load innocents({.processes = 2});
		for (unsigned round = 0; round < rounds(3, 200); ++round) {
			SCOPED_TRACE("round " + std::to_string(round));
			user_child attacker(alice, [&] { run_hostile_client(round, 2, *report); });
			ASSERT_EQ(attacker.wait(), 0) << "it did not end by itself";
			ASSERT_EQ(report->surprise, 0) << std::strerror(report->surprise) << " in " << name_of(report->surprised_in);
		}
		EXPECT_EQ(innocents.await_progress(), "");
		EXPECT_EQ(innocents.stop(), "");
		for (const memory *kept : {&system, &local})
			EXPECT_EQ(find_damage(kept->as<std::uint32_t>(), 11), -1);
		EXPECT_NO_THROW(bystander.run(command_list(make_copy_bytes(system.va, local.va, mib))));
	}
	for (std::size_t i = 0; i < hostile_deeds; ++i) {
		const char *name = name_of(static_cast<hostile_deed>(i));
		EXPECT_GT(report->accepted[i] + report->refused[i], 0u) << name;
		std::printf("%s: %llu accepted, %llu refused\n", name, static_cast<unsigned long long>(report->accepted[i]),
			    static_cast<unsigned long long>(report->refused[i]));
	}
	EXPECT_GT(report->jobs, 0u);
	std::printf("%llu jobs ran\n", static_cast<unsigned long long>(report->jobs));
	EXPECT_EQ(device_generation(), generation) << "the device was reset";
	EXPECT_EQ(await_counters(before), "");
}
