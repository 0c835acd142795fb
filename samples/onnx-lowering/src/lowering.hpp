// SPDX-License-Identifier: MIT
// What a lowering function sees: one node, its inputs as views or host values, its attributes,
// and an emitter for the commands.
#ifndef ATOM_ONNX_LOWERING_HPP
#define ATOM_ONNX_LOWERING_HPP

#include <string>
#include <string_view>
#include <vector>

#include "atom_onnx/graph.hpp"
#include "atom_onnx/unsupported.hpp"
#include "emitter.hpp"

namespace atom_onnx {

/** What is known of a value while a graph is lowered. */
struct lowered_value {
	element_type type = element_type::undefined;
	shape dims;
	std::optional<host_tensor> host; ///< its elements, if the host knows them
	std::optional<view> device;      ///< where it lies on the device, if it does
	bool computed = false;
	std::optional<unsupported> refused; ///< why the device cannot compute it
};

/** A graph while it is lowered. */
struct lowering_state {
	const graph &g;
	recorder commands;
	emitter emit{commands};
	std::vector<lowered_value> values;
	std::vector<std::vector<int>> readers; ///< of each value: indices of nodes
	std::vector<bool> is_output;           ///< of each value: an output of the graph
	std::vector<bool> done;                ///< of each node: fused into another one
	bool fuse = true;

	explicit lowering_state(const graph &graph) : g(graph) {}
};

class lowering {
public:
	lowering(lowering_state &state, int node)
		: e(state.emit), state_(state), node_(state.g.nodes[static_cast<std::size_t>(node)]),
		  index_(node)
	{
	}

	emitter &e;

	[[nodiscard]] const atom_onnx::node &node() const { return node_; }
	[[nodiscard]] int index() const { return index_; }
	[[nodiscard]] int opset() const { return node_.opset; }
	[[nodiscard]] lowering_state &state() { return state_; }

	// Inputs.
	[[nodiscard]] unsigned inputs() const { return static_cast<unsigned>(node_.inputs.size()); }
	[[nodiscard]] bool has(unsigned input) const;
	[[nodiscard]] const shape &dims(unsigned input) const;
	[[nodiscard]] unsigned rank(unsigned input) const
	{
		return static_cast<unsigned>(dims(input).size());
	}
	[[nodiscard]] element_type type(unsigned input) const;
	/** On the device; may be quantised. @throws unsupported dtype */
	[[nodiscard]] view in(unsigned input);
	/** The same, never quantised. */
	[[nodiscard]] view plain(unsigned input) { return e.real(in(input)); }
	/** Whether the host knows its elements. */
	[[nodiscard]] bool known(unsigned input) const;
	/** The same of a value of any kind, also one that is not computed yet. */
	[[nodiscard]] bool is_known(unsigned input) const
	{
		return state_.values[static_cast<std::size_t>(node_.inputs[input])].host.has_value();
	}
	/** @throws unsupported unknown_value */
	[[nodiscard]] const host_tensor &host(unsigned input) const;
	/** Parameters, as integer() and attr() give them: beyond +-2^48 they are cut to it. */
	[[nodiscard]] std::vector<std::int64_t> integers(unsigned input) const;
	/** Its one element. */
	[[nodiscard]] std::int64_t integer(unsigned input) const;
	[[nodiscard]] double number(unsigned input) const;

	// Outputs.
	[[nodiscard]] unsigned outputs() const
	{
		return static_cast<unsigned>(node_.outputs.size());
	}
	[[nodiscard]] bool wants(unsigned output) const;
	[[nodiscard]] bool is_graph_output(unsigned output) const;
	/** The value of the first output. @throws unsupported invalid_model: it has none */
	[[nodiscard]] value_id result() const;
	/** @param type if it is not the device's: bool, or what a quantised view stands for */
	void set(unsigned output, const view &v, element_type type = element_type::undefined);
	void set(unsigned output, const host_tensor &v);

	// Attributes.
	[[nodiscard]] const attribute *find(std::string_view name) const;
	[[nodiscard]] std::int64_t attr(std::string_view name, std::int64_t otherwise) const;
	[[nodiscard]] float attr(std::string_view name, float otherwise) const;
	[[nodiscard]] std::string attr(std::string_view name, const char *otherwise) const;
	[[nodiscard]] std::vector<std::int64_t> attr(std::string_view name,
	                                             const std::vector<std::int64_t> &otherwise) const;

	/** A dimension told as ONNX does, negative from the end. @throws invalid_model */
	[[nodiscard]] unsigned axis(std::int64_t told, unsigned rank) const;
	[[nodiscard]] std::vector<unsigned> axes(const std::vector<std::int64_t> &told,
	                                         unsigned rank) const;
	/** @throws invalid_model unless it has that many inputs */
	void require_inputs(unsigned least) const;
	[[noreturn]] void refuse(reason why, const std::string &what) const;
	[[noreturn]] void invalid(const std::string &what) const
	{
		refuse(reason::invalid_model, what);
	}
	/** Refused as not lowered unless @p good. */
	void only_if(bool good, const char *what) const;

private:
	[[nodiscard]] const lowered_value &value_of(unsigned input) const;
	/** The same. @throws unsupported why the device could not compute it */
	[[nodiscard]] const lowered_value &computed(unsigned input) const;

	lowering_state &state_;
	const atom_onnx::node &node_;
	int index_;
};

/** Materialises a value on the device. */
[[nodiscard]] view device_view(lowering_state &state, value_id v);
void set_value(lowering_state &state, value_id v, const view &where, element_type type);

} // namespace atom_onnx

#endif
