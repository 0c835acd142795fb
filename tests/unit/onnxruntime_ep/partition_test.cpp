// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "partition.hpp"

namespace {

using atom_onnx::value_id;
using groups = std::vector<atom_ort::node_group>;

/** A graph whose node n writes value n + 1; value 0 is the input. */
atom_onnx::graph make(const std::vector<std::vector<value_id>> &inputs)
{
	atom_onnx::graph g;
	g.values.resize(inputs.size() + 1);
	g.inputs = {0};
	for (const auto &in : inputs) {
		atom_onnx::node n;
		n.op_type = "Relu";
		n.inputs = in;
		n.outputs = {static_cast<value_id>(g.nodes.size() + 1)};
		g.nodes.push_back(n);
	}
	g.outputs = {static_cast<value_id>(inputs.size())};
	return g;
}

TEST(PartitionTest, AChainIsOneGroup)
{
	EXPECT_EQ(atom_ort::partition(make({{0}, {1}, {2}}), {true, true, true}),
	          (groups{{0, 1, 2}}));
}

TEST(PartitionTest, NodesThatDoNotTouchAreTwoGroups)
{
	EXPECT_EQ(atom_ort::partition(make({{0}, {0}}), {true, true}), (groups{{0}, {1}}));
}

TEST(PartitionTest, ANodeOfTheCpuCutsAChain)
{
	EXPECT_EQ(atom_ort::partition(make({{0}, {1}, {2}}), {true, false, true}),
	          (groups{{0}, {2}}));
}

TEST(PartitionTest, APathAroundANodeOfTheCpuDoesNotJoinItsTwoSides)
{
	// 0 -> 1 (CPU) -> 2 and 0 -> 2: together, 0 and 2 would wait for themselves.
	EXPECT_EQ(atom_ort::partition(make({{0}, {1}, {1, 2}}), {true, false, true}),
	          (groups{{0}, {2}}));
}

TEST(PartitionTest, ASideBranchJoinsWhatReadsIt)
{
	// 0 (CPU) -> 2, 1 -> 2: what the CPU does not come between belongs together.
	EXPECT_EQ(atom_ort::partition(make({{0}, {0}, {1, 2}}), {false, true, true}),
	          (groups{{1, 2}}));
}

TEST(PartitionTest, AnExtractedGroupHasTheBordersAsInputsAndOutputs)
{
	const atom_onnx::graph g = make({{0}, {1}, {2}, {2, 3}});
	atom_onnx::findings found;
	found.values.resize(g.values.size());
	found.values[1].dims = atom_onnx::shape{4};
	const auto part = atom_ort::extract(g, {1, 3}, found);
	EXPECT_EQ(part.graph.inputs, (std::vector<value_id>{1, 3}));
	EXPECT_EQ(part.graph.outputs, (std::vector<value_id>{2, 4}));
	EXPECT_EQ(part.graph.values[1].dims, atom_onnx::shape{4});
}

} // namespace
