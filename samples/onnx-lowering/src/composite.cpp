// SPDX-License-Identifier: MIT
#include "composite.hpp"

#include <cmath>
#include <numbers>
#include <string_view>

#include "fusion.hpp"

namespace atom_onnx {
namespace {

using atom::function;

// Numbers in models are those of f32.
bool is_about(double number, double wanted)
{
	return std::abs(number - wanted) <= 1e-6 * std::abs(wanted);
}

/** Follows the nodes behind x, each by what it does; a step that does not fit gives absent. */
class matcher {
public:
	matcher(lowering_state &state, value_id x, std::size_t rank)
		: state_(state), x_(x), rank_(rank)
	{
	}

	std::optional<composite> match(int first)
	{
		for (const auto path : {&matcher::hard_swish, &matcher::gated, &matcher::gelu}) {
			found_ = {};
			const value_id result = (this->*path)(first);
			if (result == absent)
				continue;
			found_.result = result;
			return found_;
		}
		return std::nullopt;
	}

private:
	value_id hard_swish(int first)
	{
		found_.function = {function::hard_swish};
		const value_id sum = with_number(first, "Add", x_, 3);
		const value_id gate = clipped(reader(sum), 0, 6);
		const value_id product = times_x(reader(gate), gate);
		return scaled(reader(product), product, 1.0 / 6);
	}

	value_id gated(int first)
	{
		const lowering n(state_, first);
		const auto a = n.node().inputs.size() == 1 && n.outputs() == 1 ? activation_of(n)
		                                                               : std::nullopt;
		if (!a)
			return absent;
		if (a->fn == function::sigmoid)
			found_.function = {function::silu, 1.0F, 0};
		else if (a->fn == function::hard_sigmoid && is_about(a->p0, 1.0 / 6) &&
		         is_about(a->p1, 0.5))
			found_.function = {function::hard_swish};
		else
			return absent;
		const value_id gate = take(first);
		return times_x(reader(gate), gate);
	}

	value_id gelu(int first)
	{
		const value_id inner = scaled(first, x_, 1 / std::numbers::sqrt2);
		const int erf = reader(inner);
		if (!is(erf, "Erf", 1))
			return absent;
		const value_id error = take(erf);
		const value_id gate = with_number(reader(error), "Add", error, 1);
		if (gate == absent)
			return absent;
		found_.function = {function::gelu_erf};
		const composite so_far = found_;
		if (const value_id half = scaled(reader(gate), gate, 0.5); half != absent)
			return times_x(reader(half), half);
		found_ = so_far;
		if (const value_id product = times_x(reader(gate), gate); product != absent)
			return scaled(reader(product), product, 0.5);
		found_ = so_far;
		return times_half_x(reader(gate), gate);
	}

	// v * (x / 2)
	value_id times_half_x(int product, value_id v)
	{
		for (const int r : state_.readers[static_cast<std::size_t>(x_)]) {
			const value_id half = r == found_.nodes.front() ? absent : scaled(r, x_, 0.5);
			if (half != absent && reader(half) == product && is(product, "Mul", 2))
				return v == half ? absent : take(product);
		}
		return absent;
	}

	value_id times_x(int node, value_id v)
	{
		if (v == absent || !is(node, "Mul", 2))
			return absent;
		const auto &in = inputs(node);
		const bool fits = (in[0] == v && in[1] == x_) || (in[0] == x_ && in[1] == v);
		return fits ? take(node) : absent;
	}

	value_id clipped(int node, float least, float most)
	{
		if (node < 0 || inputs(node).empty())
			return absent;
		const lowering n(state_, node);
		const auto a = n.node().op_type == "Clip" ? activation_of(n) : std::nullopt;
		return a && a->p0 == least && a->p1 == most ? take(node) : absent;
	}

	// v * factor, also written as a quotient.
	value_id scaled(int node, value_id v, double factor)
	{
		const value_id product = with_number(node, "Mul", v, factor);
		return product != absent ? product : with_number(node, "Div", v, 1 / factor);
	}

	value_id with_number(int node, std::string_view op, value_id v, double number)
	{
		if (v == absent || !is(node, op, 2))
			return absent;
		const unsigned other = inputs(node)[0] == v ? 1 : 0;
		const lowering n(state_, node);
		if (inputs(node)[1 - other] != v || (op == "Div" && other == 0) || !n.has(other) ||
		    !n.is_known(other) || !is_float(n.type(other)) || n.host(other).count() != 1 ||
		    n.rank(other) > rank_ || !is_about(n.number(other), number))
			return absent;
		return take(node);
	}

	[[nodiscard]] bool is(int node, std::string_view op, std::size_t inputs_wanted) const
	{
		if (node < 0)
			return false;
		const atom_onnx::node &n = state_.g.nodes[static_cast<std::size_t>(node)];
		return n.op_type == op && n.domain.empty() && n.inputs.size() == inputs_wanted &&
		       n.outputs.size() == 1;
	}

	[[nodiscard]] const std::vector<value_id> &inputs(int node) const
	{
		return state_.g.nodes[static_cast<std::size_t>(node)].inputs;
	}

	[[nodiscard]] int reader(value_id v) const
	{
		return v == absent ? -1 : only_reader(state_, v);
	}

	value_id take(int node)
	{
		if (state_.done[static_cast<std::size_t>(node)])
			return absent;
		found_.nodes.push_back(node);
		return state_.g.nodes[static_cast<std::size_t>(node)].outputs[0];
	}

	lowering_state &state_;
	value_id x_;
	std::size_t rank_;
	composite found_{};
};

} // namespace

std::optional<composite> composite_of(lowering_state &state, value_id x, std::size_t rank)
{
	const auto &readers = state.readers[static_cast<std::size_t>(x)];
	if (readers.size() != 2 || state.is_output[static_cast<std::size_t>(x)])
		return std::nullopt;
	for (const int first : readers)
		if (auto found = matcher(state, x, rank).match(first))
			return found;
	return std::nullopt;
}

} // namespace atom_onnx
