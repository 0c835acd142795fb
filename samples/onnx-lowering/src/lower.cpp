// SPDX-License-Identifier: MIT
#include "atom_onnx/lower.hpp"

#include <algorithm>

#include "plan_data.hpp"
#include "registry.hpp"

namespace atom_onnx {
namespace {

std::uint64_t bytes_of(const lowered_value &v)
{
	return std::max<std::uint64_t>(
		static_cast<std::uint64_t>(count_of(v.dims)) * element_bytes(v.type), 1);
}

class graph_lowering {
public:
	graph_lowering(const graph &g, const options &o) : g_(g), options_(o), state_(g)
	{
		state_.fuse = o.fuse;
		state_.values.resize(g.values.size());
		state_.readers.resize(g.values.size());
		state_.is_output.resize(g.values.size(), false);
		state_.done.resize(g.nodes.size(), false);
	}

	std::shared_ptr<detail::plan_data> run()
	{
		try {
			return lower_all();
		} catch (const unsupported &e) {
			if (e.why() != reason::unknown_value)
				throw;
			const value_id root = root_of(e.value());
			if (root == absent)
				throw unsupported(reason::not_lowered,
				                  "a value that the host cannot compute: " +
				                          std::string(e.what()));
			throw unsupported(reason::unknown_value, e.what(), root);
		}
	}

private:
	std::shared_ptr<detail::plan_data> lower_all()
	{
		for (std::size_t i = 0; i < g_.values.size(); ++i)
			if (g_.values[i].constant)
				set_host(static_cast<value_id>(i), *g_.values[i].constant);
		for (const value_id v : g_.outputs)
			state_.is_output[static_cast<std::size_t>(v)] = true;
		for (std::size_t i = 0; i < g_.nodes.size(); ++i)
			for (const value_id v : g_.nodes[i].inputs)
				if (v != absent)
					state_.readers[static_cast<std::size_t>(v)].push_back(
						static_cast<int>(i));
		bind_inputs();
		fold_constants();
		for (std::size_t i = 0; i < g_.nodes.size(); ++i) {
			if (state_.done[i])
				continue;
			state_.commands.set_node(static_cast<int>(i));
			lower_or_refuse(static_cast<int>(i));
		}
		bind_outputs();
		plan_->storages = state_.commands.storages();
		plan_->commands = state_.commands.commands();
		plan_->memory = plan_memory(plan_->storages, plan_->commands);
		return plan_;
	}

	// Work that the device has no type for matters only if the device needs the result: sizes in
	// i64 do not, the host computes them as soon as it is told what they depend on.
	void lower_or_refuse(int index)
	{
		lowering n(state_, index);
		try {
			lower_node(n);
		} catch (const unsupported &e) {
			if (e.why() != reason::dtype)
				throw;
			for (const value_id v : n.node().outputs)
				if (v != absent)
					state_.values[static_cast<std::size_t>(v)].refused = e;
		}
	}

	// An input of the graph that the elements of a value depend on and that is not known yet.
	[[nodiscard]] value_id root_of(value_id wanted) const
	{
		std::vector<value_id> open{wanted};
		std::vector<bool> seen(g_.values.size(), false);
		while (!open.empty()) {
			const value_id v = open.back();
			open.pop_back();
			if (v == absent || seen[static_cast<std::size_t>(v)] ||
			    state_.values[static_cast<std::size_t>(v)].host)
				continue;
			seen[static_cast<std::size_t>(v)] = true;
			if (std::find(g_.inputs.begin(), g_.inputs.end(), v) != g_.inputs.end())
				return v;
			for (const node &n : g_.nodes)
				if (std::find(n.outputs.begin(), n.outputs.end(), v) !=
				    n.outputs.end())
					open.insert(open.end(), n.inputs.begin(), n.inputs.end());
		}
		return absent;
	}

	void set_host(value_id v, const host_tensor &data)
	{
		lowered_value &value = state_.values[static_cast<std::size_t>(v)];
		value.type = data.type();
		value.dims = data.dims();
		value.host = data;
		value.computed = true;
	}

	// What depends on known values alone is known before anything that it could be fused with.
	void fold_constants()
	{
		for (std::size_t i = 0; i < g_.nodes.size(); ++i) {
			lowering n(state_, static_cast<int>(i));
			bool known = true;
			for (unsigned input = 0; input < n.inputs() && known; ++input)
				known = !n.has(input) || n.is_known(input);
			if (known)
				state_.done[i] = fold_on_host(n);
		}
	}

	void bind_inputs()
	{
		for (const value_id v : g_.inputs) {
			const value &told = g_.values[static_cast<std::size_t>(v)];
			lowered_value &input = state_.values[static_cast<std::size_t>(v)];
			if (told.kind != value_kind::tensor)
				throw unsupported(told.kind == value_kind::sequence
				                          ? reason::sequence
				                          : reason::optional,
				                  "input '" + told.name + "'");
			if (input.computed) // an initialiser that may be replaced, but was not
				continue;
			const auto known = options_.known.find(v);
			if (known != options_.known.end())
				set_host(v, known->second);
			else
				bind_input(told, input);
			const auto index = static_cast<int>(plan_->inputs.size());
			plan_->inputs.push_back({v, input.type, input.dims, bytes_of(input)});
			const int storage = state_.commands.add_storage(
				storage::kind::input,
				static_cast<std::int64_t>(plan_->inputs.back().bytes), index);
			if (const auto type = device_type(input.type); type && !input.host) {
				view where;
				where.storage = storage;
				where.type = *type;
				where.dims = input.dims;
				where.strides = row_major_strides(*type, input.dims);
				input.device = where;
			}
		}
	}

	static void bind_input(const value &told, lowered_value &input)
	{
		if (!told.dims)
			throw unsupported(reason::invalid_model,
			                  "the shape of input '" + told.name + "' is not known");
		count_of(*told.dims);
		input.type = told.type;
		input.dims = *told.dims;
		input.computed = true;
	}

	void bind_outputs()
	{
		for (const value_id v : g_.outputs) {
			const lowered_value &value = state_.values[static_cast<std::size_t>(v)];
			if (value.refused)
				throw unsupported(*value.refused);
			if (!value.computed || !device_type(value.type))
				refuse_output(v);
			const auto index = static_cast<int>(plan_->outputs.size());
			plan_->outputs.push_back({v, value.type, value.dims, bytes_of(value)});
			bind_output(device_view(state_, v), index);
		}
	}

	[[noreturn]] void refuse_output(value_id v) const
	{
		const value &told = g_.values[static_cast<std::size_t>(v)];
		const lowered_value &value = state_.values[static_cast<std::size_t>(v)];
		if (told.kind != value_kind::tensor)
			throw unsupported(told.kind == value_kind::sequence ? reason::sequence
			                                                    : reason::optional,
			                  "output '" + told.name + "'");
		if (!value.computed)
			throw unsupported(reason::not_lowered, "output '" + told.name + "'");
		throw unsupported(value.type == element_type::string ? reason::string
		                                                     : reason::dtype,
		                  "output '" + told.name + "' is " + name_of(value.type));
	}

	// The last command writes the output itself where it can; else there is a copy.
	void bind_output(const view &v, int index)
	{
		const view result = state_.emit.real(v);
		const storage &s =
			state_.commands.storages()[static_cast<std::size_t>(result.storage)];
		const auto bytes = static_cast<std::int64_t>(plan_->outputs.back().bytes);
		if (s.of == storage::kind::scratch && s.bytes == bytes && result.offset == 0 &&
		    is_row_major(result))
			return state_.commands.make_output(result.storage, index);
		view out = result;
		out.storage = state_.commands.add_storage(storage::kind::output, bytes, index);
		out.offset = 0;
		out.strides = row_major_strides(result.type, result.dims);
		state_.emit.copy(result, out);
	}

	const graph &g_;
	const options &options_;
	lowering_state state_;
	std::shared_ptr<detail::plan_data> plan_ = std::make_shared<detail::plan_data>();
};

} // namespace

plan lower(const graph &g, const options &o)
{
	check(g);
	return plan(graph_lowering(g, o).run());
}

} // namespace atom_onnx
