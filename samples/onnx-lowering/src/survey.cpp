// SPDX-License-Identifier: MIT
#include "atom_onnx/survey.hpp"

#include "registry.hpp"

namespace atom_onnx {
namespace {

class surveyor {
public:
	surveyor(const graph &g, const options &o) : g_(g), options_(o), state_(g)
	{
		state_.fuse = false; // each node by itself
		state_.values.resize(g.values.size());
		state_.readers.resize(g.values.size());
		state_.is_output.resize(g.values.size(), false);
		state_.done.resize(g.nodes.size(), false);
		from_outside_.resize(g.values.size(), false);
	}

	findings run()
	{
		for (std::size_t i = 0; i < g_.values.size(); ++i)
			if (g_.values[i].constant)
				set_host(state_.values[i], *g_.values[i].constant);
		for (const value_id v : g_.inputs)
			bind_input(v);
		findings found;
		for (std::size_t i = 0; i < g_.nodes.size(); ++i)
			found.nodes.push_back(look_at(static_cast<int>(i)));
		for (const lowered_value &v : state_.values)
			found.values.push_back({v.type,
			                        v.computed ? std::optional(v.dims) : std::nullopt,
			                        v.host});
		return found;
	}

private:
	static void set_host(lowered_value &value, const host_tensor &data)
	{
		value.type = data.type();
		value.dims = data.dims();
		value.host = data;
		value.computed = true;
	}

	void bind_input(value_id v)
	{
		lowered_value &value = state_.values[static_cast<std::size_t>(v)];
		const auto known = options_.known.find(v);
		if (known != options_.known.end())
			set_host(value, known->second);
		else if (!value.computed)
			bind_told(v);
	}

	// A value that comes from elsewhere, as far as the graph tells what it is.
	void bind_told(value_id v)
	{
		const value &told = g_.values[static_cast<std::size_t>(v)];
		lowered_value &value = state_.values[static_cast<std::size_t>(v)];
		value.type = told.type;
		from_outside_[static_cast<std::size_t>(v)] = true;
		if (!told.dims) {
			value.refused = unsupported(reason::not_lowered,
			                            "the shape of '" + told.name +
			                                    "' is not known beforehand");
			return;
		}
		value.dims = *told.dims;
		value.computed = true;
		const auto type = device_type(told.type);
		if (!type || told.kind != value_kind::tensor)
			return;
		view where;
		where.storage = state_.commands.add_storage(
			storage::kind::input,
			count_of(value.dims) *
				static_cast<std::int64_t>(element_bytes(told.type)));
		where.type = *type;
		where.dims = value.dims;
		where.strides = row_major_strides(*type, value.dims);
		value.device = where;
	}

	node_finding look_at(int index)
	{
		lowering n(state_, index);
		const std::size_t before = state_.commands.commands().size();
		try {
			lower_node(n);
			for (unsigned i = 0; i < n.outputs(); ++i)
				if (n.wants(i) && !output(n, i).computed)
					n.refuse(reason::not_lowered,
					         "output " + std::to_string(i));
		} catch (const unsupported &e) {
			for (unsigned i = 0; i < n.outputs(); ++i)
				if (n.wants(i)) {
					output(n, i) = {};
					bind_told(n.node().outputs[i]);
				}
			if (can_be_answered(n, e))
				return {std::nullopt, true, true};
			return {e, false, false};
		}
		return {std::nullopt, state_.commands.commands().size() != before, false};
	}

	// What a run is to tell must be there before it, and what comes out be told now. Dropout is left out: what
	// it asks for may mean training.
	[[nodiscard]] bool can_be_answered(const lowering &n, const unsupported &e) const
	{
		if (e.why() != reason::unknown_value || e.value() == absent ||
		    n.node().op_type == "Dropout" ||
		    !from_outside_[static_cast<std::size_t>(e.value())])
			return false;
		for (unsigned i = 0; i < n.outputs(); ++i)
			if (n.wants(i) &&
			    !state_.values[static_cast<std::size_t>(n.node().outputs[i])].computed)
				return false;
		return true;
	}

	lowered_value &output(const lowering &n, unsigned i)
	{
		return state_.values[static_cast<std::size_t>(n.node().outputs[i])];
	}

	const graph &g_;
	const options &options_;
	lowering_state state_;
	std::vector<bool> from_outside_; ///< values
};

} // namespace

findings survey(const graph &g, const options &o)
{
	check(g);
	return surveyor(g, o).run();
}

} // namespace atom_onnx
