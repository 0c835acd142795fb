// SPDX-License-Identifier: MIT
#include "networks.hpp"
#include "report.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace bench {
namespace {

TEST(area_test, takes_the_first_hole_that_is_large_enough_and_joins_what_is_given_back)
{
	area a(0x1000, 256);
	const std::uint64_t first = a.take(64), second = a.take(65), third = a.take(1);
	EXPECT_EQ(first, 0x1000u);
	EXPECT_EQ(second, 0x1040u); // in steps of 64 bytes
	EXPECT_EQ(third, 0x10c0u);
	EXPECT_EQ(a.take(1), 0u);
	a.give_back(first, 64);
	EXPECT_EQ(a.take(128), 0u);
	a.give_back(second, 65);
	EXPECT_EQ(a.take(192), 0x1000u);
	EXPECT_EQ(a.peak(), 256u);
}

TEST(networks_test, have_the_multiply_accumulates_and_weights_that_are_published)
{
	const stream resnet = resnet50(ATOM_DTYPE_I8, 1);
	EXPECT_NEAR(static_cast<double>(resnet.macs()), 4.089e9, 0.0005e9);
	EXPECT_NEAR(static_cast<double>(resnet.weights()), 25.5e6, 0.05e6);
	EXPECT_EQ(resnet50(ATOM_DTYPE_I8, 8).macs(), 8 * resnet.macs());
	EXPECT_EQ(resnet50(ATOM_DTYPE_F16, 1).macs(), resnet.macs());
	const stream bert = bench::bert(ATOM_DTYPE_I8, bert_large);
	EXPECT_NEAR(static_cast<double>(bert.macs()), 123.2e9, 0.05e9);
	EXPECT_NEAR(static_cast<double>(bert.weights()), 302e6, 0.5e6);
}

TEST(networks_test, keep_their_activations_on_chip)
{
	EXPECT_LT(resnet50(ATOM_DTYPE_I8, 8).shm_peak(), shm_bytes);
	EXPECT_LT(bert(ATOM_DTYPE_I8, bert_large).shm_peak(), shm_bytes);
	EXPECT_LT(resnet50(ATOM_DTYPE_F16, 1).shm_peak(), shm_bytes);
}

TEST(model_test, the_constants_of_the_device_are_what_the_fit_gives)
{
	workloads w;
	const fit_result f = fit(w);
	for (const described_parameter &p : device_parameters()) {
		if (p.name == "utilisation") {
			EXPECT_EQ(p.from, "fitted");
			EXPECT_NEAR(p.value, f.utilisation, 0.00005);
		} else if (p.name == "launch") {
			EXPECT_EQ(p.from, "fitted");
			EXPECT_NEAR(p.value, f.launch_ns, 50);
		} else {
			EXPECT_NE(p.from, "fitted") << p.name << ": two are";
		}
	}
}

TEST(model_test, the_table_in_the_readme_is_the_one_of_the_device)
{
	std::ifstream file(EMULATOR_README);
	ASSERT_TRUE(file) << EMULATOR_README;
	const std::string readme{std::istreambuf_iterator<char>(file), {}};
	for (const described_parameter &p : device_parameters()) {
		char value[32];
		std::snprintf(value, sizeof value, "%.6g", p.value);
		const std::string row = "| `" + p.name + "` | " + value + " | " + p.unit + " | " + p.from + " | " + p.why + " |\n";
		EXPECT_NE(readme.find(row), std::string::npos) << row;
	}
}

TEST(model_test, keeps_to_the_published_means_and_to_the_measurements_that_were_held_out)
{
	workloads w;
	const auto values = w.values("");
	for (std::size_t i = 0; i < run_count; ++i)
		EXPECT_NEAR(values[i] / published_runs[i].reference, 1, published_runs[i].aim) << published_runs[i].what;
}

TEST(model_test, the_device_counts_the_work_that_the_networks_say)
{
	workloads w;
	for (const std::size_t i : {0u, 1u, 3u, 4u, 5u}) {
		std::uint64_t macs = 0;
		for (const atom_model_command_time &t : w.details(i, "").commands)
			macs += t.macs;
		EXPECT_EQ(macs, w.of(i).macs()) << published_runs[i].what;
	}
}

TEST(model_test, what_was_held_out_keeps_the_launch_that_was_measured_for_it)
{
	workloads w;
	EXPECT_EQ(w.details(4, "launch=1").launch_ns, 55'000u);
	EXPECT_EQ(w.details(0, "launch=1").launch_ns, 1u);
}

TEST(model_test, half_of_the_compute_rate_costs_a_network_that_is_bound_by_it_nearly_twice_the_time)
{
	workloads w;
	const double full = w.value(3, ""), half = w.value(3, "rate.int8=32e12");
	EXPECT_NEAR(half / full, 1.95, 0.05);
}

} // namespace
} // namespace bench
