// SPDX-License-Identifier: MIT
#include "graphs.hpp"

#include <algorithm>
#include <chrono>

#include "atom/atom.hpp"

namespace lowering_test {

using namespace atom_onnx;

value_id graph_builder::input(element_type type, const shape &dims)
{
	value v;
	v.type = type;
	v.dims = dims;
	g.values.push_back(v);
	g.inputs.push_back(static_cast<value_id>(g.values.size() - 1));
	return g.inputs.back();
}

value_id graph_builder::constant(const host_tensor &data)
{
	value v;
	v.constant = data;
	g.values.push_back(v);
	return static_cast<value_id>(g.values.size() - 1);
}

value_id graph_builder::node(const std::string &op_type, const std::vector<value_id> &inputs,
                             const std::vector<attribute> &attributes)
{
	g.values.emplace_back();
	atom_onnx::node n;
	n.op_type = op_type;
	n.opset = 20;
	n.attributes = attributes;
	n.inputs = inputs;
	n.outputs = {static_cast<value_id>(g.values.size() - 1)};
	g.nodes.push_back(n);
	return n.outputs[0];
}

std::vector<std::int64_t> run(const graph &g, const std::vector<host_tensor> &inputs,
                              const options &o)
{
	const auto device = atom::device::open("0");
	const atom::context ctx(device);
	const program lowered(ctx, lower(g, o));
	std::vector<atom::buffer> memory;
	const auto argument = [&](std::uint64_t bytes) {
		atom::buffer_options where;
		where.placement = atom::placement::local;
		memory.emplace_back(ctx, bytes, where);
		return atom::buffer_view(memory.back());
	};
	std::vector<atom::buffer_view> in;
	for (std::size_t i = 0; i < inputs.size(); ++i) {
		in.push_back(argument(lowered.plan().inputs()[i].bytes));
		const std::vector<std::byte> &bytes = inputs[i].bytes();
		std::copy(bytes.begin(), bytes.end(), memory.back().map().data());
	}
	const atom_onnx::argument &told = lowered.plan().outputs().at(0);
	const atom::buffer_view out = argument(told.bytes);
	const atom::mapping result = memory.back().map();
	atom::buffer_view scratch;
	if (lowered.plan().scratch_bytes() > 0)
		scratch = argument(lowered.plan().scratch_bytes());
	atom::queue queue(ctx);
	const atom::args args = lowered.arguments(in, {out}, scratch);
	queue.run({lowered.commands(), args},
	          std::chrono::steady_clock::now() + std::chrono::seconds(60));
	const std::byte *bytes = result.data();
	const auto size = static_cast<std::size_t>(count_of(told.dims)) * element_bytes(told.type);
	return host_tensor(told.type, told.dims, std::vector(bytes, bytes + size)).integers();
}

} // namespace lowering_test
