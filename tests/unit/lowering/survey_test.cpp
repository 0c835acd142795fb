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

TEST(survey, multiplications_of_a_node_follow_from_shapes)
{
	graph_builder g;
	const auto in = [&](const shape &dims) { return g.input(element_type::f32, dims); };
	const auto f32 = element_type::f32;
	const value_id image = in({2, 4, 10, 10});
	g.output(g.node("Conv", {image, in({6, 2, 3, 3})}, {{"group", std::int64_t{2}}}));
	g.output(g.node("ConvTranspose", {image, in({4, 5, 2, 2})}));
	g.output(g.node("MatMul", {in({7, 1, 3, 8}), in({2, 8, 5})}));
	g.output(g.node("Gemm", {in({8, 3}), in({8, 5})}, {{"transA", std::int64_t{1}}}));
	g.output(g.node("Relu", {image}));
	const value_id unknown = g.node("NoSuchOperator", {image});
	g.output(g.node("MatMul", {unknown, image}));
	// Left to others, but its shapes are told.
	const value_id other = g.node("LSTM", {in({6, 1, 8}), in({1, 16, 8}), in({1, 16, 4})},
	                              {{"direction", std::string("odd")}});
	g.g.values[static_cast<std::size_t>(other)] = {"", value_kind::tensor, f32, shape{6, 1, 1, 4}, {}};
	g.output(other);
	const findings f = survey(g.g);
	const std::vector<double> expected{2. * 6 * 8 * 8 * 2 * 3 * 3, 2. * 4 * 10 * 10 * 5 * 2 * 2,
	                                   7. * 2 * 3 * 5 * 8,         3. * 5 * 8,
	                                   0,                          0,
	                                   0,                          6. * (16 * 8 + 16 * 4)};
	ASSERT_EQ(g.g.nodes.size(), expected.size());
	for (std::size_t i = 0; i < expected.size(); ++i)
		EXPECT_EQ(multiplications(g.g.nodes[i], f), expected[i]) << g.g.nodes[i].op_type;
	EXPECT_TRUE(f.nodes.back().refused);
}

} // namespace
