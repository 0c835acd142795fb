// SPDX-License-Identifier: MIT
// Functions that exporters write as several nodes become the epilogue of the command before them.
#include <functional>
#include <ostream>

#include <gtest/gtest.h>

#include "graphs.hpp"

namespace {

using namespace atom_onnx;
using namespace lowering_test;

/** A graph over x = a + b, which a command computes that has an epilogue. */
class function_graph {
public:
	value_id number(double v) { return g_.constant(host_tensor::of(element_type::f32, {}, std::vector{v})); }
	value_id node(const char *op, const std::vector<value_id> &in) { return g_.node(op, in); }
	void output(value_id v) { g_.output(v); }
	[[nodiscard]] const graph &get() const { return g_.g; }

	graph_builder g_;
	value_id a = g_.input(element_type::f32, {64});
	value_id b = g_.input(element_type::f32, {64});
	value_id x = g_.node("Add", {a, b});
};

struct function_case {
	const char *name;
	std::function<value_id(function_graph &, value_id x)> of;
};

void PrintTo(const function_case &c, std::ostream *out) { *out << c.name; }

value_id hard_swish(function_graph &g, value_id x, double most)
{
	const value_id gate = g.node("Clip", {g.node("Add", {x, g.number(3)}), g.number(0), g.number(most)});
	return g.node("Div", {g.node("Mul", {x, gate}), g.number(6)});
}

value_id error_of(function_graph &g, value_id x)
{
	const value_id inner = g.node("Div", {x, g.number(1.4142135381698608)});
	return g.node("Add", {g.node("Erf", {inner}), g.number(1)});
}

const function_case known[] = {
	{"hard_swish", [](function_graph &g, value_id x) { return hard_swish(g, x, 6); }},
	{"hard_swish_by_its_gate",
         [](function_graph &g, value_id x) {
		 value_id gate = g.node("HardSigmoid", {x});
		 g.g_.g.nodes.back().attributes = {{"alpha", 1.0F / 6}, {"beta", 0.5F}};
		 return g.node("Mul", {x, gate});
	 }},
	{"silu", [](function_graph &g, value_id x) { return g.node("Mul", {g.node("Sigmoid", {x}), x}); }},
	{"gelu_halved_first",
         [](function_graph &g, value_id x) {
		 const value_id half = g.node("Mul", {g.number(0.5), error_of(g, x)});
		 return g.node("Mul", {x, half});
	 }},
	{"gelu_halved_last",
         [](function_graph &g, value_id x) {
		 return g.node("Mul", {g.node("Mul", {x, error_of(g, x)}), g.number(0.5)});
	 }},
	{"gelu_of_half_x",
         [](function_graph &g, value_id x) {
		 const value_id gate = error_of(g, x);
		 return g.node("Mul", {g.node("Mul", {x, g.number(0.5)}), gate});
	 }},
};

const function_case others[] = {
	{"a_clip_at_five", [](function_graph &g, value_id x) { return hard_swish(g, x, 5); }},
	{"a_gate_of_something_else", [](function_graph &g, value_id x) { return g.node("Mul", {g.node("Sigmoid", {x}), g.a}); }},
	{"a_quotient_the_other_way_round",
         [](function_graph &g, value_id x) {
		 const value_id gate = g.node("Clip", {g.node("Add", {x, g.number(3)}), g.number(0), g.number(6)});
		 return g.node("Div", {g.number(6), g.node("Mul", {x, gate})});
	 }},
	{"a_gate_that_somebody_else_reads",
         [](function_graph &g, value_id x) {
		 const value_id gate = g.node("Sigmoid", {x});
		 return g.node("Sub", {g.node("Mul", {x, gate}), gate});
	 }},
};

/** Results in steps of 1/4096, so that they are whole numbers. */
std::vector<std::int64_t> steps(const function_case &c, bool fuse)
{
	function_graph g;
	const value_id scaled = g.node("Mul", {c.of(g, g.x), g.number(4096)});
	g.node("Cast", {scaled});
	g.g_.g.nodes.back().attributes = {{"to", static_cast<std::int64_t>(element_type::i32)}};
	g.output(g.g_.g.nodes.back().outputs[0]);
	std::vector<double> a;
	std::vector<double> b;
	for (int i = 0; i < 64; ++i) {
		a.push_back((i - 32) / 5.0);
		b.push_back(i % 7 / 10.0 + 0.01);
	}
	options o;
	o.fuse = fuse;
	return run(g.get(), {host_tensor::of(element_type::f32, {64}, a), host_tensor::of(element_type::f32, {64}, b)}, o);
}

std::size_t commands(const function_case &c)
{
	function_graph g;
	g.output(c.of(g, g.x));
	return lower(g.get()).commands();
}

class composite : public testing::TestWithParam<function_case> {};

TEST_P(composite, is_part_of_the_command_before_it)
{
	EXPECT_EQ(commands(GetParam()), 1U);
}

class not_composite : public testing::TestWithParam<function_case> {};

TEST_P(not_composite, is_left_as_it_is)
{
	EXPECT_GT(commands(GetParam()), 1U);
}

class any_function : public testing::TestWithParam<function_case> {};

TEST_P(any_function, gives_the_same_fused_or_not)
{
	const auto fused = steps(GetParam(), true);
	const auto single = steps(GetParam(), false);
	ASSERT_EQ(fused.size(), 64U);
	for (std::size_t i = 0; i < fused.size(); ++i)
		EXPECT_NEAR(static_cast<double>(fused[i]), static_cast<double>(single[i]), 1 + std::abs(single[i]) * 1e-5) << i;
}

TEST(composite_between, is_kept_apart_if_the_graph_gives_what_lies_between)
{
	function_graph g;
	const value_id gate = g.node("Sigmoid", {g.x});
	g.output(g.node("Mul", {g.x, gate}));
	g.output(gate);
	EXPECT_GT(lower(g.get()).commands(), 1U);
}

INSTANTIATE_TEST_SUITE_P(known, composite, testing::ValuesIn(known));
INSTANTIATE_TEST_SUITE_P(known, any_function, testing::ValuesIn(known));
INSTANTIATE_TEST_SUITE_P(others, any_function, testing::ValuesIn(others));
INSTANTIATE_TEST_SUITE_P(others, not_composite, testing::ValuesIn(others));

} // namespace
