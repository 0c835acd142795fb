// SPDX-License-Identifier: MIT
// RNN, GRU and LSTM, unrolled: one product for the inputs of all steps, one a step for the state.
#include <functional>
#include <map>

#include "registry.hpp"

namespace atom_onnx {
namespace {

using atom::binary_kind;
using atom::function;

constexpr std::int64_t steps_max = 4096;

/** An activation by ONNX's name, with its parameters. */
struct gate_function {
	function fn;
	float p0 = 0;
	float p1 = 0;
};

/** A node's attributes and the tensors that all its directions share. */
struct cell {
	lowering &n;
	view x; ///< [steps, batch, input]
	std::int64_t hidden;
	std::int64_t directions;
	std::vector<gate_function> functions; ///< for each direction one behind the other
	std::size_t functions_each;
	float clip;
	std::optional<view> lengths; ///< i32 [batch, 1]
	bool batch_first;

	[[nodiscard]] std::int64_t steps() const { return x.dims[0]; }
	[[nodiscard]] std::int64_t batch() const { return x.dims[1]; }
	/** Gate @p index of [batch, gates * hidden]. */
	[[nodiscard]] view gate(const view &all, std::int64_t index) const
	{
		return slice(all, 1, index * hidden, hidden);
	}
	[[nodiscard]] view activate(std::int64_t direction, std::size_t which, view v) const
	{
		if (clip > 0)
			v = n.e.unary(function::clip, v, -clip, clip);
		const gate_function &f =
			functions[static_cast<std::size_t>(direction) * functions_each + which];
		return n.e.unary(f.fn, v, f.p0, f.p1);
	}
	/** Part @p direction of an input, without that dimension. */
	[[nodiscard]] view of_direction(unsigned input, std::int64_t direction) const
	{
		return squeeze(slice(n.plain(input), 0, direction, 1), 0);
	}
	/** A state that is given, or zero: [batch, hidden]. */
	[[nodiscard]] view initial(unsigned input, std::int64_t direction) const
	{
		if (!n.has(input))
			return broadcast(n.e.scalar(x.type, 0), {batch(), hidden});
		const view all = n.plain(input);
		return squeeze(slice(all, batch_first ? 1 : 0, direction, 1), batch_first ? 1 : 0);
	}
};

gate_function named(lowering &n, const std::string &name, float alpha, float beta)
{
	static const std::map<std::string, function> plain{
		{"Sigmoid", function::sigmoid},   {"Tanh", function::tanh},
		{"Relu", function::relu},         {"Softplus", function::softplus},
		{"Softsign", function::softsign},
	};
	if (const auto found = plain.find(name); found != plain.end())
		return {found->second};
	if (name == "LeakyRelu")
		return {function::leaky_relu, alpha};
	if (name == "ThresholdedRelu")
		return {function::thresholded_relu, alpha};
	if (name == "Elu")
		return {function::elu, alpha};
	if (name == "HardSigmoid")
		return {function::hard_sigmoid, alpha, beta};
	n.refuse(reason::not_lowered, "activation " + name);
}

std::vector<gate_function> read_functions(lowering &n, const std::vector<std::string> &usual,
                                          std::int64_t directions)
{
	std::vector<std::string> names;
	for (std::int64_t d = 0; d < directions; ++d)
		names.insert(names.end(), usual.begin(), usual.end());
	if (const attribute *a = n.find("activations"))
		if (const auto *told = std::get_if<std::vector<std::string>>(&a->value)) {
			if (told->size() != names.size())
				n.invalid("the number of activations");
			names = *told;
		}
	const auto floats = [&](const char *name) {
		const attribute *a = n.find(name);
		const auto *told = a != nullptr ? std::get_if<std::vector<float>>(&a->value) : nullptr;
		return told != nullptr ? *told : std::vector<float>();
	};
	const std::vector<float> alpha = floats("activation_alpha");
	const std::vector<float> beta = floats("activation_beta");
	std::vector<gate_function> functions;
	for (std::size_t i = 0; i < names.size(); ++i) {
		const float usual_alpha = names[i] == "HardSigmoid" ? 0.2F
		                          : names[i] == "LeakyRelu" ? 0.01F
		                                                    : 1.0F;
		functions.push_back(named(n, names[i], i < alpha.size() ? alpha[i] : usual_alpha,
		                          i < beta.size() ? beta[i] : 0.5F));
	}
	return functions;
}

cell read_cell(lowering &n, const std::vector<std::string> &usual, std::int64_t gates)
{
	n.require_inputs(3);
	const bool batch_first = n.attr("layout", std::int64_t{0}) != 0;
	if (n.rank(0) != 3 || n.rank(1) != 3 || n.rank(2) != 3)
		n.invalid("the ranks");
	const std::int64_t hidden = n.dims(2)[2];
	const std::string direction = n.attr("direction", "forward");
	if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
		n.invalid("direction " + direction);
	const std::int64_t directions = direction == "bidirectional" ? 2 : 1;
	if (n.dims(1)[0] != directions || n.dims(2)[0] != directions ||
	    n.dims(1)[1] != gates * hidden || n.dims(2)[1] != gates * hidden ||
	    n.dims(1)[2] != n.dims(0)[2])
		n.invalid("the shapes of W and R");
	const view x = batch_first ? permute(n.plain(0), {1, 0, 2}) : n.plain(0);
	cell c{n,
	       x,
	       hidden,
	       directions,
	       read_functions(n, usual, directions),
	       usual.size(),
	       n.attr("clip", 0.0F),
	       std::nullopt,
	       batch_first};
	if (n.has(4))
		c.lengths = n.e.reshape(n.e.cast(n.in(4), atom::dtype::i32), {c.batch(), 1});
	n.only_if(c.steps() <= steps_max, "so many steps");
	if (c.steps() == 0 || c.batch() == 0)
		n.only_if(false, "a sequence of nothing");
	return c;
}

/** States of a direction: hidden, and of an LSTM the cell's. */
using state = std::vector<view>;
/** From the inputs' part of the gates, [batch, gates * hidden], and a state to the next one. */
using step_function = std::function<state(const view &, const state &)>;

struct direction_result {
	std::vector<view> outputs; ///< of each step, [batch, hidden]
	state last;
};

direction_result unroll(const cell &c, const view &inputs, state now, bool backwards,
                        const step_function &step)
{
	direction_result r;
	r.outputs.resize(static_cast<std::size_t>(c.steps()));
	for (std::int64_t i = 0; i < c.steps(); ++i) {
		const std::int64_t t = backwards ? c.steps() - 1 - i : i;
		state next = step(squeeze(slice(inputs, 0, t, 1), 0), now);
		view output = next[0];
		if (c.lengths) {
			// Behind the end of a sequence the state stays and the output is zero.
			const view inside = c.n.e.binary(
				binary_kind::lt,
				c.n.e.scalar(atom::dtype::i32, static_cast<double>(t)), *c.lengths);
			for (std::size_t s = 0; s < next.size(); ++s)
				next[s] = c.n.e.select(inside, next[s], now[s]);
			output = c.n.e.select(inside, output, c.n.e.scalar(c.x.type, 0));
		}
		now = next;
		r.outputs[static_cast<std::size_t>(t)] = output;
	}
	r.last = now;
	return r;
}

// The inputs' part of all gates of all steps: x W^T + bias, [steps, batch, gates * hidden].
view input_gates(const cell &c, std::int64_t direction, const std::optional<view> &bias)
{
	const view w = permute(c.of_direction(1, direction), {1, 0});
	matrix_options o;
	if (bias)
		o.after.bias = c.n.e.cast(*bias, atom::dtype::f32);
	const view rows = c.n.e.reshape(c.x, {c.steps() * c.batch(), c.x.dims[2]});
	return c.n.e.reshape(c.n.e.gemm(rows, w, o), {c.steps(), c.batch(), w.dims[1]});
}

// state R^T + residual
view state_gates(const cell &c, const view &h, const view &r, const std::optional<view> &residual)
{
	matrix_options o;
	o.after.residual = residual;
	return c.n.e.gemm(h, permute(r, {1, 0}), o);
}

// Both halves of the bias: those of the inputs and those of the state.
std::optional<view> bias_half(const cell &c, std::int64_t direction, int half, std::int64_t gates)
{
	if (!c.n.has(3))
		return std::nullopt;
	return slice(c.of_direction(3, direction), 0, half * gates * c.hidden, gates * c.hidden);
}

std::optional<view> bias_sum(const cell &c, std::int64_t direction, std::int64_t gates)
{
	if (!c.n.has(3))
		return std::nullopt;
	return c.n.e.add(*bias_half(c, direction, 0, gates), *bias_half(c, direction, 1, gates));
}

bool is_backwards(const cell &c, std::int64_t direction)
{
	return direction == 1 || c.n.attr("direction", "forward") == "reverse";
}

void set_results(const cell &c, const std::vector<direction_result> &results)
{
	if (c.n.wants(0)) {
		std::vector<view> steps;
		for (std::size_t t = 0; t < static_cast<std::size_t>(c.steps()); ++t) {
			std::vector<view> sides;
			sides.reserve(results.size());
			for (const direction_result &r : results)
				sides.push_back(unsqueeze(r.outputs[t], 0));
			steps.push_back(unsqueeze(
				sides.size() == 1 ? sides[0] : c.n.e.concat(sides, 0), 0));
		}
		const view y = c.n.e.concat(steps, 0); // [steps, directions, batch, hidden]
		c.n.set(0, c.batch_first ? permute(y, {2, 0, 1, 3}) : y);
	}
	for (std::size_t s = 0; s < results[0].last.size(); ++s) {
		if (!c.n.wants(static_cast<unsigned>(s) + 1))
			continue;
		std::vector<view> sides;
		sides.reserve(results.size());
		for (const direction_result &r : results)
			sides.push_back(unsqueeze(r.last[s], 0));
		const view y = c.n.e.concat(sides, 0);
		c.n.set(static_cast<unsigned>(s) + 1, c.batch_first ? permute(y, {1, 0, 2}) : y);
	}
}

void lower_rnn(lowering &n)
{
	const cell c = read_cell(n, {"Tanh"}, 1);
	std::vector<direction_result> results;
	for (std::int64_t d = 0; d < c.directions; ++d) {
		const view r = c.of_direction(2, d);
		const view inputs = input_gates(c, d, bias_sum(c, d, 1));
		results.push_back(unroll(c, inputs, {c.initial(5, d)}, is_backwards(c, d),
		                         [&](const view &x, const state &now) {
						 return state{c.activate(
							 d, 0, state_gates(c, now[0], r, x))};
					 }));
	}
	set_results(c, results);
}

// Gates z (update), r (reset), h (hidden).
void lower_gru(lowering &n)
{
	const cell c = read_cell(n, {"Sigmoid", "Tanh"}, 3);
	const bool reset_after = n.attr("linear_before_reset", std::int64_t{0}) != 0;
	std::vector<direction_result> results;
	for (std::int64_t d = 0; d < c.directions; ++d) {
		const view r = c.of_direction(2, d);
		const view r_zr = slice(r, 0, 0, 2 * c.hidden);
		const view r_h = slice(r, 0, 2 * c.hidden, c.hidden);
		const auto half_of_h = [&](const std::optional<view> &bias) {
			return bias ? std::optional<view>(slice(*bias, 0, 2 * c.hidden, c.hidden))
			            : std::nullopt;
		};
		// If the reset follows the product, the state's bias of h is reset with it.
		std::optional<view> bias = bias_sum(c, d, 3);
		const std::optional<view> state_bias = half_of_h(bias_half(c, d, 1, 3));
		if (reset_after && bias)
			bias = n.e.concat({slice(*bias, 0, 0, 2 * c.hidden),
			                   *half_of_h(bias_half(c, d, 0, 3))},
			                  0);
		const view inputs = input_gates(c, d, bias);
		const auto step = [&](const view &x, const state &now) {
			const view zr = state_gates(c, now[0], r_zr, slice(x, 1, 0, 2 * c.hidden));
			const view z = c.activate(d, 0, c.gate(zr, 0));
			const view reset = c.activate(d, 0, c.gate(zr, 1));
			const view x_h = c.gate(x, 2);
			const view h =
				reset_after
					? n.e.add(n.e.mul(reset, state_gates(c, now[0], r_h,
			                                                     state_bias)),
			                          x_h)
					: state_gates(c, n.e.mul(reset, now[0]), r_h, x_h);
			const view candidate = c.activate(d, 1, h);
			// (1 - z) candidate + z state
			return state{n.e.add(candidate,
			                     n.e.mul(z, n.e.sub(now[0], candidate)))};
		};
		results.push_back(unroll(c, inputs, {c.initial(5, d)}, is_backwards(c, d), step));
	}
	set_results(c, results);
}

// Gates i (input), o (output), f (forget), c (cell); peepholes p of i, o, f.
void lower_lstm(lowering &n)
{
	const cell c = read_cell(n, {"Sigmoid", "Tanh", "Tanh"}, 4);
	const bool coupled = n.attr("input_forget", std::int64_t{0}) != 0;
	std::vector<direction_result> results;
	for (std::int64_t d = 0; d < c.directions; ++d) {
		const view r = c.of_direction(2, d);
		const view inputs = input_gates(c, d, bias_sum(c, d, 4));
		const auto peep = [&](const view &gate, const view &cell_state, int which) {
			if (!n.has(7))
				return gate;
			const view p = slice(c.of_direction(7, d), 0, which * c.hidden, c.hidden);
			return n.e.add(gate, n.e.mul(p, cell_state));
		};
		const auto step = [&](const view &x, const state &now) {
			const view g = state_gates(c, now[0], r, x);
			const view i = c.activate(d, 0, peep(c.gate(g, 0), now[1], 0));
			const view f = coupled ? n.e.sub(n.e.scalar(c.x.type, 1), i)
			                       : c.activate(d, 0, peep(c.gate(g, 2), now[1], 2));
			const view candidate = c.activate(d, 1, c.gate(g, 3));
			const view cell_state =
				n.e.add(n.e.mul(f, now[1]), n.e.mul(i, candidate));
			const view o = c.activate(d, 0, peep(c.gate(g, 1), cell_state, 1));
			return state{n.e.mul(o, c.activate(d, 2, cell_state)), cell_state};
		};
		results.push_back(unroll(c, inputs, {c.initial(5, d), c.initial(6, d)},
		                         is_backwards(c, d), step));
	}
	set_results(c, results);
}

} // namespace

operator_list recurrent_operators()
{
	return {{"RNN", lower_rnn}, {"GRU", lower_gru}, {"LSTM", lower_lstm}};
}

} // namespace atom_onnx
