// SPDX-License-Identifier: MIT
// Arithmetic on i64 is exact, although the device computes with 32 bits.
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <random>

#include <gtest/gtest.h>

#include "graphs.hpp"

namespace {

using namespace atom_onnx;
using namespace lowering_test;
using integer = std::int64_t;
using numbers = std::vector<integer>;

// All pairs of numbers at the edges of halves and of the whole, and some of any size.
std::pair<numbers, numbers> pairs()
{
	constexpr integer least = std::numeric_limits<integer>::min();
	constexpr integer most = std::numeric_limits<integer>::max();
	numbers of{0, 1, -1, 2, -2, least, least + 1, most, most - 1, 0xffff, 0x10000, -0x10000};
	for (const integer edge : {integer{1} << 31, integer{1} << 32, integer{1} << 48})
		of.insert(of.end(), {edge - 1, edge, edge + 1, -edge - 1, -edge, -edge + 1});
	std::mt19937_64 random(1);
	for (int i = 0; i < 12; ++i)
		of.push_back(static_cast<integer>(random()) >> (4 * i));
	numbers a;
	numbers b;
	for (const integer x : of)
		for (const integer y : of) {
			a.push_back(x);
			b.push_back(y);
		}
	return {a, b};
}

integer wrapped(std::uint64_t v) { return static_cast<integer>(v); }
std::uint64_t bits(integer v) { return static_cast<std::uint64_t>(v); }

struct expectation {
	const char *op_type;
	std::function<integer(integer, integer)> of;
};

void PrintTo(const expectation &e, std::ostream *out) { *out << e.op_type; }

class wide : public testing::TestWithParam<expectation> {};

TEST_P(wide, agrees_with_the_host_on_every_pair)
{
	const auto [a, b] = pairs();
	const shape dims{static_cast<integer>(a.size())};
	graph_builder g;
	const value_id left = g.input(element_type::i64, dims);
	const value_id right = g.input(element_type::i64, dims);
	g.output(g.node(GetParam().op_type, {left, right}));
	const numbers got = run(g.g, {host_tensor::of(element_type::i64, dims, a),
	                              host_tensor::of(element_type::i64, dims, b)});
	ASSERT_EQ(got.size(), a.size());
	for (std::size_t i = 0; i < a.size(); ++i)
		ASSERT_EQ(got[i], GetParam().of(a[i], b[i])) << a[i] << ", " << b[i];
}

INSTANTIATE_TEST_SUITE_P(
	i64, wide,
	testing::Values(
		expectation{"Add", [](integer a, integer b) { return wrapped(bits(a) + bits(b)); }},
		expectation{"Sub", [](integer a, integer b) { return wrapped(bits(a) - bits(b)); }},
		expectation{"Mul", [](integer a, integer b) { return wrapped(bits(a) * bits(b)); }},
		expectation{"Min", [](integer a, integer b) { return std::min(a, b); }},
		expectation{"Max", [](integer a, integer b) { return std::max(a, b); }},
		expectation{"Equal", [](integer a, integer b) { return integer{a == b}; }},
		expectation{"Less", [](integer a, integer b) { return integer{a < b}; }},
		expectation{"LessOrEqual", [](integer a, integer b) { return integer{a <= b}; }},
		expectation{"Greater", [](integer a, integer b) { return integer{a > b}; }},
		expectation{"GreaterOrEqual", [](integer a, integer b) { return integer{a >= b}; }}),
	[](const auto &info) { return std::string(info.param.op_type); });

TEST(wide, is_negated_and_broadcasts)
{
	graph_builder g;
	const value_id row = g.input(element_type::i64, {1, 3});
	const value_id column = g.input(element_type::i64, {2, 1});
	g.output(g.node("Add", {row, g.node("Neg", {column})}));
	const integer large = integer{1} << 40;
	const numbers got =
		run(g.g, {host_tensor::of(element_type::i64, {1, 3}, numbers{0, large, -large}),
	                  host_tensor::of(element_type::i64, {2, 1}, numbers{1, -large})});
	EXPECT_EQ(got, (numbers{-1, large - 1, -large - 1, large, 2 * large, 0}));
}

TEST(wide, is_true_as_bool_if_any_bit_is_set)
{
	graph_builder g;
	const value_id in = g.input(element_type::i64, {4});
	g.output(g.node("Cast", {in}, {{"to", integer{9}}}));
	const numbers got = run(g.g, {host_tensor::of(element_type::i64, {4},
	                                              numbers{0, 1, integer{1} << 32,
	                                                      std::numeric_limits<integer>::min()})});
	EXPECT_EQ(got, (numbers{0, 1, 1, 1}));
}

} // namespace
