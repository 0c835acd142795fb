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

atom::buffer_view runner::argument(std::uint64_t bytes)
{
	atom::buffer_options where;
	where.placement = atom::placement::local;
	memory_.emplace_back(context_, bytes, where);
	return memory_.back();
}

runner::runner(const atom::context &ctx, atom_onnx::program program)
	: context_(ctx), program_(std::move(program))
{
	std::vector<atom::buffer_view> in;
	for (const atom_onnx::argument &i : program_.plan().inputs())
		in.push_back(argument(i.bytes));
	const atom::buffer_view out = argument(program_.plan().outputs().at(0).bytes);
	atom::buffer_view scratch;
	if (program_.plan().scratch_bytes() > 0)
		scratch = argument(program_.plan().scratch_bytes());
	args_ = program_.arguments(in, {out}, scratch);
}

std::vector<std::int64_t> runner::run(const std::vector<host_tensor> &inputs)
{
	for (std::size_t i = 0; i < inputs.size(); ++i) {
		const std::vector<std::byte> &bytes = inputs[i].bytes();
		std::copy(bytes.begin(), bytes.end(), memory_.at(i).map().data());
	}
	atom::queue queue(context_);
	queue.run({program_.commands(), args_},
	          std::chrono::steady_clock::now() + std::chrono::seconds(60));
	const atom_onnx::argument &told = program_.plan().outputs().at(0);
	const atom::mapping result = memory_.at(program_.plan().inputs().size()).map();
	const std::byte *bytes = result.data();
	const auto size = static_cast<std::size_t>(count_of(told.dims)) * element_bytes(told.type);
	return host_tensor(told.type, told.dims, std::vector(bytes, bytes + size)).integers();
}

std::vector<std::int64_t> run(const graph &g, const std::vector<host_tensor> &inputs,
                              const options &o)
{
	const atom::context ctx(atom::device::open("0"));
	return runner(ctx, program(ctx, lower(g, o))).run(inputs);
}

} // namespace lowering_test
