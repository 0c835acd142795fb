// SPDX-License-Identifier: MIT
// What the device has no type for is refused where the device would need it, and there alone.
#include <gtest/gtest.h>

#include "graphs.hpp"

namespace {

using namespace atom_onnx;
using namespace lowering_test;
using numbers = std::vector<std::int64_t>;

// A vector cut to n % 5 elements.
graph_builder cut_by_remainder(value_id &n)
{
	graph_builder g;
	const value_id data = g.input(element_type::i32, {4});
	n = g.input(element_type::i64, {1});
	const auto told = [&](std::int64_t v) {
		return g.constant(host_tensor::of(element_type::i64, {1}, numbers{v}));
	};
	g.output(g.node("Slice", {data, told(0), g.node("Mod", {n, told(5)})}));
	return g;
}

TEST(refusal, of_arithmetic_on_sizes_asks_for_the_input_that_they_come_from)
{
	value_id n = absent;
	const graph_builder g = cut_by_remainder(n);
	try {
		(void)lower(g.g);
		FAIL() << "lowered without knowing the size";
	} catch (const unsupported &e) {
		EXPECT_EQ(e.why(), reason::unknown_value);
		EXPECT_EQ(e.value(), n);
	}
	const host_tensor size = host_tensor::of(element_type::i64, {1}, numbers{8});
	options o;
	o.known.emplace(n, size);
	const numbers data{7, 5, 3, 1};
	EXPECT_EQ(run(g.g, {host_tensor::of(element_type::i32, {4}, data), size}, o),
	          (numbers{7, 5, 3}));
}

TEST(refusal, of_arithmetic_on_data_tells_the_type)
{
	graph_builder g;
	const value_id a = g.input(element_type::i64, {4});
	const value_id b = g.input(element_type::i64, {4});
	g.output(g.node("Identity", {g.node("Mod", {a, b})}));
	try {
		(void)lower(g.g);
		FAIL() << "lowered";
	} catch (const unsupported &e) {
		EXPECT_EQ(e.why(), reason::dtype);
	}
}

TEST(refusal, does_not_matter_for_what_nobody_reads)
{
	graph_builder g;
	const value_id a = g.input(element_type::i64, {2});
	(void)g.node("Mod", {a, a});
	g.output(g.node("Identity", {a}));
	EXPECT_EQ(run(g.g, {host_tensor::of(element_type::i64, {2}, numbers{3, -4})}),
	          (numbers{3, -4}));
}

} // namespace
