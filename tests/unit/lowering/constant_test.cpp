// SPDX-License-Identifier: MIT
// Which operands are promised to the device to stay as they are, and what comes of it: a device may
// keep copies of these until their memory is unmapped.
#include <cstring>
#include <functional>
#include <ostream>

#include <gtest/gtest.h>

#include "atom/atom.hpp"
#include "atom/hw/command.h"
#include "graphs.hpp"

namespace {

using namespace atom_onnx;
using namespace lowering_test;

constexpr auto f32 = element_type::f32;

/** What a product or a convolution of a command buffer says of its weights. */
struct weights {
	bool promised;
	atom_tensor where;
};

std::vector<weights> weights_of(const program &p)
{
	std::vector<weights> all;
	const auto bytes = p.commands().bytes();
	atom_cmd_header header;
	for (std::size_t at = sizeof(atom_cmdbuf_header); at < bytes.size(); at += header.bytes) {
		std::memcpy(&header, bytes.data() + at, sizeof(header));
		if (header.opcode == ATOM_OP_GEMM) {
			atom_cmd_gemm c;
			std::memcpy(&c, bytes.data() + at, sizeof(c));
			all.push_back({(c.header.flags & ATOM_GEMM_B_CONSTANT) != 0, c.b});
		} else if (header.opcode == ATOM_OP_CONV2D || header.opcode == ATOM_OP_CONVT2D) {
			atom_cmd_conv2d c;
			std::memcpy(&c, bytes.data() + at, sizeof(c));
			all.push_back({(c.header.flags & ATOM_CONV_WEIGHT_CONSTANT) != 0, c.weight});
		}
	}
	return all;
}

/** Small integers that differ by @p seed, so that sums of products are exact. */
host_tensor numbers(element_type type, const shape &dims, int seed)
{
	std::vector<std::int64_t> values(static_cast<std::size_t>(count_of(dims)));
	for (std::size_t i = 0; i < values.size(); ++i)
		values[i] = static_cast<std::int64_t>((i * 7 + static_cast<std::size_t>(seed) * 5) % 11) - 5;
	return host_tensor::of(type, dims, values);
}

value_id scalar(graph_builder &g, double v) { return g.constant(host_tensor::of(f32, {}, std::vector{v})); }

/** Weights as a product or convolution of f32 gets them. */
using source = std::function<value_id(graph_builder &, const shape &, int seed)>;

value_id constant(graph_builder &g, const shape &dims, int seed) { return g.constant(numbers(f32, dims, seed)); }

value_id argument(graph_builder &g, const shape &dims, int /*seed*/) { return g.input(f32, dims); }

value_id computed(graph_builder &g, const shape &dims, int seed)
{
	return g.node("Mul", {g.constant(numbers(f32, dims, seed)), g.input(f32, {})});
}

// Integers that the device makes to floats, since what they are multiplied by are floats.
value_id dequantised(graph_builder &g, const shape &dims, int seed)
{
	return g.node("DequantizeLinear", {g.constant(numbers(element_type::i8, dims, seed)), scalar(g, 1)});
}

/** A graph of one command with weights from @p from. */
using consumer = std::function<value_id(graph_builder &, const source &from, int seed)>;

value_id matmul(graph_builder &g, const source &from, int seed)
{
	const value_id x = g.input(f32, {2, 8});
	return g.node("MatMul", {x, from(g, {8, 5}, seed)});
}

value_id gemm(graph_builder &g, const source &from, int seed)
{
	const value_id x = g.input(f32, {2, 8});
	return g.node("Gemm", {x, from(g, {5, 8}, seed)}, {{"transB", std::int64_t{1}}});
}

value_id conv(graph_builder &g, const source &from, int seed)
{
	const value_id x = g.input(f32, {1, 2, 4, 4});
	return g.node("Conv", {x, from(g, {3, 2, 3, 3}, seed)});
}

value_id conv_transpose(graph_builder &g, const source &from, int seed)
{
	const value_id x = g.input(f32, {1, 2, 4, 4});
	return g.node("ConvTranspose", {x, from(g, {2, 3, 3, 3}, seed)});
}

struct weights_case {
	const char *name;
	consumer of;
};

void PrintTo(const weights_case &c, std::ostream *out) { *out << c.name; }

const weights_case consumers[] = {
	{"matmul", matmul}, {"gemm", gemm}, {"conv", conv}, {"conv_transpose", conv_transpose}};

class constant_weights : public testing::TestWithParam<weights_case> {
protected:
	/** A graph with weights from @p from, whose result is of integers. */
	static graph of(const source &from, int seed = 1)
	{
		graph_builder g;
		const value_id y = GetParam().of(g, from, seed);
		g.output(g.node("Cast", {y}, {{"to", static_cast<std::int64_t>(element_type::i32)}}));
		return g.g;
	}
	/** The one command of such a graph. */
	weights lowered(const source &from) const
	{
		const auto all = weights_of(program(ctx, lower(of(from))));
		EXPECT_EQ(all.size(), 1U);
		return all.at(0);
	}
	static host_tensor image() { return numbers(f32, input_dims(), 3); }
	static shape input_dims()
	{
		graph_builder g;
		GetParam().of(g, constant, 1);
		return *g.g.values[static_cast<std::size_t>(g.g.inputs[0])].dims;
	}
	static shape weight_dims()
	{
		shape dims;
		graph_builder g;
		GetParam().of(g, [&](graph_builder &to, const shape &d, int seed) {
			dims = d;
			return constant(to, d, seed);
		}, 1);
		return dims;
	}

	atom::context ctx{atom::device::open("0")};
};

TEST_P(constant_weights, of_the_graph_are_promised)
{
	const weights w = lowered(constant);
	EXPECT_TRUE(w.promised);
	EXPECT_EQ(w.where.slot, 0U) << "what a slot means is another's to say";
}

TEST_P(constant_weights, that_are_arguments_are_not_promised) { EXPECT_FALSE(lowered(argument).promised); }
TEST_P(constant_weights, that_the_device_computes_are_not_promised) { EXPECT_FALSE(lowered(computed).promised); }
TEST_P(constant_weights, that_the_device_converts_are_not_promised) { EXPECT_FALSE(lowered(dequantised).promised); }

// The second program's weights come to lie where the first one's were.
TEST_P(constant_weights, of_programs_that_follow_each_other_are_each_one_s_own)
{
	const host_tensor x = image();
	std::uint64_t address = 0;
	for (const int seed : {1, 2, 3}) {
		runner r(ctx, program(ctx, lower(of(constant, seed))));
		const weights w = weights_of(r.program()).at(0);
		EXPECT_TRUE(w.promised);
		EXPECT_TRUE(address == 0 || address == w.where.offset) << "this test proves nothing";
		address = w.where.offset;
		const auto expected = run(of(argument), {x, numbers(f32, weight_dims(), seed)});
		EXPECT_EQ(r.run({x}), expected) << seed;
		EXPECT_EQ(r.run({x}), expected) << seed;
	}
}

TEST_P(constant_weights, that_an_argument_has_anew_count_at_once)
{
	const host_tensor x = image();
	runner r(ctx, program(ctx, lower(of(argument))));
	for (const int seed : {1, 2, 3})
		EXPECT_EQ(r.run({x, numbers(f32, weight_dims(), seed)}), run(of(constant, seed), {x})) << seed;
}

TEST_P(constant_weights, that_are_computed_anew_count_at_once)
{
	const host_tensor x = image();
	runner r(ctx, program(ctx, lower(of(computed))));
	const auto once = run(of(constant), {x});
	for (const std::int64_t factor : {1, 2, 3}) {
		auto expected = once;
		for (std::int64_t &v : expected)
			v *= factor;
		EXPECT_EQ(r.run({x, host_tensor::of(f32, {}, std::vector{factor})}), expected) << factor;
	}
}

INSTANTIATE_TEST_SUITE_P(of, constant_weights, testing::ValuesIn(consumers), [](const auto &c) { return std::string(c.param.name); });

// Large ones are shared by the programs of a pool, which lets go of them with the last program.
TEST(constants_of_a_pool, are_each_one_s_own_when_programs_follow_each_other)
{
	constexpr std::int64_t width = 128;
	const atom::context ctx(atom::device::open("0"));
	constant_pool pool(ctx);
	const host_tensor x = numbers(f32, {1, width}, 3);
	const auto product = [](const std::function<value_id(graph_builder &)> &by) {
		graph_builder g;
		const value_id in = g.input(f32, {1, width});
		const value_id y = g.node("MatMul", {in, by(g)});
		g.output(g.node("Cast", {y}, {{"to", static_cast<std::int64_t>(element_type::i32)}}));
		return g.g;
	};
	std::uint64_t address = 0;
	for (const int seed : {1, 2, 3}) {
		const host_tensor w = numbers(f32, {width, width}, seed);
		const graph constant = product([&](graph_builder &g) { return g.constant(w); });
		runner r(ctx, program(pool, lower(constant)));
		EXPECT_EQ(pool.bytes(), w.bytes().size());
		const weights told = weights_of(r.program()).at(0);
		EXPECT_TRUE(told.promised);
		EXPECT_TRUE(address == 0 || address == told.where.offset) << "this test proves nothing";
		address = told.where.offset;
		const graph given = product([](graph_builder &g) { return g.input(f32, {width, width}); });
		EXPECT_EQ(r.run({x}), run(given, {x, w})) << seed;
	}
	EXPECT_EQ(pool.bytes(), 0U);
}

// One command of integers, whose scales belong to what is promised.
TEST(constants_with_scales, are_promised_if_their_scales_are_constants)
{
	const atom::context ctx(atom::device::open("0"));
	graph_builder g;
	const auto scales = [&](std::int64_t count) {
		return g.constant(host_tensor::of(f32, {count}, std::vector<double>(static_cast<std::size_t>(count), 0.5)));
	};
	const value_id x = g.node("DequantizeLinear", {g.input(element_type::u8, {1, 2, 4, 4}), scalar(g, 1)});
	const value_id w = g.node("DequantizeLinear", {g.constant(numbers(element_type::i8, {3, 2, 3, 3}, 1)), scales(3)},
	                          {{"axis", std::int64_t{0}}});
	g.output(g.node("Conv", {x, w}));
	const program p(ctx, lower(g.g));
	const auto all = weights_of(p);
	ASSERT_EQ(all.size(), 1U);
	EXPECT_EQ(all[0].where.dtype, ATOM_DTYPE_I8);
	EXPECT_EQ(all[0].where.quant.kind, ATOM_QUANT_PER_CHANNEL);
	EXPECT_TRUE(all[0].promised);
	EXPECT_EQ(all[0].where.slot, 0U);
	EXPECT_EQ(all[0].where.quant.slot, 0U);
}

} // namespace
