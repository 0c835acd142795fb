// SPDX-License-Identifier: MIT
#include "networks.hpp"
#include "results.hpp"

#include <gtest/gtest.h>

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

} // namespace
} // namespace bench
