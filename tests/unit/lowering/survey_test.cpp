// SPDX-License-Identifier: MIT
// Which nodes can be lowered, for who has another place for the others.
#include <gtest/gtest.h>

#include "atom_onnx/survey.hpp"
#include "graphs.hpp"

namespace {

using namespace atom_onnx;
using namespace lowering_test;

TEST(survey, goes_on_behind_a_node_that_is_refused_if_its_result_is_told)
{
	for (const bool told : {true, false}) {
		graph_builder g;
		const value_id x = g.input(element_type::f32, {4});
		const value_id odd = g.node("NoSuchOperator", {x});
		if (told) {
			g.g.values[static_cast<std::size_t>(odd)].type = element_type::f32;
			g.g.values[static_cast<std::size_t>(odd)].dims = shape{4};
		}
		g.output(g.node("Relu", {odd}));
		const findings f = survey(g.g);
		ASSERT_EQ(f.nodes.size(), 2U);
		ASSERT_TRUE(f.nodes[0].refused);
		EXPECT_EQ(f.nodes[0].refused->why(), reason::not_lowered);
		EXPECT_EQ(f.nodes[1].refused.has_value(), !told);
		EXPECT_EQ(f.nodes[1].works, told);
	}
}

TEST(survey, tells_what_the_host_computes_and_that_it_is_no_work)
{
	graph_builder g;
	const value_id x = g.input(element_type::f32, {4, 7});
	const value_id size = g.node("Shape", {x});
	g.output(size);
	const findings f = survey(g.g);
	EXPECT_FALSE(f.nodes[0].works);
	ASSERT_TRUE(f.values[static_cast<std::size_t>(size)].host);
	EXPECT_EQ(f.values[static_cast<std::size_t>(size)].host->integers(),
	          (std::vector<std::int64_t>{4, 7}));
}

TEST(survey, tells_a_node_that_asks_for_an_input_from_one_that_asks_for_a_result)
{
	graph_builder g;
	const value_id x = g.input(element_type::f32, {6});
	const value_id from_outside = g.input(element_type::i64, {1});
	const value_id computed = g.node("ArgMax", {x});
	for (const value_id target : {from_outside, computed}) {
		const value_id out = g.node("Reshape", {x, target});
		g.g.values[static_cast<std::size_t>(out)].type = element_type::f32;
		g.g.values[static_cast<std::size_t>(out)].dims = shape{6};
		g.output(out);
	}
	const findings f = survey(g.g);
	EXPECT_TRUE(f.nodes[1].asks);
	EXPECT_FALSE(f.nodes[1].refused);
	ASSERT_TRUE(f.nodes[2].refused);
	EXPECT_EQ(f.nodes[2].refused->why(), reason::unknown_value);
}

} // namespace
