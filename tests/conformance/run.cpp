// SPDX-License-Identifier: MIT
#include "run.hpp"

#include <algorithm>
#include <chrono>

#include "atom/atom.hpp"
#include "atom_onnx/lower.hpp"
#include "atom_onnx_import/import.hpp"

namespace conformance {
namespace {

using atom_onnx::host_tensor;
using atom_onnx::reason;
using atom_onnx::unsupported;

constexpr std::chrono::seconds time_limit(60);

// The reasons for which a vector need not pass; everything else is a failure.
bool is_allowed(reason why)
{
	switch (why) {
	case reason::dtype:
	case reason::string:
	case reason::sequence:
	case reason::optional:
	case reason::control_flow:
	case reason::data_shape:
	case reason::training:
		return true;
	case reason::unknown_value:
	case reason::not_lowered:
	case reason::invalid_model:
		return false;
	}
	return false;
}

// The shapes of the data are those of the inputs, whatever the model leaves open.
atom_onnx::graph with_shapes(atom_onnx::graph g, const data_set &data)
{
	for (std::size_t i = 0; i < g.inputs.size(); ++i) {
		auto &input = g.values[static_cast<std::size_t>(g.inputs[i])];
		input.type = data.inputs[i].type();
		input.dims = data.inputs[i].dims();
	}
	return g;
}

// Values that shape the work are given to the lowering as it asks for them.
atom_onnx::plan lower_knowing(const atom_onnx::graph &g, const data_set &data)
{
	atom_onnx::options o;
	for (;;) {
		try {
			return lower(g, o);
		} catch (const unsupported &e) {
			if (e.why() != reason::unknown_value || o.known.count(e.value()) != 0)
				throw;
			for (std::size_t i = 0; i < g.inputs.size(); ++i)
				if (g.inputs[i] == e.value())
					o.known.emplace(e.value(), data.inputs[i]);
		}
	}
}

atom::buffer make_buffer(const atom::context &ctx, std::uint64_t bytes)
{
	atom::buffer_options where;
	where.placement = atom::placement::local;
	return {ctx, bytes, where};
}

std::string run_data(const atom::context &ctx, const atom_onnx::program &program,
                     const data_set &data)
{
	std::vector<atom::buffer> memory;
	std::vector<atom::buffer_view> inputs;
	std::vector<atom::buffer_view> outputs;
	const auto argument = [&](std::uint64_t bytes, std::vector<atom::buffer_view> &list) {
		memory.push_back(make_buffer(ctx, bytes));
		list.push_back(memory.back());
		return memory.back().map();
	};
	const atom_onnx::plan &plan = program.plan();
	std::size_t given = 0;
	for (const atom_onnx::argument &in : plan.inputs()) {
		const std::vector<std::byte> &bytes = data.inputs[given++].bytes();
		std::copy(bytes.begin(), bytes.end(), argument(in.bytes, inputs).data());
	}
	std::vector<atom::mapping> results;
	for (const atom_onnx::argument &out : plan.outputs())
		results.push_back(argument(out.bytes, outputs));
	atom::buffer scratch;
	if (plan.scratch_bytes() > 0)
		scratch = make_buffer(ctx, plan.scratch_bytes());
	atom::queue queue(ctx);
	const atom::args args = program.arguments(inputs, outputs, scratch);
	queue.run({program.commands(), args}, std::chrono::steady_clock::now() + time_limit);
	for (std::size_t i = 0; i < results.size(); ++i) {
		const atom_onnx::argument &out = plan.outputs()[i];
		const auto size = static_cast<std::size_t>(atom_onnx::count_of(out.dims)) *
		                  element_bytes(out.type);
		const std::byte *bytes = results[i].data();
		const host_tensor got(out.type, out.dims, std::vector(bytes, bytes + size));
		if (const std::string wrong = find_difference(got, data.outputs[i]); !wrong.empty())
			return "output " + std::to_string(i) + ": " + wrong;
	}
	return {};
}

} // namespace

outcome run_vector(const atom::context &ctx, const test_vector &v,
                   const std::vector<correction> &corrections)
{
	outcome o;
	o.corrected = !corrections.empty();
	try {
		const atom_onnx::graph g = atom_onnx::read_model(v.model);
		std::vector<data_set> sets = read_data(v, g);
		if (sets.empty()) {
			o.text = "no data";
			return o;
		}
		for (data_set &data : sets) {
			correct(data, corrections);
			const atom_onnx::plan plan = lower_knowing(with_shapes(g, data), data);
			o.commands += plan.commands();
			o.text = run_data(ctx, atom_onnx::program(ctx, plan), data);
			if (!o.text.empty())
				return o;
		}
		o.result = verdict::passed;
	} catch (const unsupported &e) {
		o.text = e.what();
		if (is_allowed(e.why())) {
			o.result = verdict::not_applicable;
			o.reason = name_of(e.why());
		}
	} catch (const std::exception &e) {
		o.text = e.what();
	}
	return o;
}

} // namespace conformance
