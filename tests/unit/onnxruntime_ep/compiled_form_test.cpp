// SPDX-License-Identifier: MIT
// The bytes of a compiled form, also bytes that somebody made up.
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "atom_onnx/lower.hpp"
#include "compiled_form.hpp"

namespace {

using namespace atom_onnx;

constexpr std::size_t header_bytes = 32;

graph example()
{
	graph g;
	g.values.push_back({"x", value_kind::tensor, element_type::f32, shape{2, 3}, {}});
	g.values.push_back({"w", value_kind::tensor, element_type::f32, {},
	                    host_tensor::of(element_type::f32, {3}, std::vector<double>{1, 2, 3})});
	g.values.push_back({"y", value_kind::tensor, element_type::f32, {}, {}});
	node n;
	n.op_type = "Mul";
	n.name = "the node";
	n.opset = 14;
	n.inputs = {0, 1};
	n.outputs = {2};
	n.attributes.push_back({"i", std::int64_t{5}});
	n.attributes.push_back({"f", 2.5F});
	n.attributes.push_back({"s", std::string("text")});
	n.attributes.push_back({"is", std::vector<std::int64_t>{1, -2}});
	n.attributes.push_back({"fs", std::vector<float>{0.5F}});
	n.attributes.push_back({"ss", std::vector<std::string>{"a", "b"}});
	n.attributes.push_back({"t", *g.values[1].constant});
	n.attributes.push_back({"g", subgraph{}});
	g.nodes.push_back(n);
	g.inputs = {0};
	g.outputs = {2};
	return g;
}

// As to_bytes() would have closed it: what lies behind the checksum is then looked at.
std::string closed(std::string bytes)
{
	std::uint64_t sum = 0xcbf29ce484222325;
	for (std::size_t i = header_bytes; i < bytes.size(); ++i)
		sum = (sum ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3;
	const std::uint64_t size = bytes.size() - header_bytes;
	std::memcpy(&bytes[16], &size, sizeof(size));
	std::memcpy(&bytes[24], &sum, sizeof(sum));
	return bytes;
}

TEST(CompiledFormTest, WhatIsReadIsWhatWasWritten)
{
	const graph g = atom_ort::from_bytes(atom_ort::to_bytes(example()));
	EXPECT_EQ(atom_ort::to_bytes(g), atom_ort::to_bytes(example()));
	ASSERT_EQ(g.nodes.size(), 1U);
	EXPECT_EQ(g.nodes[0].attributes.size(), 8U);
	EXPECT_EQ(std::get<std::string>(g.nodes[0].attributes[2].value), "text");
	EXPECT_EQ(g.values[1].constant->reals(), (std::vector<double>{1, 2, 3}));
	EXPECT_EQ(g.values[0].dims, (shape{2, 3}));
}

TEST(CompiledFormTest, EachEndThatComesTooEarlyIsRefused)
{
	const std::string whole = atom_ort::to_bytes(example());
	for (std::size_t size = 0; size < whole.size(); ++size) {
		std::string cut = whole.substr(0, size);
		EXPECT_THROW(static_cast<void>(atom_ort::from_bytes(cut)), unsupported) << size;
		if (size < header_bytes)
			continue;
		EXPECT_THROW(static_cast<void>(atom_ort::from_bytes(closed(cut))), unsupported)
			<< size;
	}
}

TEST(CompiledFormTest, MadeUpBytesAreAGraphThatCanBeLoweredOrAreRefused)
{
	const std::string whole = atom_ort::to_bytes(example());
	std::mt19937 bits(1);
	std::size_t refused = 0;
	for (int i = 0; i < 20000; ++i) {
		std::string changed = whole;
		for (unsigned n = 0; n <= bits() % 4; ++n)
			changed[header_bytes + bits() % (changed.size() - header_bytes)] =
				static_cast<char>(bits());
		try {
			static_cast<void>(lower(atom_ort::from_bytes(closed(changed))));
		} catch (const unsupported &) {
			++refused;
		}
	}
	EXPECT_GT(refused, 0U);
}

} // namespace
