// SPDX-License-Identifier: MIT
#include "lowering.hpp"

#include <algorithm>

namespace atom_onnx {
namespace {

// No tensor is as large: beyond it a number says no more than "all", and sums of a few do not
// overflow.
std::int64_t bounded(std::int64_t parameter)
{
	constexpr std::int64_t most = std::int64_t{1} << 48;
	return std::clamp(parameter, -most, most);
}

std::vector<std::int64_t> bounded(std::vector<std::int64_t> parameters)
{
	for (std::int64_t &p : parameters)
		p = bounded(p);
	return parameters;
}

} // namespace

view device_view(lowering_state &state, value_id v)
{
	lowered_value &known = state.values[static_cast<std::size_t>(v)];
	if (!known.device) {
		if (known.refused)
			throw unsupported(*known.refused);
		if (!known.host)
			throw unsupported(reason::invalid_model, "a value that was not computed");
		known.device = state.emit.constant(*known.host);
	}
	return *known.device;
}

void set_value(lowering_state &state, value_id v, const view &where, element_type type)
{
	lowered_value &result = state.values[static_cast<std::size_t>(v)];
	result.type = type == element_type::undefined ? element_of(where.type) : type;
	result.dims = where.dims;
	result.device = where;
	result.computed = true;
}

bool lowering::has(unsigned input) const
{
	return input < inputs() && node_.inputs[input] != absent;
}

const lowered_value &lowering::value_of(unsigned input) const
{
	if (!has(input))
		invalid("input " + std::to_string(input) + " is missing");
	const auto index = static_cast<std::size_t>(node_.inputs[input]);
	if (const value_kind kind = state_.g.values[index].kind; kind != value_kind::tensor)
		refuse(kind == value_kind::sequence ? reason::sequence : reason::optional,
		       "input " + std::to_string(input));
	return state_.values[index];
}

const lowered_value &lowering::computed(unsigned input) const
{
	const lowered_value &v = value_of(input);
	if (v.refused)
		throw unsupported(*v.refused);
	return v;
}

const shape &lowering::dims(unsigned input) const { return computed(input).dims; }
element_type lowering::type(unsigned input) const { return computed(input).type; }

view lowering::in(unsigned input)
{
	if (const element_type t = type(input); !device_type(t))
		refuse(t == element_type::string ? reason::string : reason::dtype,
		       "input " + std::to_string(input) + " is " + name_of(t));
	return device_view(state_, node_.inputs[input]);
}

bool lowering::known(unsigned input) const { return value_of(input).host.has_value(); }

const host_tensor &lowering::host(unsigned input) const
{
	const lowered_value &v = value_of(input);
	if (!v.host)
		throw unsupported(reason::unknown_value,
		                  node_.op_type + " needs input " + std::to_string(input),
		                  node_.inputs[input]);
	return *v.host;
}

std::vector<std::int64_t> lowering::integers(unsigned input) const
{
	return bounded(host(input).integers());
}

std::int64_t lowering::integer(unsigned input) const
{
	if (host(input).count() != 1)
		invalid("input " + std::to_string(input) + " is no scalar");
	return bounded(host(input).integers().front());
}

double lowering::number(unsigned input) const
{
	if (host(input).count() != 1)
		invalid("input " + std::to_string(input) + " is no scalar");
	return host(input).reals().front();
}

bool lowering::wants(unsigned output) const
{
	return output < outputs() && node_.outputs[output] != absent;
}

value_id lowering::result() const
{
	if (!wants(0))
		invalid("output 0 is missing");
	return node_.outputs[0];
}

bool lowering::is_graph_output(unsigned output) const
{
	return wants(output) && state_.is_output[static_cast<std::size_t>(node_.outputs[output])];
}

void lowering::set(unsigned output, const view &v, element_type type)
{
	if (wants(output))
		set_value(state_, node_.outputs[output], v, type);
}

void lowering::set(unsigned output, const host_tensor &v)
{
	if (!wants(output))
		return;
	lowered_value &result = state_.values[static_cast<std::size_t>(node_.outputs[output])];
	result.type = v.type();
	result.dims = v.dims();
	result.host = v;
	result.computed = true;
}

const attribute *lowering::find(std::string_view name) const
{
	for (const attribute &a : node_.attributes)
		if (a.name == name)
			return &a;
	return nullptr;
}

namespace {

template <class T>
const T *value_as(const attribute *a, const lowering &node)
{
	if (a == nullptr)
		return nullptr;
	const T *value = std::get_if<T>(&a->value);
	if (value == nullptr)
		node.invalid("attribute " + a->name + " is of another type");
	return value;
}

} // namespace

std::int64_t lowering::attr(std::string_view name, std::int64_t otherwise) const
{
	const auto *value = value_as<std::int64_t>(find(name), *this);
	return value != nullptr ? bounded(*value) : otherwise;
}

float lowering::attr(std::string_view name, float otherwise) const
{
	const auto *value = value_as<float>(find(name), *this);
	return value != nullptr ? *value : otherwise;
}

std::string lowering::attr(std::string_view name, const char *otherwise) const
{
	const auto *value = value_as<std::string>(find(name), *this);
	return value != nullptr ? *value : otherwise;
}

std::vector<std::int64_t> lowering::attr(std::string_view name,
                                         const std::vector<std::int64_t> &otherwise) const
{
	const auto *value = value_as<std::vector<std::int64_t>>(find(name), *this);
	return value != nullptr ? bounded(*value) : otherwise;
}

unsigned lowering::axis(std::int64_t told, unsigned rank) const
{
	const std::int64_t from_start = told < 0 ? told + rank : told;
	if (from_start < 0 || from_start >= rank)
		invalid("axis " + std::to_string(told) + " of " + std::to_string(rank));
	return static_cast<unsigned>(from_start);
}

std::vector<unsigned> lowering::axes(const std::vector<std::int64_t> &told, unsigned rank) const
{
	std::vector<unsigned> all;
	std::vector<bool> seen(rank, false);
	for (const std::int64_t t : told) {
		all.push_back(axis(t, rank));
		if (seen[all.back()])
			invalid("axis " + std::to_string(t) + " is named twice");
		seen[all.back()] = true;
	}
	return all;
}

void lowering::require_inputs(unsigned least) const
{
	for (unsigned i = 0; i < least; ++i)
		if (!has(i))
			invalid("input " + std::to_string(i) + " is missing");
}

void lowering::refuse(reason why, const std::string &what) const
{
	throw unsupported(why, node_.op_type + (node_.name.empty() ? "" : " '" + node_.name + "'") +
	                               ": " + what);
}

void lowering::only_if(bool good, const char *what) const
{
	if (!good)
		refuse(reason::not_lowered, what);
}

} // namespace atom_onnx
