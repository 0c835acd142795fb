// SPDX-License-Identifier: MIT
#include "fusion.hpp"

#include <cmath>

#include "activation.hpp"

namespace atom_onnx {
namespace {

class follower {
public:
	follower(lowering_state &state, tail &t, const shape &dims)
		: state_(state), tail_(t), dims_(dims)
	{
	}

	// Takes one reader into the tail. False: it stays a node of its own.
	bool take()
	{
		const int reader = only_reader(state_, tail_.result);
		if (reader < 0 || state_.done[static_cast<std::size_t>(reader)] || tail_.quantised)
			return false;
		const lowering next(state_, reader);
		if (!next.wants(0) || next.outputs() != 1 || !next.node().domain.empty())
			return false;
		if (!take_residual(next) && !take_activation(next) && !take_quantisation(next))
			return false;
		state_.done[static_cast<std::size_t>(reader)] = true;
		tail_.result = next.result();
		return true;
	}

private:
	bool take_residual(const lowering &next)
	{
		const std::string &op = next.node().op_type;
		if ((op != "Add" && op != "Sum") || next.inputs() != 2 || tail_.residual ||
		    tail_.activation != atom::function::identity)
			return false;
		const unsigned other = next.node().inputs[0] == tail_.result ? 1 : 0;
		if (!next.has(other) || next.node().inputs[other] == tail_.result)
			return false; // nothing, or doubled
		const value_id added = next.node().inputs[other];
		const lowered_value &value = state_.values[static_cast<std::size_t>(added)];
		if (!value.computed || !is_float(value.type) || !device_type(value.type) ||
		    value.dims.size() > dims_.size())
			return false;
		const auto lead = static_cast<std::ptrdiff_t>(dims_.size() - value.dims.size());
		for (std::size_t d = 0; d < value.dims.size(); ++d)
			if (value.dims[d] != 1 &&
			    value.dims[d] != dims_[d + static_cast<std::size_t>(lead)])
				return false;
		tail_.residual = broadcast(device_view(state_, added), dims_);
		return true;
	}

	bool take_activation(const lowering &next)
	{
		if (tail_.activation != atom::function::identity ||
		    next.node().inputs.empty() || next.node().inputs[0] != tail_.result)
			return false;
		const std::optional<activation> a = activation_of(next);
		if (!a)
			return false;
		tail_.activation = a->fn;
		tail_.p0 = a->p0;
		tail_.p1 = a->p1;
		return true;
	}

	bool take_quantisation(const lowering &next)
	{
		if (next.node().op_type != "QuantizeLinear" || !next.has(1) ||
		    next.node().inputs[0] != tail_.result || !next.known(1) ||
		    next.host(1).count() != 1 || (next.has(2) && !next.known(2)))
			return false;
		const element_type type =
			next.has(2) ? next.type(2)
				    : static_cast<element_type>(
					      next.attr("output_dtype", std::int64_t{2}));
		if (type != element_type::u8 && type != element_type::i8)
			return false;
		view_quantisation q;
		q.of = view_quantisation::kind::per_tensor;
		q.scale = static_cast<float>(next.number(1));
		q.zero_point = next.has(2) ? static_cast<std::int32_t>(next.integer(2)) : 0;
		if (!(q.scale > 0) || !std::isfinite(q.scale))
			return false;
		tail_.quantised = q;
		tail_.type = type;
		return true;
	}

	lowering_state &state_;
	tail &tail_;
	const shape &dims_;
};

} // namespace

int only_reader(const lowering_state &state, value_id value)
{
	const auto index = static_cast<std::size_t>(value);
	if (state.is_output[index] || state.readers[index].size() != 1)
		return -1;
	return state.readers[index].front();
}

tail follow(lowering &n, value_id value, element_type type, const shape &dims)
{
	tail t;
	t.result = value;
	t.type = type;
	follower f(n.state(), t, dims);
	while (n.state().fuse && f.take()) {
	}
	return t;
}

} // namespace atom_onnx
