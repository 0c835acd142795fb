// SPDX-License-Identifier: MIT
// The bias of a convolution of quantised integers.
#include <array>

#include <gtest/gtest.h>

#include "graphs.hpp"

namespace {

using namespace atom_onnx;
using namespace lowering_test;

constexpr std::array weight_scales{0.25, 0.125};

value_id reals(graph_builder &g, const std::vector<double> &v)
{
	const auto count = static_cast<std::int64_t>(v.size());
	return g.constant(host_tensor::of(element_type::f32, count == 1 ? shape{} : shape{count}, v));
}

/** Results in steps of 1/4096 of x (u8, 2 pixels of 1 channel) times weights 3 and -5 plus @p bias. */
std::vector<std::int64_t> steps(const std::vector<double> &bias, double in_scale, const std::vector<std::int64_t> &x)
{
	graph_builder g;
	const value_id in = g.node("DequantizeLinear", {g.input(element_type::u8, {1, 1, 1, 2}), reals(g, {in_scale})});
	const value_id integers =
		g.constant(host_tensor::of(element_type::i8, {2, 1, 1, 1}, std::vector<std::int64_t>{3, -5}));
	const value_id weight =
		g.node("DequantizeLinear", {integers, reals(g, {weight_scales.begin(), weight_scales.end()})},
	               {{"axis", std::int64_t{0}}});
	const value_id sum = g.node("Conv", {in, weight, reals(g, bias)});
	g.output(g.node("Cast", {g.node("Mul", {sum, reals(g, {4096})})},
	                {{"to", static_cast<std::int64_t>(element_type::i32)}}));
	return run(g.g, {host_tensor::of(element_type::u8, {1, 1, 1, 2}, x)});
}

/** The same by hand. */
std::vector<std::int64_t> expected(const std::vector<double> &bias, double in_scale, const std::vector<std::int64_t> &x)
{
	std::vector<std::int64_t> all;
	for (std::size_t c = 0; c < bias.size(); ++c)
		for (const std::int64_t pixel : x) {
			const double product = static_cast<double>(pixel) * in_scale * (c == 0 ? 3 : -5) * weight_scales[c];
			all.push_back(static_cast<std::int64_t>((product + bias[c]) * 4096));
		}
	return all;
}

void expect_sums(const std::vector<double> &bias, double in_scale)
{
	const std::vector<std::int64_t> x{7, 200};
	EXPECT_EQ(steps(bias, in_scale, x), expected(bias, in_scale, x));
}

TEST(integer_bias, a_multiple_of_what_the_sums_stand_for_is_added) { expect_sums({-17 * 0.125, 1000 * 0.0625}, 0.5); }
TEST(integer_bias, a_channel_between_two_steps_keeps_its_fraction) { expect_sums({-17 * 0.125, 1000.5 * 0.0625}, 0.5); }
TEST(integer_bias, one_beyond_sums_of_32_bits_does_not_wrap) { expect_sums({0x1p31 * 0x1p-22, 0}, 0x1p-20); }

} // namespace
